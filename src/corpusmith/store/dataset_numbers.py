"""A dataset's records in numbers, as charts show them.

Owns: the questions, each answered from an index. Does not own: datasets (`datasets.py`), how far
reviewers agree (`review_numbers.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, get_args

from sqlalchemy import Column, Connection, Select, func, select

from corpusmith.store.codec import from_json, plain
from corpusmith.store.database import Database
from corpusmith.store.kept import Kept
from corpusmith.store.record_kinds import Kind, kinds_of
from corpusmith.store.review_queue import dataset_id
from corpusmith.store.schema import datasets, records
from corpusmith.store.values import Bin, DatasetNumbers, Label
from corpusmith.values import ReviewState

MOST_LABELS = 1000
"""Scenarios and characters that are told one by one, the largest; the rest is one number."""
_NAMELESS = Kind(*(None,) * len(Kind._fields))
Counted = Sequence[tuple[Kind, ReviewState, int]]
_MARKS = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5)
_LENGTHS = (0, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)


class NumbersOfDatasets:
    """Questions to `records`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept = Kept(database)

    def counts(self, names: Sequence[str]) -> dict[str, int]:
        """Name → records; those without any are not in it. Of many records they may be some
        seconds old (`kept`)."""
        return self._kept.or_found(("counts", *names), lambda: self._counts(names))

    def _counts(self, names: Sequence[str]) -> dict[str, int]:
        query = (
            select(datasets.c.name, func.count())
            .join(records, records.c.dataset_id == datasets.c.id)
            .where(datasets.c.name.in_([plain(name) for name in names]))
            .group_by(datasets.c.name)
        )
        with self._database.read() as connection:
            return {name: count for name, count in connection.execute(query)}

    def of(self, name: str) -> DatasetNumbers:
        """Of a large dataset they may be some seconds old (`kept`). Raises NotFound."""
        return self._kept.or_found(("of", name), lambda: self._of(name))

    def _of(self, name: str) -> DatasetNumbers:
        with self._database.read() as connection:
            row_id = dataset_id(connection, name)
            kinds = _kinds(connection, row_id)
            states = _states(kinds)
            scenarios, more_scenarios = _labels(kinds, lambda kind: kind.scenario)
            characters, more_characters = _labels(kinds, lambda kind: kind.character)
            categories, more_categories = _labels(kinds, lambda kind: kind.category)
            tags = _several(kinds, lambda kind: from_json(kind.tags) or ())
            return DatasetNumbers(
                total=sum(states.values()),
                by_state=states,
                scenarios=scenarios,
                more_scenarios=more_scenarios,
                characters=characters,
                more_characters=more_characters,
                scores=_bins(connection, row_id, records.c.score, _MARKS),
                ratings=_bins(connection, row_id, records.c.rating, _MARKS),
                lengths=_bins(connection, row_id, records.c.length, _LENGTHS),
                flagged=sum(count for kind, _, count in kinds if kind.flags),
                categories=categories,
                more_categories=more_categories,
                tags=tags[:MOST_LABELS],
                more_tags=max(0, len(tags) - MOST_LABELS),
                flags=_several(kinds, lambda kind: (kind.flags or "").split()),
            )


def _in(row_id: int) -> Any:
    return records.c.dataset_id == row_id


def _kinds(connection: Connection, row_id: int) -> Counted:
    """All records, by what they are named after and their state: from one index."""
    group = (records.c.kind, records.c.state)
    rows = connection.execute(select(*group, func.count()).where(_in(row_id)).group_by(*group))
    found = [(kind, state, count) for kind, state, count in rows]
    known = kinds_of(connection, {kind for kind, _, _ in found})
    return [(known.get(kind, _NAMELESS), state, count) for kind, state, count in found]


def _states(kinds: Counted) -> Mapping[ReviewState, int]:
    found: Counter[ReviewState] = Counter()
    for _, state, count in kinds:
        found[state] += count
    return {state: found[state] for state in get_args(ReviewState)}


def _labels(kinds: Counted, label: Callable[[Kind], str | None]) -> tuple[Sequence[Label], int]:
    """The largest, and the records of all others."""
    found: Counter[str] = Counter()
    for kind, _, count in kinds:
        found[label(kind) or ""] += count
    counts = _ranked(found)
    return counts[:MOST_LABELS], sum(one.count for one in counts[MOST_LABELS:])


def _several(kinds: Counted, names: Callable[[Kind], Iterable[str]]) -> Sequence[Label]:
    """Of names that a record may have several of."""
    found: Counter[str] = Counter()
    for kind, _, count in kinds:
        found.update(dict.fromkeys(names(kind), count))
    return _ranked(found)


def _ranked(found: Counter[str]) -> Sequence[Label]:
    counts = sorted(found.items(), key=lambda one: (-one[1], one[0]))
    return [Label(name=name, count=count) for name, count in counts]


def _bins(
    connection: Connection, row_id: int, column: Column[Any], marks: Sequence[float]
) -> Sequence[Bin]:
    """How many lie between two marks, the upper one left out; the last is open."""
    ways = {records.c.length.key: _from_marks}
    counts = ways.get(column.key, _between_marks)(connection, row_id, column, marks)
    return [
        Bin(start=start, end=end, count=count)
        for start, end, count in zip(marks, [*marks[1:], None], counts, strict=True)
    ]


def _between_marks(
    connection: Connection, row_id: int, column: Column[Any], marks: Sequence[float]
) -> Sequence[int]:
    """Of a column with an index of its own: each bar is a stretch of it, which is only counted."""
    stretches = [
        select(func.count())
        .select_from(records)
        .where(_in(row_id), column >= start, *(() if end is None else (column < end,)))
        .scalar_subquery()
        for start, end in zip(marks, [*marks[1:], None], strict=True)
    ]
    return list(connection.execute(select(*stretches)).one())


def _from_marks(
    connection: Connection, row_id: int, column: Column[Any], marks: Sequence[float]
) -> Sequence[int]:
    """Of another: one walk, which asks each record how many marks it has reached."""
    reached: list[Any] = [func.count().filter(column >= start) for start in marks]
    query: Select[Any] = select(*reached).where(_in(row_id), column.is_not(None))
    found = list(connection.execute(query).one())
    return [one - more for one, more in zip(found, [*found[1:], 0], strict=True)]
