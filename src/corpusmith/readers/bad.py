"""What a reader says of a row that it cannot give.

Owns: the value. Does not own: what becomes of it (the caller counts and lists it).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from corpusmith.values import Json

RAW_CHARACTERS = 200
"""So much of a bad row is kept: enough to find it, little enough for a million of them."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is no object of names and values, or cannot be read at all."""

    line: int
    """Where it begins: line of a JSONL or CSV file, number of the row in an array or Parquet."""
    reason: str
    """A stable code; its text is `reason.<reason>`."""
    detail: Mapping[str, Json] = field(default_factory=dict)
    raw: str = ""
    """Its first characters."""


Bad = Callable[[BadRow], None]


def shown(raw: bytes) -> str:
    """The first characters of a row's bytes; what is no UTF-8 is shown as �."""
    return raw[: RAW_CHARACTERS * 4].decode("utf-8", "replace").strip()[:RAW_CHARACTERS]
