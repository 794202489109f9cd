"""Parquet, streamed by row group; values as JSON can hold them.

Owns: the extra `tables`. Does not own: which file it is (`rows.py`).
"""

from __future__ import annotations

import base64
import datetime
import decimal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from corpusmith.errors import SpecError, UsageError
from corpusmith.values import Json

ROWS_AT_ONCE = 1000


def parquet_rows(
    path: Path, seen: Callable[[int], None] | None = None
) -> Iterator[tuple[int, dict[str, Json]]]:
    """(row number, object).

    Raises UsageError without the extra `tables`, SpecError for a file that is no Parquet.
    """
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError("rows_need_tables", file=str(path)) from error
    size = path.stat().st_size
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            total = max(1, file.metadata.num_rows)
            for batch in file.iter_batches(ROWS_AT_ONCE):
                for row in batch.to_pylist():
                    number += 1
                    yield number, {str(name): _json(value) for name, value in row.items()}
                if seen is not None:
                    seen(size * number // total)
    except (arrow.ArrowException, OSError) as error:
        problem = str(error).partition("\n")[0][:200].rstrip(". ")
        raise SpecError("rows_parquet", file=str(path), problem=problem) from error


def _json(value: Any) -> Json:
    if value is None or type(value) in (str, int, float, bool):
        return value
    if isinstance(value, list | tuple):
        return [_json(part) for part in value]
    if isinstance(value, dict):
        return {str(name): _json(part) for name, part in value.items()}
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value)
