"""Pages of records, and how many there are of what: of a dataset of a million.

Owns: which records a page shows, in which order, from which place on; counts; facets. Does not
own: the index of texts (`record_text.py`), what a record is (`records.py`).

Two ways lead to a page. The dataset's own index holds all that a filter asks for, in the dataset's
order: a page is a walk along it that ends when the page is full, and where few records fit, a walk
along all of it, 0.1 s for a million. Words that few records hold lead to those; of words that many
hold, the records of the walk are asked, a stretch at a time (docs/design/finding.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, func, select, tuple_

from corpusmith.errors import NotFound, UsageError
from corpusmith.store.codec import from_json
from corpusmith.store.database import Database
from corpusmith.store.finding_values import CappedCount, Facet, Facets, RecordPage
from corpusmith.store.record_kinds import kind_conditions, kinds_of
from corpusmith.store.record_text import RecordText
from corpusmith.store.records import conditions
from corpusmith.store.review_queue import dataset_id
from corpusmith.store.schema import datasets, record_kinds, records
from corpusmith.store.text_words import Query, query_of
from corpusmith.values import Selection

RecordOrder = Literal["own", "newest", "best", "worst", "liked", "disliked", "longest", "shortest"]
"""The dataset's own; the highest number first; by score, by rating, by length. Records without a
score or rating come last."""
Place = tuple[Any, ...]
FEW = 2000
"""Records that hold the words: so few are looked at one by one."""
NEAR = 500
"""Records of a dataset that are looked at by number before all are."""
COUNTED = 10_000
COUNTED_WORDS = 2000
"""Of records that hold words."""
MOST_KINDS = 2000
"""Named one by one."""
_AT_ONCE = 1000
_STRETCHES = (400, 2000, 10_000, 50_000)
"""Records of a walk that are asked for words at once; the last again and again."""
_WALKING = ("enable_seqscan = off", "jit = off", "work_mem = '64MB'")
_LEAST, _MOST = -1.0, 1e9
"""In place of a score that is not there."""
_OWN = (records.c.task_id, records.c.ordinal, records.c.position, records.c.sample)


@dataclass(frozen=True, slots=True)
class _Order:
    """What records are put in order by: the last column is always another."""

    keys: tuple[ColumnElement[Any], ...]
    falling: bool = False


def _by(column: ColumnElement[Any], falling: bool) -> _Order:
    nothing = _LEAST if falling else _MOST
    return _Order((func.coalesce(column, nothing), records.c.id), falling)


ORDERS: dict[RecordOrder, _Order] = {
    "own": _Order(_OWN),
    "newest": _Order((records.c.id + 0,), falling=True),
    "best": _by(records.c.score, falling=True),
    "worst": _by(records.c.score, falling=False),
    "liked": _by(records.c.rating, falling=True),
    "disliked": _by(records.c.rating, falling=False),
    "longest": _Order((records.c.length + 0, records.c.id), falling=True),
    "shortest": _Order((records.c.length + 0, records.c.id)),
}
Row = tuple[int, Place]
"""A record's number and its place in the order."""


class RecordPages:
    """Questions to `records`, without their contents."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._texts = RecordText(database)

    def page(
        self,
        selection: Selection,
        *,
        order: RecordOrder = "own",
        limit: int = 50,
        after: Place | None = None,
        before: Place | None = None,
    ) -> RecordPage:
        """Some of the records that fit, in order; `after`, `before`: a place of another page.

        Raises NotFound (dataset), UsageError for a place that is none.
        """
        missing = self._caught_up(selection)
        back = after is None and before is not None
        with self._reading() as connection:
            walk = _Walk(self._texts, connection, selection, ORDERS[order], back, missing > 0)
            start = walk.checked(after if after is not None else before)
            # One more than wanted: whether there is another page is known, not guessed.
            rows = walk.rows(start, limit + 1)
        more, rows = len(rows) > limit, rows[:limit]
        if back:
            rows.reverse()
        onwards, backwards = (True, more) if back else (more, start is not None)
        return RecordPage(
            ids=[number for number, _ in rows],
            after=rows[-1][1] if rows and onwards else None,
            before=rows[0][1] if rows and backwards else None,
            missing=missing,
        )

    def place(self, record_id: int, order: RecordOrder, selection: Selection) -> Place:
        """Where a record of the selection stands in an order. Raises NotFound: it is none of it."""
        base = replace(selection, text=None)
        with self._database.read() as connection:
            query = select(*ORDERS[order].keys).where(records.c.id == record_id)
            found = connection.execute(query.where(*_conditions(connection, base))).first()
        if found is None:
            raise NotFound("record_not_in_list", kind="record", name=record_id)
        return tuple(found)

    def by_dataset(self, ids: Sequence[int]) -> dict[int | None, list[int]]:
        """The records that there are, by the number of their dataset; None: in none."""
        found: dict[int | None, list[int]] = {}
        with self._database.read() as connection:
            for start in range(0, len(ids), _AT_ONCE):
                some = records.c.id.in_(ids[start : start + _AT_ONCE])
                query = select(records.c.id, records.c.dataset_id).where(some)
                for number, own in connection.execute(query.order_by(records.c.id)):
                    found.setdefault(own, []).append(number)
        return found

    def dataset_names(self, numbers: Sequence[int]) -> dict[int, str]:
        """Number → name, of those that there are."""
        query = select(datasets.c.id, datasets.c.name).where(datasets.c.id.in_(numbers))
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def count(self, selection: Selection, most: int = COUNTED) -> CappedCount:
        """How many fit; above `most` they are not counted. Raises NotFound (dataset)."""
        missing = self._caught_up(selection)
        most = most if selection.text is None else min(most, COUNTED_WORDS)
        with self._reading() as connection:
            walk = _Walk(self._texts, connection, selection, ORDERS["own"], False, missing > 0)
            count = walk.count(most + 1)
        return CappedCount(count=min(count, most), more=count > most, missing=missing)

    def ids(self, selection: Selection) -> list[int]:
        """All that fit now, in one view, ascending. Raises NotFound (dataset)."""
        if selection.text is not None:
            self._texts.catch_up()
        with self._reading() as connection:
            walk = _Walk(self._texts, connection, selection, ORDERS["own"], False, False)
            return sorted(number for number, _ in walk.every())

    def facets(self, dataset: str, most: int = 100) -> Facets:
        """What a dataset's records are named after, with counts; of each the `most` frequent.

        Raises NotFound.
        """
        with self._reading() as connection:
            own = records.c.dataset_id == dataset_id(connection, dataset)
            # In the order of the index, so that nothing is sorted.
            columns = (records.c.kind, records.c.state)
            query = select(*columns, func.count()).where(own).group_by(*columns)
            rows = connection.execute(query).all()
            kinds = kinds_of(connection, {row[0] for row in rows})
        counts: dict[str, Counter[str]] = {name: Counter() for name in _FACETS}
        for number, state, count in rows:
            counts["state"][state] += count
            if (kind := kinds.get(number)) is not None:
                for name, values in _named(kind).items():
                    counts[name].update(dict.fromkeys(values, count))
        shown = {field: _facet(counts[name], most) for name, field in _FACETS.items()}
        return Facets(total=sum(counts["state"].values()), **shown)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A view in which Postgres walks along the index, as it would if it knew that the rows
        are ten times as long to read; SQLite does so by itself."""
        with self._database.read() as connection:
            if not self._database.is_sqlite:
                for setting in _WALKING:
                    connection.exec_driver_sql(f"SET LOCAL {setting}")
            yield connection

    def _caught_up(self, selection: Selection) -> int:
        return 0 if selection.text is None else self._texts.catch_up_a_little()


class _Walk:
    """Records that fit, in an order, in one view of the database."""

    def __init__(
        self,
        texts: RecordText,
        connection: Connection,
        selection: Selection,
        order: _Order,
        back: bool,
        stale: bool,
    ) -> None:
        self._texts = texts
        self._connection = connection
        self._order = order
        self._falling = order.falling != back
        self._words = None if selection.text is None else query_of(selection.text)
        self._where = _conditions(connection, replace(selection, text=None))
        scope = Selection(dataset=selection.dataset, task_id=selection.task_id)
        self._scope = _conditions(connection, scope)
        # What the index does not know yet of an edit, the content does.
        self._looks = self._words is not None and (self._words.loose or stale)

    def checked(self, place: Place | None) -> Place | None:
        """Raises UsageError for a place that is none of this order."""
        if place is None:
            return None
        numbers = all(type(one) in (int, float) and abs(one) < 2**62 for one in place)
        if len(place) != len(self._order.keys) or not numbers:
            raise UsageError("bad_cursor")
        return place

    def rows(self, start: Place | None, count: int) -> list[Row]:
        """The next `count` from a place on."""
        words = self._words
        if words is None:
            return self._some(start, count)
        if not words.phrases:
            return []
        few = self._texts.few(self._connection, words, FEW)
        if few is not None:
            return list(self._fitting(words, self._of(few, start), count))
        return self._searched(words, start, count)

    def every(self) -> Iterator[Row]:
        """All of them."""
        words = self._words
        if words is None:
            yield from self._some(None, None)
        elif words.phrases:
            few = self._texts.few(self._connection, words, FEW)
            found = self._some(None, None) if few is None else self._of(few, None)
            yield from self._holding(words, found) if few is None else self._confirmed(words, found)

    def count(self, most: int) -> int:
        """How many there are; `most` at most are counted."""
        if self._words is None:
            some = select(records.c.id).where(*self._where).limit(most).subquery()
            return self._connection.scalar(select(func.count()).select_from(some)) or 0
        return len(self.rows(None, most))

    # ------------------------------------------------------------ by filter

    def _some(self, start: Place | None, count: int | None) -> list[Row]:
        near = count is not None and self._order is ORDERS["newest"]
        if near and (found := self._near(start, count or 0)) is not None:
            return found
        query = self._query(start)
        rows = self._connection.execute(query if count is None else query.limit(count))
        return [(row[0], tuple(row[1:])) for row in rows]

    def _near(self, start: Place | None, count: int) -> list[Row] | None:
        """The next ones by number, if they are among the next few records of the dataset or task;
        None: they are not, and a walk by number would look at each of its rows."""
        own = select(records.c.id).where(*self._scope)
        if start is not None:
            here = records.c.id < start[0] if self._falling else records.c.id > start[0]
            own = own.where(here)
        own = own.order_by(records.c.id.desc() if self._falling else records.c.id)
        ids = list(self._connection.scalars(own.limit(NEAR)))
        rows = self._of(ids, None)
        return rows[:count] if len(rows) >= count or len(ids) < NEAR else None

    def _of(self, ids: Sequence[int], start: Place | None) -> list[Row]:
        rows = self._connection.execute(self._query(start).where(records.c.id.in_(ids)))
        return [(row[0], tuple(row[1:])) for row in rows]

    def _query(self, start: Place | None) -> Select[Any]:
        keys = self._order.keys
        query = select(records.c.id, *keys).where(*self._where)
        if start is not None:
            here, there = tuple_(*keys), tuple_(*start)
            query = query.where(here < there if self._falling else here > there)
        return query.order_by(*(key.desc() if self._falling else key.asc() for key in keys))

    # ------------------------------------------------------------ by words

    def _searched(self, words: Query, start: Place | None, count: int) -> list[Row]:
        """A walk along what fits otherwise, which asks for the words a stretch at a time."""
        found: list[Row] = []
        sizes = iter(_STRETCHES)
        size = 0
        while len(found) < count:
            size = next(sizes, size)
            rows = self._some(start, size)
            found += self._holding(words, rows)
            if len(rows) < size:
                break
            start = rows[-1][1]
        return found[:count]

    def _holding(self, words: Query, rows: Sequence[Row]) -> Iterator[Row]:
        there = self._texts.among(self._connection, words, [number for number, _ in rows])
        return self._confirmed(words, [row for row in rows if row[0] in there])

    def _fitting(self, words: Query, rows: Sequence[Row], count: int) -> Iterator[Row]:
        for place, row in enumerate(self._confirmed(words, rows)):
            if place == count:
                return
            yield row

    def _confirmed(self, words: Query, rows: Sequence[Row]) -> Iterator[Row]:
        """Those whose content fits, where the index does not know it all."""
        if not self._looks:
            yield from rows
            return
        for start in range(0, len(rows), 100):
            some = rows[start : start + 100]
            query = select(records.c.id, records.c.content)
            query = query.where(records.c.id.in_([number for number, _ in some]))
            contents = {number: text for number, text in self._connection.execute(query)}
            yield from (row for row in some if words.fits(from_json(contents[row[0]])))


def _conditions(connection: Connection, wanted: Selection) -> Sequence[ColumnElement[bool]]:
    """As `conditions`, with names looked up by kind: they are in the index as one number."""
    kinds = kind_conditions(wanted)
    number = None if wanted.dataset is None else dataset_id(connection, wanted.dataset)
    rest = replace(
        wanted,
        category=None, scenario=None, character=None, model=None, tag=None, flag=None,
        unflagged=False, min_rating=None, max_rating=None, min_score=None, max_score=None,
        min_length=None, max_length=None, state=None,
    )  # fmt: skip
    found = [*conditions(rest, number), *_measures(wanted)]
    if kinds:
        found.append((records.c.kind + 0).in_(_numbers(connection, kinds)))
    return found


def _numbers(connection: Connection, kinds: Sequence[ColumnElement[bool]]) -> Any:
    """Of the kinds that fit: as they are, or where they are many as a question."""
    query = select(record_kinds.c.id).where(*kinds)
    # Postgres takes a question for a join, and guesses wrong how many rows it leaves.
    found = list(connection.scalars(query.limit(MOST_KINDS + 1)))
    return found if len(found) <= MOST_KINDS else query


def _measures(wanted: Selection) -> Iterator[ColumnElement[bool]]:
    # As sums and joined to nothing, so that no other index than the dataset's own is taken.
    if wanted.state is not None:
        yield records.c.state.concat("") == wanted.state
    for name in ("rating", "score", "length"):
        if (least := getattr(wanted, f"min_{name}")) is not None:
            yield records.c[name] + 0 >= least
        if (most := getattr(wanted, f"max_{name}")) is not None:
            yield records.c[name] + 0 <= most


_FACETS = {
    "state": "states",
    "category": "categories",
    "scenario": "scenarios",
    "character": "characters",
    "model": "models",
    "tag": "tags",
    "flag": "flags",
}
"""What one record has → the field of `Facets`."""


def _named(kind: Any) -> dict[str, Sequence[str]]:
    """Facet → the kind's values; a record without a scenario counts under none."""
    return {
        "category": [kind.category] if kind.category else [],
        "scenario": [kind.scenario] if kind.scenario else [],
        "character": [kind.character] if kind.character else [],
        "model": from_json(kind.models) or [],
        "tag": from_json(kind.tags) or [],
        "flag": (kind.flags or "").split(),
    }


def _facet(counts: Counter[str], most: int) -> Facet:
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return Facet(values=dict(ranked[:most]), more=len(ranked) > most)
