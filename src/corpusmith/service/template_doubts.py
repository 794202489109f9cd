"""What in a prompt looks as if it were meant as a variable, and is plain text.

Owns: these doubts, for whoever writes a prompt. Does not own: the notation (`template_text.py`), in
which nothing is wrong: whatever is no variable is text. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

DoubtKind = Literal["blank", "name", "open", "doubled", "wide"]
"""`{ topic }`; `{my topic}`; `{topic` that is never closed; `{{topic}}`, as other programs write
variables; `｛topic｝` with the wide braces of a Chinese keyboard."""

MOST = 12
_SHOWN = 60
_LONE = r"(?<!\{)\{(?!\{)"
_ENDS = r"\}(?!\})"
_BLANK = re.compile(rf"{_LONE}(?:[ \t]+\w+[ \t]*|\w+[ \t]+){_ENDS}")
_NAME = re.compile(rf"{_LONE}([^{{}}\[\]\"'“”‘’:：,，;；\n]{{1,40}}){_ENDS}")
_DOUBLED = re.compile(r"(?<!\{)\{\{\s*(\w+)\s*\}\}(?!\})")
_WIDE = re.compile(r"｛\s*(\w+)\s*｝")
_OPEN = re.compile(r"\{[ \t]*(\w+)(?![^{}\n]*\})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One place, as it is written."""

    kind: DoubtKind
    text: str
    name: str
    """The variable that was probably meant; empty: it cannot be told."""


def doubts(text: str) -> list[Doubt]:
    """The first of them, in their order; each text once."""
    found = sorted((at, one) for at, one in _found(text))
    named = {one[1]: Doubt(kind=one[0], text=one[1], name=one[2]) for _, one in reversed(found)}
    return list(reversed(named.values()))[:MOST]


def _found(text: str) -> list[tuple[int, tuple[DoubtKind, str, str]]]:
    found: list[tuple[int, tuple[DoubtKind, str, str]]] = []

    def add(kind: DoubtKind, match: re.Match[str], name: str) -> None:
        found.append((match.start(), (kind, match[0][:_SHOWN], _name(name))))

    for match in _BLANK.finditer(text):
        if _name(match[0][1:-1].strip()):
            add("blank", match, match[0][1:-1].strip())
    for match in _NAME.finditer(text):
        inner = match[1].strip()
        if not inner.isidentifier() and any(sign.isalpha() for sign in inner):
            add("name", match, re.sub(r"\W+", "_", inner).strip("_"))
    for kind, pattern in (("doubled", _DOUBLED), ("wide", _WIDE), ("open", _OPEN)):
        for match in pattern.finditer(text):
            if _name(match[1]):
                add(kind, match, match[1])  # type: ignore[arg-type]
    return found


def _name(text: str) -> str:
    return text if text.isidentifier() else ""
