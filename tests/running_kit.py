"""Workers for tests: one in a thread of this process, or processes that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from corpusmith import Studio
from corpusmith.service.worker import Worker
from corpusmith.simulator.thread import Running
from corpusmith.store.store import SqlStore

WITHIN_S = 120.0


def dialogue(simulator: Running, count: int, **more: Any) -> dict[str, Any]:
    """The fields of a small task."""
    return {
        "connection": {"base_url": f"{simulator.url}/v1", "model": "any"},
        "characters": ["贺三娘"],
        "scenarios": ["日常对话"],
        "count": count,
        "turns": 1,
        "seed": 7,
        **more,
    }


@contextmanager
def working(url: str, tasks_at_once: int = 4) -> Iterator[None]:
    """A worker beside the test, on a database connection of its own."""
    ready = threading.Event()
    held: dict[str, Any] = {}

    async def work() -> None:
        with Studio(url) as studio:
            held["worker"] = Worker(studio, tasks_at_once=tasks_at_once)
            held["loop"] = asyncio.get_running_loop()
            ready.set()
            await held["worker"].run()

    thread = threading.Thread(target=asyncio.run, args=(work(),))
    thread.start()
    assert ready.wait(20)
    try:
        yield
    finally:
        held["loop"].call_soon_threadsafe(held["worker"].stop)
        thread.join(20)
        assert not thread.is_alive()


@contextmanager
def running(store: SqlStore, *numbers: int) -> Iterator[None]:
    """Tasks that run in threads beside the test, until they end or the test does."""
    stops: list[Callable[[], object]] = []

    async def run(number: int, ready: threading.Event) -> None:
        loop, work = asyncio.get_running_loop(), asyncio.current_task()
        assert work is not None
        stops.append(partial(loop.call_soon_threadsafe, work.cancel))
        ready.set()
        with contextlib.suppress(asyncio.CancelledError):
            await Studio.over(store, "en").tasks.run_async(number)

    threads = []
    for number in numbers:
        ready = threading.Event()
        threads.append(threading.Thread(target=asyncio.run, args=(run(number, ready),)))
        threads[-1].start()
        assert ready.wait(20)
    try:
        yield
    finally:
        for stop in stops:
            stop()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()


def program(*words: str, home: Path, url: str | None = None) -> subprocess.Popen[str]:
    """`corpusmith …` as a process of its own."""
    environment = {**os.environ, "CORPUSMITH_HOME": str(home), "CORPUSMITH_LANG": "en", "CI": "1"}
    if url is not None:
        environment["CORPUSMITH_DATABASE_URL"] = url
    return subprocess.Popen(
        [sys.executable, "-m", "corpusmith", *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(true: Callable[[], Any], within_s: float = WITHIN_S) -> Any:
    """What `true` says as soon as it is something. Raises AssertionError."""
    end_s = time.monotonic() + within_s
    while not (found := true()):
        assert time.monotonic() < end_s, "it never came to be"
        time.sleep(0.05)
    return found
