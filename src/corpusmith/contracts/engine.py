"""What the engine is given: the time, and who runs its items."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from corpusmith.values import Item, Outcome


class Clock(Protocol):
    """Time, passed in so that tests can turn the hands."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""

    def time(self) -> float:
        """Seconds since 1970 (UTC)."""

    async def sleep(self, delay_s: float) -> None: ...


class Source(Protocol):
    """Hands out a task's items, as many as may be in progress."""

    def take(self) -> Item | None:
        """The next item to start now; None: there is none now."""

    async def more(self) -> bool:
        """Wait until `take` has an item again. False: it never will."""


class Executor(Protocol):
    """Runs items somewhere: here, or on a cluster. It never decides and never saves."""

    async def run(
        self,
        items: Source,
        work: Callable[[Item], Awaitable[Outcome | None]],
        done: Callable[[Item, Outcome | None], Awaitable[None]],
    ) -> None:
        """Take items while there are any, do `work`, hand each outcome to `done`.

        None for an outcome: the item was given up by a stop and counts as never started.
        Returns when `items` ends and all outcomes are handed over. An exception of `work` or
        `done` stops all and is raised.
        """
