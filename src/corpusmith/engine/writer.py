"""The one writer: everything a task saves goes through here, many writes a commit.

Owns: gathering writes and committing them in groups. Does not own: what a write means (the store).
A write's future resolves only after its commit, so whoever awaits it may rely on the disk.

`begin` and `commit` wait (for the lock, for the disk) and run on a thread. `apply` runs on the
event loop for a local file: sqlite3 gives the GIL back at every row, and a background thread then
waits up to 5 ms per row to get it back from a busy loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from corpusmith.contracts import Store, Transaction, Write
from corpusmith.engine.whole import whole

T = TypeVar("T")
GATHER_S = 0.012
"""How long a busy writer waits for more company (DESIGN.md §5: at most 20 ms with the commit).
Groups also form by themselves while a commit waits for the disk; but at thousands of writes a
second those are small, and the same work cost a fifth more CPU."""
BUSY_PER_S = 3000.0
"""Writes a second from which gathering pays. Below, a reply is on the disk as soon as it can be:
what a kill loses is what was answered and not yet committed."""
CHUNK = 200
"""Writes applied between two turns of the event loop (about 5 ms of work)."""


class Writer:
    """Use as `async with Writer(store) as writer`. One a process and store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pending: list[tuple[Write, asyncio.Future[None]]] = []
        self._group: list[tuple[Write, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._between = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="corpusmith-writer")
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._broken: BaseException | None = None
        self.commits = 0
        self._per_s = 0.0
        self._last_s = 0.0

    async def __aenter__(self) -> Writer:
        self._task = asyncio.create_task(self._guarded(), name="writer")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing = True
        self._wake.set()
        try:
            if self._task is not None:
                await whole(self._task)
        finally:
            self._thread.shutdown()

    def save(self, write: Write) -> asyncio.Future[None]:
        """A future that resolves when `write` is on the disk, or raises why it is not.

        LeaseLost refuses this one write; any other StoreError refuses its whole group and every
        later write too: a failed save stops the run.
        """
        future = asyncio.get_running_loop().create_future()
        if self._broken is not None:
            future.set_exception(self._broken)
            return future
        self._pending.append((write, future))
        self._wake.set()
        return future

    async def on_thread(self, work: Callable[[], T]) -> T:
        """Run `work` (a short store operation) between two commits, off the event loop."""
        # Never inside a group: `work` would wait on the writer's thread for the write lock that
        # the group holds, and the group's commit for the thread.
        async with self._between:
            return await self._off_loop(work)

    async def _off_loop(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _guarded(self) -> None:
        """Whatever ends the writer, nobody is left to wait for it for ever."""
        try:
            await self._run()
        except Exception as error:
            self._break(error, self._group)
            raise

    async def _run(self) -> None:
        while not (self._closing and not self._pending):
            await self._wake.wait()
            self._wake.clear()
            if not self._pending:
                continue
            if not self._closing:
                await asyncio.sleep(GATHER_S if self._per_s > BUSY_PER_S else 0)
            async with self._between:
                await self._commit_group()

    async def _commit_group(self) -> None:
        transaction = self._store.transaction()
        group: list[tuple[Write, asyncio.Future[None]]] = []
        refused: list[Exception | None] = []
        try:
            await self._off_loop(transaction.begin)
            group, self._pending = self._pending, []
            self._group = group
            for start in range(0, len(group), CHUNK):
                writes = [write for write, _ in group[start : start + CHUNK]]
                refused += await self._apply(transaction, writes)
            await self._off_loop(transaction.commit)
        except Exception as error:  # noqa: BLE001  handed to every waiter of the group
            transaction.rollback()
            self._break(error, group)
            return
        self._measure(len(group))
        for (_, future), reason in zip(group, refused, strict=True):
            if future.done():
                continue
            if reason is None:
                future.set_result(None)
            else:
                future.set_exception(reason)
        if self._pending:
            self._wake.set()

    def _measure(self, writes: int) -> None:
        now_s = asyncio.get_running_loop().time()
        self._per_s += 0.2 * (writes / max(now_s - self._last_s, 1e-6) - self._per_s)
        self._last_s = now_s
        self.commits += 1

    async def _apply(self, transaction: Transaction, writes: list[Write]) -> list[Exception | None]:
        if self._store.inline_io:
            refused = transaction.apply(writes)
            await asyncio.sleep(0)
            return refused
        return await self._off_loop(lambda: transaction.apply(writes))

    def _break(self, error: Exception, group: list[tuple[Write, asyncio.Future[None]]]) -> None:
        self._broken = error
        waiting, self._pending = [*group, *self._pending], []
        for _, future in waiting:
            if not future.done():
                future.set_exception(error)
                future.exception()  # marks it as seen: a cancelled waiter never will
