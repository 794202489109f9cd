"""What several schema nodes, taken together, demand of one value.

Owns: merging the keywords. Does not own: choices between nodes (`instances.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import orjson

from corpusmith.simulator.schema import FALSE, Node
from corpusmith.values import Json

KINDS = ("string", "integer", "number", "object", "array", "boolean", "null")
_RISKY = frozenset(
    (
        "oneOf",
        "not",
        "if",
        "contains",
        "unevaluatedProperties",
        "unevaluatedItems",
        "dependentSchemas",
    )
)
_HINTS = {
    "object": "properties required additionalProperties patternProperties propertyNames "
    "minProperties maxProperties dependentRequired dependentSchemas",
    "array": "items prefixItems minItems maxItems uniqueItems contains",
    "string": "minLength maxLength pattern format",
    "number": "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf",
}
_MAX_LENGTH = 1_000_000


class Impossible(Exception):
    """No value here; draw again elsewhere."""


class Shape:
    """The merged demands. Built once, read often."""

    __slots__ = (
        "all_required",
        "children",
        "formats",
        "high",
        "high_open",
        "low",
        "low_open",
        "max_items",
        "max_length",
        "max_properties",
        "min_items",
        "min_length",
        "min_properties",
        "names",
        "nodes",
        "options",
        "patterns",
        "required",
        "risky",
        "steps",
        "types",
        "unique",
    )

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = tuple(nodes)
        self.risky = any(word in node for node in nodes for word in _RISKY)
        self.types = _types(nodes)
        self.options = _options(nodes)
        self.min_length = _most(nodes, "minLength", 0)
        self.max_length = _least(nodes, "maxLength", _MAX_LENGTH)
        self.patterns = [node["pattern"] for node in nodes if "pattern" in node]
        self.formats = [node["format"] for node in nodes if "format" in node]
        self.min_items = _most(nodes, "minItems", 0)
        self.max_items = _least(nodes, "maxItems", _MAX_LENGTH)
        self.unique = any(node.get("uniqueItems") is True for node in nodes)
        self.min_properties = _most(nodes, "minProperties", 0)
        self.max_properties = _least(nodes, "maxProperties", _MAX_LENGTH)
        self.required = _ordered(nodes, "required")
        self.names = _ordered(nodes, "properties")
        self.all_required = bool(self.names) and len(self.names) == len(self.required)
        self.all_required &= set(self.names) == set(self.required)
        self.children: dict[str, tuple[Node, ...]] = {}
        """Sub-schemas by property name, filled on use."""
        self._numbers(nodes)

    def _numbers(self, nodes: Sequence[Node]) -> None:
        self.low, self.low_open = _bound(nodes, "minimum", "exclusiveMinimum", 1)
        self.high, self.high_open = _bound(nodes, "maximum", "exclusiveMaximum", -1)
        self.steps = [exact(node["multipleOf"]) for node in nodes if "multipleOf" in node]


def shape_of(nodes: Sequence[Node]) -> Shape:
    """The demands of all nodes together."""
    return Shape(nodes)


def exact(value: Any) -> Fraction:
    """The number as it is written."""
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


def json_type(value: Json) -> str:
    """The JSON type; whole floats are `integer`, as JSON Schema has it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    names = {float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


def _types(nodes: Sequence[Node]) -> tuple[str, ...]:
    found: list[str] | None = None
    for node in nodes:
        if "type" not in node:
            continue
        names = [node["type"]] if isinstance(node["type"], str) else node["type"]
        if found is None:
            found = list(names)
        else:
            both = [name for name in found if name in names]
            integers = "integer" in found + names and "number" in found + names
            if "integer" not in both and integers and "number" not in both:
                both.append("integer")
            found = both
    if found is None:
        found = _hinted(nodes)
    banned = {
        node["not"]["type"]
        for node in nodes
        if isinstance(node.get("not"), dict)
        and node["not"].keys() == {"type"}
        and isinstance(node["not"]["type"], str)
    }
    allowed = [name for name in found if name not in banned]
    if "number" in banned:
        allowed = [name for name in allowed if name != "integer"]
    return tuple(allowed)


def _hinted(nodes: Sequence[Node]) -> list[str]:
    """The type that the keywords speak of; where there is none, all, text first."""
    for kind, words in _HINTS.items():
        if any(word in node for node in nodes for word in words.split()):
            return [kind]
    if any("not" in node for node in nodes):
        return list(KINDS)
    return ["string"]


def _options(nodes: Sequence[Node]) -> list[Json] | None:
    lists = [node["enum"] for node in nodes if isinstance(node.get("enum"), list)]
    lists += [[node["const"]] for node in nodes if "const" in node]
    if not lists:
        return None
    found = lists[0]
    for other in lists[1:]:
        texts = {_text(value) for value in other}
        found = [value for value in found if _text(value) in texts]
    return list(found)


def _text(value: Json) -> bytes:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _most(nodes: Sequence[Node], word: str, default: int) -> int:
    return max((node[word] for node in nodes if word in node), default=default)


def _least(nodes: Sequence[Node], word: str, default: int) -> int:
    return min((node[word] for node in nodes if word in node), default=default)


def _ordered(nodes: Sequence[Node], word: str) -> list[str]:
    return list(dict.fromkeys(name for node in nodes for name in node.get(word, ())))


def _bound(
    nodes: Sequence[Node], closed: str, opened: str, sign: int
) -> tuple[Fraction | None, bool]:
    """(the tightest bound, whether it is exclusive)."""
    found: list[tuple[Fraction, bool]] = []
    for node in nodes:
        for word, is_open in ((closed, False), (opened, True)):
            value = node.get(word)
            if isinstance(value, int | float) and math.isfinite(value):
                found.append((exact(value), is_open))
    if not found:
        return None, False
    return max(found, key=lambda bound: (sign * bound[0], bound[1]))


def is_false(node: Node) -> bool:
    """Whether nothing satisfies the node."""
    return node is FALSE
