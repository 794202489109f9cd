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
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, exists, func, select, tuple_

from corpusmith.errors import NotFound
from corpusmith.store.codec import plain
from corpusmith.store.database import Database
from corpusmith.store.records import conditions
from corpusmith.store.review_values import Place, Queue, QueuePage, QueueProgress
from corpusmith.store.schema import datasets, records, reviews
from corpusmith.values import Selection

APART = 1.0
FEW_RECORDS = 20_000
_PRIME = 2**31 - 1
_OWN = (records.c.task_id, records.c.ordinal, records.c.position, records.c.sample)
_ORDERS: dict[str, tuple[Sequence[Column[Any]], bool]] = {
    "lowest": ((records.c.score, records.c.id), False),
    "disagreement": ((records.c.disagreement, records.c.id), True),
    "flagged": ((records.c.id,), False),
}
"""kind → columns, and whether the largest come first; others: the dataset's own order."""


class ReviewQueues:
    """Questions to `records` and `reviews`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, queue: Queue, *, limit: int, after: Place | None = None) -> QueuePage:
        """The next records of a queue that its reviewer has not done; `after`: of the page before.

        Raises NotFound (dataset).
        """
        query = self._members(queue, select(records.c.id)).where(~_done(queue))
        return self._page(query, *_ORDERS.get(queue.kind, (_OWN, False)), limit, after)

    def members(
        self, selection: Selection, *, limit: int, upto: int, after: Place | None = None
    ) -> QueuePage:
        """The selection's records up to number `upto`, whoever did them. Raises NotFound."""
        query = self._scope(selection, select(records.c.id)).where(records.c.id <= upto)
        return self._page(query, _OWN, False, limit, after)

    def newest(self, selection: Selection) -> int:
        """The highest number of any record now: none of the selection's is above it.

        Raises NotFound (dataset).
        """
        with self._database.read() as connection:
            scope(connection, selection)  # an unknown dataset is said, not found empty
            return connection.scalar(select(func.max(records.c.id))) or 0

    def _page(
        self,
        query: Select[Any],
        columns: Sequence[Column[Any]],
        falling: bool,
        limit: int,
        after: Place | None,
    ) -> QueuePage:
        order = (one.desc() if falling else one for one in columns)
        query = query.add_columns(*columns).order_by(*order).limit(limit)
        if after is not None:
            here, there = tuple_(*columns), tuple_(*after)
            query = query.where(here < there if falling else here > there)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        more = len(rows) == limit
        return QueuePage(ids=[row[0] for row in rows], after=tuple(rows[-1][1:]) if more else None)

    def progress(self, queue: Queue) -> QueueProgress:
        """How many the queue has, and how many of them its reviewer has done."""
        total = self._members(queue, select(func.count()).select_from(records))
        with self._database.read() as connection:
            where = [*scope(connection, queue.selection), *_kind(queue)]
            theirs = about(connection, reviews.c.record_id, where)
            done = select(func.count()).select_from(reviews).where(theirs, *_done_by(queue))
            return QueueProgress(
                done=connection.scalar(done) or 0, total=connection.scalar(total) or 0
            )

    def _members(self, queue: Queue, query: Select[Any]) -> Select[Any]:
        return self._scope(queue.selection, query).where(*_kind(queue))

    def _scope(self, selection: Selection, query: Select[Any]) -> Select[Any]:
        with self._database.read() as connection:
            return query.where(*scope(connection, selection))


def scope(connection: Connection, selection: Selection) -> Sequence[ColumnElement[bool]]:
    """What a record must be to be in the selection. Raises NotFound (dataset)."""
    if selection.dataset is None:
        return conditions(selection, None)
    query = select(datasets.c.id).where(datasets.c.name == plain(selection.dataset))
    dataset_id = connection.scalar(query)
    if dataset_id is None:
        raise NotFound("unknown_dataset", kind="dataset", name=selection.dataset)
    return conditions(selection, dataset_id)


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


def _done_by(queue: Queue) -> Sequence[ColumnElement[bool]]:
    own = [reviews.c.reviewer == plain(queue.reviewer)]
    return [*own, reviews.c.settled] if queue.kind == "disagreement" else own


def _done(queue: Queue) -> ColumnElement[bool]:
    return exists().where(reviews.c.record_id == records.c.id, *_done_by(queue))
