"""JSONL: one object a line.

Owns: lines, and which of them are objects. Does not own: encodings (`source.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from corpusmith.readers.bad import Bad, BadRow, shown
from corpusmith.readers.source import Source

MAX_ROW_BYTES = 64 << 20
"""No row of training text is longer; a file without line ends must not fill the memory."""

KINDS = {
    list: "array",
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    type(None): "null",
}
"""JSON's own words for what is no object."""

TICK_LINES = 1024


def whole_lines(source: Source) -> Iterator[bytes | None]:
    """All lines; None for one that is longer than MAX_ROW_BYTES, of which nothing is kept."""
    inside, limit, count = False, MAX_ROW_BYTES, 0
    with source.named_errors():
        for piece in source.lines(limit):
            count += 1
            if not count % TICK_LINES:
                source.tick()
            if not inside and len(piece) < limit:
                yield piece
            elif inside := not piece.endswith(b"\n") and len(piece) == limit:
                continue
            else:
                yield None
    if inside:
        yield None
    source.tick()


def jsonl_rows(source: Source, bad: Bad) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, object); blank lines are passed over, others that are no object reported."""
    loads = orjson.loads
    for number, line in enumerate(whole_lines(source), 1):
        try:
            row = loads(line)  # type: ignore[arg-type]  # None is no JSON either
        except orjson.JSONDecodeError as error:
            if line is None:
                bad(too_large(number))
            elif line.strip(b"\r\n\t \0"):
                bad(broken(number, line, error))
            continue
        if type(row) is dict:
            yield number, row
        else:
            bad(not_object(number, row, line or b""))


def not_object(number: int, value: Any, raw: bytes, **where: int) -> BadRow:
    """For JSON that is something else than an object."""
    return BadRow(number, "row_not_object", {"kind": KINDS[type(value)], **where}, shown(raw))


def broken(number: int, raw: bytes, error: orjson.JSONDecodeError, **where: int) -> BadRow:
    """For text that is no JSON."""
    reason = "row_json"
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        reason = "row_encoding"
    return BadRow(
        number, reason, {"problem": error.msg, "column": error.colno, **where}, shown(raw)
    )


def too_large(number: int, **where: int) -> BadRow:
    """For a row that is longer than any row can be."""
    return BadRow(number, "row_too_large", {"limit": f"{MAX_ROW_BYTES >> 20} MiB", **where})
