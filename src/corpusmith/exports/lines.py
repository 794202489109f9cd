"""Rows as JSON: one array, or one object a line.

Owns: bytes of JSON. Does not own: files (`files.py`), what a row holds (the exporters), what
loaders make of a trainer's rows, whose columns are given (`first_rows.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO, ClassVar

import orjson

from corpusmith.contracts import Kind
from corpusmith.errors import UsageError
from corpusmith.exports.first_rows import ROOM_BYTES, Places, arranged
from corpusmith.values import Json


class JsonArray:
    """One array for people and programs: two spaces of indent, every script as it is."""

    name: ClassVar[str] = "json"
    suffix: ClassVar[str] = ".json"
    nested: ClassVar[bool] = True

    def __init__(self, *, columns: Mapping[str, Kind] | None = None) -> None:
        """A row brings its own names; `columns` are those that a trainer reads."""
        self._columns = columns or {}

    def write(self, rows: Iterable[Json], out: BinaryIO) -> int:
        """Writes all; returns how many. Raises UsageError for a row that JSON cannot hold, and for
        texts that a trainer would not get as such."""
        places = Places(self._columns)
        count = 0
        for row in rows:
            out.write(b",\n  " if count else b"[\n  ")
            count += 1
            places.see(row)
            # In JSON a raw line feed is layout only, so this indents and changes no text.
            out.write(dump(row, count, orjson.OPT_INDENT_2).replace(b"\n", b"\n  "))
        out.write(b"\n]\n" if count else b"[]\n")
        places.end()
        return count


class JsonLines:
    """One compact object a line."""

    name: ClassVar[str] = "jsonl"
    suffix: ClassVar[str] = ".jsonl"
    nested: ClassVar[bool] = True

    def __init__(self, *, columns: Mapping[str, Kind] | None = None) -> None:
        """A row brings its own names; `columns` are those that a trainer reads."""
        self._columns = columns or {}

    def write(self, rows: Iterable[Json], out: BinaryIO) -> int:
        """Writes all; returns how many. Raises UsageError for a row that JSON cannot hold, and for
        texts that a trainer would not get as such."""
        places = Places(self._columns)
        count = 0
        for line in arranged(_seen(rows, places), places.untold, ROOM_BYTES, len):
            count += 1
            out.write(line)
        places.end()
        return count


def _seen(rows: Iterable[Json], places: Places) -> Iterator[tuple[bytes, bool]]:
    """Each row as a line, and whether it tells something new."""
    for number, row in enumerate(rows, 1):
        yield dump(row, number, orjson.OPT_APPEND_NEWLINE), places.see(row)


def dump(value: Json, number: int, option: int = 0) -> bytes:
    """`value` of row `number` (from 1) as JSON. Raises UsageError that names the row."""
    try:
        return orjson.dumps(value, option=option)
    except orjson.JSONEncodeError as error:
        raise UsageError("export_row", row=number, problem=str(error)) from error
