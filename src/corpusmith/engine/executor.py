"""Runs items in this process, as many at once as the source hands out.

Owns: structured concurrency over items. Does not own: how many (the source), what an item does
(`work`), what becomes of it (`done`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from corpusmith.contracts import Source
from corpusmith.values import Item, Outcome


class LocalExecutor:
    """Fits contracts.Executor."""

    async def run(
        self,
        items: Source,
        work: Callable[[Item], Awaitable[Outcome | None]],
        done: Callable[[Item, Outcome | None], Awaitable[None]],
    ) -> None:
        """See contracts.Executor."""

        async def worker(item: Item | None) -> None:
            # One task for many items: making a task costs more than an item's bookkeeping.
            while item is not None:
                await done(item, await work(item))
                item = items.take()

        async with asyncio.TaskGroup() as group:
            while await items.more():
                group.create_task(worker(items.take()))
