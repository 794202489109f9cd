"""The rows that a task is given: of files and documents, a stored dataset, a hub's data set.

Owns: which rows an input stands for. Does not own: how it is written (`input_part.py`), files
(`input_files.py`), the task's copy of the rows (store).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from corpusmith.errors import UsageError
from corpusmith.messages import say
from corpusmith.service.input_files import BadInput, rows_of_files
from corpusmith.service.input_part import InputPart
from corpusmith.store.store import SqlStore
from corpusmith.values import Json, Language, Record

Row = dict[str, Json]
Bad = Callable[[BadInput], None]

__all__ = ["BadInput", "BadInputs", "InputError", "InputPart", "row_of", "rows_of"]


# ---------------------------------------------------------------- what was bad


class InputError(UsageError):
    """Nothing of an input could be read. Data: `name`, `bad` (how many), `one` (the first)."""

    code = "input_all_bad"

    def message(self, language: Language) -> str:
        one: BadInput = self.data["one"]
        return say("error.input_all_bad", language, **self.data, first=one.text(language))


@dataclass(slots=True)
class BadInputs:
    """Counts what is bad, and keeps the first few to show. Called as a `Bad`."""

    keep: int = 20
    count: int = 0
    first: list[BadInput] = field(default_factory=list)

    def __call__(self, one: BadInput) -> None:
        self.count += 1
        if len(self.first) < self.keep:
            self.first.append(one)


# ---------------------------------------------------------------- rows


def rows_of(
    part: InputPart | str, store: SqlStore, *, seed: int = 0, bad: Bad | None = None
) -> Iterator[Row]:
    """The rows of an input, streamed; what `sample` draws is kept in memory.

    A file's rows are as they are. A document gives its chunks: `text`, `source` (the file, seen
    from the folder that was given), `title`, `heading`, `chunk` (from 1), `chunks`. A stored
    dataset gives its records' contents and their `record_id`; records that a person rejected are
    left out unless `where` says `state`.

    `bad` is told of each row or file that cannot be read. Raises InputError when there is nothing
    else, and UsageError: nothing is there, of no known kind, no rows, none that fits `where`.
    """
    wanted = InputPart.model_validate(part) if isinstance(part, str) else part
    tally = _Tally(bad or _ignored)
    rows = _mapped(_fitting(tally.read(_source(wanted, store, tally.bad)), wanted), wanted)
    yield from tally.taken(_drawn(rows, wanted, seed))
    tally.refuse_nothing(wanted)


def _ignored(one: BadInput) -> None:
    """Nobody asked. When all is bad, that is told all the same."""


class _Tally:
    """What was read, taken and bad of one input."""

    def __init__(self, bad: Bad) -> None:
        self._told = bad
        self._bad = BadInputs(keep=1)
        self._read = 0
        self._taken = 0

    def bad(self, one: BadInput) -> None:
        self._bad(one)
        self._told(one)

    def read(self, rows: Iterable[Found]) -> Iterator[Found]:
        for row in rows:
            self._read += 1
            yield row

    def taken(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            self._taken += 1
            yield row

    def refuse_nothing(self, part: InputPart) -> None:
        """Raises UsageError when no row was taken, saying why."""
        if self._taken:
            return
        if self._read:
            where = ", ".join(f"{name}={value}" for name, value in part.where.items())
            raise UsageError("input_none_fit", name=part.shown, where=where)
        if self._bad.count:
            raise InputError(name=part.shown, bad=self._bad.count, one=self._bad.first[0])
        raise UsageError("input_empty", name=part.shown)


Found = tuple[Row, Mapping[str, Json]]
"""A row, and what `where` may ask of it besides."""


def _source(part: InputPart, store: SqlStore, bad: Bad) -> Iterator[Found]:
    if part.dataset is not None:
        store.datasets.get(part.dataset)
        yield from _records(store.records.iterate(dataset=part.dataset), part)
    elif part.task is not None:
        store.tasks.get(part.task)
        yield from _records(store.records.iterate(task_id=part.task), part)
    elif part.hub is not None:
        from corpusmith.readers.hub import read_hub

        for row in read_hub(part.hub, split=part.split, config=part.name):
            yield row, {}
    else:
        for row in rows_of_files(part, bad):
            yield row, {}


def _records(records: Iterable[Record], part: InputPart) -> Iterator[Found]:
    for record in records:
        if "state" in part.where or record.state != "rejected":
            labels = {**record.labels, "category": record.category, "state": record.state}
            yield row_of(record), labels


def row_of(record: Record) -> Row:
    """A record as a row: its content's fields, and `record_id` unless the content has one."""
    content = record.content if isinstance(record.content, dict) else {"content": record.content}
    return {"record_id": record.id, **content}


def _fitting(rows: Iterable[Found], part: InputPart) -> Iterator[Row]:
    for row, more in rows:
        if all(_is(row.get(key, more.get(key)), wish) for key, wish in part.where.items()):
            yield row


def _is(value: Json, wish: Json) -> bool:
    """Equal; a CSV knows texts only, so `4` is also the text of it."""
    if isinstance(wish, Sequence) and not isinstance(wish, str):
        return any(_is(value, one) for one in wish)
    if isinstance(value, bool) != isinstance(wish, bool) and not isinstance(value, str):
        return False
    return bool(value == wish) or (isinstance(value, str) and value == _text_of(wish))


def _text_of(wish: Json) -> str:
    return str(wish).lower() if isinstance(wish, bool) else str(wish)


def _mapped(rows: Iterable[Row], part: InputPart) -> Iterator[Row]:
    """Rows with their fields' new names; a field that a row lacks stays lacking."""
    if not part.map:
        yield from rows
        return
    new_names = {old: new for new, old in part.map.items()}
    for row in rows:
        kept = {key: value for key, value in row.items() if key not in part.map}
        renamed = {new: row[old] for new, old in part.map.items() if old in row}
        yield {key: value for key, value in kept.items() if key not in new_names} | renamed


def _drawn(rows: Iterable[Row], part: InputPart, seed: int) -> Iterator[Row]:
    if part.sample is not None:
        yield from _sampled(rows, part.sample, seed)
        return
    for number, row in enumerate(rows, 1):
        yield row
        if number == part.limit:
            return


def _sampled(rows: Iterable[Row], size: int, seed: int) -> Iterator[Row]:
    """`size` rows, each as likely as any other, in their order; all, when there are fewer."""
    # Algorithm R: one pass over rows whose number nobody knows, in memory for `size` of them.
    draw = random.Random(seed)  # noqa: S311  variety, not secrecy
    kept: list[tuple[int, Row]] = []
    for number, row in enumerate(rows):
        if number < size:
            kept.append((number, row))
        elif (place := draw.randrange(number + 1)) < size:
            kept[place] = (number, row)
    yield from (row for _, row in sorted(kept, key=lambda pair: pair[0]))
