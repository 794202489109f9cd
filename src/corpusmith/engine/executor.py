"""Runs items in this process, as many at once as the source hands out.

Owns: structured concurrency over items. Does not own: how many (the source waits), what an item
does (`work`), what becomes of it (`done`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from corpusmith.values import Item, Outcome


class LocalExecutor:
    """Fits contracts.Executor."""

    async def run(
        self,
        items: AsyncIterator[Item],
        work: Callable[[Item], Awaitable[Outcome | None]],
        done: Callable[[Item, Outcome | None], Awaitable[None]],
    ) -> None:
        """See contracts.Executor."""

        async def one(item: Item) -> None:
            await done(item, await work(item))

        async with asyncio.TaskGroup() as group:
            async for item in items:
                group.create_task(one(item))
