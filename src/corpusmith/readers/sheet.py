"""CSV with a header: each row as an object of texts.

Owns: separators, headers, cells. Does not own: encodings (`source.py`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

from corpusmith.errors import SpecError
from corpusmith.readers.bad import Bad, BadRow, shown
from corpusmith.readers.lines import MAX_ROW_BYTES, whole_lines
from corpusmith.readers.source import Source

SEPARATORS = (",", ";", "\t")
MAX_CELL_CHARACTERS = 16 << 20
"""A quote that is never closed swallows the lines behind it: not more than this."""


def csv_rows(source: Source, bad: Bad) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number on which the row begins, object of texts); empty rows are passed over.

    Raises SpecError: a header with an empty or a doubled name.
    """
    # The module has one limit for all readers; its own one (128 KiB) is less than a long text.
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    lines = _Lines(source)
    rows = csv.reader(lines, delimiter=_separator(source.head), strict=True)
    names: list[str] = []
    while True:
        begins = lines.number + 1
        lines.first = ""
        try:
            cells = next(rows, None)
        except csv.Error as error:
            code = "row_quote" if lines.number > begins else "row_csv"
            detail = {"problem": str(error), "lines": lines.number - begins + 1}
            bad(BadRow(begins, code, detail, _raw(lines.first)))
            continue
        if cells is None:
            return
        if not any(cells):
            continue
        if not names:
            names = _checked([cell.strip() for cell in cells], source)
        elif problem := _problem(begins, cells, names):
            bad(problem)
        else:
            yield begins, dict(zip(names, cells, strict=True))


class _Lines:
    """The file's lines as text, counted. What is no UTF-8 is kept apart as surrogates."""

    def __init__(self, source: Source) -> None:
        self._lines = whole_lines(source)
        self.number = 0
        self.first = ""
        """The first line since somebody emptied this."""

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        if line is None:
            raise csv.Error(f"line longer than {MAX_ROW_BYTES >> 20} MiB")
        text = line.decode("utf-8", "surrogateescape")
        self.first = self.first or text
        return text


def _separator(head: bytes) -> str:
    header = head.partition(b"\n")[0].decode("utf-8", "replace")
    return max(SEPARATORS, key=header.count)


def _checked(names: list[str], source: Source) -> list[str]:
    if "" in names:
        raise SpecError("rows_header_empty", file=str(source.path), column=names.index("") + 1)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise SpecError("rows_header_twice", file=str(source.path), name=twice)
    return names


def _problem(line: int, cells: list[str], names: list[str]) -> BadRow | None:
    if len(cells) != len(names):
        detail = {"wanted": len(names), "found": len(cells)}
        return BadRow(line, "row_cells", detail, _raw(",".join(cells)))
    try:
        for cell in cells:
            cell.encode()
    except UnicodeEncodeError:
        return BadRow(line, "row_encoding", {}, _raw(",".join(cells)))
    return None


def _raw(text: str) -> str:
    return shown(text[:1000].encode("utf-8", "surrogateescape"))
