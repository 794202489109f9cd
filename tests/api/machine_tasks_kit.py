"""A model that lives in this process, and a worker that stops when nobody waits.

Owns: replies that are a pure function of the request, and what happens in the midst of a run. Does
not own: what is done and what must hold (`test_api_machine_tasks.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any, ClassVar

import orjson
import pytest

from corpusmith import Studio, registry
from corpusmith.engine import runner
from corpusmith.errors import BadRequest
from corpusmith.service import worker as worker_module
from corpusmith.service.worker import Worker
from corpusmith.values import ChatRequest, Connection, Reply, StructuredMode, Usage

BEAT_S = 0.02
"""How often a run hears what is wanted of it, here."""


class Model:
    """Fits contracts.Provider. Answers, refuses or breaks off by nothing but the request.

    `event` happens at call number `at`; while it does and for some beats of the run, nobody is
    answered: so there is a run that can take notice.
    """

    modes: tuple[StructuredMode, ...] = ("schema",)
    calls: ClassVar[int] = 0
    at: ClassVar[int] = 0
    event: ClassVar[Callable[[], None] | None] = None
    _held: ClassVar[asyncio.Event | None] = None

    def __init__(self, connection: Connection, key: object) -> None:
        pass

    async def chat(self, request: ChatRequest, *, timeout_s: float | None = None) -> Reply:
        Model.calls += 1
        if Model.event is not None and Model.calls == Model.at:
            await self._happens(Model.event)
        elif Model._held is not None:
            await Model._held.wait()
        asked = "\n".join(message.content for message in request.messages).encode()
        digest = blake2b(asked, digest_size=8).digest()
        if digest[0] < 40:  # no reply, no money: the same request fails the same way again
            raise BadRequest(status=400, cause=f"no {digest.hex()}")
        return Reply(text=_said(request, digest.hex()), usage=_USAGE)

    async def _happens(self, event: Callable[[], None]) -> None:
        Model.event, Model._held = None, asyncio.Event()
        try:
            await asyncio.to_thread(event)
            await asyncio.sleep(5 * BEAT_S)
        finally:
            Model._held.set()
            Model._held = None

    async def models(self) -> list[str]:
        return ["stub"]

    async def close(self) -> None:
        return None


_USAGE = Usage(prompt_tokens=3, completion_tokens=5)


def _said(request: ChatRequest, digest: str) -> str:
    """`dialogues_KxT` asks for K dialogues of T turns. Some are a refusal, which a check finds."""
    assert request.schema is not None
    k, _, turns = request.schema.name.removeprefix("dialogues_").partition("x")
    answer = "作为一个AI语言模型，我无法回答这个问题。" if digest < "40" else f"好呀，{digest}"
    line = {"user": f"你好，{digest}", "assistant": answer}
    said = [{"turns": [line | {"user": f"{n}{line['user']}"}] * int(turns)} for n in range(int(k))]
    return orjson.dumps({"dialogues": said}).decode()


@contextmanager
def worker_of(url: str) -> Iterator[Studio]:
    """A worker's own way to the database, while whoever speaks OpenAI's protocol is `Model`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.TABLES["provider"], "openai", "machine_tasks_kit:Model")
        patch.setattr(worker_module, "POLL_S", 0.005)
        patch.setattr(runner, "BEAT_S", BEAT_S)
        registry.load.cache_clear()
        try:
            with Studio(url) as studio:
                yield studio
        finally:
            registry.load.cache_clear()


def fields_of(count: int, **more: Any) -> dict[str, Any]:
    """A small task whose model is `Model`."""
    return {
        "connection": {"base_url": "http://stub.invalid/v1", "model": "stub"},
        "characters": ["贺三娘"],
        "scenarios": {"日常对话": 2, "情感交流": 1},
        "turns": 1,
        "count": count,
        **more,
    }


def work(
    studio: Studio, event: Callable[[], Any] | None = None, after: int = 1, stops: int = 0
) -> None:
    """A worker, until the queue is empty. In the midst of it, at call number `after`, `event`
    happens, or it is told `stops` times to stop: what waits then waits on."""
    Model.at = Model.calls + after
    try:
        asyncio.run(_work(studio, event, stops))
    finally:
        Model.event, Model._held = None, None


async def _work(studio: Studio, event: Callable[[], Any] | None, stops: int) -> None:
    worker, loop = Worker(studio), asyncio.get_running_loop()

    def stop() -> None:
        for _ in range(stops):
            loop.call_soon_threadsafe(worker.stop)

    happens = stop if stops else event
    Model.event = None if happens is None else staticmethod(happens)
    running = asyncio.create_task(worker.run())
    while not running.done() and (worker.running or studio.store.queue.waiting()):
        await asyncio.sleep(0.005)
    if not running.done():
        worker.stop()
    await running
