"""The walk over an export's records: chosen, made into rows, sorted into parts, counted.

Owns: the order of these steps. Does not own: any of them (`export_rows.py`, `export_pairs.py`,
`export_parts.py`, `export_groups.py`, `export_facts.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Any

import orjson

from corpusmith.contracts import Exporter
from corpusmith.errors import UsageError
from corpusmith.exports.kinds import Seen
from corpusmith.exports.lines import dump
from corpusmith.exports.reading import ChatOptions, PairOptions
from corpusmith.service.export_facts import Facts
from corpusmith.service.export_groups import Groups
from corpusmith.service.export_pairs import Compared, PairRule, comparing
from corpusmith.service.export_parts import Balance, Split
from corpusmith.service.export_rows import (
    Made,
    NoCharacter,
    OnRefused,
    Personas,
    Refusals,
    Taken,
)
from corpusmith.store.store import SqlStore
from corpusmith.values import Json, Selection

WHOLE = "train"
"""The name of the only part, where one is needed."""


class Walk:
    """Walks once. What was counted stands in its attributes then."""

    def __init__(
        self,
        store: SqlStore,
        selection: Selection,
        exporter: Exporter,
        *,
        on_refused: OnRefused,
        balance: Balance | None,
        split: Split | None,
        pairs: PairRule | None = None,
    ) -> None:
        self._store = store
        self._selection = selection
        self._exporter = exporter
        self._on_refused = on_refused
        self._balance = balance
        self._split = split
        self._pairs = pairs
        self.facts = Facts()
        self.refusals = Refusals()
        self.passed_over = Refusals()
        self.left_out = 0
        """By balance."""
        self.seen = 0
        """All of the selection."""

    def rows(self) -> Iterator[tuple[str, Json]]:
        """(part, row) of everything that is exported.

        Raises UsageError for refused records when one is too many: at the end of the walk.
        """
        self._refuse_strangers()
        if self._balance is not None:
            for one in self._made():
                self._balance.look(one.first)
            self._balance.settle()
        made = self._made()
        self.refusals, self.passed_over = made.refusals, made.passed_over
        for one, part in self._parted(self._kept(made)):
            self.facts.add(one.records, part, len(one.rows))
            for row in one.rows:
                yield part, row
        self.seen = made.seen
        if made.seen and not self.facts.records:
            without = made.refusals if made.refusals.count else made.passed_over
            raise without.error(made.seen)

    @property
    def low_rated(self) -> int:
        """Records that people rated badly, and that the format has a model learn all the same."""
        teaches = isinstance(self._exporter, ChatOptions)
        by_rating = isinstance(self._exporter, PairOptions)
        return self.facts.low_rated if teaches and not by_rating else 0

    @property
    def without_character(self) -> Mapping[str, int]:
        """Records that lack the character's prompt that was asked for, by the character's name."""
        return self.facts.without_character if self._wants_character else {}

    @property
    def _wants_character(self) -> bool:
        return getattr(self._exporter, "system", None) == "character"

    def _refuse_strangers(self) -> None:
        """Raises UsageError: characters' prompts are asked for, and none is known. Usually the
        first record has one."""
        if not self._wants_character:
            return
        personas, names = Personas(self._store), Counter[str]()
        for record in self._store.records.iterate(self._selection):
            if personas.of(record):
                return
            names[record.labels.get("character", "")] += 1
        if names:
            raise NoCharacter(records=names.total(), names=names)

    def _made(self) -> Made | Compared:
        records = Personas(self._store).given(self._store.records.iterate(self._selection))
        if self._pairs is None:
            return Made(records, self._exporter, self._on_refused)
        exporter = comparing(self._exporter, self._exporter.name)
        return Compared(self._store, records, exporter, self._pairs, self._on_refused)

    def _kept(self, made: Iterable[Taken]) -> Iterator[Taken]:
        for one in made:
            if self._balance is None or self._balance.keeps(one.first):
                yield one
            else:
                self.left_out += 1

    def _parted(self, kept: Iterable[Taken]) -> Iterator[tuple[Taken, str]]:
        if self._split is None:
            for one in kept:
                yield one, WHOLE
            return
        for _, one, group in Groups(self._store).keyed((one.first, one) for one in kept):
            yield one, self._split.part(group)


class Spools:
    """Rows that wait on the disk until all parts are known. A context.

    One walk writes all parts: so they are of one moment, and no record can be in two of them.
    """

    def __init__(self, names: Sequence[str], folder: Path, *, look: bool) -> None:
        """`folder` has room for them: the files go there too. `look`: find the columns of all
        rows."""
        self._look = look
        self._columns: dict[str, Seen] = {}
        self._stack = ExitStack()
        self._files: Mapping[str, IO[bytes]] = {
            name: self._stack.enter_context(TemporaryFile(dir=folder))  # noqa: SIM115  the stack
            for name in names
        }

    def fill(self, rows: Iterable[tuple[str, Json]]) -> None:
        """Raises UsageError for a row that JSON cannot hold, and with `look` for one that is not
        made of fields."""
        for count, (part, row) in enumerate(rows, 1):
            self._files[part].write(dump(row, count, orjson.OPT_APPEND_NEWLINE))
            if self._look:
                self._see(row, count)

    @property
    def columns(self) -> dict[str, Any]:
        """With `look`: the fields of all rows, in the order they were met, with their kinds."""
        return {name: seen.kind() for name, seen in self._columns.items()}

    def _see(self, row: Json, count: int) -> None:
        if not isinstance(row, dict):
            raise UsageError("export_no_row", row=count)
        for name, value in row.items():
            if name not in self._columns:
                self._columns[name] = Seen()
            self._columns[name].see(value)

    def rows(self, part: str) -> Iterator[Json]:
        self._files[part].seek(0)
        for line in self._files[part]:
            yield orjson.loads(line)

    def __enter__(self) -> Spools:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What is still in a buffer nobody wants any more; on a full disk it cannot be written.
        with suppress(OSError):
            self._stack.close()
