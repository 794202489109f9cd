"""Pages of records, and how many there are of what: of a dataset of a million.

Owns: which records a page shows, from which place on; counts; facets. Does not own: the orders and
how records are found (`record_walk.py`), what a record is (`records.py`).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, func, select

from corpusmith.errors import NotFound
from corpusmith.store.codec import from_json
from corpusmith.store.database import Database
from corpusmith.store.finding_values import CappedCount, Facet, Facets, RecordPage
from corpusmith.store.kept import Kept
from corpusmith.store.record_kinds import kinds_of
from corpusmith.store.record_text import RecordText
from corpusmith.store.record_walk import (
    ORDERS,
    Place,
    RecordOrder,
    Walk,
    checked,
    walk_conditions,
)
from corpusmith.store.review_queue import dataset_id
from corpusmith.store.schema import datasets, records
from corpusmith.values import Selection

COUNTED = 10_000
COUNTED_WORDS = 2000
"""Of records that hold words."""
SLOW_S = 0.1
"""When a first page of records that hold words took longer, it says itself that there are more."""
_AT_ONCE = 1000
_WALKING = ("enable_seqscan = off", "jit = off", "work_mem = '64MB'")


class RecordPages:
    """Questions to `records`, without their contents."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._texts = RecordText(database)
        self._kept = Kept(database)

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
        Where they were long to find, they may be those of some seconds ago (`kept`).

        Raises NotFound (dataset), UsageError for a place that is none.
        """
        missing = self._caught_up(selection)
        back = after is None and before is not None
        place = checked(after if after is not None else before, order)
        question = (selection, order, limit, place, back, missing)
        return self._kept.or_found(question, lambda: self._page(*question))

    def _page(
        self,
        selection: Selection,
        order: RecordOrder,
        limit: int,
        place: Place | None,
        back: bool,
        missing: int,
    ) -> RecordPage:
        asked = self._kept.now()
        with self._reading() as connection:
            walk = Walk(self._texts, connection, selection, ORDERS[order], back, missing > 0)
            # One more than wanted: whether there is another page is known, not guessed.
            rows = walk.rows(place, limit + 1)
        more, rows = len(rows) > limit, rows[:limit]
        if back:
            rows.reverse()
        slow = selection.text is not None and time.monotonic() - asked[1] > SLOW_S
        if place is None and (slow or not more):
            # They are all there is, or to count them would take longer still.
            found = CappedCount(count=len(rows), more=more, missing=missing)
            self._kept.put((selection, COUNTED, missing), asked, found)
        onwards, backwards = (True, more) if back else (more, place is not None)
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
            found = connection.execute(query.where(*walk_conditions(connection, base))).first()
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
        """How many fit; above `most`, or what holds words after a moment (`COUNTING_S`), no more
        are counted. Where that took a while it may be some seconds old (`kept`). Raises NotFound
        (dataset)."""
        # Of words, only what the same share of the records was searched for is still the answer.
        missing = self._caught_up(selection)
        question = (selection, most, missing)
        return self._kept.or_found(question, lambda: self._count(*question))

    def _count(self, selection: Selection, most: int, missing: int) -> CappedCount:
        most = most if selection.text is None else min(most, COUNTED_WORDS)
        with self._reading() as connection:
            walk = Walk(self._texts, connection, selection, ORDERS["own"], False, missing > 0)
            count, more = walk.count(most)
        return CappedCount(count=count, more=more, missing=missing)

    def ids(self, selection: Selection) -> list[int]:
        """All that fit now, in one view, ascending. Raises NotFound (dataset)."""
        if selection.text is not None:
            self._texts.catch_up()
        with self._reading() as connection:
            walk = Walk(self._texts, connection, selection, ORDERS["own"], False, False)
            return sorted(number for number, _ in walk.every())

    def facets(self, dataset: str, most: int = 100) -> Facets:
        """What a dataset's records are named after, with counts; of each the `most` frequent. Of a
        large dataset it may be some seconds old (`kept`). Raises NotFound.
        """
        return self._kept.or_found((dataset, most), lambda: self._facets(dataset, most))

    def _facets(self, dataset: str, most: int) -> Facets:
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
