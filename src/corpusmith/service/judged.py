"""The rows that an evaluation judges, each with the id that its scores are joined by.

Owns: rows of an input, picked and sampled; walked when they are needed and never held together.
Does not own: how an input is written and read (`input_part.py`, `inputs.py`), what becomes of a
row (the recipe).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from corpusmith.errors import SpecError, UsageError
from corpusmith.lazy import LazyRows
from corpusmith.messages import say
from corpusmith.service.input_files import BadInput
from corpusmith.service.input_part import InputPart
from corpusmith.service.inputs import rows_of
from corpusmith.store.store import SqlStore
from corpusmith.values import Json, Language, Record

KEPT = 32
"""Rows at the beginning that are looked at before anything runs: prompts shown, tokens guessed."""

Read = Callable[[], Iterator[Json]]


class Judged(LazyRows):
    """Rows `{"id", "content"}` that are read anew at every walk: the first `KEPT` are at hand."""

    def __init__(
        self, read: Read, *, sample: int | None = None, limit: int | None = None, seed: int = 0
    ) -> None:
        """Counts the rows. `sample`: so many of them, drawn with `seed`, in their own order;
        `limit`: the first so many."""
        self._read = read
        whole = sum(1 for _ in islice(read(), limit))
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

    def row(self, place: int) -> Json:
        if place < len(self._head):
            return self._head[place]
        return next(islice(self, place, None))


def judged(part: InputPart, store: SqlStore, seed: int) -> Judged:
    """The rows of an input. A row's id is its record's; in a file its field `id`, else its number.

    Records that a person rejected are left out unless `where` says `state`. Raises UsageError when
    there are no rows, and for an input, or a row of it, that cannot be read.
    """
    if part.dataset is not None or part.task is not None:
        read = _record_rows(part, store)
    else:
        read = _file_rows(part, store)
    rows = Judged(read, sample=part.sample, limit=part.limit, seed=seed)
    if not rows:
        raise UsageError("evaluate_where" if part.where else "evaluate_nothing", of=part.shown)
    return rows


def _record_rows(part: InputPart, store: SqlStore) -> Read:
    def read() -> Iterator[Json]:
        for record in store.records.iterate(task_id=part.task, dataset=part.dataset):
            wanted = "state" in part.where or record.state != "rejected"
            if wanted and _fits(_facts(record), part.where):
                yield {"id": record.id, "content": record.content}

    return read


def _file_rows(part: InputPart, store: SqlStore) -> Read:
    # A row keeps its number whatever is asked of the others, so picking is done here.
    whole = part.model_copy(update={"where": {}, "sample": None, "limit": None})

    def read() -> Iterator[Json]:
        for number, row in enumerate(rows_of(whole, store, bad=_refuse), 1):
            if _fits(row, part.where):
                yield {"id": _id(row, number), "content": row}

    return read


def _refuse(bad: BadInput) -> None:
    raise UnreadRow(bad)


class UnreadRow(SpecError):
    """A row that cannot be read: leaving it out would score less than was asked for.

    Data: `file`, `line`, `reason` (a code).
    """

    code = "evaluate_row"

    def __init__(self, bad: BadInput) -> None:
        super().__init__(file=bad.file, line=bad.line, reason=bad.reason)
        self._bad = bad

    def message(self, language: Language) -> str:
        return say("error.evaluate_row", language, problem=self._bad.text(language))


def _facts(record: Record) -> dict[str, Json]:
    """What can be asked of a record: its fields, its labels, its category and state."""
    content = record.content if isinstance(record.content, dict) else {}
    own = {"task": record.task_id, "category": record.category, "state": record.state}
    return {**content, **record.labels, **own}


def _fits(facts: Mapping[str, Json], where: Mapping[str, Json]) -> bool:
    return all(_is(facts.get(name), wish) for name, wish in where.items())


def _is(value: Json, wish: Json) -> bool:
    """Whether both are written alike: options and CSV files know texts only."""
    wishes: Iterable[Json] = wish if isinstance(wish, list | tuple) else (wish,)
    written = _text(value)
    return written is not None and any(written == _text(one) for one in wishes)


def _text(value: Json) -> str | None:
    """A plain value as people type it; None for what has no such form."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def _id(row: Mapping[str, Any], number: int) -> Json:
    given = row.get("id")
    known = isinstance(given, str | int) and not isinstance(given, bool) and given != ""
    return given if known else number
