"""A worker: takes queued tasks and runs them, several in one event loop.

Owns: which task is taken when, and what becomes of one that cannot start. Does not own: the queue
(store), running a task (`tasks.py`), processes (`workers.py`, `cli/worker.py`).
Killed at any moment it loses nothing: its tasks stay queued, and their leases die with it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from corpusmith.errors import CorpusmithError, LeaseHeld, LeaseLost, Stopped, StoreError
from corpusmith.service.workers import SILENT_S
from corpusmith.store.lease import owner_id, surely_dead
from corpusmith.store.live import WorkerRow

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio
    from corpusmith.service.tasks import Result

log = logging.getLogger("corpusmith.worker")

POLL_S = 0.2
"""How often the queue is looked at."""
TASKS_AT_ONCE = 4
BEAT_S = 5.0
LOOK_AGAIN_S = 1.0
"""After which a task is tried again that another process has."""
INDEX_S = 2.0
"""How often the search is fed, unless there is nothing else to do."""
STORE_AWAY_S = 2.0
"""After which a database is tried again that did not answer."""


class Worker:
    """`await run()` once; `stop` from the same event loop."""

    def __init__(
        self,
        studio: Studio,
        *,
        tasks_at_once: int = TASKS_AT_ONCE,
        told: Callable[[str, int], None] = lambda event, task_id: None,
    ) -> None:
        """`told` hears of each task that is `taken`, `ended` or `broken`."""
        self._studio = studio
        self._at_once = tasks_at_once
        self._told = told
        self._running: dict[int, asyncio.Task[None]] = {}
        self._later: dict[int, float] = {}
        """Tasks that others have, and when to look at them again."""
        self._stopping = asyncio.Event()
        now = time.time()
        self._row = WorkerRow(
            owner=owner_id(), started_at=now, at=now, tasks_at_once=tasks_at_once, running=0
        )
        self._beaten_s = float("-inf")
        self._indexed_s = float("-inf")
        self._hungry = False

    @property
    def running(self) -> list[int]:
        """The tasks that it runs now."""
        return sorted(self._running)

    def stop(self) -> None:
        """Take no more, and drain what runs: it stays queued for the next start. Called again,
        it does not wait for calls in flight."""
        again = self._stopping.is_set()
        self._stopping.set()
        for task_id, task in self._running.items():
            if not self._studio.tasks.stop(task_id, again=True) or again:
                task.cancel()

    async def run(self) -> None:
        """Until `stop`."""
        try:
            while not self._stopping.is_set():
                pause_s = POLL_S
                try:
                    await self._turn()
                    if await self._index():
                        pause_s = 0.0
                except StoreError as error:
                    log.warning("the database does not answer: %s", error)
                    pause_s = STORE_AWAY_S
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause_s)
        finally:
            await asyncio.gather(*self._running.values(), return_exceptions=True)
            with suppress(StoreError):
                await asyncio.to_thread(self._studio.store.workers.gone, [self._row.owner])

    async def _turn(self) -> None:
        await self._beat()
        room = self._at_once - len(self._running)
        if room <= 0:
            return
        waiting = await asyncio.to_thread(self._studio.store.queue.waiting)
        if self._stopping.is_set():  # while we looked
            return
        now = time.monotonic()
        free = [
            task_id
            for task_id in waiting
            if task_id not in self._running and self._later.get(task_id, 0.0) <= now
        ]
        self._later = {one: at for one, at in self._later.items() if at > now}
        for task_id in free[:room]:
            self._running[task_id] = asyncio.create_task(self._work(task_id), name=str(task_id))

    async def _index(self) -> bool:
        """Feed the search a few records, now and then while tasks run: both want the write lock.
        True: more is waiting, and nothing else to do."""
        now = time.monotonic()
        if now - self._indexed_s < INDEX_S and not self._hungry:
            return False
        self._indexed_s = now
        more = await asyncio.to_thread(self._studio.records.index_some)
        self._hungry = more and not self._running
        return self._hungry

    async def _work(self, task_id: int) -> None:
        try:
            await self._run(task_id)
        except (LeaseHeld, LeaseLost):
            self._later[task_id] = time.monotonic() + LOOK_AGAIN_S
        except Stopped:
            pass  # it was paused a moment ago
        except StoreError as error:
            # Its run has said why in the store, if that still listened.
            log.warning("task %d: %s", task_id, error)
            self._later[task_id] = time.monotonic() + STORE_AWAY_S
        except CorpusmithError as error:
            await self._settle(task_id, {"code": error.reason, **_plain(error)})
        except Exception as error:
            log.error("task %d broke", task_id, exc_info=error)
            cause = {"type": type(error).__name__, "cause": str(error)[:500]}
            await self._settle(task_id, {"code": "internal", **cause})
        finally:
            del self._running[task_id]

    async def _run(self, task_id: int) -> Result:
        self._told("taken", task_id)
        try:
            return await self._studio.tasks.run_async(task_id, asked=True)
        finally:
            self._told("ended", task_id)

    async def _settle(self, task_id: int, cause: dict[str, object]) -> None:
        """What cannot start says why, and is not tried again until somebody asks for it."""
        self._told("broken", task_id)
        tasks = self._studio.store.tasks

        def settle() -> None:
            done = tasks.get(task_id).status == "finished"
            tasks.settle(task_id, "finished" if done else "failed", cause)

        with suppress(StoreError, CorpusmithError):
            await asyncio.to_thread(settle)

    async def _beat(self) -> None:
        if time.monotonic() - self._beaten_s < BEAT_S:
            return
        self._beaten_s = time.monotonic()
        store, now = self._studio.store, time.time()
        self._row = replace(self._row, at=now, running=len(self._running))
        await asyncio.to_thread(store.workers.beat, self._row)
        rows = await asyncio.to_thread(store.workers.list)
        dead = [one.owner for one in rows if now - one.at > 10 * SILENT_S or surely_dead(one.owner)]
        if dead:
            await asyncio.to_thread(store.workers.gone, dead)


def _plain(error: CorpusmithError) -> dict[str, object]:
    simple = (str, int, float, bool, type(None))
    return {
        name: value if isinstance(value, simple) else str(value)
        for name, value in error.data.items()
    }
