"""Queues: which records a reviewer is to look at next.

Owns: what is in a queue of each kind, and its order. A queue is a question to the database: only
reviews are stored, so it goes on wherever its reviewer stopped. Does not own: reviews.

| kind | in it | order |
|---|---|---|
| all | every record | the dataset's own |
| pending | those that nobody decided on | the dataset's own |
| sample | n%, drawn by seed and the record's number | the dataset's own |
| lowest | those with a judge's score | lowest score first |
| disagreement | people and the judge at least `APART` points apart | furthest apart first |
| flagged | those that a check flagged | by number |

What the reviewer has done is left out. Of disagreements everybody has done something already:
there it is what was settled in sight of the judge's score.

The records of one group of reviewers (`review_groups.py`) stand together in an index, in the
queue's order. A page takes the next ones of each group that the reviewer is not in, and the first
of those: it costs the same whether nothing is done or nearly everything.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    exists,
    func,
    select,
    tuple_,
    union_all,
)

from corpusmith.errors import NotFound, UsageError
from corpusmith.store.codec import plain
from corpusmith.store.database import Database
from corpusmith.store.records import conditions
from corpusmith.store.review_groups import groups_of
from corpusmith.store.review_values import Kind, Place, Queue, QueuePage, QueueProgress
from corpusmith.store.schema import datasets, records
from corpusmith.values import ReviewState, Selection

APART = 1.0
FEW_RECORDS = 20_000
BRANCHES = 100
"""Groups and states asked for in one statement: SQLite takes 500 at most."""
_PRIME = 2**31 - 1
_NUMBER = select(datasets.c.id).where(datasets.c.name == bindparam("name"))
_OWN_OF_TASK = (records.c.ordinal, records.c.position, records.c.sample)
_OWN = (records.c.task_id, *_OWN_OF_TASK)
_ORDERS: dict[str, tuple[Sequence[Column[Any]], bool]] = {
    "lowest": ((records.c.score, records.c.id), False),
    "disagreement": ((records.c.disagreement, records.c.id), True),
    "flagged": ((records.c.id,), False),
}
"""kind → columns, and whether the largest come first; others: the dataset's own order."""
_Row = tuple[int, Place]
Where = Sequence[ColumnElement[bool]]
Stretch = Mapping[str, Any]
"""Column → value, the first ones of an index after the dataset or task."""


class ReviewQueues:
    """Questions to `records`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self,
        queue: Queue,
        *,
        limit: int,
        after: Place | None = None,
        before: Place | None = None,
    ) -> QueuePage:
        """The next records of a queue that its reviewer has not done.

        `after`, `before`: of another page, to go on or back from there. Raises NotFound (dataset).
        """
        walk = _Walk(*_order(queue), limit, after, before)
        with self._database.read() as connection:
            rest = _besides_states(queue)
            where = [*scope(connection, rest.selection), *_kind(rest)]
            groups = [number for number, done in _groups(connection, queue).items() if not done]
            return walk.page(connection, where, list(_stretches(queue, groups)))

    def members(
        self,
        selection: Selection,
        *,
        limit: int,
        upto: int | None = None,
        after: Place | None = None,
        before: Place | None = None,
    ) -> QueuePage:
        """The selection's records in their own order, whoever did them; `upto`: no number above it.

        Raises NotFound (dataset).
        """
        walk = _Walk(_own(selection), False, limit, after, before)
        with self._database.read() as connection:
            where = [*scope(connection, selection)]
            if upto is not None:
                where.append(records.c.id <= upto)
            return walk.page(connection, where, [{}])

    def newest(self, selection: Selection) -> int:
        """The highest number of any record now: none of the selection's is above it.

        Raises NotFound (dataset).
        """
        with self._database.read() as connection:
            scope(connection, selection)  # an unknown dataset is said, not found empty
            return connection.scalar(select(func.max(records.c.id))) or 0

    def progress(self, queue: Queue) -> QueueProgress:
        """How many the queue has, and how many of them its reviewer has done."""
        with self._database.read() as connection:
            where = [*scope(connection, queue.selection), *_kind(queue)]
            query = select(records.c.review_group, func.count()).where(*where)
            counts = connection.execute(query.group_by(records.c.review_group)).all()
            done = _groups(connection, queue)
        return QueueProgress(
            done=sum(count for group, count in counts if done.get(group, False)),
            total=sum(count for _, count in counts),
        )


class _Walk:
    """A page's worth of records, from a place in an order onwards or backwards."""

    def __init__(
        self,
        columns: Sequence[Column[Any]],
        falling: bool,
        limit: int,
        after: Place | None,
        before: Place | None,
    ) -> None:
        self._columns = columns
        self._limit = limit
        self._start = before if after is None else after
        if self._start is not None and len(self._start) != len(columns):
            raise UsageError("review_cursor")
        self._back = after is None and before is not None
        self._falling = falling != self._back

    def page(self, connection: Connection, where: Where, stretches: Sequence[Stretch]) -> QueuePage:
        """Of the records of all `stretches`, which have none in common."""
        # One more than wanted: whether there is another page is known, not guessed.
        rows = self._rows(connection, where, stretches, self._limit + 1)
        more, rows = len(rows) > self._limit, rows[: self._limit]
        if self._back:
            rows.reverse()
        first, last = (rows[0][1], rows[-1][1]) if rows else (self._start, self._start)
        onwards, back = (True, more) if self._back else (more, self._start is not None)
        return QueuePage(
            ids=[number for number, _ in rows],
            after=last if onwards else None,
            before=first if back else None,
        )

    def _rows(
        self, connection: Connection, where: Where, stretches: Sequence[Stretch], count: int
    ) -> list[_Row]:
        found: list[_Row] = []
        for start in range(0, len(stretches), BRANCHES):
            query = self._query(where, stretches[start : start + BRANCHES], count)
            found += [(row[0], tuple(row[1:])) for row in connection.execute(query)]
        found.sort(key=lambda row: row[1], reverse=self._falling)
        return found[:count]

    def _query(self, where: Where, stretches: Iterable[Stretch], count: int) -> Select[Any]:
        """The first of each stretch, and of those the first."""
        parts = [select(self._part(where, one, count).subquery()) for one in stretches]
        whole = union_all(*parts).subquery()
        keys = list(whole.c)[1:]
        return select(whole).order_by(*self._ordered(keys)).limit(count)

    def _part(self, where: Where, stretch: Stretch, count: int) -> Select[Any]:
        keys = [one.label(f"key{place}") for place, one in enumerate(self._columns)]
        query = select(records.c.id.label("number"), *keys).where(*where)
        # Bounds, not equations, and all columns in the order: no other index can give that order.
        # Postgres takes the task's for the right one, and walks past a million to find nothing.
        columns = [*(records.c[name] for name in stretch), *self._columns]
        start = [*stretch.values(), *(self._start or ())]
        if start:
            here, there = tuple_(*columns[: len(start)]), tuple_(*start)
            if self._start is None:
                query = query.where(here <= there if self._falling else here >= there)
            else:
                query = query.where(here < there if self._falling else here > there)
        if stretch:
            own, end = tuple_(*columns[: len(stretch)]), tuple_(*stretch.values())
            query = query.where(own >= end if self._falling else own <= end)
        return query.order_by(*self._ordered(columns)).limit(count)

    def _ordered(self, columns: Iterable[ColumnElement[Any]]) -> Iterator[ColumnElement[Any]]:
        return (one.desc() if self._falling else one.asc() for one in columns)


def _order(queue: Queue) -> tuple[Sequence[Column[Any]], bool]:
    return _ORDERS.get(queue.kind) or (_own(queue.selection), False)


def _own(selection: Selection) -> Sequence[Column[Any]]:
    # Without the task's number, which all have: so the place is one stretch of the task's index.
    return _OWN if selection.task_id is None else _OWN_OF_TASK


def _groups(connection: Connection, queue: Queue) -> dict[int, bool]:
    """Group → whether the queue's reviewer has done its records: of all that are in the scope."""
    wanted, name = queue.selection, plain(queue.reviewer)
    column, value = records.c.task_id, wanted.task_id
    if wanted.dataset is not None:
        column, value = records.c.dataset_id, dataset_id(connection, wanted.dataset)
    found = groups_of(connection, column, value or 0)
    if queue.kind == "disagreement":
        return {number: members.get(name, False) for number, members in found.items()}
    return {number: name in members for number, members in found.items()}


def _stretches(queue: Queue, groups: Iterable[int]) -> Iterator[Stretch]:
    """The pieces of an index that hold the records of these groups in the queue's order."""
    for group in groups:
        if queue.kind in _ORDERS:
            yield {"review_group": group}
        else:
            yield from ({"review_group": group, "state": state} for state in _states(queue))


def _states(queue: Queue) -> set[str]:
    wanted = set(get_args(ReviewState))
    wanted &= {"pending"} if queue.kind == "pending" else wanted
    return wanted & ({queue.selection.state} if queue.selection.state else wanted)


def _besides_states(queue: Queue) -> Queue:
    """The queue without what its stretches say already: said twice, as an equation too, SQLite
    finds only the group's beginning in the index."""
    if queue.kind in _ORDERS:
        return queue
    kind: Kind = "all" if queue.kind == "pending" else queue.kind
    return replace(queue, kind=kind, selection=replace(queue.selection, state=None))


def scope(connection: Connection, selection: Selection) -> Sequence[ColumnElement[bool]]:
    """What a record must be to be in the selection. Raises NotFound (dataset)."""
    if selection.dataset is None:
        return conditions(selection, None)
    return conditions(selection, dataset_id(connection, selection.dataset))


def dataset_id(connection: Connection, name: str) -> int:
    """Raises NotFound."""
    found = connection.scalar(_NUMBER, {"name": plain(name)})
    if found is None:
        raise NotFound("unknown_dataset", kind="dataset", name=name)
    return int(found)


def about(
    connection: Connection, record_id: Column[Any], where: Sequence[ColumnElement[bool]]
) -> ColumnElement[bool]:
    """Whether a row that names a record names one of these.

    SQLite takes the two sides of a join in an order that it guesses. Of few records their reviews
    are looked up; of many, of which mostly few are reviewed, the reviews' records are.
    """
    some = select(records.c.id).where(*where)
    beyond = connection.scalar(some.order_by(None).offset(FEW_RECORDS).limit(1))
    if beyond is None:
        return record_id.in_(some)
    return exists().where(records.c.id == record_id, *where)


def drawn(percent: float, seed: int) -> ColumnElement[bool]:
    """Whether a record is in the sample: the same for whoever asks, in whatever portions.

    A random line modulo a prime puts any two records into the sample independently (J. L. Carter,
    M. N. Wegman, "Universal Classes of Hash Functions", JCSS 18 (1979)), and it is one
    multiplication a row, in both databases' SQL.
    """
    dice = random.Random(seed)  # noqa: S311  variety, not secrecy
    factor, start = dice.randrange(1, _PRIME), dice.randrange(_PRIME)
    place = (records.c.id % _PRIME * factor + start) % _PRIME
    return place < round(_PRIME * percent / 100)


def _kind(queue: Queue) -> Sequence[ColumnElement[bool]]:
    if queue.kind == "pending":
        return [records.c.state == "pending"]
    if queue.kind == "sample":
        return [drawn(queue.percent, queue.seed)]
    if queue.kind == "lowest":
        return [records.c.score.is_not(None)]
    if queue.kind == "disagreement":
        return [records.c.disagreement >= APART]
    if queue.kind == "flagged":
        return [records.c.flags.is_not(None)]
    return []
