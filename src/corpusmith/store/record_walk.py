"""A walk along records that fit, in an order.

Owns: the orders, which rows a walk meets, where words and filters lead it. Does not own: pages and
counts of it (`record_pages.py`), the index of texts (`record_text.py`).

Two ways lead to a page. The dataset's own index holds all that a filter asks for, in the dataset's
order: a page is a walk along it that ends when the page is full, and where few records fit, a walk
along all of it, 0.1 s for a million. Words that few records hold lead to those; of words that many
hold, the records of the walk are asked, a stretch at a time (docs/design/finding.md).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, islice, repeat
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select, tuple_

from corpusmith.errors import UsageError
from corpusmith.store.codec import from_json
from corpusmith.store.record_kinds import kind_conditions
from corpusmith.store.record_text import RecordText
from corpusmith.store.records import conditions
from corpusmith.store.review_queue import dataset_id
from corpusmith.store.schema import record_kinds, records
from corpusmith.store.text_words import Query, query_of
from corpusmith.values import Selection

RecordOrder = Literal["own", "newest", "best", "worst", "liked", "disliked", "longest", "shortest"]
"""The dataset's own; the highest number first; by score, by rating, by length. Records without a
score or rating come last."""
Place = tuple[Any, ...]
FEW = 4000
"""Records that hold the words: so few are looked at one by one."""
NEAR = 500
"""Records of a dataset that are looked at by number before all are."""
MOST_KINDS = 2000
"""Named one by one."""
COUNTING_S = 0.1
"""After this, whoever counts what holds words says how many it found, and that there are more."""
_STRETCHES = (400, 2000, 10_000, 20_000)
"""Records of a walk that are asked for words at once; the last again and again."""
_LOOKED_AT = 100
"""Contents at once."""
_LEAST, _MOST = -1.0, 1e9
"""In place of a score that is not there."""
KNOWN = 128
"""Statements that are kept."""
_STEPS = ("step_0", "step_1", "step_2", "step_3")
_OWN = (records.c.task_id, records.c.ordinal, records.c.position, records.c.sample)


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """What records are put in order by: the last column is always another."""

    keys: tuple[ColumnElement[Any], ...]
    falling: bool = False


def _by(column: ColumnElement[Any], falling: bool) -> Order:
    nothing = _LEAST if falling else _MOST
    return Order((func.coalesce(column, nothing), records.c.id), falling)


ORDERS: dict[RecordOrder, Order] = {
    "own": Order(_OWN),
    "newest": Order((records.c.id + 0,), falling=True),
    "best": _by(records.c.score, falling=True),
    "worst": _by(records.c.score, falling=False),
    "liked": _by(records.c.rating, falling=True),
    "disliked": _by(records.c.rating, falling=False),
    "longest": Order((records.c.length + 0, records.c.id), falling=True),
    "shortest": Order((records.c.length + 0, records.c.id)),
}
Row = tuple[int, Place]
"""A record's number and its place in the order."""


def checked(place: Place | None, order: RecordOrder) -> Place | None:
    """Raises UsageError for a place that is none of this order."""
    if place is None:
        return None
    numbers = all(type(one) in (int, float) and abs(one) < 2**62 for one in place)
    if len(place) != len(ORDERS[order].keys) or not numbers:
        raise UsageError("bad_cursor")
    return tuple(place)


class Walk:
    """Records that fit, in an order, in one view of the database."""

    def __init__(
        self,
        texts: RecordText,
        connection: Connection,
        selection: Selection,
        order: Order,
        back: bool,
        stale: bool,
    ) -> None:
        self._texts = texts
        self._connection = connection
        self._order = order
        self._falling = order.falling != back
        self._words = None if selection.text is None else query_of(selection.text)
        self._filters = replace(selection, text=None)
        self._where = _where(connection, self._filters)
        # What the index does not know yet of an edit, the content does.
        self._looks = self._words is not None and (self._words.loose or stale)

    def rows(self, start: Place | None, count: int) -> list[Row]:
        """The next `count` from a place on."""
        if self._words is None:
            return self._some(start, count)
        return list(islice(self._found(self._words, start), count))

    def every(self) -> Iterator[Row]:
        """All of them."""
        if self._words is None:
            yield from self._some(None, None)
        else:
            yield from self._found(self._words, None)

    def count(self, most: int) -> tuple[int, bool]:
        """How many there are, and whether there may be more: `most` at most are counted, and those
        that hold words for a moment only."""
        if self._words is not None:
            return self._counted(self._words, most)
        found = self._connection.scalar(_count(self._where), {"most": most + 1}) or 0
        return min(found, most), found > most

    def _counted(self, words: Query, most: int) -> tuple[int, bool]:
        found, until_s = 0, time.monotonic() + COUNTING_S
        for lot, last in self._lots(words, None):
            found += len(lot)
            if found > most:
                return most, True
            if not last and time.monotonic() > until_s:
                return found, True
        return found, False

    # ------------------------------------------------------------ by filter

    def _some(self, start: Place | None, count: int | None) -> list[Row]:
        near = count is not None and self._order is ORDERS["newest"]
        if near and (found := self._near(start, count or 0)) is not None:
            return found
        query = self._query(self._where, start is not None, count is not None)
        given = {**_named(start), "count": count}
        rows = self._connection.execute(query, given).all()
        return [(row[0], tuple(row[1:])) for row in rows]

    def _near(self, start: Place | None, count: int) -> list[Row] | None:
        """The next ones by number, if they are among the next few records of the dataset or task;
        None: they are not, and a walk by number would look at each of its rows."""
        scope = Selection(dataset=self._filters.dataset, task_id=self._filters.task_id)
        own = select(records.c.id).where(*walk_conditions(self._connection, scope))
        if start is not None:
            here = records.c.id < start[0] if self._falling else records.c.id > start[0]
            own = own.where(here)
        own = own.order_by(records.c.id.desc() if self._falling else records.c.id)
        ids = list(self._connection.scalars(own.limit(NEAR)))
        rows = self._of(ids, None)
        return rows[:count] if len(rows) >= count or len(ids) < NEAR else None

    def _of(self, ids: Sequence[int], start: Place | None) -> list[Row]:
        if not ids:
            return []
        looked_up = _where(self._connection, self._filters, by_index=False)
        query = self._query(looked_up, start is not None, False)
        some = query.where(records.c.id.in_(ids))
        return [(row[0], tuple(row[1:])) for row in self._connection.execute(some, _named(start))]

    def _query(self, where: _Where, behind: bool, limited: bool) -> Select[Any]:
        return _walk(where, self._order, self._falling, behind, limited)

    # ------------------------------------------------------------ by words

    def _found(self, words: Query, start: Place | None) -> Iterator[Row]:
        return chain.from_iterable(lot for lot, _ in self._lots(words, start))

    def _lots(self, words: Query, start: Place | None) -> Iterator[tuple[Sequence[Row], bool]]:
        """What holds the words, from a place on, some at a time, and whether that is the end: the
        few that the index knows, or a walk along what fits otherwise, which asks for the words a
        stretch at a time."""
        if not words.phrases:
            return
        few = self._texts.few(self._connection, words, FEW)
        if few is not None:
            yield from self._confirmed(words, self._of(few, start), last=True)
            return
        for size in chain(_STRETCHES, repeat(_STRETCHES[-1])):
            rows = self._some(start, size)
            there = self._texts.among(self._connection, words, [number for number, _ in rows])
            held = [row for row in rows if row[0] in there]
            yield from self._confirmed(words, held, last=len(rows) < size)
            if len(rows) < size:
                return
            start = rows[-1][1]

    def _confirmed(
        self, words: Query, rows: Sequence[Row], *, last: bool
    ) -> Iterator[tuple[Sequence[Row], bool]]:
        """Those whose content fits, where the index does not know it all."""
        if not self._looks:
            yield rows, last
            return
        for start in range(0, len(rows), _LOOKED_AT):
            some = rows[start : start + _LOOKED_AT]
            query = select(records.c.id, records.c.content)
            query = query.where(records.c.id.in_([number for number, _ in some]))
            contents = {number: text for number, text in self._connection.execute(query)}
            held = [row for row in some if words.fits(from_json(contents[row[0]]))]
            yield held, last and start + _LOOKED_AT >= len(rows)


def walk_conditions(
    connection: Connection, wanted: Selection, *, by_index: bool = True
) -> Sequence[ColumnElement[bool]]:
    """As `conditions`, with names looked up by kind: they are in the index as one number.

    `by_index`: False where the records' numbers are known: a walk along all of an index, for it has
    them in order, takes longer than to look at a few thousand rows."""
    return _conditions(_where(connection, wanted, by_index=by_index))


class _Where(NamedTuple):
    """What a walk asks of its rows. Two that are alike are answered by one statement, which is
    built once: that takes longer than to look up a page of a small dataset."""

    wanted: Selection
    dataset_id: int | None
    kinds: tuple[int, ...] | None
    """Of the kinds that fit their numbers; None: they are too many, and asked for."""
    by_index: bool


def _where(connection: Connection, wanted: Selection, *, by_index: bool = True) -> _Where:
    number = None if wanted.dataset is None else dataset_id(connection, wanted.dataset)
    kinds = kind_conditions(wanted)
    return _Where(wanted, number, _numbers(connection, kinds) if kinds else (), by_index)


def _conditions(where: _Where) -> Sequence[ColumnElement[bool]]:
    wanted, number, numbers, by_index = where
    rest = replace(
        wanted,
        task_id=None, category=None, scenario=None, character=None, model=None, tag=None,
        flag=None, unflagged=False, min_rating=None, max_rating=None, min_score=None,
        max_score=None, min_length=None, max_length=None, state=None,
    )  # fmt: skip
    found = [*conditions(rest, None), *_measures(wanted)]
    for column, own in ((records.c.dataset_id, number), (records.c.task_id, wanted.task_id)):
        if own is not None:
            found.append((column if by_index else column + 0) == own)
    if kinds := kind_conditions(wanted):
        # Postgres takes a question for a join, and guesses wrong how many rows it leaves.
        fitting = select(record_kinds.c.id).where(*kinds) if numbers is None else numbers
        found.append((records.c.kind + 0).in_(fitting))
    return found


def _numbers(
    connection: Connection, kinds: Sequence[ColumnElement[bool]]
) -> tuple[int, ...] | None:
    query = select(record_kinds.c.id).where(*kinds)
    found = tuple(connection.scalars(query.limit(MOST_KINDS + 1)))
    return found if len(found) <= MOST_KINDS else None


@lru_cache(KNOWN)
def _walk(where: _Where, order: Order, falling: bool, behind: bool, limited: bool) -> Select[Any]:
    """`behind`: from the place on that `_named` gives; `limited`: at most `count` rows."""
    query = select(records.c.id, *order.keys).where(*_conditions(where))
    if behind:
        here, there = tuple_(*order.keys), tuple_(*map(bindparam, _STEPS[: len(order.keys)]))
        query = query.where(here < there if falling else here > there)
    query = query.order_by(*(key.desc() if falling else key.asc() for key in order.keys))
    return query.limit(bindparam("count")) if limited else query


@lru_cache(KNOWN)
def _count(where: _Where) -> Select[Any]:
    """Of at most `most` rows."""
    some = select(records.c.id).where(*_conditions(where)).limit(bindparam("most")).subquery()
    return select(func.count()).select_from(some)


def _named(place: Place | None) -> dict[str, Any]:
    return {} if place is None else dict(zip(_STEPS, place, strict=False))


def _measures(wanted: Selection) -> Iterator[ColumnElement[bool]]:
    # As sums and joined to nothing, so that no other index than the dataset's own is taken.
    if wanted.state is not None:
        yield records.c.state.concat("") == wanted.state
    for name in ("rating", "score", "length"):
        if (least := getattr(wanted, f"min_{name}")) is not None:
            yield records.c[name] + 0 >= least
        if (most := getattr(wanted, f"max_{name}")) is not None:
            yield records.c[name] + 0 <= most
