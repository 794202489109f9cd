"""The rows that a template task is given, on disk while the task is being made.

Owns: reading an input once, however large, and which of its columns are there. Does not own:
where rows come from (`service/inputs.py`), the task's own copy (store).
"""

from __future__ import annotations

import tempfile
import weakref
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import orjson

from corpusmith.errors import UsageError
from corpusmith.lazy import LazyRows
from corpusmith.values import Json

_IN_MEMORY = 8 * 1024 * 1024


class Spool:
    """The rows of one input: read once, then looked at by their place."""

    def __init__(self, name: str, rows: Iterable[Mapping[str, Json]]) -> None:
        """`name`: what messages call the input. Raises UsageError when there is no row."""
        self.name = name
        self.filled: Counter[str] = Counter()
        """In how many rows a column has a value; columns in the order of their first rows."""
        self._ends = array("Q")
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  lives on
        weakref.finalize(self, self._file.close)
        end = 0
        for row in rows:
            self.filled.update(column for column, value in row.items() if value is not None)
            end += self._file.write(orjson.dumps(row, option=orjson.OPT_NON_STR_KEYS))
            self._ends.append(end)
        if not self._ends:
            raise UsageError("template_input_empty", input=name)

    def __len__(self) -> int:
        return len(self._ends)

    def row(self, place: int) -> dict[str, Json]:
        start = self._ends[place - 1] if place else 0
        self._file.seek(start)
        found: dict[str, Json] = orjson.loads(self._file.read(self._ends[place] - start))
        return found

    def refuse_gaps(self, columns: Iterable[str]) -> None:
        """Raises UsageError for a column that has no value in some row."""
        for column in columns:
            if missing := len(self) - self.filled[column]:
                places = (at for at in range(len(self)) if self.row(at).get(column) is None)
                raise UsageError(
                    "template_column_gaps",
                    input=self.name,
                    column=column,
                    missing=missing,
                    rows=len(self),
                    row=next(places) + 1,
                )


class Joined(LazyRows):
    """Rows of several inputs after each other, of each the columns that are needed."""

    def __init__(self, parts: Sequence[tuple[Spool, frozenset[str]]]) -> None:
        self._parts = parts
        self.starts: list[int] = []
        """The place of each input's first row."""
        self._length = 0
        for spool, _ in parts:
            self.starts.append(self._length)
            self._length += len(spool)

    def __len__(self) -> int:
        return self._length

    def row(self, place: int) -> Json:
        part = bisect_right(self.starts, place) - 1
        spool, columns = self._parts[part]
        row = spool.row(place - self.starts[part])
        return {column: value for column, value in row.items() if column in columns}
