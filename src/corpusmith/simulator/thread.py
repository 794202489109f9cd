"""Runs a simulator beside the caller, or for ever.

Owns: threads, signals, the event loop. Does not own: serving (`server.py`).
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.server import Simulator
from corpusmith.values import Json

T = TypeVar("T")


class Running:
    """A simulator in a thread of its own."""

    def __init__(self, simulator: Simulator, loop: asyncio.AbstractEventLoop) -> None:
        self._simulator = simulator
        self._loop = loop
        self.url = simulator.url
        """`http://127.0.0.1:PORT`; clients of the OpenAI protocol add `/v1`."""

    def stats(self) -> dict[str, Json]:
        """What `GET /__stats` shows."""
        return self._call(self._simulator.stats)

    def reset(self) -> None:
        """What `POST /__reset` does."""
        self._call(self._simulator.reset)

    def requests(self, last: int = 1_000_000) -> list[Json]:
        """The last kept requests, oldest first (`record` says how many are kept)."""
        return self._call(lambda: self._simulator.requests(last))

    def _call(self, function: Callable[[], T]) -> T:
        async def call() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(10)


@contextmanager
def run_in_thread(config: SimulatorConfig | None = None) -> Iterator[Running]:
    """A simulator on a free port of this machine for the length of a `with`.

    Raises OSError when it cannot listen.
    """
    loop = _new_loop()
    thread = threading.Thread(target=_turn, args=(loop,), name="simulator", daemon=True)
    thread.start()
    simulator = Simulator(config)
    try:
        _in_loop(loop, simulator.start())
        try:
            yield Running(simulator, loop)
        finally:
            _in_loop(loop, simulator.stop())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def serve_forever(
    config: SimulatorConfig | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    say: Callable[[str], None] = print,
) -> None:
    """Serve until SIGINT or SIGTERM. `say` gets the server's URL once it listens.

    Raises OSError when it cannot listen.
    """
    loop = _new_loop()
    try:
        loop.run_until_complete(_serve(Simulator(config), host, port, say))
    finally:
        loop.close()


async def _serve(simulator: Simulator, host: str, port: int, say: Callable[[str], None]) -> None:
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows has no signal handlers in loops
            loop.add_signal_handler(name, done.set)
    await simulator.start(host, port)
    say(simulator.url)
    try:
        await done.wait()
    finally:
        await simulator.stop()


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()


def _in_loop(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, loop).result(10)


def _new_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where it runs."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


__all__ = ["Running", "run_in_thread", "serve_forever"]
