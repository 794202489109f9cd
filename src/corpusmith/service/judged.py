"""The rows that an evaluation judges, each with the id that its scores are joined by.

Owns: rows of a dataset, a task or a file, picked and sampled; walked when they are needed and never
held together. Does not own: reading files (`readers`), what becomes of a row (the recipe).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, overload

from corpusmith.errors import SpecError, UsageError
from corpusmith.readers.bad import BadRow
from corpusmith.readers.rows import read_rows
from corpusmith.store.store import SqlStore
from corpusmith.values import Json, Record

KEPT = 32
"""Rows at the beginning that are looked at before anything runs: prompts shown, tokens guessed."""

Read = Callable[[], Iterator[Json]]


class Judged(Sequence[Json]):
    """Rows `{"id", "content"}` that are read anew at every walk: the first `KEPT` are at hand."""

    def __init__(self, read: Read, *, sample: int | None, seed: int) -> None:
        """Counts the rows. `sample`: so many of them, drawn with `seed`, in their own order."""
        self._read = read
        whole = sum(1 for _ in read())
        self._chosen: frozenset[int] | None = None
        if sample is not None and sample < whole:
            drawn = random.Random(seed).sample(range(whole), sample)  # noqa: S311  variety
            self._chosen = frozenset(drawn)
        self._length = whole if self._chosen is None else len(self._chosen)
        self._head = list(islice(self, KEPT))

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Json]:
        """All rows. Raises UsageError when there are fewer now than were counted."""
        given = 0
        for place, row in enumerate(self._read()):
            if given == self._length:
                return
            if self._chosen is None or place in self._chosen:
                given += 1
                yield row
        if given < self._length:
            raise UsageError("evaluate_changed", counted=self._length, now=given)

    @overload
    def __getitem__(self, index: int) -> Json: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Json]: ...
    def __getitem__(self, index: int | slice) -> Json | Sequence[Json]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(self._length))]
        place = index + self._length if index < 0 else index
        if not 0 <= place < self._length:
            raise IndexError(index)
        if place < len(self._head):
            return self._head[place]
        return next(islice(self, place, None))


def record_rows(
    store: SqlStore, where: Mapping[str, str], *, task_id: int | None, dataset: str | None
) -> Read:
    """Reads the records of a dataset or a task; a row's id is its record's."""

    def read() -> Iterator[Json]:
        for record in store.records.iterate(task_id=task_id, dataset=dataset):
            if all(_says(record, name, value) for name, value in where.items()):
                yield {"id": record.id, "content": record.content}

    return read


def file_rows(path: str, where: Mapping[str, str]) -> Read:
    """Reads the rows of a file; a row's id is its field `id`, else its number.

    Raises SpecError for a file, or a row of it, that cannot be read.
    """

    def refuse(bad: BadRow) -> None:
        raise SpecError("evaluate_row", file=path, line=bad.line, reason=bad.reason)

    def read() -> Iterator[Json]:
        for number, (_, row) in enumerate(read_rows(path, bad=refuse), 1):
            if all(_text(row.get(name)) == value for name, value in where.items()):
                yield {"id": _id(row, number), "content": row}

    return read


def _says(record: Record, name: str, value: str) -> bool:
    """Whether a record's own column, its label or its field `name` is `value`."""
    own: dict[str, Json] = {
        "task": record.task_id,
        "category": record.category,
        "state": record.state,
    }
    content = record.content if isinstance(record.content, dict) else {}
    for place in (own, record.labels, content):
        if name in place:
            return _text(place[name]) == value
    return False


def _text(value: Json) -> str | None:
    """A plain value as people type it; None for what has no such form."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def _id(row: Mapping[str, Any], number: int) -> Json:
    given = row.get("id")
    known = isinstance(given, str | int) and not isinstance(given, bool) and given != ""
    return given if known else number
