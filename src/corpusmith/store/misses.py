"""Samples that did not become records: reading them, and putting their items back.

Does not own: running them again (the engine, when the task is resumed).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, bindparam, func, or_, select, tuple_, update

from corpusmith.store.codec import from_json, iso
from corpusmith.store.database import Database
from corpusmith.store.lease import require_idle
from corpusmith.store.schema import items, quotas, tasks
from corpusmith.store.tally import COUNTERS, Counters
from corpusmith.store.values import MissRow

Kind = Literal["rejected", "failed"]
Place = tuple[int, int, int]

_AT_ONCE = 200
_REASONS = (
    select(items.c.reasons, func.count())
    .where(items.c.task_id == bindparam("task_id"), items.c.misses.is_not(None))
    .group_by(items.c.reasons)
)

_PUT_BACK = (
    update(items)
    .where(
        items.c.task_id == bindparam("b_task"),
        items.c.position == bindparam("b_position"),
        items.c.ordinal == bindparam("b_ordinal"),
    )
    .values(
        done=False,
        generation=items.c.generation + bindparam("b_step"),
        rejected=0,
        failed=0,
        misses=None,
        reasons=None,
        fresh=False,
    )
)


class Misses:
    """What is missing of a task's items."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(
        self,
        task_id: int,
        kind: Kind | None = None,
        *,
        reason: str | None = None,
        limit: int = 50,
        after: Place | None = None,
    ) -> Sequence[MissRow]:
        """In the order of the plan; `after`: `place` of the last one of the page before."""
        rows = (
            miss
            for miss in self._all(task_id, after or (-1, -1, -1))
            if (after is None or miss.place > after)
            and kind in (None, miss.kind)
            and reason in (None, miss.reason)
        )
        return tuple(islice(rows, limit))

    def counts(self, task_id: int) -> dict[tuple[Kind, str], int]:
        """How many samples are missing, by (kind, reason), most frequent first."""
        sums: Counter[tuple[Kind, str]] = Counter()
        with self._database.read() as connection:
            for reasons, times in connection.execute(_REASONS, {"task_id": task_id}):
                for kind, reason, count in from_json(reasons):
                    sums[kind, reason] += count * times
        return dict(sums.most_common())

    def put_back(
        self,
        task_id: int,
        kinds: Collection[Kind],
        limit_per_category: Mapping[str, int] | None,
    ) -> int:
        """See `Tasks.retry`."""
        with self._database.write() as connection:
            require_idle(connection, task_id, self._database.now())
            chosen = _choose(connection, task_id, kinds, limit_per_category)
            if chosen:
                connection.execute(_PUT_BACK, [_step(task_id, row) for row in chosen])
                _take_back(connection, task_id, chosen)
        return len(chosen)

    def _all(self, task_id: int, start: Place) -> Iterator[MissRow]:
        """Every missing sample from the item of `start` on, that item included."""
        place = tuple_(items.c.position, items.c.ordinal)
        query = (
            select(items, quotas.c.name)
            .join(
                quotas,
                (quotas.c.task_id == items.c.task_id) & (quotas.c.position == items.c.position),
            )
            .where(items.c.task_id == task_id, items.c.misses.is_not(None))
            .order_by(items.c.position, items.c.ordinal)
            .limit(_AT_ONCE)
        )
        page = query.where(place >= tuple_(*start[:2]))
        while True:
            with self._database.read() as connection:
                rows = connection.execute(page).mappings().all()
            for row in rows:
                yield from _misses_of(row)
            if len(rows) < _AT_ONCE:
                return
            page = query.where(place > tuple_(rows[-1]["position"], rows[-1]["ordinal"]))


def _misses_of(row: RowMapping) -> Iterator[MissRow]:
    for number, miss in enumerate(from_json(row["misses"])):
        yield MissRow(
            item=f"{row['name']}#{row['ordinal']}",
            kind=miss["kind"],
            reason=miss["reason"],
            detail=miss["detail"],
            raw=miss["raw"],
            saved_at=iso(row["saved_at"]),
            place=(row["position"], row["ordinal"], number),
        )


def _choose(
    connection: Connection,
    task_id: int,
    kinds: Collection[Kind],
    limits: Mapping[str, int] | None,
) -> list[RowMapping]:
    """Items to put back: none that gave a record, in plan order, as long as the limit holds."""
    columns = ("position", "ordinal", "want", "rejected", "failed", "fresh")
    query = (
        select(*(items.c[name] for name in columns), quotas.c.name)
        .join(
            quotas,
            (quotas.c.task_id == items.c.task_id) & (quotas.c.position == items.c.position),
        )
        .where(
            items.c.task_id == task_id,
            items.c.misses.is_not(None),
            items.c.accepted == 0,
            or_(*(items.c[kind] > 0 for kind in sorted(kinds))),
        )
        .order_by(items.c.position, items.c.ordinal)
    )
    if not kinds:
        return []
    left = None if limits is None else dict(limits)
    chosen = []
    for row in connection.execute(query).mappings():
        if left is not None:
            if left.get(row["name"], 0) < row["want"]:
                continue
            left[row["name"]] -= row["want"]
        chosen.append(row)
    return chosen


def _step(task_id: int, row: RowMapping) -> dict[str, Any]:
    return {
        "b_task": task_id,
        "b_position": row["position"],
        "b_ordinal": row["ordinal"],
        # Another generation draws fresh samples; the same one replays what was paid.
        "b_step": int(row["fresh"]),
    }


def _take_back(connection: Connection, task_id: int, chosen: Sequence[RowMapping]) -> None:
    """What the items had added to the counters of their categories and of the task."""
    sums: dict[int, Counters] = {}
    total = Counters()
    for row in chosen:
        for counters in (sums.setdefault(row["position"], Counters()), total):
            counters.add(want=row["want"], accepted=0, rejected=row["rejected"])
    for position, counters in sorted(sums.items()):
        connection.execute(
            update(quotas)
            .where(quotas.c.task_id == task_id, quotas.c.position == position)
            .values({name: quotas.c[name] - getattr(counters, name) for name in COUNTERS})
        )
    connection.execute(
        update(tasks)
        .where(tasks.c.id == task_id)
        .values({name: tasks.c[name] - getattr(total, name) for name in COUNTERS})
    )
