"""Figures of the whole database for those who watch a server, cheap at any size.

Owns: the statements. Does not own: their names outside (`service/figures.py`). Nothing here reads a
large table: tasks have counters, and how many rows there are is known well enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam, func, select, text

from corpusmith.store.codec import from_json
from corpusmith.store.database import Database
from corpusmith.store.dump import revision_of
from corpusmith.store.schema import calls, live, records, tasks, workers
from corpusmith.values import Json

FRESH_S = 15.0
"""How old the last word of a task or a worker that lives may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Tasks that wait, and who could run them."""

    waiting: int
    longest_wait_s: float
    """Of a queued task that nobody runs; 0: none waits."""
    workers: int
    """Those that gave a sign of life lately."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All at one moment. Sums are over the tasks that are there; a deleted one's are gone."""

    statuses: Mapping[str, int]
    queue: Queue
    sums: Mapping[str, float]
    """`requested`, `accepted`, …, `calls`, `prompt_tokens`, …, `cost_usd`, `cost_unknown`."""
    live: Sequence[Mapping[str, Json]]
    """What running tasks last said, beyond their counters."""
    rows: Mapping[str, int]
    """About how many rows `calls` and `records` have."""


_SUMS = (
    *("requested", "attempted", "accepted", "rejected", "failed"),
    *("calls", "prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens"),
    *("cost_usd", "cost_unknown"),
)
_WAITING = select(func.count(), func.min(tasks.c.queued_at)).where(
    tasks.c.queued_at.is_not(None), tasks.c.lease_owner.is_(None)
)
_ALIVE = select(func.count()).where(workers.c.at > bindparam("since"))


class Watching:
    """`store.watching`"""

    def __init__(self, database: Database) -> None:
        self._database = database

    def figures(self) -> Figures:
        """Raises StoreError."""
        now = self._database.now()
        sums = select(*(func.sum(tasks.c[name]) for name in _SUMS))
        with self._database.read() as connection:
            by_status = select(tasks.c.status, func.count()).group_by(tasks.c.status)
            statuses = {status: count for status, count in connection.execute(by_status)}
            found = connection.execute(sums).one()
            queue = self._queue(connection)
            said = connection.scalars(select(live.c.body).where(live.c.at > now - FRESH_S)).all()
            rows = self._rows(connection)
        return Figures(
            statuses=statuses,
            queue=queue,
            sums={name: float(one or 0) for name, one in zip(_SUMS, found, strict=True)},
            live=[from_json(body) for body in said],
            rows=rows,
        )

    def queue(self) -> Queue:
        """A part of `figures` that costs next to nothing. Raises StoreError."""
        with self._database.read() as connection:
            return self._queue(connection)

    def _queue(self, connection: Connection) -> Queue:
        now = self._database.now()
        count, since = connection.execute(_WAITING).one()
        return Queue(
            waiting=count,
            longest_wait_s=max(0.0, now - since) if since is not None else 0.0,
            workers=connection.scalar(_ALIVE, {"since": now - FRESH_S}) or 0,
        )

    def revision(self) -> str | None:
        """The schema's."""
        with self._database.read() as connection:
            return revision_of(connection)

    def _rows(self, connection: Connection) -> dict[str, int]:
        if self._database.is_sqlite:
            # Numbers are given in order: what lies between the first and the last, less what was
            # deleted in between.
            return {one.name: connection.scalar(_between(one)) or 0 for one in (calls, records)}
        query = text(
            "SELECT relname, greatest(reltuples, 0) FROM pg_class"
            " WHERE oid IN (to_regclass('calls'), to_regclass('records'))"
        )
        return {name: int(count) for name, count in connection.execute(query)}


def _between(table: Table) -> Select[Any]:
    """Two questions: of one with both ends SQLite reads the whole index."""
    first, last = (select(find(table.c.id)).scalar_subquery() for find in (func.min, func.max))
    return select(last - first + 1)
