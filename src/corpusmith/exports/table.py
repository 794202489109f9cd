"""CSV: one row a record, one column a field; a list or object inside is JSON text in its cell.

Owns: the columns, and what a cell of each kind of value is. Does not own: files (`files.py`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, ClassVar

import orjson

from corpusmith.errors import UsageError
from corpusmith.exports.native import dump
from corpusmith.values import Json, Record

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

    def __init__(self, *, bom: bool = False, spreadsheet_safe: bool = False) -> None:
        self._bom = bom
        self._safe = spreadsheet_safe

    def write(self, records: Iterable[Record], out: BinaryIO) -> int:
        """Writes all; returns how many. Raises UsageError for a record that is no row.

        The header names every field of every record, in the order they are met. As the last
        record may bring a new one, the rows wait in a temporary file until all are known.
        """
        columns: dict[str, int] = {}
        with SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as waiting:
            count = 0
            for record in records:
                waiting.write(self._cells(record, columns))
                count += 1
            waiting.seek(0)
            self._write_rows(waiting, list(columns), out)
        return count

    def _write_rows(self, waiting: Iterable[bytes], columns: list[str], out: BinaryIO) -> None:
        if self._bom:
            out.write(_BOM)
        rows = csv.writer(_Encoded(out), lineterminator="\r\n")
        if columns:
            rows.writerow(map(self._guarded, columns))
        for line in waiting:
            cells = orjson.loads(line)
            rows.writerow(cells + [""] * (len(columns) - len(cells)))

    def _cells(self, record: Record, columns: dict[str, int]) -> bytes:
        """The record's cells as a JSON line; a field that is new gets the next column."""
        if not isinstance(record.content, dict):
            raise UsageError("export_no_row", record=record.id)
        for name in record.content:
            if name not in columns:
                dump(record, name, 0)
                columns[name] = len(columns)
        cells = [self._cell(record, record.content.get(name)) for name in columns]
        return dump(record, cells, orjson.OPT_APPEND_NEWLINE)

    def _cell(self, record: Record, value: Json) -> str:
        if value is None:
            return ""
        if isinstance(value, str):
            return self._guarded(value)
        return dump(record, value, 0).decode()

    def _guarded(self, text: str) -> str:
        return f"'{text}" if self._safe and text.startswith(_FORMULA) else text


class _Encoded:
    """The text file that `csv` writes to, over a stream of bytes."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        return self._out.write(text.encode())
