"""Two versions of a template beside each other: line by line, and in a changed line word by word.

Owns: the comparison of their YAML. Does not own: versions (store), words (`review_diff.py`), how it
looks (faces). Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from corpusmith.nouns import Template
from corpusmith.service.review_diff import Part, word_parts
from corpusmith.service.template_file import dump_template

AROUND = 3
"""Lines that did not change and are shown on both sides of one that did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that both have, or one of them; or some that are the same and not shown."""

    kind: Literal["same", "removed", "added", "gap"]
    parts: Sequence[Part] = ()
    """In a changed line, what of it changed. Those of a `removed` line make the old one."""
    hidden: int = 0
    """Of a `gap`: how many lines."""


def lines_of(old: Template, new: Template) -> list[Line]:
    """What changed; empty: nothing."""
    before, after = dump_template(old).splitlines(), dump_template(new).splitlines()
    found: list[Line] = []
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, start, end, from_, to in matcher.get_opcodes():
        if kind == "equal":
            found += [_plain("same", text) for text in before[start:end]]
        else:
            found += _changed(before[start:end], after[from_:to])
    return list(_folded(found)) if any(one.kind != "same" for one in found) else []


def _changed(gone: Sequence[str], fresh: Sequence[str]) -> list[Line]:
    """The old lines, then the new ones; each pair of them word by word."""
    pairs = [list(word_parts(old, new)) for old, new in zip(gone, fresh, strict=False)]
    old = [Line(kind="removed", parts=[p for p in one if p.kind != "added"]) for one in pairs]
    new = [Line(kind="added", parts=[p for p in one if p.kind != "removed"]) for one in pairs]
    old += [_plain("removed", text) for text in gone[len(pairs) :]]
    new += [_plain("added", text) for text in fresh[len(pairs) :]]
    return [*old, *new]


def _plain(kind: Literal["same", "removed", "added"], text: str) -> Line:
    return Line(kind=kind, parts=(Part(kind=kind, text=text),))


def _folded(lines: Sequence[Line]) -> Iterator[Line]:
    """Long stretches of the same as a gap."""
    near = {
        place
        for at, one in enumerate(lines)
        if one.kind != "same"
        for place in range(at - AROUND, at + AROUND + 1)
    }
    hidden = 0
    for at, one in enumerate(lines):
        if at not in near:
            hidden += 1
            continue
        if hidden:
            yield Line(kind="gap", hidden=hidden)
        hidden = 0
        yield one
    if hidden:
        yield Line(kind="gap", hidden=hidden)
