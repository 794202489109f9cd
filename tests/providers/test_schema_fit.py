"""Which schemas a vendor's native mode takes, and how the others are told."""

from __future__ import annotations

from typing import Any, Literal

import orjson
import pytest
from pydantic import BaseModel, Field

from corpusmith.providers.connect import connection_of
from corpusmith.providers.structured import Formats, fits_strict, for_anthropic, modes_of
from corpusmith.values import Schema, StructuredMode


def closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


TEXT = {"type": "string"}
STRICT = {
    "flat": closed(a=TEXT),
    "nested": closed(a={"type": "array", "items": closed(b=TEXT), "minItems": 2, "maxItems": 9}),
    "a choice": closed(a={"anyOf": [TEXT, {"type": "null"}]}),
    "a list of types": closed(a={"type": ["string", "null"]}),
    "an enum and a pattern": closed(a={"type": "string", "enum": ["x"], "pattern": "x"}),
    "a recursion": {
        **closed(a={"$ref": "#/$defs/A"}),
        "$defs": {"A": closed(b={"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]})},
    },
    "a property called allOf": closed(allOf=TEXT),
    "empty": closed(),
}
LOOSE = {
    "open": {"type": "object", "properties": {"a": TEXT}, "required": ["a"]},
    "a property that may be missing": {**closed(a=TEXT, b=TEXT), "required": ["a"]},
    "open below": closed(a={"type": "object"}),
    "open in a choice": closed(a={"anyOf": [{"type": "object"}]}),
    "open in a definition": {**closed(a={"$ref": "#/$defs/A"}), "$defs": {"A": {"type": "object"}}},
    "open in a list": closed(a={"type": "array", "items": {"type": ["object", "null"]}}),
    "a length": closed(a={"type": "string", "minLength": 1}),
    "oneOf": closed(a={"oneOf": [TEXT]}),
    "a list at the root": {"type": "array", "items": TEXT},
    "a choice at the root": {"anyOf": [closed(a=TEXT)]},
    "a map": {"type": "object", "properties": {}, "additionalProperties": TEXT},
    "anything": {},
    "no schema": [],
    "no required list": {**closed(a=TEXT), "required": "a"},
    "true below": closed(a=True),
}


@pytest.mark.parametrize("name", STRICT)
def test_a_schema_that_fits_is_strict(name: str) -> None:
    assert fits_strict(STRICT[name]) is True


@pytest.mark.parametrize("name", LOOSE)
def test_a_schema_that_does_not_fit_is_not_strict(name: str) -> None:
    assert fits_strict(LOOSE[name]) is False


class Turn(BaseModel):
    role: Literal["user", "assistant"]
    content: str = Field(min_length=1, max_length=500, description="What is said.")


class Everything(BaseModel):
    """A dialogue."""

    turns: list[Turn] = Field(min_length=6, max_length=6)
    some: list[int] = Field(min_length=1)
    mood: str | None = None
    score: int = Field(ge=1, le=5)
    day: str = Field(json_schema_extra={"format": "date"})
    shape: str = Field(json_schema_extra={"format": "hex"})
    kind: Literal["a"] | Literal["b", "c"]


BODIES: dict[str, dict[str, Any]] = {
    "every kind of field": Everything.model_json_schema(),
    "a reference at the root": {"$ref": "#/$defs/A", "$defs": {"A": closed(a=TEXT)}},
    "oneOf": {"oneOf": [TEXT, {"type": "integer", "minimum": 3}]},
    "allOf": {"allOf": [closed(a=TEXT)], "description": "x"},
    "a const": {"const": 3, "type": "integer"},
    "open": {"type": "object", "additionalProperties": True, "maxProperties": 3},
    "format and items": {"type": "array", "items": TEXT, "minItems": 3, "uniqueItems": True},
}


@pytest.mark.parametrize("name", BODIES)
def test_a_schema_for_anthropic_is_what_its_sdk_makes_of_it(name: str) -> None:
    # Here, for it takes two seconds, and every worker collects this file.
    from anthropic.lib._parse._transform import transform_schema

    assert for_anthropic(BODIES[name]) == transform_schema(BODIES[name])


def test_a_schema_that_the_sdk_refuses_is_left_to_the_endpoint() -> None:
    assert for_anthropic({"$schema": "x", "properties": {"a": True}}) == {
        "description": "{properties: {'a': True}}"
    }


def test_the_given_schema_is_not_changed() -> None:
    body = Everything.model_json_schema()
    for_anthropic(body)
    assert body == Everything.model_json_schema()


def test_a_schema_is_written_once() -> None:
    made: list[str] = []

    def make(schema: Schema) -> Any:
        made.append(schema.name)
        return schema.body

    formats = Formats(make)
    schemas = [Schema(name=str(number), body={"a": number}) for number in range(200)]
    for schema in schemas:
        assert formats[schema] is formats[schema]
        assert orjson.dumps(formats[schema]) == orjson.dumps(schema.body)
    assert made == [schema.name for schema in schemas]


OWN: tuple[StructuredMode, ...] = ("schema", "json", "prompt")
MODES: list[tuple[tuple[StructuredMode, ...], tuple[StructuredMode, ...]]] = [
    ((), ("schema", "json", "prompt")),
    (("json",), ("json", "prompt")),
    (("prompt",), ("prompt",)),
    (("tool",), ("prompt",)),
    (("json", "schema"), ("schema", "json", "prompt")),
]


@pytest.mark.parametrize(("wanted", "expected"), MODES)
def test_a_connection_narrows_the_ways(
    wanted: tuple[StructuredMode, ...], expected: tuple[StructuredMode, ...]
) -> None:
    assert modes_of(connection_of(name="x", modes=wanted), OWN) == expected
