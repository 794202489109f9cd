"""The schema of a template's samples, and the schema of a reply that holds several.

Owns: which schema counts (given, from the prompt's example, the type's own, none), and whether a
sample fits it. Does not own: reading the example (`template_example.py`), asking. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from corpusmith.errors import SpecError
from corpusmith.nouns import Template
from corpusmith.recipes.template_example import UNKNOWN, example_in
from corpusmith.template_text import fill, variables
from corpusmith.values import Json, Schema

Node = dict[str, Any]

_TEXT: Node = {"type": "string"}
_BESIDE = ("$defs", "definitions")
"""What a schema refers to from its root, and must stay there."""
_PROBLEM_CHARS = 300


def _record(**properties: Node) -> Node:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


FREE_TEXT = _record(text=_TEXT)
"""What a sample of a template without any shape becomes."""
OF_TYPE: dict[str, Node] = {
    "qa": _record(question=_TEXT, answer=_TEXT),
    "summary": _record(text=_TEXT, summary=_TEXT),
    "classification": _record(text=_TEXT, label=_TEXT),
    "dialogue": _record(
        messages={
            "type": "array",
            "items": _record(role={"type": "string", "enum": ["user", "assistant"]}, content=_TEXT),
            "minItems": 2,
        }
    ),
}
"""The shape of a type whose template shows none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What one sample of a template looks like."""

    schema: Mapping[str, Json] | None
    """Of an object or a text; None: free text, no schema is asked for."""
    many: bool
    """The prompt asks for a list: the reply holds several samples, be it only one."""
    origin: Literal["given", "example", "type", "text"]


def shape_of(template: Template) -> Shape:
    """The shape of a template's samples. Raises SpecError for a given schema that cannot be one."""
    counted = "count" in variables(template.prompt + "\n" + template.system)
    if template.schema is not None:
        return _given(template, counted)
    for text in (template.prompt, template.system):
        if found := example_in(fill(text, dict.fromkeys(variables(text), UNKNOWN))):
            return Shape(schema=found.schema, many=counted or found.many, origin="example")
    of_type = OF_TYPE.get(template.type)
    origin: Literal["type", "text"] = "text" if of_type is None else "type"
    return Shape(schema=of_type, many=counted, origin=origin)


def _given(template: Template, counted: bool) -> Shape:
    body = dict(template.schema or {})
    listed = body.get("type") == "array"
    if listed:
        beside = {name: body[name] for name in _BESIDE if name in body}
        body = {**dict(body.get("items") or {}), **beside}
    kind = body.get("type", "object" if "properties" in body else None)
    if kind not in ("object", "string", None):
        raise SpecError("template_schema_kind", template=template.name, kind=kinds_of(kind))
    closed = _closed(body)
    checker(closed, template.name)
    return Shape(schema=closed, many=counted or listed or kind == "string", origin="given")


def kinds_of(kind: Json) -> str:
    """A schema's `type`, one or several, for people."""
    return ", ".join(map(str, kind)) if isinstance(kind, list) else str(kind)


def _closed(node: Json) -> Json:
    """Objects take their own properties only, and all of them, where the schema is silent."""
    if not isinstance(node, Mapping):
        return node
    found: Node = dict(node)
    for word in ("properties", *_BESIDE):
        if isinstance(node.get(word), Mapping):
            found[word] = {name: _closed(one) for name, one in node[word].items()}
    for word in ("anyOf", "oneOf", "prefixItems"):
        if isinstance(node.get(word), list):
            found[word] = [_closed(one) for one in node[word]]
    if "items" in node:
        found["items"] = _closed(node["items"])
    # A part of `allOf` sees the whole object: closed, it would refuse the other parts' fields.
    if isinstance(node.get("properties"), Mapping) and "allOf" not in node:
        found.setdefault("required", list(node["properties"]))
        found.setdefault("additionalProperties", False)
    return found


def sketch(schema: Json) -> str:
    """A schema in one line for people: `{"question": string, "tags": [string]}`."""
    if not isinstance(schema, Mapping):
        return "string"
    if isinstance(names := schema.get("properties"), Mapping):
        inner = ", ".join(f'"{name}": {sketch(one)}' for name, one in names.items())
        return "{" + inner + "}"
    kind = schema.get("type", "any")
    if kind == "array":
        return f"[{sketch(schema.get('items'))}]"
    return " | ".join(kind) if isinstance(kind, list) else str(kind)


# ---------------------------------------------------------------- a reply of several


def reply_schema(schema: Mapping[str, Json] | None, want: int, many: bool) -> Schema | None:
    """What to ask a model for; None: free text.

    Several samples stand in an object, because OpenAI's strict mode takes no other root. A reply
    of several is accepted when it is a list with something in it, and each sample is judged by
    itself: a bad one must not cost the others. A single one is asked for again.
    """
    if not many:
        return None if schema is None else Schema(name="sample", body=schema)
    body = dict(schema or FREE_TEXT)
    beside = {name: body.pop(name) for name in _BESIDE if name in body}
    sample = _moved(body)
    least = {"items": sample, "minItems": 1} if want == 1 else {"minItems": 1}
    return Schema(
        name=f"samples_{want}",
        body={**_samples({"items": sample, "minItems": want, "maxItems": want}), **beside},
        accept={**_samples(least), **beside, "additionalProperties": True},
    )


def _samples(array: Node) -> Node:
    return _record(samples={"type": "array", **array})


def _moved(node: Json) -> Json:
    """References to the sample's root, from where the sample stands now."""
    if isinstance(node, list):
        return [_moved(one) for one in node]
    if not isinstance(node, Mapping):
        return node
    found = {name: _moved(one) for name, one in node.items()}
    target = node.get("$ref")
    beside = tuple(f"#/{name}/" for name in _BESIDE)
    if isinstance(target, str) and target.startswith("#") and not target.startswith(beside):
        found["$ref"] = "#/properties/samples/items" + target[1:]
    return found


def checker(schema: Mapping[str, Json], template: str) -> Any:
    """The compiled schema: `is_valid`, `iter_errors`. Raises SpecError naming the template."""
    import jsonschema_rs

    try:
        # offline: a `$ref` in a user's schema must not make us call a foreign host.
        return jsonschema_rs.validator_for(dict(schema), offline=True)
    except ValueError as error:
        if outside := next(_outside(schema), None):
            raise SpecError("template_schema_ref", template=template, ref=outside[:100]) from error
        problem = _short(str(error).partition("\n")[0])
        raise SpecError("template_schema_bad", template=template, problem=problem) from error


def _outside(node: Json) -> Iterator[str]:
    """References that lead out of the schema."""
    if isinstance(node, Mapping):
        target = node.get("$ref")
        if isinstance(target, str) and not target.startswith("#"):
            yield target
    inner = node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()
    for one in inner:
        yield from _outside(one)


def fault(check: Any, sample: Json) -> str | None:
    """Where and how a sample breaks the schema, in at most 300 characters; None: it fits."""
    try:
        error = next(check.iter_errors(sample), None)
    except ValueError as deep:  # nested deeper than the validator goes
        return _short(str(deep))
    if error is None:
        return None
    steps = (f"[{one}]" if isinstance(one, int) else f".{one}" for one in error.instance_path)
    return _short(f"at ${''.join(steps)}: {error.message}")


def _short(text: str) -> str:
    return text if len(text) <= _PROBLEM_CHARS else text[: _PROBLEM_CHARS - 1] + "…"
