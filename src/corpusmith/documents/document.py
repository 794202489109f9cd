"""What a document is: its text, and where its headings stand in it.

Owns: the values, and putting blocks together to one text. Does not own: any file format.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading: `text[start:end]` is its line (in Markdown with its marks)."""

    level: int
    """1 is the highest."""
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document's plain text; line ends are `\\n`, paragraphs are a blank line apart."""

    title: str
    """Its own title, else the file's name without suffix."""
    source: str
    """The file's name."""
    text: str
    headings: tuple[Heading, ...] = ()
    """In the order of the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A paragraph, or with a `level` a heading. `tight`: on the line after the one before."""

    text: str
    level: int | None = None
    tight: bool = False


def assembled(blocks: Iterable[Block]) -> tuple[str, tuple[Heading, ...]]:
    """One text of all blocks that have any text, and its headings."""
    parts: list[str] = []
    headings: list[Heading] = []
    length = 0
    for block in blocks:
        text = block.text.strip("\n") if block.level is None else " ".join(block.text.split())
        if not text.strip():
            continue
        if parts:
            parts.append("\n" if block.tight else "\n\n")
            length += len(parts[-1])
        if block.level is not None:
            end = length + len(text)
            headings.append(Heading(level=block.level, text=text, start=length, end=end))
        parts.append(text)
        length += len(text)
    return "".join(parts), tuple(headings)
