"""One JSON array of objects, streamed: a block of rows is parsed at once.

Owns: finding where a block may be cut, and going on behind what is broken.
Does not own: the bytes (`source.py`), brackets (`scan.py`).

The quick way: from the end of a block look back for `}`, `,`, `{` with blanks between, and parse
all before the comma as an array. If that succeeds the cut was right: a text that starts at an
element and parses as a whole array is exactly a row of elements. If it does not (the border lay
inside a string or a nested list), the brackets are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from corpusmith.readers.bad import Bad, BadRow, shown
from corpusmith.readers.lines import MAX_ROW_BYTES, broken, not_object
from corpusmith.readers.scan import blanks_end, elements
from corpusmith.readers.source import Source

BLOCK_BYTES = 1 << 17
"""Larger ones are slower: their memory is fetched from the system each time."""
MAX_LOST_BYTES = 512 << 20
"""So much may be read in vain behind rows that do not end; then the rest is given up."""

Row = tuple[int, dict[str, Any]]

_FIRST_KEY = re.compile(rb'[ \t\r\n]*(\{[ \t\r\n]*"(?:[^"\\]|\\.){0,100}")', re.DOTALL)
_BEFORE = re.compile(rb"\}[ \t\r\n]*,[ \t\r\n]*\Z")
_ANY_BORDER = re.compile(rb"\}[ \t\r\n]*,[ \t\r\n]*(?=\{)")
_BRACE, _CLOSING_BRACE = b"{}"
_NEAR_BYTES = 256
"""Longer gaps between two rows are left to the exact way."""
_CANDIDATES = 8


def array_rows(source: Source, bad: Bad, *, block_bytes: int = BLOCK_BYTES) -> Iterator[Row]:
    """(row number, object) of the array in `source`; what is no object is reported."""
    return _Array(source, bad, block_bytes).rows()


class _Array:
    """An array that is being read. `_text` starts behind all that is dealt with."""

    def __init__(self, source: Source, bad: Bad, block_bytes: int) -> None:
        self._source = source
        self._bad = bad
        self._block_bytes = block_bytes
        self._text = b""
        self._at_end = False
        self._number = 0
        self._line = 1
        self._offset = 0
        self._marker = b""
        """How a row of this file begins, such as `{"id"`."""
        self._lost_bytes = 0
        self._gave_up = False

    def rows(self) -> Iterator[Row]:
        """All rows."""
        self._read()
        self._drop(self._text.index(b"[") + 1)
        while not self._gave_up and not self._closed():
            before = self._offset
            yield from self._block()
            if not self._at_end and len(self._text) <= MAX_ROW_BYTES:
                self._read()
            elif self._offset == before and not self._over_a_hole(*self._endless()):
                return

    def _read(self) -> None:
        # As much again as is left over from before: a long row is not looked at too often.
        block = self._source.read(max(self._block_bytes, len(self._text)))
        self._at_end = not block
        self._text += block

    def _drop(self, count: int) -> None:
        self._line += self._text.count(b"\n", 0, count)
        self._offset += count
        self._text = self._text[count:]

    def _block(self) -> Iterator[Row]:
        """The rows that end inside the text."""
        end, after = self._cut()
        values = _objects(self._text[:end]) if end else None
        if values is None:
            yield from self._counted()
            return
        first = self._number + 1
        self._number += len(values)
        yield from enumerate(values, first)
        self._drop(after)

    def _closed(self) -> bool:
        """Whether the array's end is reached; what stands behind it is reported."""
        at = blanks_end(self._text, 0)
        if self._text[at : at + 1] != b"]":
            return False
        behind = self._text[at + 1 :].strip()
        while not behind and not self._at_end:
            self._text = b""
            self._read()
            behind = self._text.strip()
        if behind:
            where = self._where(at + 1)
            self._bad(BadRow(self._number + 1, "row_after_end", where, shown(behind)))
        return True

    # ------------------------------------------------------------ quick

    def _cut(self) -> tuple[int, int]:
        """(end, next start): the last place that looks like the end of an element; (0, 0): none."""
        text = self._text
        if self._at_end:
            last = len(text.rstrip()) - 1
            return (last, last) if text[last : last + 1] == b"]" else (0, 0)
        if not self._marker:
            found = _FIRST_KEY.match(text)
            self._marker = found[1] if found else b""
        place = len(text)
        for _ in range(_CANDIDATES if self._marker else 0):
            place = text.rfind(self._marker, 0, place)
            if place <= 0:
                break
            if before := _BEFORE.search(text, max(0, place - _NEAR_BYTES), place):
                return before.start() + 1, place
        borders = list(_ANY_BORDER.finditer(text, max(0, len(text) - (1 << 14))))
        return (borders[-1].start() + 1, borders[-1].end()) if borders else (0, 0)

    # ------------------------------------------------------------ exact

    def _counted(self) -> Iterator[Row]:
        """The elements that end inside the text, found by their brackets."""
        borders = list(elements(self._text, whole=self._at_end))
        if not borders:
            return
        values = _objects(self._text[: borders[-1][1]])
        if values is not None and len(values) == len(borders):
            first = self._number + 1
            self._number += len(values)
            yield from enumerate(values, first)
            self._drop(borders[-1][2])
        else:
            yield from self._one_by_one(borders)

    def _one_by_one(self, borders: list[tuple[int, int, int]]) -> Iterator[Row]:
        for start, end, _ in borders:
            if self._text[start] == _BRACE and self._text[end - 1] != _CLOSING_BRACE:
                # A brace is missing, and all behind it was taken for this row's.
                self._drop(start)
                self._over_a_hole("row_json", {"problem": "a bracket is missing"})
                return
            yield from self._one(start, self._text[start:end])
        self._drop(borders[-1][2])

    def _one(self, start: int, raw: bytes) -> Iterator[Row]:
        self._number += 1
        try:
            value = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            self._bad(broken(self._number, raw, error, **self._where(start)))
            return
        if type(value) is dict:
            yield self._number, value
        else:
            self._bad(not_object(self._number, value, raw, **self._where(start)))

    def _where(self, start: int) -> dict[str, int]:
        """Where in the file (as UTF-8) a place of the text is."""
        line = self._line + self._text.count(b"\n", 0, start)
        return {"file_line": line, "byte": self._offset + start}

    # ------------------------------------------------------------ broken

    def _endless(self) -> tuple[str, dict[str, Any]]:
        """Why the row at the text's start does not end."""
        if self._at_end:
            return "row_cut", {}
        return "row_too_large", {"limit": f"{MAX_ROW_BYTES >> 20} MiB"}

    def _over_a_hole(self, reason: str, detail: dict[str, Any]) -> bool:
        """Reports the row at the text's start, and goes to where rows begin again.

        False: nowhere in the file, or not within what may be lost.
        """
        self._number += 1
        detail = {**detail, **self._where(0)}
        self._bad(BadRow(self._number, reason, detail, shown(self._text[:1024])))
        while not (found := self._next_row()):
            self._lost_bytes += len(self._text)
            if self._at_end:
                self._text = b""
                return False
            if self._lost_bytes > MAX_LOST_BYTES:
                return self._give_up()
            self._drop(max(0, len(self._text) - _NEAR_BYTES))
            self._read()
        self._lost_bytes += len(self._text)
        self._drop(found)
        return self._lost_bytes <= MAX_LOST_BYTES or self._give_up()

    def _next_row(self) -> int:
        """Where behind the text's start a row seems to begin; 0: nowhere."""
        if not self._marker:
            border = _ANY_BORDER.search(self._text)
            return border.end() if border else 0
        found = re.search(rb",[ \t\r\n]*(?=" + re.escape(self._marker) + rb")", self._text)
        return found.end() if found else 0

    def _give_up(self) -> bool:
        self._bad(BadRow(self._number + 1, "rows_unreadable", self._where(0)))
        self._gave_up = True
        return False


def _objects(text: bytes) -> list[Any] | None:
    """The elements, if the text is a list of objects and of nothing else."""
    try:
        values = orjson.loads(b"[" + text + b"]")
    except orjson.JSONDecodeError:
        return None
    return values if set(map(type, values)) <= {dict} else None
