"""Brings a JSON Schema, as people write it, into one form.

Owns: dialects (draft 4 to 2020-12, OpenAPI's and Gemini's habits), references, heights.
Does not own: making values (`instances.py`).

The one form: draft 2020-12; every reference is `#/$defs/root/…`; `True` is `{}`, `False` is
`FALSE`; no `$id`, no `$anchor`, no `$schema`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

Node = dict[str, Any]

ROOT = "#/$defs/root"
FALSE: Node = {"not": {}}
"""The schema that nothing satisfies; compared by identity."""

_ONE = frozenset(
    (
        "items",
        "additionalProperties",
        "propertyNames",
        "contains",
        "not",
        "if",
        "then",
        "else",
        "unevaluatedItems",
        "unevaluatedProperties",
        "additionalItems",
    )
)
_MANY = frozenset(
    (
        "allOf",
        "anyOf",
        "oneOf",
        "prefixItems",
    )
)
_NAMED = frozenset(
    (
        "properties",
        "patternProperties",
        "$defs",
        "definitions",
        "dependentSchemas",
    )
)
_COUNTS = frozenset(
    (
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "minContains",
        "maxContains",
    )
)
_TYPES = frozenset(
    (
        "null",
        "boolean",
        "integer",
        "number",
        "string",
        "array",
        "object",
    )
)
_DROPPED = frozenset(
    (
        "$id",
        "id",
        "$schema",
        "$anchor",
        "$dynamicAnchor",
        "$vocabulary",
        "$comment",
        "nullable",
    )
)


class BadSchema(Exception):
    """A schema that cannot be read or cannot be satisfied."""


def normalise(schema: Any, *, gemini: bool = False) -> Node:
    """The schema in the one form. Raises BadSchema.

    `gemini`: `nullable` allows null (elsewhere it is an annotation and allows nothing).
    """
    if isinstance(schema, bool):
        return {} if schema else FALSE
    if not isinstance(schema, dict):
        raise BadSchema("a schema must be an object or a boolean")
    return _Reader(schema, gemini).node(schema, 0)


class _Reader:
    """One reading of one document."""

    def __init__(self, schema: Mapping[str, Any], gemini: bool) -> None:
        self._gemini = gemini
        self._names: dict[str, str] = {}
        """`$id` or `#anchor` → pointer."""
        self._find_names(schema, ROOT)

    def _find_names(self, value: Any, pointer: str) -> None:
        if isinstance(value, dict):
            for word in ("$anchor", "$dynamicAnchor"):
                if isinstance(value.get(word), str):
                    self._names["#" + value[word]] = pointer
            if isinstance(value.get("$id"), str):
                self._names[value["$id"]] = pointer
            for key, inner in value.items():
                if key not in ("enum", "const", "default", "examples"):
                    escaped = str(key).replace("~", "~0").replace("/", "~1")
                    self._find_names(inner, f"{pointer}/{escaped}")
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                self._find_names(inner, f"{pointer}/{index}")

    def node(self, value: Any, depth: int) -> Node:
        """One schema."""
        if value is True:
            return {}
        if value is False:
            return FALSE
        if not isinstance(value, dict):
            raise BadSchema("a schema must be an object or a boolean")
        if depth > 200:
            raise BadSchema("the schema is nested too deeply")
        found: Node = {}
        for key, inner in value.items():
            self._keyword(found, key, inner, depth + 1)
        _modernise(found)
        if self._gemini and value.get("nullable") is True:
            return _or_null(found)
        return found

    def _keyword(self, found: Node, key: str, inner: Any, depth: int) -> None:
        if key in _DROPPED:
            return
        if key in ("$ref", "$dynamicRef", "$recursiveRef"):
            found["$ref"] = self._reference(inner)
        elif key == "items" and isinstance(inner, list):
            found[key] = [self.node(one, depth) for one in inner]
        elif key in _ONE:
            found[key] = self.node(inner, depth)
        elif key in _MANY:
            found[key] = [self.node(one, depth) for one in _list(key, inner)]
        elif key in _NAMED:
            found[key] = {name: self.node(one, depth) for name, one in _dict(key, inner).items()}
        elif key == "dependencies":
            self._dependencies(found, inner, depth)
        elif key == "type":
            found[key] = _types(inner)
        elif key in _COUNTS:
            found[key] = _count(key, inner)
        else:
            found[key] = inner

    def _reference(self, value: Any) -> str:
        if not isinstance(value, str):
            raise BadSchema("$ref must be a string")
        if value in self._names:
            return self._names[value]
        if value == "#":
            return ROOT
        if value.startswith("#/"):
            return ROOT + value[1:]
        base, _, rest = value.partition("#")
        if base in self._names:
            return self._names[base] + rest
        raise BadSchema(f"$ref {value!r} is not in the document")

    def _dependencies(self, found: Node, inner: Any, depth: int) -> None:
        """Before 2019-09 one keyword held both kinds."""
        for name, wish in _dict("dependencies", inner).items():
            if isinstance(wish, list):
                found.setdefault("dependentRequired", {})[name] = wish
            else:
                found.setdefault("dependentSchemas", {})[name] = self.node(wish, depth)


def _modernise(node: Node) -> None:
    """Older spellings of one node, its own keywords only."""
    for old, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if node.get(old) is True and bound in node:
            node[old] = node.pop(bound)
        elif isinstance(node.get(old), bool):
            del node[old]
    if isinstance(node.get("items"), list):
        node["prefixItems"] = node.pop("items")
        if "additionalItems" in node:
            node["items"] = node.pop("additionalItems")
    node.pop("additionalItems", None)
    if node.get("format") == "enum":
        del node["format"]


def _or_null(node: Node) -> Node:
    """Gemini's and OpenAPI's `nullable`."""
    kinds = node.get("type")
    if "enum" not in node and isinstance(kinds, str):
        return node | {"type": [kinds, "null"]}
    return {"anyOf": [node, {"type": "null"}]}


def resolve(root: Node, reference: str) -> Node:
    """The node that `#/$defs/root/…` names. Raises BadSchema."""
    value: Any = root
    for token in reference[len(ROOT) + 1 :].split("/") if reference != ROOT else ():
        name = unquote(token).replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        elif isinstance(value, dict) and name in value:
            value = value[name]
        else:
            raise BadSchema(f"$ref '{reference.removeprefix('#/$defs/root')}' leads nowhere")
    if not isinstance(value, dict):
        raise BadSchema("$ref does not lead to a schema")
    return value


def height(root: Node, node: Node, seen: frozenset[int] = frozenset()) -> float:
    """Levels that the flattest instance of `node` has; infinite where there is none."""
    if node is FALSE or id(node) in seen:
        return float("inf")
    if "enum" in node or "const" in node:
        return 0
    inside = seen | {id(node)}
    found = 0.0
    if "$ref" in node:
        found = height(root, resolve(root, node["$ref"]), inside)
    for part in node.get("allOf", ()):
        found = max(found, height(root, part, inside))
    for word in ("anyOf", "oneOf"):
        if word in node:
            found = max(found, min(height(root, part, inside) for part in node[word]))
    return max(found, _own_height(root, node, inside))


def _own_height(root: Node, node: Node, inside: frozenset[int]) -> float:
    kinds = node.get("type", ())
    names = (kinds,) if isinstance(kinds, str) else kinds
    if any(name not in ("array", "object") for name in names):
        return 0
    children: list[Node] = []
    if "object" in names or (not names and "properties" in node):
        properties = node.get("properties", {})
        children = [properties[name] for name in node.get("required", ()) if name in properties]
    elif node.get("minItems", 0) > 0:
        children = [*node.get("prefixItems", ()), *([node["items"]] if "items" in node else [])]
    return 1 + max((height(root, child, inside) for child in children), default=0.0)


def _types(value: Any) -> Any:
    names = value if isinstance(value, list) else [value]
    lowered = [str(name).lower() for name in names]  # Gemini writes STRING
    if not lowered or any(name not in _TYPES for name in lowered):
        raise BadSchema(f"unknown type {value!r}")
    return lowered if isinstance(value, list) else lowered[0]


def _count(key: str, value: Any) -> int:
    # Gemini's int64 fields come as strings; 2.0 is a whole number in JSON Schema.
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise BadSchema(f"{key} must be a whole number")
    return int(value)


def _list(key: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise BadSchema(f"{key} must be an array")
    return value


def _dict(key: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadSchema(f"{key} must be an object")
    return value
