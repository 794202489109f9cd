"""A dataset's records in numbers, as charts show them.

Owns: the questions, each answered from an index. Does not own: datasets (`datasets.py`), how far
reviewers agree (`review_numbers.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from sqlalchemy import Column, Connection, Select, func, select

from corpusmith.errors import NotFound
from corpusmith.store.codec import plain
from corpusmith.store.database import Database
from corpusmith.store.record_kinds import Kind, kinds_of
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

    def counts(self, names: Sequence[str]) -> dict[str, int]:
        """Name → records; those without any are not in it."""
        query = (
            select(datasets.c.name, func.count())
            .join(records, records.c.dataset_id == datasets.c.id)
            .where(datasets.c.name.in_([plain(name) for name in names]))
            .group_by(datasets.c.name)
        )
        with self._database.read() as connection:
            return {name: count for name, count in connection.execute(query)}

    def of(self, name: str) -> DatasetNumbers:
        """Raises NotFound."""
        with self._database.read() as connection:
            query = select(datasets.c.id).where(datasets.c.name == plain(name))
            row_id = connection.scalar(query)
            if row_id is None:
                raise NotFound("unknown_dataset", kind="dataset", name=name)
            kinds = _kinds(connection, row_id)
            states = _states(kinds)
            scenarios, more_scenarios = _labels(kinds, lambda kind: kind.scenario)
            characters, more_characters = _labels(kinds, lambda kind: kind.character)
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
    counts = sorted(found.items(), key=lambda one: (-one[1], one[0]))
    shown = [Label(name=name, count=count) for name, count in counts[:MOST_LABELS]]
    return shown, sum(count for _, count in counts[MOST_LABELS:])


def _bins(
    connection: Connection, row_id: int, column: Column[Any], marks: Sequence[float]
) -> Sequence[Bin]:
    """How many lie between two marks, the upper one left out; the last is open."""
    ends = [*marks[1:], None]
    counts: list[Any] = [
        func.count().filter(column >= start, *(() if end is None else (column < end,)))
        for start, end in zip(marks, ends, strict=True)
    ]
    query: Select[Any] = select(*counts).where(_in(row_id), column.is_not(None))
    row = connection.execute(query).one()
    return [
        Bin(start=start, end=end, count=count)
        for start, end, count in zip(marks, ends, row, strict=True)
    ]
