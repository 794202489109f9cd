"""The jobs' own shapes: one JSON array, or one object a line. What is written is `record.content`.

Owns: bytes of JSON. Does not own: files (`files.py`), other formats.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO, ClassVar

import orjson

from corpusmith.errors import UsageError
from corpusmith.values import Json, Record


class JsonArray:
    """One array for people and programs: two spaces of indent, every script as it is."""

    name: ClassVar[str] = "json"
    suffix: ClassVar[str] = ".json"

    def write(self, records: Iterable[Record], out: BinaryIO) -> int:
        """Writes all; returns how many. Raises UsageError for a record that JSON cannot hold."""
        count = 0
        for record in records:
            out.write(b",\n  " if count else b"[\n  ")
            # In JSON a raw line feed is layout only, so this indents and changes no text.
            out.write(dump(record, record.content, orjson.OPT_INDENT_2).replace(b"\n", b"\n  "))
            count += 1
        out.write(b"\n]\n" if count else b"[]\n")
        return count


class JsonLines:
    """One compact object a line."""

    name: ClassVar[str] = "jsonl"
    suffix: ClassVar[str] = ".jsonl"

    def write(self, records: Iterable[Record], out: BinaryIO) -> int:
        """Writes all; returns how many. Raises UsageError for a record that JSON cannot hold."""
        count = 0
        for record in records:
            out.write(dump(record, record.content, orjson.OPT_APPEND_NEWLINE))
            count += 1
        return count


def dump(record: Record, value: Json, option: int) -> bytes:
    """`value` as JSON. Raises UsageError that names the record."""
    try:
        return orjson.dumps(value, option=option)
    except orjson.JSONEncodeError as error:
        raise UsageError("export_record", record=record.id, problem=str(error)) from error
