"""What differs between two contents of a record: text by text, word by word.

Owns: the comparison. Does not own: versions (store), how it looks (faces). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from corpusmith.service.review_content import texts_of
from corpusmith.values import Json

Kind = Literal["same", "removed", "added"]
# A word where words are written apart; a Chinese character by itself.
_WORDS = re.compile(r"[A-Za-z0-9_]+|\s+|.", re.DOTALL)
MOST_COMPARED = 4_000_000
"""Pairs of words: beyond it a text counts as written anew, for to compare it takes too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a text that both have, or only one of them."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDiff:
    """One text of a record, before and after."""

    old: str | None
    """Where it stands in the older content, such as `dialogues.2.content`; None: not there."""
    new: str | None
    parts: Sequence[Part]
    """In order. Those that are not `added` make the old text, those not `removed` the new one."""

    @property
    def changed(self) -> bool:
        return any(part.kind != "same" for part in self.parts) or None in (self.old, self.new)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDiff:
    """Two versions of a record."""

    record_id: int
    old: int
    new: int
    texts: Sequence[TextDiff]
    """All of them, in order; also those that did not change."""
    other: bool
    """Whether anything besides texts differs, such as a number."""


def compared(old: Json, new: Json) -> tuple[list[TextDiff], bool]:
    """The texts of both, beside each other, and whether anything else differs."""
    before, after = texts_of(old), texts_of(new)
    found: list[TextDiff] = []
    matcher = SequenceMatcher(
        None, [one.text for one in before], [one.text for one in after], autojunk=False
    )
    for _, start, end, from_, to in matcher.get_opcodes():
        gone, fresh = before[start:end], after[from_:to]
        pairs = min(len(gone), len(fresh))
        for one, other in zip(gone, fresh, strict=False):
            parts = list(word_parts(one.text, other.text))
            found.append(TextDiff(old=one.label, new=other.label, parts=parts))
        for one in gone[pairs:]:
            parts = [Part(kind="removed", text=one.text)]
            found.append(TextDiff(old=one.label, new=None, parts=parts))
        for one in fresh[pairs:]:
            parts = [Part(kind="added", text=one.text)]
            found.append(TextDiff(old=None, new=one.label, parts=parts))
    return found, old != new and not any(one.changed for one in found)


def word_parts(old: str, new: str) -> Iterator[Part]:
    """Two texts, word by word."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if len(before) * len(after) > MOST_COMPARED and old != new:
        yield from _pieces([("removed", old), ("added", new)])
        return
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, start, end, from_, to in matcher.get_opcodes():
        gone, fresh = "".join(before[start:end]), "".join(after[from_:to])
        if kind == "equal":
            yield from _pieces([("same", gone)])
        else:
            yield from _pieces([("removed", gone), ("added", fresh)])


def _pieces(told: Sequence[tuple[Kind, str]]) -> Iterator[Part]:
    return (Part(kind=kind, text=text) for kind, text in told if text)
