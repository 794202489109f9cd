"""Taking calls out of the journal that no task needs any more; the database's size.

Owns: which calls may go, and letting them go a few at a time. Does not own: when (the service).
A call may go when its task has ended for good, or is gone. What a paused, failed or running task
paid for stays, however old: it would be paid again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, select, text

from corpusmith.store.database import Database
from corpusmith.store.schema import calls, tasks

ENDED = ("finished", "cancelled")
AT_ONCE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Prunable:
    """Calls that may go. What they cost would be paid again if their task were run again."""

    tasks: int
    deleted_tasks: int
    """Of tasks that are gone themselves, not counted in `tasks`."""
    calls: int
    tokens: int
    cost_usd: float
    """Of those calls whose price is known."""
    bytes: int
    """Of requests and replies, about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The database on its disk, in bytes. `free`: inside it, for new rows."""

    total: int
    free: int | None
    """None: the database does not say."""


class Pruning:
    """`store.pruning`"""

    def __init__(self, database: Database) -> None:
        self._database = database

    def look(self, before: float, *, ended_only: bool) -> Prunable:
        """What `prune` would take away."""
        known, gone = 0, 0
        sums = [0, 0, 0.0, 0]
        with self._database.read() as connection:
            for task_id, there in _tasks(connection, before, ended_only=ended_only):
                found = connection.execute(_sums().where(_of(task_id, before))).one()
                if found[0]:
                    known, gone = known + there, gone + (not there)
                    sums = [one + (more or 0) for one, more in zip(sums, found, strict=True)]
        return Prunable(
            tasks=known,
            deleted_tasks=gone,
            calls=int(sums[0]),
            tokens=int(sums[1]),
            cost_usd=float(sums[2]),
            bytes=int(sums[3]),
        )

    def prune(
        self, before: float, *, ended_only: bool, told: Callable[[int], None] = lambda done: None
    ) -> int:
        """How many calls went. Each few in a transaction of their own: tasks run on meanwhile."""
        with self._database.read() as connection:
            found = [one for one, _ in _tasks(connection, before, ended_only=ended_only)]
        done = 0
        for task_id in found:
            while count := self._some(task_id, before):
                done += count
                told(done)
        return done

    def size(self) -> Size:
        """Cheap: nothing is scanned."""
        with self._database.read() as connection:
            if not self._database.is_sqlite:
                query = text("SELECT pg_database_size(current_database())")
                return Size(total=int(connection.execute(query).scalar_one()), free=None)
            pages, free, page = (
                int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
                for name in ("page_count", "freelist_count", "page_size")
            )
        return Size(total=pages * page, free=free * page)

    def compact(self) -> None:
        """Gives free space back to the disk. On SQLite all others wait meanwhile, and the file is
        there twice; Postgres makes it free for new rows. Raises StoreError."""
        what = "VACUUM" if self._database.is_sqlite else "VACUUM (ANALYZE) calls"
        self._database.outside_transaction(what)

    def _some(self, task_id: int, before: float) -> int:
        with self._database.write() as connection:
            # Under the lock: since we looked, somebody may have taken the task up again.
            status = connection.scalar(select(tasks.c.status).where(tasks.c.id == task_id))
            if status is not None and status not in ENDED:
                return 0
            some = select(calls.c.id).where(_of(task_id, before)).limit(AT_ONCE)
            found = list(connection.scalars(some))
            if found:
                connection.execute(delete(calls).where(calls.c.id.in_(found)))
        return len(found)


def _tasks(
    connection: Connection, before: float, *, ended_only: bool
) -> Iterator[tuple[int, bool]]:
    """(task id, whether the task is still there) of all whose calls may go."""
    ended = select(tasks.c.id).where(tasks.c.status.in_(ENDED), tasks.c.updated_at < before)
    for task_id in connection.scalars(ended.order_by(tasks.c.id)).all():
        yield task_id, True
    if ended_only:
        return
    there = set(connection.scalars(select(tasks.c.id)).all())
    last = -1
    # From task to task through the index on them: the journal itself is not read.
    following = select(func.min(calls.c.task_id))
    while (found := connection.scalar(following.where(calls.c.task_id > last))) is not None:
        if found not in there:
            yield found, False
        last = found


def _of(task_id: int, before: float) -> ColumnElement[bool]:
    return and_(calls.c.task_id == task_id, calls.c.created_at < before)


def _sums() -> Any:
    return select(
        func.count(),
        func.sum(calls.c.prompt_tokens + calls.c.completion_tokens),
        func.sum(calls.c.cost_usd),
        func.sum(func.length(calls.c.request) + func.length(calls.c.reply)),
    )
