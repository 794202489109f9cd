"""Review in numbers: states, ratings, who did how much, who says what of the same records.

Owns: the questions. Does not own: agreement (`quality/agreement.py`), reviews.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, get_args

from sqlalchemy import ColumnElement, Connection, Select, func, select, tuple_

from corpusmith.store.codec import from_json, iso
from corpusmith.store.database import Database
from corpusmith.store.review_queue import about, scope
from corpusmith.store.review_values import Beside, Opinion, ReviewerCounts, ReviewStatistics
from corpusmith.store.schema import record_kinds, record_versions, records, reviews
from corpusmith.values import ReviewState, Selection

_AT_ONCE = 2000
_IDS_AT_ONCE = 500
Where = Sequence[ColumnElement[bool]]


class ReviewNumbers:
    """Questions to `records` and `reviews`. All raise NotFound (dataset)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def statistics(self, selection: Selection) -> ReviewStatistics:
        """The selection's review in numbers."""
        with self._database.read() as connection:
            where = scope(connection, selection)
            states = _states(connection, where)
            rated, mean = _rated(connection, where)
            return ReviewStatistics(
                total=sum(states.values()),
                by_state=states,
                rated=rated,
                mean_rating=mean,
                edited=_edited(connection, where),
                reviewers=_reviewers(connection, where),
            )

    def opinions(
        self, selection: Selection, reviewers: Collection[str] | None = None
    ) -> Iterator[Opinion]:
        """All reviews of the selection's records, those of one record together. Streams."""
        with self._database.read() as connection:
            theirs = [about(connection, reviews.c.record_id, scope(connection, selection))]
        if reviewers is not None:
            theirs.append(reviews.c.reviewer.in_(reviewers))
        key = (reviews.c.record_id, reviews.c.reviewer)
        query = (
            select(*key, reviews.c.state, reviews.c.rating)
            .where(*theirs)
            .order_by(*key)
            .limit(_AT_ONCE)
        )
        for row in self._streamed(query, key):
            yield Opinion(record_id=row[0], reviewer=row[1], state=row[2], rating=row[3])

    def judged(self, selection: Selection) -> Iterator[tuple[int, str, float | None, float]]:
        """(record, state, people's rating, judge's score) of those that both have looked at."""
        with self._database.read() as connection:
            where = scope(connection, selection)
        key = (records.c.id,)
        query = (
            select(*key, records.c.state, records.c.rating, records.c.score)
            .where(*where, records.c.disagreement.is_not(None))
            .order_by(*key)
            .limit(_AT_ONCE)
        )
        for row in self._streamed(query, key):
            yield row[0], row[1], row[2], row[3]

    def beside(self, ids: Sequence[int]) -> dict[int, Beside]:
        """What people say of each record and who wrote it, of those that there are."""
        found: dict[int, Beside] = {}
        columns = (records.c.id, records.c.state, records.c.rating, record_kinds.c.models)
        with self._database.read() as connection:
            for start in range(0, len(ids), _IDS_AT_ONCE):
                query = (
                    select(*columns)
                    .select_from(records)
                    .outerjoin(record_kinds, record_kinds.c.id == records.c.kind)
                    .where(records.c.id.in_(ids[start : start + _IDS_AT_ONCE]))
                )
                for number, state, rating, models in connection.execute(query):
                    names = tuple(from_json(models) or ())
                    found[number] = Beside(id=number, state=state, rating=rating, models=names)
        return found

    def rated_at(self, ids: Sequence[int]) -> dict[int, str]:
        """When each record was last rated, ISO 8601."""
        query = (
            select(reviews.c.record_id, func.max(reviews.c.updated_at))
            .where(reviews.c.record_id.in_(ids), reviews.c.rating.is_not(None))
            .group_by(reviews.c.record_id)
        )
        with self._database.read() as connection:
            return {record_id: iso(when) for record_id, when in connection.execute(query)}

    def _streamed(self, query: Select[Any], key: Sequence[Any]) -> Iterator[Any]:
        page = query
        while True:
            with self._database.read() as connection:
                rows = connection.execute(page).all()
            yield from rows
            if len(rows) < _AT_ONCE:
                return
            page = query.where(tuple_(*key) > tuple_(*rows[-1][: len(key)]))


def _states(connection: Connection, where: Where) -> dict[ReviewState, int]:
    query = select(records.c.state, func.count()).where(*where).group_by(records.c.state)
    found = {state: count for state, count in connection.execute(query)}
    return {state: found.get(state, 0) for state in get_args(ReviewState)}


def _rated(connection: Connection, where: Where) -> tuple[int, float | None]:
    query = select(func.count(), func.avg(records.c.rating))
    row = connection.execute(query.where(*where, records.c.rating.is_not(None))).one()
    return row[0], row[1]


def _edited(connection: Connection, where: Where) -> int:
    # Every edited record has a version 2; walking those is quicker than asking all records.
    query = (
        select(func.count())
        .select_from(record_versions)
        .where(
            record_versions.c.version == 2, about(connection, record_versions.c.record_id, where)
        )
    )
    return connection.scalar(query) or 0


def _reviewers(connection: Connection, where: Where) -> list[ReviewerCounts]:
    rating = reviews.c.rating
    query = (
        select(
            reviews.c.reviewer, reviews.c.state, func.count(), func.count(rating), func.sum(rating)
        )
        .where(about(connection, reviews.c.record_id, where))
        .group_by(reviews.c.reviewer, reviews.c.state)
    )
    found: dict[str, list[tuple[str, int, int, int]]] = {}
    for reviewer, state, count, rated, ratings in connection.execute(query):
        found.setdefault(reviewer, []).append((state, count, rated, int(ratings or 0)))
    counts = [_counts(reviewer, rows) for reviewer, rows in found.items()]
    return sorted(counts, key=lambda one: (-one.reviewed, one.reviewer))


def _counts(reviewer: str, rows: Sequence[tuple[str, int, int, int]]) -> ReviewerCounts:
    by_state = {state: count for state, count, _, _ in rows}
    rated = sum(row[2] for row in rows)
    return ReviewerCounts(
        reviewer=reviewer,
        reviewed=sum(by_state.values()),
        approved=by_state.get("approved", 0),
        rejected=by_state.get("rejected", 0),
        rated=rated,
        mean_rating=sum(row[3] for row in rows) / rated if rated else None,
    )
