"""What was taken out of datasets, and putting it back.

Owns: moving records whole between `records` and `removed`, each removal under a number. Does not
own: which records (the service), deleting for good (`datasets.py`).

A record that is taken out keeps its number, its reviews and its versions. The counts of the task
that made it stay: it was made and accepted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from sqlalchemy import Connection, RowMapping, delete, insert, literal, select, update

from corpusmith.errors import NotFound, UsageError
from corpusmith.store.codec import iso, plain
from corpusmith.store.database import Database
from corpusmith.store.records import record_of
from corpusmith.store.schema import datasets, records, removals, removed
from corpusmith.store.values import Removal
from corpusmith.values import Record

_AT_ONCE = 500
_COLUMNS = [column.name for column in records.c]


class Removals:
    """The `removals` and `removed` tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def remove(self, dataset: str, ids: Iterable[int], *, reason: str) -> Removal:
        """Takes these records out of `dataset`, all or none; those that are not in it stay.

        Raises NotFound (dataset).
        """
        with self._database.write() as connection:
            dataset_id = _dataset_id(connection, dataset)
            values = {
                "dataset": plain(dataset),
                "reason": plain(reason),
                "count": 0,
                "created_at": self._database.now(),
            }
            made = connection.execute(insert(removals).values(values).returning(removals.c.id))
            number = made.scalar_one()
            count = sum(_move_out(connection, number, dataset_id, some) for some in _portions(ids))
            own = removals.c.id == number
            connection.execute(update(removals).where(own).values(count=count))
            return _removal(connection.execute(select(removals).where(own)).mappings().one())

    def restore(self, number: int) -> Removal:
        """Puts back all records of a removal, all or none.

        Raises NotFound; UsageError `removal_undone` when that was done before.
        """
        with self._database.write() as connection:
            found = self._get(connection, number)
            if found.undone_at is not None:
                raise UsageError("removal_undone", number=number)
            theirs = removed.c.removal_id == number
            back = select(*(removed.c[name] for name in _COLUMNS)).where(theirs)
            connection.execute(insert(records).from_select(_COLUMNS, back))
            connection.execute(delete(removed).where(theirs))
            own = removals.c.id == number
            connection.execute(update(removals).where(own).values(undone_at=self._database.now()))
            return self._get(connection, number)

    def get(self, number: int) -> Removal:
        """Raises NotFound."""
        with self._database.read() as connection:
            return self._get(connection, number)

    def list(self, dataset: str | None = None) -> Sequence[Removal]:
        """Newest first; of one dataset, or of all."""
        query = select(removals).order_by(removals.c.id.desc())
        if dataset is not None:
            query = query.where(removals.c.dataset == plain(dataset))
        with self._database.read() as connection:
            return [_removal(row) for row in connection.execute(query).mappings()]

    def records(self, number: int) -> Iterator[Record]:
        """What a removal took out, by number. Streams."""
        last = -1
        while True:
            query = (
                select(removed)
                .where(removed.c.removal_id == number, removed.c.id > last)
                .order_by(removed.c.id)
                .limit(_AT_ONCE)
            )
            with self._database.read() as connection:
                rows = connection.execute(query).mappings().all()
            yield from map(record_of, rows)
            if len(rows) < _AT_ONCE:
                return
            last = rows[-1]["id"]

    def _get(self, connection: Connection, number: int) -> Removal:
        row = connection.execute(select(removals).where(removals.c.id == number)).mappings().first()
        if row is None:
            raise NotFound("unknown_removal", kind="removal", number=number)
        return _removal(row)


def forget_dataset(connection: Connection, dataset_id: int, name: str) -> None:
    """A dataset is deleted: there is nothing to put its records back into."""
    connection.execute(delete(removed).where(removed.c.dataset_id == dataset_id))
    connection.execute(delete(removals).where(removals.c.dataset == plain(name)))


def rename_dataset(connection: Connection, old: str, new: str) -> None:
    """What was taken out of it is put back into it under its new name."""
    own = removals.c.dataset == plain(old)
    connection.execute(update(removals).where(own).values(dataset=plain(new)))


def _move_out(connection: Connection, number: int, dataset_id: int, ids: Sequence[int]) -> int:
    chosen = (records.c.id.in_(ids), records.c.dataset_id == dataset_id)
    out = select(literal(number), *(records.c[name] for name in _COLUMNS)).where(*chosen)
    connection.execute(insert(removed).from_select(["removal_id", *_COLUMNS], out))
    return connection.execute(delete(records).where(*chosen)).rowcount


def _dataset_id(connection: Connection, name: str) -> int:
    found = connection.scalar(select(datasets.c.id).where(datasets.c.name == plain(name)))
    if found is None:
        raise NotFound("unknown_dataset", kind="dataset", name=name)
    return int(found)


def _portions(ids: Iterable[int]) -> Iterator[list[int]]:
    waiting = iter(ids)
    while some := list(islice(waiting, _AT_ONCE)):
        yield some


def _removal(row: RowMapping) -> Removal:
    return Removal(
        number=row["id"],
        dataset=row["dataset"],
        reason=row["reason"],
        count=row["count"],
        created_at=iso(row["created_at"]),
        undone_at=None if row["undone_at"] is None else iso(row["undone_at"]),
    )
