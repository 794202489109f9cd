"""Tasks that somebody asked to be run: who waits, and what is wanted of those that run.

Owns: `queued_at`, and wishes that depend on whether a process runs the task. Does not own: taking
a task (`lease.py`), running it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import Connection, RowMapping, select, update

from corpusmith.errors import LeaseHeld, UsageError
from corpusmith.store.codec import to_json
from corpusmith.store.database import Database
from corpusmith.store.lease import locked, refuse_cancelled, require_idle, surely_dead
from corpusmith.store.schema import tasks

_MOST = 1000
"""Tasks of a queue that are looked at."""


class Queue:
    """`store.queue`"""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, task_id: int) -> None:
        """A worker is to run it; a pause that was asked for is taken back, if it did not come to
        pass yet. Raises NotFound, UsageError `task_cancelled`."""
        now = self._database.now()
        with self._database.write() as connection:
            row = locked(connection, task_id)
            refuse_cancelled(row)
            why = row["cause"] if row["status"] == "running" else None
            _set(connection, task_id, queued_at=now, request=None, cause=why, updated_at=now)

    def done(self, task_id: int, asked_at: float) -> None:
        """Who asked for it then has what they wanted; who asked later waits."""
        own = (tasks.c.id == task_id) & (tasks.c.queued_at == asked_at)
        with self._database.write() as connection:
            connection.execute(update(tasks).where(own).values(queued_at=None))

    def waiting(self) -> Sequence[int]:
        """Tasks in the queue that no living process runs, the longest waiting first."""
        query = (
            select(tasks.c.id, tasks.c.lease_owner, tasks.c.lease_until)
            .where(tasks.c.queued_at.is_not(None))
            .order_by(tasks.c.queued_at, tasks.c.id)
            .limit(_MOST)
        )
        now = self._database.now()
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [task_id for task_id, owner, until in rows if _free(owner, until, now)]

    def wish(self, task_id: int, wish: Literal["pause", "cancel"]) -> None:
        """Ask the process that runs it; one that nobody runs changes at once, and waits no more.

        Raises NotFound, UsageError `task_ended`.
        """
        now = self._database.now()
        with self._database.write() as connection:
            row = locked(connection, task_id)
            waits = row["queued_at"] is not None
            if row["status"] == "cancelled" or (row["status"] == "finished" and not waits):
                raise UsageError("task_ended", task=task_id, status=row["status"])
            try:
                row = require_idle(connection, task_id, now)
            except LeaseHeld:
                _set(connection, task_id, request=wish, queued_at=None)
                return
            _settle(connection, row, wish, now)


def _settle(
    connection: Connection, row: RowMapping, wish: Literal["pause", "cancel"], now: float
) -> None:
    status = "cancelled" if wish == "cancel" else "paused"
    if row["status"] == "finished" and row["accepted"] >= row["requested"]:
        _set(connection, row["id"], queued_at=None)  # nothing was left to make
    elif (
        wish == "cancel" or row["status"] in ("created", "running") or row["queued_at"] is not None
    ):
        cause = to_json({"code": status})
        _set(
            connection,
            row["id"],
            status=status,
            cause=cause,
            request=None,
            queued_at=None,
            updated_at=now,
        )


def _set(connection: Connection, task_id: int, **columns: object) -> None:
    connection.execute(update(tasks).where(tasks.c.id == task_id).values(columns))


def _free(owner: str | None, until: float | None, now: float) -> bool:
    return owner is None or until is None or until <= now or surely_dead(owner)
