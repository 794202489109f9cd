"""Records: reading, committing to a dataset, discarding.

A record is committed exactly when it has a dataset. Does not own: making them (`transaction.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, RowMapping, Select, delete, func, select, tuple_, update

from corpusmith.errors import NotFound
from corpusmith.store.codec import from_json, iso, plain
from corpusmith.store.database import Database
from corpusmith.store.schema import datasets, records
from corpusmith.values import Record

State = Literal["pending", "approved", "rejected"]

_AT_ONCE = 1000
_ORDER = (records.c.task_id, records.c.ordinal, records.c.position, records.c.sample)


class Records:
    """The `records` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def iterate(
        self,
        *,
        task_id: int | None = None,
        dataset: str | None = None,
        committed: bool | None = None,
        scenario: str | None = None,
        character: str | None = None,
        state: State | None = None,
    ) -> Iterator[Record]:
        """Those that fit all of what is given, by task, ordinal, category and sample.

        Streams: each page is a read of its own, and memory stays flat. Raises NotFound (dataset).
        """
        conditions = self._conditions(task_id, dataset, committed, scenario, character, state)
        query = select(records).where(*conditions).order_by(*_ORDER).limit(_AT_ONCE)
        rows = self._page(query)
        while rows:
            yield from map(_record, rows)
            if len(rows) < _AT_ONCE:
                return
            last = tuple(rows[-1][column.name] for column in _ORDER)
            rows = self._page(query.where(tuple_(*_ORDER) > tuple_(*last)))

    def first(self, task_id: int, count: int) -> Sequence[Record]:
        """The first `count` of a task, in the order of `iterate`."""
        query = select(records).where(records.c.task_id == task_id)
        return [_record(row) for row in self._page(query.order_by(*_ORDER).limit(count))]

    def some(self, ids: Sequence[int]) -> Sequence[Record]:
        """The records of these numbers that there are, in the order of the numbers."""
        return [
            _record(row)
            for start in range(0, len(ids), _AT_ONCE)
            for row in self._page(
                select(records)
                .where(records.c.id.in_(ids[start : start + _AT_ONCE]))
                .order_by(records.c.id)
            )
        ]

    def count(
        self,
        *,
        task_id: int | None = None,
        dataset: str | None = None,
        committed: bool | None = None,
        scenario: str | None = None,
        character: str | None = None,
        state: State | None = None,
    ) -> int:
        """How many `iterate` would give. Raises NotFound (dataset)."""
        conditions = self._conditions(task_id, dataset, committed, scenario, character, state)
        query = select(func.count()).select_from(records).where(*conditions)
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def commit(self, task_id: int, dataset: str) -> int:
        """Puts the task's uncommitted records into the dataset, all or none; returns how many.

        Raises NotFound (dataset).
        """
        dataset_id = self._dataset_id(dataset)
        with self._database.write() as connection:
            return connection.execute(
                update(records).where(*_uncommitted(task_id)).values(dataset_id=dataset_id)
            ).rowcount

    def discard(self, task_id: int) -> int:
        """Deletes the task's uncommitted records; returns how many. Its counts stay."""
        with self._database.write() as connection:
            return connection.execute(delete(records).where(*_uncommitted(task_id))).rowcount

    def delete(self, ids: Sequence[int]) -> int:
        """Deletes these records; returns how many there were."""
        deleted = 0
        with self._database.write() as connection:
            for start in range(0, len(ids), _AT_ONCE):
                some = records.c.id.in_(ids[start : start + _AT_ONCE])
                deleted += connection.execute(delete(records).where(some)).rowcount
        return deleted

    def _page(self, query: Select[Any]) -> Sequence[RowMapping]:
        with self._database.read() as connection:
            return connection.execute(query).mappings().all()

    def _dataset_id(self, name: str) -> int:
        query = select(datasets.c.id).where(datasets.c.name == plain(name))
        with self._database.read() as connection:
            found = connection.scalar(query)
        if found is None:
            raise NotFound("unknown_dataset", kind="dataset", name=name)
        return int(found)

    def _conditions(
        self,
        task_id: int | None,
        dataset: str | None,
        committed: bool | None,
        scenario: str | None,
        character: str | None,
        state: State | None,
    ) -> list[ColumnElement[bool]]:
        equal: dict[str, Any] = {
            "task_id": task_id,
            "dataset_id": None if dataset is None else self._dataset_id(dataset),
            "scenario": None if scenario is None else plain(scenario),
            "character": None if character is None else plain(character),
            "state": state,
        }
        conditions = [
            records.c[name] == value for name, value in equal.items() if value is not None
        ]
        if committed is not None:
            has = records.c.dataset_id
            conditions.append(has.is_not(None) if committed else has.is_(None))
        return conditions


def _uncommitted(task_id: int) -> tuple[ColumnElement[bool], ...]:
    return records.c.task_id == task_id, records.c.dataset_id.is_(None)


def _record(row: RowMapping) -> Record:
    return Record(
        id=row["id"],
        task_id=row["task_id"],
        dataset_id=row["dataset_id"],
        category=row["category"],
        ordinal=row["ordinal"],
        sample=row["sample"],
        content=from_json(row["content"]),
        provenance=from_json(row["provenance"]),
        labels=from_json(row["labels"]),
        state=row["state"],
        committed=row["dataset_id"] is not None,
        created_at=iso(row["created_at"]),
    )
