"""The rows of a file: which form it has, and its reader.

Owns: the guess. Does not own: any form (`lines.py`, `arrays.py`, `sheet.py`, `columns.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import orjson

from corpusmith.errors import SpecError
from corpusmith.readers.arrays import array_rows
from corpusmith.readers.bad import Bad, BadRow
from corpusmith.readers.lines import MAX_ROW_BYTES, jsonl_rows
from corpusmith.readers.sheet import csv_rows
from corpusmith.readers.source import Source

__all__ = ["BadRow", "Form", "form_of", "read_rows"]

Form = Literal["json", "jsonl", "csv", "parquet"]

SUFFIXES: dict[str, Form] = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_ARRAY = re.compile(rb"\s*\[\s*([{\]]|\Z)")
_PARQUET = b"PAR1"


def read_rows(
    path: str | Path,
    *,
    bad: Bad,
    form: Form | None = None,
    seen: Callable[[int], None] | None = None,
) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line or row number, object) of each row of a JSON, JSONL, CSV or Parquet file, also gzipped.

    The number is the line of a JSONL or CSV file, the place in an array or in Parquet, from 1. A
    file that is one JSON object is one row. Streams: memory does not grow with the file. `bad` is
    told of each row that is no object; `form` None: by suffix and content; `seen` is told how many
    bytes of the file are read so far.
    Raises SpecError naming the file: missing, a folder, empty, of no known form, a broken header.
    Whole numbers beyond 64 bits become the nearest float (orjson).
    """
    with Source(path, seen) as source:
        found = form or form_of(source)
        if found == "csv":
            yield from csv_rows(source, bad)
        elif found == "jsonl":
            yield from jsonl_rows(source, bad)
        elif found == "json" and _starts(source, b"["):
            yield from array_rows(source, bad)
        elif found == "json":
            yield from _object_or_lines(source, bad)
    if found == "parquet":
        from corpusmith.readers.columns import parquet_rows

        yield from parquet_rows(Path(path), seen)


def form_of(source: Source) -> Form:
    """By content where that is sure, else by suffix. Raises SpecError `rows_unknown`."""
    if source.head.startswith(_PARQUET):
        return "parquet"
    suffix = _suffix(source.path)
    if _ARRAY.match(source.head):
        return "json"
    if _starts(source, b"{"):
        return "jsonl" if SUFFIXES.get(suffix) == "jsonl" else "json"
    found = SUFFIXES.get(suffix)
    if found is None:
        raise SpecError("rows_unknown", file=str(source.path), known=" ".join(SUFFIXES))
    return found


def _suffix(path: Path) -> str:
    name = path.name.lower()
    return Path(name.removesuffix(".gz")).suffix


def _starts(source: Source, sign: bytes) -> bool:
    return source.head.lstrip()[:1] == sign


def _object_or_lines(source: Source, bad: Bad) -> Iterator[tuple[int, dict[str, Any]]]:
    """A file that starts with an object: JSONL, unless it is one object over several lines."""
    first = source.head.lstrip().partition(b"\n")[0]
    if _is_json(first) or len(first) >= len(source.head.lstrip()):
        yield from jsonl_rows(source, bad)
        return
    text = source.read(MAX_ROW_BYTES)
    if len(text) < MAX_ROW_BYTES and _is_json(text):
        yield 1, orjson.loads(text)
        return
    with Source(source.path) as again:
        yield from jsonl_rows(again, bad)


def _is_json(text: bytes) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
