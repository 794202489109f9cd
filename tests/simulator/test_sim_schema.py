"""Values of schemas: whatever the schema, the value satisfies it."""

from __future__ import annotations

import random
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpusmith.simulator.instances import Instances
from corpusmith.simulator.prose import Prose, pack
from corpusmith.simulator.schema import BadSchema, normalise
from corpusmith.simulator.scribe import Scribe, Wishes


def draw(schema: Any, seed: int = 1, *, gemini: bool = False) -> Any:
    rng = random.Random(seed)
    scribe = Scribe(Prose(pack("zh"), rng, None), "zh", Wishes())
    return Instances(schema, gemini=gemini).draw(rng, scribe)


def satisfied(schema: Any, seed: int = 1) -> bool:
    validator = jsonschema_rs.validator_for(schema, validate_formats=True)
    return validator.is_valid(draw(schema, seed))


TREE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "value": {"type": "integer"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "required": ["value", "children"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/node",
}

SCHEMAS: dict[str, Any] = {
    "recursive by definition": TREE,
    "recursive by root": {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
        },
        "required": ["name", "next"],
    },
    "expression tree": {
        "$defs": {
            "e": {
                "oneOf": [
                    {"type": "number"},
                    {
                        "type": "object",
                        "properties": {
                            "op": {"enum": ["+", "*"]},
                            "left": {"$ref": "#/$defs/e"},
                            "right": {"$ref": "#/$defs/e"},
                        },
                        "required": ["op", "left", "right"],
                        "additionalProperties": False,
                    },
                ]
            }
        },
        "$ref": "#/$defs/e",
    },
    "one of by discriminator": {
        "type": "array",
        "minItems": 8,
        "items": {
            "oneOf": [
                {
                    "type": "object",
                    "properties": {"kind": {"const": kind}, kind: {"type": "string"}},
                    "required": ["kind", kind],
                }
                for kind in ("cat", "dog", "bird")
            ]
        },
    },
    "overlapping one of": {"oneOf": [{"multipleOf": 3}, {"multipleOf": 5}], "type": "integer"},
    "all of with refs": {
        "definitions": {"named": {"properties": {"name": {"minLength": 3}}, "required": ["name"]}},
        "allOf": [
            {"$ref": "#/definitions/named"},
            {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}},
        ],
    },
    "tuple": {
        "type": "array",
        "prefixItems": [{"type": "string"}, {"type": "integer"}, {"const": None}],
        "items": False,
        "minItems": 3,
    },
    "contains": {
        "type": "array",
        "items": {"type": "integer", "minimum": 0, "maximum": 50},
        "contains": {"minimum": 40},
        "minContains": 2,
        "maxContains": 3,
        "minItems": 6,
    },
    "unique": {
        "type": "array",
        "items": {"enum": [1, 2, 3, 4, 5]},
        "uniqueItems": True,
        "minItems": 5,
    },
    "pattern": {"type": "string", "pattern": r"^\d{4}-(?:0[1-9]|1[0-2])-[A-Z]{2,}$"},
    "pattern and length": {
        "type": "string",
        "pattern": "^[a-z]+$",
        "minLength": 12,
        "maxLength": 14,
    },
    "unanchored pattern": {"type": "string", "pattern": "ab+c", "minLength": 10},
    "unicode property": {"type": "string", "pattern": r"^\p{Lu}\p{L}{2,5}$"},
    "pattern properties": {
        "type": "object",
        "patternProperties": {"^x-[a-z]{2,4}$": {"type": "integer"}},
        "additionalProperties": False,
        "minProperties": 3,
    },
    "property names": {
        "type": "object",
        "propertyNames": {"pattern": "^[A-Z]{3}$"},
        "additionalProperties": {"type": "boolean"},
        "minProperties": 2,
    },
    "if then else": {
        "type": "object",
        "properties": {"country": {"enum": ["US", "NL"]}, "code": {"type": "string"}},
        "required": ["country", "code"],
        "if": {"properties": {"country": {"const": "US"}}},
        "then": {"properties": {"code": {"pattern": "^[0-9]{5}$"}}},
        "else": {"properties": {"code": {"pattern": "^[0-9]{4}[A-Z]{2}$"}}},
    },
    "not a value": {"type": "integer", "minimum": 1, "maximum": 3, "not": {"enum": [1, 2]}},
    "not a type": {"not": {"type": "string"}},
    "not a property": {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "not": {"required": ["a"]},
    },
    "dependent": {
        "type": "object",
        "properties": {"card": {"type": "string"}, "address": {"type": "string"}},
        "required": ["card"],
        "dependentRequired": {"card": ["address"]},
        "dependentSchemas": {
            "card": {"required": ["zip"], "properties": {"zip": {"type": "integer"}}}
        },
    },
    "numbers": {
        "type": "object",
        "properties": {
            "a": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001},
            "b": {"type": "number", "multipleOf": 0.01, "minimum": 1, "maximum": 2},
            "c": {"type": "integer", "multipleOf": 7, "minimum": 100, "maximum": 110},
            "d": {"type": "integer", "minimum": 9_007_199_254_740_000},
            "e": {"type": "integer", "exclusiveMaximum": -100},
        },
        "required": ["a", "b", "c", "d", "e"],
    },
    "old exclusive": {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "integer",
        "minimum": 5,
        "exclusiveMinimum": True,
        "maximum": 6,
    },
    "old tuple": {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "array",
        "items": [{"type": "integer"}, {"type": "string"}],
        "additionalItems": False,
        "minItems": 2,
    },
    "unevaluated": {
        "allOf": [{"properties": {"a": {"type": "integer"}}, "required": ["a"]}],
        "type": "object",
        "properties": {"b": {"type": "boolean"}},
        "unevaluatedProperties": False,
    },
    "anchors": {
        "$id": "https://example.com/root",
        "$defs": {"x": {"$anchor": "here", "type": "integer", "minimum": 3}},
        "type": "array",
        "minItems": 1,
        "items": {"$ref": "#here"},
    },
    "types in a list": {"type": ["integer", "null"], "minimum": 4},
    "true": True,
    "empty": {},
    "deep required": {
        "type": "object",
        "properties": {
            "a": {
                "type": "object",
                "properties": {
                    "b": {
                        "type": "object",
                        "properties": {
                            "c": {
                                "type": "object",
                                "properties": {
                                    "d": {
                                        "type": "array",
                                        "minItems": 2,
                                        "items": {
                                            "type": "object",
                                            "properties": {"e": {"enum": ["x", "y"]}},
                                            "required": ["e"],
                                        },
                                    }
                                },
                                "required": ["d"],
                            }
                        },
                        "required": ["c"],
                    }
                },
                "required": ["b"],
            }
        },
        "required": ["a"],
    },
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_value_satisfies_its_schema(name: str) -> None:
    assert [satisfied(SCHEMAS[name], seed) for seed in range(12)] == [True] * 12


@pytest.mark.parametrize(
    "name",
    [
        "date",
        "date-time",
        "time",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "uri",
        "uri-reference",
        "iri",
        "uuid",
        "json-pointer",
        "relative-json-pointer",
        "regex",
        "uri-template",
        "idn-email",
        "idn-hostname",
        "iri-reference",
    ],
)
def test_a_formatted_string_has_its_format(name: str) -> None:
    schema = {"type": "string", "format": name}
    assert [satisfied(schema, seed) for seed in range(10)] == [True] * 10


def test_geminis_own_dialect_is_read() -> None:
    schema = {
        "type": "OBJECT",
        "properties": {
            "n": {"type": "STRING", "nullable": True},
            "list": {
                "type": "ARRAY",
                "items": {"type": "INTEGER"},
                "minItems": "2",
                "maxItems": "2",
            },
            "kind": {"type": "STRING", "format": "enum", "enum": ["A", "B"]},
        },
        "required": ["n", "list", "kind"],
        "propertyOrdering": ["n", "list", "kind"],
    }
    values = [draw(schema, seed, gemini=True) for seed in range(60)]
    assert {type(value["n"]) for value in values} == {str, type(None)}
    assert {len(value["list"]) for value in values} == {2}
    assert {value["kind"] for value in values} == {"A", "B"}


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"type": "nonsense"},
        {"$ref": "https://example.com/elsewhere"},
        {"$ref": "#/$defs/missing"},
        {
            "$defs": {"a": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/a"}}},
            "$ref": "#/$defs/a",
        },
        [],
        {"type": "string", "pattern": "("},
    ],
)
def test_a_schema_that_cannot_be_is_refused(schema: Any) -> None:
    with pytest.raises(BadSchema):
        draw(schema)


def test_nullable_is_only_an_annotation_outside_gemini() -> None:
    assert normalise({"type": "string", "nullable": True}) == {"type": "string"}


# ---------------------------------------------------------------- a wide random family

NAMES = st.sampled_from(["question", "answer", "score", "tags", "role", "回答", "x", "名字", "id"])
SCALARS = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={"minLength": st.integers(0, 20), "maxLength": st.integers(20, 90)},
    ),
    st.sampled_from(
        [
            {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{3,5}$"},
            {"type": "string", "pattern": "(foo|bar)+"},
            {"type": "string", "format": "date-time"},
            {"type": "boolean"},
            {"type": "null"},
            {"type": ["string", "null"]},
            {"const": {"a": [1, None]}},
            {"enum": ["a", 1, None, 2.5, ["x"]]},
            {"type": ["integer", "string"], "minimum": 5, "minLength": 2},
        ]
    ),
    st.builds(
        lambda low, span, step: {
            "type": "integer",
            "minimum": low,
            "maximum": low + span * step,
            "multipleOf": step,
        },
        st.integers(-1000, 1000),
        st.integers(1, 50),
        st.integers(1, 9),
    ),
    st.builds(
        lambda low, span: {"type": "number", "exclusiveMinimum": low, "maximum": low + span},
        st.floats(-1e6, 1e6),
        st.floats(0.001, 1e6),
    ),
)


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def build(properties: dict[str, Any], share: int, extra: Any, fewest: int) -> dict[str, Any]:
        schema: dict[str, Any] = {
            "type": "object",
            "properties": properties,
            "required": list(properties)[:share],
        }
        if extra is not None:
            schema["additionalProperties"] = extra
        if extra is not False and extra is not None:
            schema["minProperties"] = fewest
        return schema

    return st.builds(
        build,
        st.dictionaries(NAMES, inner, max_size=4),
        st.integers(0, 4),
        st.one_of(st.none(), st.just(False), inner),
        st.integers(0, 4),
    )


def _arrays(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda items, first, low, span: (
            {
                "type": "array",
                "prefixItems": first,
                "items": items,
                "minItems": low,
                "maxItems": low + span,
            }
            if first
            else {"type": "array", "items": items, "minItems": low, "maxItems": low + span}
        ),
        inner,
        st.lists(inner, max_size=2),
        st.integers(0, 3),
        st.integers(0, 3),
    )


def _combined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        _objects(inner),
        _arrays(inner),
        st.builds(lambda branches: {"anyOf": branches}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(
            lambda one, other: {"allOf": [one, {"title": "t"}], "$defs": {"o": other}}, inner, inner
        ),
        st.builds(lambda one: {"$defs": {"inner": one}, "title": "holder"}, inner),
    )


FAMILY = st.recursive(st.one_of(SCALARS, st.just(True), st.just({})), _combined, max_leaves=12)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(schema=FAMILY, seed=st.integers(0, 2**32))
def test_any_schema_of_a_wide_family_is_satisfied(schema: Any, seed: int) -> None:
    assert satisfied(schema, seed)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(inner=FAMILY, seed=st.integers(0, 2**32))
def test_a_recursive_schema_ends(inner: Any, seed: int) -> None:
    schema = {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "payload": inner,
                    "left": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                    "many": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                },
                "required": ["payload", "left", "many"],
                "additionalProperties": False,
            }
        },
        "$ref": "#/$defs/node",
    }
    assert satisfied(schema, seed)


def test_a_role_is_as_long_as_its_schema_wants() -> None:
    role = {"type": "string", "minLength": 7, "maxLength": 7}
    message = {"type": "object", "properties": {"role": role}, "required": ["role"]}
    found = draw({"type": "array", "items": message, "minItems": 2, "maxItems": 2}, 1)
    assert [one["role"] for one in found] == ["useruse", "assista"]
