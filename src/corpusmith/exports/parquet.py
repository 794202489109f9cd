"""Parquet, with a typed column for each field.

Owns: row groups, and Arrow's types of our kinds. Does not own: which kind a column is (`kinds.py`),
files (`files.py`).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, ClassVar

import orjson

from corpusmith.contracts import Kind
from corpusmith.errors import UsageError
from corpusmith.exports.kinds import Seen, fitted, is_mixed
from corpusmith.exports.lines import dump
from corpusmith.values import Json

AT_ONCE = 200
"""Rows made columns of at once: few, as a row may have a megabyte."""
GROUP_BYTES = 32 << 20
"""Of columns in memory, before they are written as a row group."""
GROUP_ROWS = 100_000
_IN_MEMORY_BYTES = 8 << 20


class Parquet:
    """Typed columns. Rows whose fields are not known before wait in a temporary file until every
    one was looked at, so that no later row is a surprise."""

    name: ClassVar[str] = "parquet"
    suffix: ClassVar[str] = ".parquet"
    nested: ClassVar[bool] = True

    def __init__(self, *, columns: Mapping[str, Kind] | None = None) -> None:
        """Raises UsageError without the extra `tables`."""
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError as error:
            raise UsageError("export_need_tables") from error
        self._arrow, self._parquet = pyarrow, parquet
        self._columns = columns

    def write(self, rows: Iterable[Json], out: BinaryIO) -> int:
        """Writes all; returns how many. Raises UsageError for what is no row of fields."""
        if self._columns is not None:
            return self._write(iter(rows), self._columns, out)
        with SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as waiting:
            columns = _looked_at(rows, waiting)
            waiting.seek(0)
            return self._write(map(orjson.loads, waiting), columns, out)

    def _write(self, rows: Iterator[Json], columns: Mapping[str, Any], out: BinaryIO) -> int:
        arrow = self._arrow
        schema = arrow.schema([(name, self._type(kind)) for name, kind in columns.items()])
        mixed = {name: kind for name, kind in columns.items() if is_mixed(kind)}
        count = 0
        group: list[Any] = []
        with self._parquet.ParquetWriter(arrow.PythonFile(_Sink(out), mode="w"), schema) as file:
            while batch := list(islice(rows, AT_ONCE)):
                group.append(self._batch(batch, schema, mixed, count))
                count += len(batch)
                if _is_full(group):
                    file.write_table(arrow.Table.from_batches(group))
                    group = []
            if group:
                file.write_table(arrow.Table.from_batches(group))
        return count

    def _batch(self, rows: list[Json], schema: Any, mixed: Mapping[str, Any], before: int) -> Any:
        """Rows as columns. Raises UsageError."""
        if mixed:
            rows = [
                {**row, **{name: fitted(row.get(name), kind) for name, kind in mixed.items()}}
                for row in rows
            ]
        try:
            return self._arrow.RecordBatch.from_pylist(rows, schema=schema)
        except (self._arrow.ArrowException, UnicodeError, TypeError) as error:
            raise UsageError("export_row", row=before + 1, problem=str(error)[:200]) from error

    def _type(self, kind: Any) -> Any:
        arrow = self._arrow
        if isinstance(kind, list):
            return arrow.list_(self._type(kind[0]))
        if isinstance(kind, dict):
            return arrow.struct([(name, self._type(one)) for name, one in kind.items()])
        types = {bool: arrow.bool_, int: arrow.int64, float: arrow.float64}
        return types.get(kind, arrow.string)()


class _Sink(io.RawIOBase):
    """What Arrow takes for a file, over anything that has `write`; it does not close that."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._out.write(bytes(data))
        return len(data)


def _looked_at(rows: Iterable[Json], waiting: Any) -> dict[str, Any]:
    """The columns of all rows, which are put into `waiting` as JSON lines."""
    columns: dict[str, Seen] = {}
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or not row:
            raise UsageError("export_no_row", row=number)
        for name, value in row.items():
            seen = columns.get(name)
            if seen is None:
                seen = columns[name] = Seen()
            seen.see(value)
        waiting.write(dump(row, number, orjson.OPT_APPEND_NEWLINE))
    return {name: seen.kind() for name, seen in columns.items()}


def _is_full(group: list[Any]) -> bool:
    rows: int = sum(batch.num_rows for batch in group)
    size: int = sum(batch.nbytes for batch in group)
    return rows >= GROUP_ROWS or size >= GROUP_BYTES
