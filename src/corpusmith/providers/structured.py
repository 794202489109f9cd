"""How a JSON Schema travels: which ways a connection has, and what a vendor takes of a schema.

Owns: fitting a schema to a vendor's native mode. Does not own: the field it is sent in (each
protocol), which way is tried next (the engine), whether a reply satisfies it (the engine).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from corpusmith.values import Connection, Json, Schema, StructuredMode

_KEPT = 64


def modes_of(connection: Connection, own: tuple[StructuredMode, ...]) -> tuple[StructuredMode, ...]:
    """The protocol's `own` ways, narrowed to the connection's, best first, ending in `prompt`."""
    wanted = connection.modes or own
    return (*(mode for mode in own if mode in wanted and mode != "prompt"), "prompt")


class Formats:
    """A protocol's field for a schema, as JSON written once: a task sends the same few."""

    def __init__(self, make: Callable[[Schema], Json]) -> None:
        self._make = make
        # By identity: hashing a schema costs more than writing it. The schema is kept, so that
        # its id stays its own.
        self._made: dict[int, tuple[Schema, orjson.Fragment]] = {}

    def __getitem__(self, schema: Schema) -> orjson.Fragment:
        known = self._made.get(id(schema))
        if known is None:
            if len(self._made) >= _KEPT:
                self._made.clear()
            known = (schema, orjson.Fragment(orjson.dumps(self._make(schema))))
            self._made[id(schema)] = known
        return known[1]


# ------------------------------------------------------------------ OpenAI

_NOT_STRICT = frozenset(
    {
        "allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas",
        "patternProperties", "propertyNames", "unevaluatedProperties", "unevaluatedItems",
        "contains", "prefixItems", "uniqueItems", "minLength", "maxLength", "minProperties",
        "maxProperties", "default",
    }
)  # fmt: skip


def fits_strict(body: Json) -> bool:
    """True when OpenAI's strict mode takes the schema as it is.

    Its rules: the root is an object; every object is closed and requires all its properties; some
    keywords do not exist. A schema is never weakened to fit: it is sent with `strict` false.
    """
    is_root = isinstance(body, Mapping) and body.get("type") == "object"
    return is_root and _strict(body)


def _strict(node: Json) -> bool:
    if not isinstance(node, Mapping) or not _NOT_STRICT.isdisjoint(node):
        return False
    if _is_object(node) and not _is_closed(node):
        return False
    below = [*_named(node, "properties"), *_named(node, "$defs"), *_named(node, "definitions")]
    if isinstance(node.get("anyOf"), list):
        below += node["anyOf"]
    if "items" in node:
        below.append(node["items"])
    return all(_strict(one) for one in below)


def _is_object(node: Mapping[str, Any]) -> bool:
    kinds = node.get("type")
    return kinds == "object" or (isinstance(kinds, list) and "object" in kinds)


def _is_closed(node: Mapping[str, Any]) -> bool:
    required = node.get("required", [])
    return (
        node.get("additionalProperties") is False
        and isinstance(required, list)
        and set(node.get("properties", {})) == set(map(str, required))
    )


def _named(node: Mapping[str, Any], keyword: str) -> list[Json]:
    found = node.get(keyword)
    return list(found.values()) if isinstance(found, Mapping) else []


# ------------------------------------------------------------------ Anthropic

_FORMATS = frozenset(
    {
        "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6",
        "uuid",
    }
)  # fmt: skip
_UNIONS = {"anyOf": "anyOf", "oneOf": "anyOf", "allOf": "allOf"}


def for_anthropic(body: Mapping[str, Json]) -> dict[str, Json]:
    """The schema as Anthropic's native mode takes it.

    What it does not take (`minItems` over 1, `maxLength`, …) is told in the description, and
    objects are closed: the same that the vendor's SDK does. Our own validation of the reply still
    uses the whole schema.
    """
    rest = dict(body)
    taken: dict[str, Json] = {}
    if isinstance(rest.get("$defs"), Mapping):
        taken["$defs"] = _each(rest.pop("$defs"))
    if "$ref" in rest:
        return {**taken, "$ref": rest["$ref"]}
    rest.pop("$schema", None)
    _take_kind(rest, taken)
    for keyword in ("title", "description"):
        if keyword in rest:
            taken[keyword] = rest.pop(keyword)
    match taken.get("type"):
        case "object":
            _take_object(rest, taken)
        case "array":
            _take_array(rest, taken)
        case "string" if rest.get("format") in _FORMATS:
            taken["format"] = rest.pop("format")
    _tell(rest, taken)
    return taken


def _take_kind(rest: dict[str, Json], taken: dict[str, Json]) -> None:
    """One of: the values, the alternatives, the type; the native mode takes no mixture."""
    kind = rest.pop("type", None)
    for keyword in ("enum", "const"):
        if keyword in rest and _is_plain(rest[keyword]):
            taken[keyword] = rest.pop(keyword)
    for keyword, sent in _UNIONS.items():
        if isinstance(rest.get(keyword), list):
            taken[sent] = [_below(one) for one in rest.pop(keyword)]
            return
    if kind is not None and not taken.keys() & {"enum", "const"}:
        taken["type"] = kind


def _take_object(rest: dict[str, Json], taken: dict[str, Json]) -> None:
    taken["properties"] = _each(rest.pop("properties", {}))
    taken["additionalProperties"] = False
    rest.pop("additionalProperties", None)
    if "required" in rest:
        taken["required"] = rest.pop("required")


def _take_array(rest: dict[str, Json], taken: dict[str, Json]) -> None:
    if "items" in rest:
        taken["items"] = _below(rest.pop("items"))
    if rest.get("minItems") in (0, 1):
        taken["minItems"] = rest.pop("minItems")


def _tell(rest: dict[str, Json], taken: dict[str, Json]) -> None:
    """Put what was not taken into the description, in words that the model can follow."""
    if not rest:
        return
    for keyword in ("minItems", "format"):  # last, as the vendor's SDK has them
        if keyword in rest:
            rest[keyword] = rest.pop(keyword)
    words = "{" + ", ".join(f"{name}: {value}" for name, value in rest.items()) + "}"
    before = taken.get("description")
    taken["description"] = f"{before}\n\n{words}" if before else words


def _each(schemas: Json) -> Json:
    if not isinstance(schemas, Mapping):
        return schemas
    return {name: _below(one) for name, one in schemas.items()}


def _below(schema: Json) -> Json:
    return for_anthropic(schema) if isinstance(schema, Mapping) else schema


def _is_plain(value: Json) -> bool:
    values = value if isinstance(value, list) else [value]
    return all(one is None or isinstance(one, str | int | float) for one in values)
