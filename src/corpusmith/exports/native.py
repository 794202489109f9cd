"""The records as they are, in each container: a row is `record.content`.

Owns: which names these exporters have. Does not own: bytes (`lines.py`, `table.py`, `parquet.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from corpusmith.contracts import Kind
from corpusmith.values import Json, Record


class _Native:
    columns: Mapping[str, Kind] | None = None

    def rows(self, record: Record) -> Sequence[Json]:
        """What the job made, unchanged."""
        return (record.content,)

    def dataset_info(self, file_name: str) -> None:
        """None: trainers do not know the jobs' own shapes."""


class NativeJson(_Native):
    """One JSON array."""

    name: ClassVar[str] = "json"
    container: ClassVar[str] = "json"


class NativeJsonLines(_Native):
    """One object a line."""

    name: ClassVar[str] = "jsonl"
    container: ClassVar[str] = "jsonl"


class NativeCsv(_Native):
    """A table of text cells."""

    name: ClassVar[str] = "csv"
    container: ClassVar[str] = "csv"


class NativeParquet(_Native):
    """A table of typed columns."""

    name: ClassVar[str] = "parquet"
    container: ClassVar[str] = "parquet"
