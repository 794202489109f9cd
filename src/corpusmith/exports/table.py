"""CSV: one column a field; a list or object inside is JSON text in its cell.

Owns: the columns, and what a cell of each kind of value is. Does not own: files (`files.py`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, ClassVar

import orjson

from corpusmith.contracts import Kind
from corpusmith.errors import UsageError
from corpusmith.exports.first_rows import arranged
from corpusmith.exports.lines import dump
from corpusmith.exports.options import checked
from corpusmith.exports.untyped import ROOM_ROWS, Untyped
from corpusmith.values import Json

_IN_MEMORY_BYTES = 8 << 20
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the start of a formula."""
_BOM = b"\xef\xbb\xbf"


class Csv:
    """CSV after RFC 4180 in UTF-8: CRLF, quotes where needed.

    `bom`: begin with a byte order mark, without which Excel shows Chinese as garbage.
    `spreadsheet_safe`: put an apostrophe before a text that a spreadsheet would run as a formula;
    without it every text is written as it is, which is what training wants.
    """

    name: ClassVar[str] = "csv"
    suffix: ClassVar[str] = ".csv"
    nested: ClassVar[bool] = False

    def __init__(
        self,
        *,
        columns: Mapping[str, Kind] | None = None,
        bom: bool = False,
        spreadsheet_safe: bool = False,
    ) -> None:
        self._columns = columns
        self._bom = checked("bom", bom)
        self._safe = checked("spreadsheet_safe", spreadsheet_safe)

    def write(self, rows: Iterable[Json], out: BinaryIO) -> int:
        """Writes all; returns how many. Raises UsageError for what is no row of fields.

        The header names the exporter's columns, or else every field of every row, in the order
        they are met. As the last row may bring a new one, they wait in a temporary file until all
        are known.
        """
        if self._columns is not None:
            return self._write_known(rows, self._columns, out)
        return self._write_waiting(rows, out)

    def _write_known(self, rows: Iterable[Json], columns: Mapping[str, Kind], out: BinaryIO) -> int:
        table, loaded = self._table(columns, out), Untyped(columns)
        lines = self._seen(rows, columns, loaded)
        for line in arranged(lines, loaded.untold, ROOM_ROWS, lambda _: 1):
            cells = orjson.loads(line)
            loaded.see(cells)
            table.writerow(cells)
        loaded.end()
        return loaded.rows

    def _seen(
        self, rows: Iterable[Json], columns: Mapping[str, Kind], loaded: Untyped
    ) -> Iterator[tuple[bytes, bool]]:
        """Each row's cells as a JSON line, and whether they tell something new."""
        for number, row in enumerate(rows, 1):
            cells = [self._cell(row[name], number) for name in columns]
            line = dump(cells, number, orjson.OPT_APPEND_NEWLINE)
            yield line, loaded.tells(cells, number)

    def _write_waiting(self, rows: Iterable[Json], out: BinaryIO) -> int:
        columns: dict[str, int] = {}
        with SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as waiting:
            count = 0
            for row in rows:
                count += 1
                waiting.write(self._cells(row, count, columns))
            waiting.seek(0)
            table = self._table(columns, out)
            for line in waiting:
                cells = orjson.loads(line)
                table.writerow(cells + [""] * (len(columns) - len(cells)))
        return count

    def _table(self, columns: Iterable[str], out: BinaryIO) -> Any:
        """The writer of rows, its header written."""
        if self._bom:
            out.write(_BOM)
        table = csv.writer(_Encoded(out), lineterminator="\r\n")
        names = [self._guarded(name) for name in columns]
        if names:
            table.writerow(names)
        return table

    def _cells(self, row: Json, number: int, columns: dict[str, int]) -> bytes:
        """The row's cells as a JSON line; a field that is new gets the next column."""
        if not isinstance(row, dict):
            raise UsageError("export_no_row", row=number)
        for name in row:
            if name not in columns:
                dump(name, number)
                columns[name] = len(columns)
        cells = [self._cell(row.get(name), number) for name in columns]
        return dump(cells, number, orjson.OPT_APPEND_NEWLINE)

    def _cell(self, value: Json, number: int) -> str:
        if value is None:
            return ""
        if isinstance(value, str):
            return self._guarded(value)
        return dump(value, number).decode()

    def _guarded(self, text: str) -> str:
        return no_formula(text) if self._safe else text


def no_formula(text: str) -> str:
    """The text so that no spreadsheet runs it: an apostrophe before what it would take for one."""
    # A text with apostrophes of its own gets one more: so one can be taken off again from each.
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


class _Encoded:
    """The text file that `csv` writes to, over a stream of bytes."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        return self._out.write(text.encode())
