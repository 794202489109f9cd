"""Answers are worked out a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from corpusmith.api import turns
from corpusmith.api.turns import AT_ONCE, Turns

START = {"type": "http.response.start", "status": 200, "headers": []}
Work = Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]


class Crowd:
    """Many requests at once to one piece of work, which says when its answer begins."""

    def __init__(self, work: Work, count: int, method: str = "GET") -> None:
        self.inside, self.most, self.begun = 0, 0, 0
        self._free = asyncio.Semaphore(AT_ONCE)
        state = SimpleNamespace(turns=self._free)
        self._scope = {"type": "http", "method": method, "app": SimpleNamespace(state=state)}
        self._work, self._turns = work, Turns(self._app)
        self.asked = [asyncio.create_task(self._ask()) for _ in range(count)]

    @property
    def free(self) -> int:
        """Turns that nobody has."""
        return self._free._value

    async def _ask(self) -> None:
        async def nothing(*_: Any) -> Any: ...

        await self._turns(self._scope, nothing, nothing)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)

        async def begin() -> None:
            self.begun += 1
            self.inside -= 1
            await send(START)

        await self._work(begin)


async def test_a_few_are_worked_out_at_once_and_all_are() -> None:
    async def work(begin: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(0.01)
        await begin()

    crowd = Crowd(work, 40)
    await asyncio.gather(*crowd.asked)
    assert (crowd.most, crowd.begun) == (AT_ONCE, 40)


async def test_a_stream_that_has_begun_keeps_nobody_waiting() -> None:
    ended = asyncio.Event()

    async def work(begin: Callable[[], Awaitable[None]]) -> None:
        await begin()
        await ended.wait()

    crowd = Crowd(work, 50)
    async with asyncio.timeout(turns.LONG_S):
        while crowd.begun < 50:
            await asyncio.sleep(0)
    ended.set()
    await asyncio.gather(*crowd.asked)


async def test_who_waits_for_another_server_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "LONG_S", 0.05)
    answered = asyncio.Event()

    async def work(begin: Callable[[], Awaitable[None]]) -> None:
        await answered.wait()
        await begin()

    crowd = Crowd(work, 3 * AT_ONCE)
    await asyncio.sleep(0.01)
    assert crowd.inside == AT_ONCE
    async with asyncio.timeout(5):
        while crowd.inside < 3 * AT_ONCE:
            await asyncio.sleep(0.01)
    answered.set()
    await asyncio.gather(*crowd.asked)
    # Each has given back one turn, not one for being late and one for its answer.
    assert crowd.free == AT_ONCE


async def test_a_body_that_comes_byte_by_byte_keeps_nobody_waiting() -> None:
    async def work(begin: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(3600)

    slow = Crowd(work, 10 * AT_ONCE, "POST")
    await asyncio.sleep(0)
    assert (slow.inside, slow.free) == (10 * AT_ONCE, AT_ONCE)
    for one in slow.asked:
        one.cancel()
    await asyncio.gather(*slow.asked, return_exceptions=True)


async def test_what_fails_or_is_broken_off_gives_its_turn_back() -> None:
    async def work(begin: Callable[[], Awaitable[None]]) -> None:
        if crowd.inside % 2:
            raise ValueError
        await asyncio.sleep(3600)

    crowd = Crowd(work, 2)
    await asyncio.sleep(0)
    for one in crowd.asked:
        one.cancel()
        with suppress(ValueError, asyncio.CancelledError):
            await one
    assert crowd.free == AT_ONCE
