"""What a running task looks like beyond its counters, and which workers wait for tasks.

Owns: the `live` and `workers` rows. Does not own: when they are written (`lease.py` writes the
first within a beat, so that it costs no commit of its own), what stands in them (the engine).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from corpusmith.store.codec import from_json, to_json
from corpusmith.store.database import Database
from corpusmith.store.schema import live, workers
from corpusmith.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRow:
    """One running task's last word. `at`: seconds since 1970."""

    task_id: int
    at: float
    body: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRow:
    """One process that waits for queued tasks. Times are seconds since 1970."""

    owner: str
    started_at: float
    at: float
    tasks_at_once: int
    running: int


class Lives:
    """`store.lives`"""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, task_ids: Collection[int]) -> dict[int, LiveRow]:
        """The last word of each of these tasks that has one."""
        if not task_ids:
            return {}
        query = select(live).where(live.c.task_id.in_(sorted(task_ids)))
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return {
            task_id: LiveRow(task_id=task_id, at=at, body=from_json(body))
            for task_id, at, body in rows
        }


_WORKERS = select(workers).order_by(workers.c.started_at, workers.c.owner)


class Workers:
    """`store.workers`"""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(self, row: WorkerRow) -> None:
        """It lives: write it down, first or again."""
        values = {name: getattr(row, name) for name in workers.c.keys()}  # noqa: SIM118
        statement = self._database.insert(workers).values(values)
        changed = {name: statement.excluded[name] for name in ("at", "tasks_at_once", "running")}
        with self._database.write() as connection:
            connection.execute(
                statement.on_conflict_do_update(index_elements=["owner"], set_=changed)
            )

    def gone(self, owners: Collection[str]) -> None:
        """They are no more."""
        with self._database.write() as connection:
            connection.execute(delete(workers).where(workers.c.owner.in_(sorted(owners))))

    def list(self) -> Sequence[WorkerRow]:
        """All that are written down, the oldest first; some may be dead."""
        with self._database.read() as connection:
            return [WorkerRow(**row) for row in connection.execute(_WORKERS).mappings()]


def write_live(
    connection: Connection, database: Database, task_id: int, now: float, body: Json
) -> None:
    """A running task's word, in place of its last one."""
    statement = database.insert(live).values(task_id=task_id, at=now, body=to_json(body))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["task_id"],
            set_={"at": statement.excluded.at, "body": statement.excluded.body},
        )
    )


def forget_live(connection: Connection, task_id: int) -> None:
    """Nobody runs it any more."""
    connection.execute(delete(live).where(live.c.task_id == task_id))
