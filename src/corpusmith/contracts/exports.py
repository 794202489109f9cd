"""What a format's rows and a file's bytes promise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, BinaryIO, ClassVar, NamedTuple, Protocol, runtime_checkable

from corpusmith.values import Json, Record

Kind = type[str] | type[bool] | list[Any] | dict[str, Any]
"""What a column holds: `str`, `bool`, `[kind]` for a list, `{name: kind}` for an object."""


class Exporter(Protocol):
    """Turns records into the rows of one format. Pure; where they stand is a Container's job.

    Constructed with its options as keyword arguments; one that has a parameter `nested` is told
    there whether its container is. Raises UsageError for options that make no sense.
    """

    name: ClassVar[str]
    container: ClassVar[str]
    """Its usual container, such as `jsonl`."""

    @property
    def columns(self) -> Mapping[str, Kind] | None:
        """The fields of every row, in order; None: as the records have them."""

    def rows(self, record: Record) -> Sequence[Json]:
        """The rows of a record: one, or several where it holds several.

        Raises UsageError (a code `export_…`, with `record`) for a record that makes no such row, or
        one that a trainer would drop in silence.
        """

    def dataset_info(self, file_name: str) -> Mapping[str, Json] | None:
        """LLaMA-Factory's entry for such a file; None: it cannot read it."""


class Answered(NamedTuple):
    """Two records with the same `prompt` and different `answer`s can be compared."""

    prompt: str
    """Any text that tells it from other prompts."""
    answer: str


@runtime_checkable
class ComparingExporter(Exporter, Protocol):
    """An exporter that also makes rows of two records: a better and a worse answer to the same."""

    def answered(self, record: Record) -> Answered:
        """What it answers and how. Raises UsageError as `rows` does, but needs no pair in it."""

    def compared(self, better: Record, worse: Record) -> Sequence[Json]:
        """The rows of two records that `answered` takes, with the same prompt."""


class Container(Protocol):
    """Writes rows as the bytes of a file. Streams: memory does not grow with their number.

    Constructed as `cls(columns=…, **options)` with the exporter's `columns`.
    """

    name: ClassVar[str]
    suffix: ClassVar[str]
    nested: ClassVar[bool]
    """Lists and objects stay what they are; False: they are JSON text in their cell (CSV)."""

    def write(self, rows: Iterable[Json], out: BinaryIO) -> int:
        """Writes all; returns how many. Raises UsageError for a row that it cannot hold."""
