"""How an input is written: a path, a stored dataset or a hub's data set, and which rows of it.

Owns: the fields, and what a plain text stands for. Does not own: the rows (`inputs.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from corpusmith.places import from_folder
from corpusmith.service.fields import FieldsError
from corpusmith.service.task_file import Part
from corpusmith.values import Json

PREFIXES = ("dataset", "task", "hub")
"""`dataset:NAME`, `task:3` and `hub:NAME`; every other text is a path."""
_ONLY_HUB = ("split", "name")
_ONLY_PATH = (
    *("split_by", "chunk_size", "chunk_overlap", "chunk_unit", "heading_level"),
    "encoding",
)


class InputPart(Part):
    """Where rows come from: one of `path`, `dataset`, `task`, `hub`; a plain text is one too."""

    path: str | None = Field(default=None, min_length=1)
    """A file, a folder (with those in it), or a glob such as `books/**/*.md`."""
    dataset: str | None = Field(default=None, min_length=1)
    """A stored dataset's name."""
    task: int | None = Field(default=None, ge=1)
    """A task's number: its records, in a dataset or not."""
    hub: str | None = Field(default=None, min_length=1)
    """A Hugging Face data set's name."""
    split: str | None = None
    name: str | None = None
    """The hub's data set's part, where it has several."""

    where: dict[str, Any] = Field(default_factory=dict)
    """Field -> its value, or a list of values; only rows that have them all are taken."""
    map: dict[str, str] = Field(default_factory=dict)
    """New name -> the field's name in the source."""
    sample: int | None = Field(default=None, ge=1)
    """So many rows, drawn with the seed that the user gives (else 0), in their order."""
    limit: int | None = Field(default=None, ge=1)
    """The first so many rows."""

    split_by: Literal["recursive", "headings"] = "recursive"
    chunk_size: int = Field(default=1200, ge=20, le=10_000_000)
    chunk_overlap: int = Field(default=100, ge=0)
    chunk_unit: Literal["characters", "tokens"] = "characters"
    heading_level: int = Field(default=6, ge=1, le=9)
    encoding: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return _fields(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        given = self.model_fields_set
        if sum(one is not None for one in (self.path, self.dataset, self.task, self.hub)) != 1:
            raise PydanticCustomError("input_one_source", "one source")
        if self.sample is not None and self.limit is not None:
            raise PydanticCustomError("input_sample_or_limit", "sample or limit")
        if self.hub is None and not given.isdisjoint(_ONLY_HUB):
            raise PydanticCustomError("input_only_hub", "only of a hub")
        if self.path is None and not given.isdisjoint(_ONLY_PATH):
            raise PydanticCustomError("input_only_documents", "only of a path")
        if self.chunk_overlap >= self.chunk_size:
            raise PydanticCustomError("input_overlap", "overlap below size")
        return self

    @property
    def shown(self) -> str:
        """As it is written in short, for messages."""
        if self.path is not None:
            return self.path
        kind = "dataset" if self.dataset is not None else "task" if self.task is not None else "hub"
        return f"{kind}:{getattr(self, kind)}"


def input_part(given: Json, *, source: str) -> InputPart:
    """The checked input. Raises FieldsError. `source`: where it was written, for the message."""
    try:
        return InputPart.model_validate(given)
    except ValidationError as error:
        raise FieldsError.of(error, InputPart, source) from None


def input_from_folder(given: Json, folder: Path) -> Json:
    """An input as it is written in a file of `folder`: its path starts from there."""
    if isinstance(given, str):
        fields = _fields(given)
        return from_folder(fields["path"], folder) if "path" in fields else given
    if isinstance(given, Mapping) and isinstance(given.get("path"), str):
        return {**given, "path": from_folder(given["path"], folder)}
    return given


def _fields(text: str) -> dict[str, str]:
    kind, colon, name = text.partition(":")
    return {kind: name} if colon and kind in PREFIXES else {"path": text}
