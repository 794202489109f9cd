"""The notation of prompts: `{variable}`, literal JSON, and `{{` `}}` for literal braces.

Owns: which places of a text are variables, and putting values there once. Does not own: which
values (recipes), our own texts and cards (`placeholders.py`). Pure; `str.format` is never used.

Only `{identifier}` is a variable, in any script: `{topic}`, `{主题}`. Two opening braces side by
side whose closing braces are side by side too are one literal brace each, from the outside in, as
in `str.format`: `{{topic}}` is the text `{topic}`, `{{{topic}}}` the value in braces. All other
braces are text: those of `{"a": {"b": 1}}` open side by side with nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

Piece = tuple[str, str | None]
"""A literal text, and the variable that follows it; None: none does."""

_BRACE = re.compile(r"[{}]")


def variables(text: str) -> list[str]:
    """The names of the variables in `text`, in the order of their first places."""
    return list(dict.fromkeys(name for _, name in pieces(text) if name is not None))


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with every variable put in and literal braces made single.

    Values are put in as they are and never expanded again. Raises KeyError for a variable that
    has none.
    """
    return "".join(
        literal if name is None else literal + values[name] for literal, name in pieces(text)
    )


@lru_cache(maxsize=1024)
def pieces(text: str) -> tuple[Piece, ...]:
    """`text` in pieces: joined with the values between them they are the filled text."""
    closing = _pairs(text)
    found: list[Piece] = []
    literal: list[str] = []
    doubled: set[int] = set()
    at = 0
    for match in _BRACE.finditer(text):
        start = match.start()
        if start < at:
            continue
        literal.append(text[at:start])
        at = start + 1
        end = closing.get(start)
        if start in doubled:
            literal.append("}")
            at = start + 2
        elif end is not None and closing.get(start + 1) == end - 1:
            literal.append("{")
            doubled.add(end - 1)
            at = start + 2
        elif end is not None and text[start + 1 : end].isidentifier():
            found.append(("".join(literal), text[start + 1 : end]))
            literal = []
            at = end + 1
        else:
            literal.append(match[0])
    literal.append(text[at:])
    return (*found, ("".join(literal), None))


def _pairs(text: str) -> dict[int, int]:
    """Opening brace → its closing one; braces without a partner are left out."""
    waiting: list[int] = []
    closing: dict[int, int] = {}
    for match in _BRACE.finditer(text):
        if match[0] == "{":
            waiting.append(match.start())
        elif waiting:
            closing[waiting.pop()] = match.start()
    return closing
