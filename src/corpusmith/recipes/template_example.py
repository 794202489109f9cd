"""The shape that a JSON example in a prompt shows, read as people write examples.

Owns: finding the example, and its JSON Schema. Does not own: what stands in for an example that
is not there (`template_schema.py`). Pure.

An example is no JSON: it has `...` where more may come, comments, words in place of values
(`"score": 1-5`), a comma too many. So it is read by a small reader of its own, which knows these
and gives up on anything else; nothing is guessed about a value but its type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Node = dict[str, Any]
"""A JSON Schema."""

UNKNOWN = "\ue000"
"""Stands where a variable's value will stand: a text that nobody knows yet."""

_DEEPEST = 30
_START = re.compile(r"[{\[]")
_GAP = re.compile(r"(?:\s|//[^\n]*|#[^\n]*|/\*.*?\*/|（[^（）\n]*）|\([^()\n]*\))*+", re.DOTALL)
_MORE = re.compile(r"(?:\.{3,}|…+|。{3,})")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|“[^“”\n]*”')
_NUMBER = re.compile(r"-?\d+(\.\d+)?(?:[eE][+-]?\d+)?(?=\s*(?:[,，}\]/#（(]|$))", re.MULTILINE)
_RANGE = re.compile(r"\d+\s*(?:[-–—~～到至]|to)\s*\d+")
_BARE = re.compile(r'[^,，{}\[\]"“”\n]+')
_COLON = re.compile(r"[:：]")
_COMMA = re.compile(r"[,，]")
_WORDS = {
    **dict.fromkeys(("true", "false", "bool", "boolean", "布尔", "布尔值"), "boolean"),
    **dict.fromkeys(("int", "integer", "整数"), "integer"),
    **dict.fromkeys(("number", "float", "double", "数字", "小数", "浮点数"), "number"),
    **dict.fromkeys(("null", "none"), "null"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What one sample looks like. `many`: the example is a list of samples."""

    schema: Node
    many: bool


class _Unreadable(Exception):
    """Not an example: prose in brackets, a set, code."""


def example_in(text: str) -> Example | None:
    """The last example of an object, or of a list of them, that `text` shows; None: none.

    The last, because what a prompt is given stands before what it is to write. A list of texts
    counts only when it ends in `...`: without, it is as often a list of labels to choose from.
    """
    found = None
    at = 0
    for match in _START.finditer(text):
        if match.start() < at:
            continue
        reader = _Reader(text, match.start())
        try:
            node = reader.value(0)
        except _Unreadable:
            continue
        at = reader.at
        found = _example(node, reader.open_texts) or found
    return found


def _example(node: Node, open_texts: bool) -> Example | None:
    if node["type"] == "object":
        return Example(schema=node, many=False)
    inner: Node = node["items"]
    if inner["type"] == "object" or (inner["type"] == "string" and open_texts):
        return Example(schema=inner, many=True)
    return None


class _Reader:
    """Reads one value from `at` on, as a schema."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self.at = at
        self.open_texts = False
        """The outermost list held quoted texts and an ellipsis."""

    def value(self, depth: int) -> Node:
        """Raises _Unreadable."""
        if depth > _DEEPEST:
            raise _Unreadable
        self._skip(_GAP)
        if self._skip("{"):
            return self._object(depth)
        if self._skip("["):
            return self._array(depth)
        if self._take(_STRING) is not None:
            return {"type": "string"}
        if number := self._take(_NUMBER):
            return {"type": "number" if number[1] else "integer"}
        if bare := self._take(_BARE):
            return _bare(bare[0].strip())
        raise _Unreadable

    def _object(self, depth: int) -> Node:
        properties: Node = {}
        for more in self._members("}"):
            if more:
                continue
            key = self._key()
            self._skip(_GAP)
            if not self._skip(_COLON):
                raise _Unreadable
            properties[key] = self.value(depth + 1)
        if not properties:
            raise _Unreadable
        return _record(properties, list(properties))

    def _key(self) -> str:
        found = self._take(_STRING)
        # Without quotes it may as well be code, or a rule of a style sheet.
        if found is None or len(found[0]) == 2 or UNKNOWN in found[0]:
            raise _Unreadable
        return found[0][1:-1]

    def _array(self, depth: int) -> Node:
        node: Node | None = None
        quoted = True
        ellipsis = False
        for more in self._members("]"):
            ellipsis = ellipsis or more
            if not more:
                text = _STRING.match(self._text, self.at)
                quoted = quoted and text is not None
                ellipsis = ellipsis or (text is not None and _is_more(text[0][1:-1]))
                one = self.value(depth + 1)
                node = one if node is None else _merged(node, one)
        if depth == 0:
            self.open_texts = quoted and ellipsis
        return {"type": "array", "items": node or {"type": "string"}}

    def _members(self, end: str) -> Iterator[bool]:
        """Stands before each member in turn; True: it was an ellipsis, and is passed already."""
        while True:
            self._skip(_GAP)
            if self._skip(end):
                return
            yield self._skip(_MORE)
            self._skip(_GAP)
            if not self._skip(_COMMA) and self._text[self.at : self.at + 1] != end:
                raise _Unreadable

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def _skip(self, wanted: re.Pattern[str] | str) -> bool:
        if isinstance(wanted, re.Pattern):
            return self._take(wanted) is not None
        there = self._text.startswith(wanted, self.at)
        self.at += len(wanted) if there else 0
        return there


def _bare(word: str) -> Node:
    """A word where a value stands names its type, or stands for a text."""
    if not word:
        raise _Unreadable
    if _RANGE.match(word):
        return {"type": "integer"}
    kind = _WORDS.get(word.lower(), "string")
    return {"type": ["string", "null"] if kind == "null" else kind}


def _is_more(text: str) -> bool:
    return _MORE.fullmatch(text.strip()) is not None


def _merged(one: Node, other: Node) -> Node:
    """The schema of both; of two types that have nothing in common the first."""
    if one["type"] == other["type"] == "object":
        properties = {**one["properties"]}
        for name, node in other["properties"].items():
            properties[name] = _merged(properties[name], node) if name in properties else node
        return _record(properties, [n for n in one["required"] if n in other["required"]])
    if one["type"] == other["type"] == "array":
        return {"type": "array", "items": _merged(one["items"], other["items"])}
    numbers = ("integer", "number")
    if one["type"] in numbers and other["type"] in numbers:
        return one if one == other else {"type": "number"}
    return one


def _record(properties: Node, required: list[str]) -> Node:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }
