"""How far a task is: its quotas, its spend, the items that are known. Read only."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import bindparam, select, tuple_

from corpusmith.contracts import Finished, Quota
from corpusmith.errors import NotFound
from corpusmith.store.codec import from_json
from corpusmith.store.database import Database
from corpusmith.store.schema import items, quotas, tasks
from corpusmith.store.tally import BILL, COUNTERS, spend_of
from corpusmith.values import Spend

# Pages of 20,000 take 2.5 times as long: so many live rows wake the garbage collector.
_AT_ONCE = 500

_NEXT_ITEMS = (
    select(items.c.position, items.c.ordinal, items.c.generation, items.c.done)
    .where(
        items.c.task_id == bindparam("task"),
        tuple_(items.c.position, items.c.ordinal)
        > tuple_(bindparam("position"), bindparam("ordinal")),
    )
    .order_by(items.c.position, items.c.ordinal)
    .limit(_AT_ONCE)
)
_QUOTAS = select(quotas).where(quotas.c.task_id == bindparam("task_id")).order_by(quotas.c.position)


class Progress:
    """What a run reads of its task when it starts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def quotas(self, task_id: int) -> list[Quota]:
        """The task's categories in plan order, with their counters. Empty: no such task."""
        with self._database.read() as connection:
            rows = connection.execute(_QUOTAS, {"task_id": task_id}).mappings().all()
        return [
            Quota(
                name=row["name"],
                count=row["count"],
                labels=from_json(row["labels"]),
                waves=tuple((first, records) for first, records in from_json(row["waves"])),
                **{name: row[name] for name in COUNTERS},
            )
            for row in rows
        ]

    def spend(self, task_id: int) -> Spend:
        """What the task has paid so far. Raises NotFound."""
        query = select(*(tasks.c[name] for name in BILL)).where(tasks.c.id == task_id)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFound("unknown_task", kind="task", name=task_id)
        return spend_of(row)

    def finished(self, task_id: int) -> Iterator[Finished]:
        """Every item known, by category position and ordinal. Streams, each page a short read."""
        names = {quota_position: name for name, quota_position in self._names(task_id)}
        after = (-1, -1)
        while True:
            place = {"task": task_id, "position": after[0], "ordinal": after[1]}
            with self._database.read() as connection:
                rows = connection.execute(_NEXT_ITEMS, place).all()
            for position, ordinal, generation, done in rows:
                yield Finished(
                    category=names[position], ordinal=ordinal, generation=generation, done=done
                )
            if len(rows) < _AT_ONCE:
                return
            after = (rows[-1][0], rows[-1][1])

    def _names(self, task_id: int) -> list[tuple[str, int]]:
        query = select(quotas.c.name, quotas.c.position).where(quotas.c.task_id == task_id)
        with self._database.read() as connection:
            return [(name, position) for name, position in connection.execute(query)]
