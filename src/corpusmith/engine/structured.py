"""Turns a model's reply into a value that satisfies a schema, or says why it cannot.

Owns: the ladder of parsing (strict, then what stands in reasoning, fences and prose, then repair),
validation, and the words that ask a model for JSON. All pure.
Does not own: asking again (`calls.py`); which way a schema is asked for.

A text that was cut off never becomes a value. Of a key that comes twice in one object the last
wins, as in orjson and in every common reader; a repaired text with such a key is refused, since
its first value would be lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jsonschema_rs
import orjson

from corpusmith.engine.repair import repair
from corpusmith.engine.text import json_spans, last_fault, plain_text, split_reasoning
from corpusmith.errors import InvalidReply, SpecError
from corpusmith.messages import say
from corpusmith.values import Json, Language, Schema

__all__ = ["Parsed", "parse", "plain_text", "re_ask_message", "schema_words", "validator"]

PROBLEM_CHARS = 300
CUT = "cut: the JSON ends before it is complete (or a quote inside a text is not escaped)"
GOES_ON = "not valid JSON: it ends too early (is a quote inside a text not escaped?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A value that satisfies its schema. `repaired`: the JSON itself was mended or wrapped."""

    data: Json
    repaired: bool = False


def parse(text: str, schema: Schema) -> Parsed:
    """The reply's value. Raises InvalidReply; its `problem` starts with `cut` for a cut text.

    In prose, the first JSON value that satisfies the schema counts. A bare array is wrapped when
    the schema wants an object whose one required property is an array.
    """
    check = validator(schema)
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _parse_wrapped(text, schema, check)
    fitting = _fit(data, schema, check)
    if fitting is None:
        raise InvalidReply(problem=_schema_problem(check, data), raw=text)
    return fitting


def _parse_wrapped(text: str, schema: Schema, check: jsonschema_rs.Validator) -> Parsed:
    visible, _ = split_reasoning(text)
    spans = list(json_spans(visible))
    fault = last_fault(visible, spans)
    problems: list[str] = []
    for start, end in spans:
        if end is None or end <= fault:
            raise InvalidReply(problem=CUT if spans[-1][1] is None else GOES_ON, raw=text)
        try:
            data = orjson.loads(visible[start:end])
        except orjson.JSONDecodeError:
            # What comes later may be a part of this one's text, so nothing later is tried.
            return _parse_broken(visible[start:], text, schema, check)
        if fitting := _fit(data, schema, check):
            return fitting
        problems.append(_schema_problem(check, data))
    raise InvalidReply(problem=problems[0] if problems else _no_json(visible), raw=text)


def _parse_broken(tail: str, text: str, schema: Schema, check: jsonschema_rs.Validator) -> Parsed:
    """The value of JSON with small faults and the prose after it. Raises InvalidReply."""
    end = max(tail.rfind("}"), tail.rfind("]")) + 1
    try:
        data = repair(tail[:end])
    except ValueError as error:
        raise InvalidReply(problem=_short(str(error)), raw=text) from error
    fitting = _fit(data, schema, check)
    if fitting is None:
        raise InvalidReply(problem=_schema_problem(check, data), raw=text)
    return Parsed(data=fitting.data, repaired=True)


def _fit(data: Json, schema: Schema, check: jsonschema_rs.Validator) -> Parsed | None:
    if _is_valid(check, data):
        return Parsed(data=data)
    name = _wrapper(schema) if isinstance(data, list) else None
    if name is not None and _is_valid(check, {name: data}):
        return Parsed(data={name: data}, repaired=True)
    return None


def _is_valid(check: jsonschema_rs.Validator, data: Json) -> bool:
    try:
        return check.is_valid(data)
    except ValueError:  # nested deeper than the validator goes
        return False


def _wrapper(schema: Schema) -> str | None:
    """The property that a bare array belongs to; None when that is not plain."""
    properties = schema.body.get("properties")
    if not isinstance(properties, dict):
        return None
    arrays = [
        name
        for name, inner in properties.items()
        if isinstance(inner, dict) and inner.get("type") == "array"
    ]
    required = schema.body.get("required") or ()
    return arrays[0] if len(arrays) == 1 and set(required) <= set(arrays) else None


def validator(schema: Schema) -> jsonschema_rs.Validator:
    """The compiled schema, from a cache. Raises SpecError for what is no JSON Schema."""
    try:
        return _compiled(orjson.dumps(dict(schema.accept or schema.body)))
    except ValueError as error:
        problem = _short(str(error).partition("\n")[0])
        raise SpecError("bad_schema", place=schema.name, problem=problem) from error


@lru_cache(maxsize=256)
def _compiled(body: bytes) -> jsonschema_rs.Validator:
    # offline: a `$ref` in a user's schema must not make us call a foreign host.
    return jsonschema_rs.validator_for(orjson.loads(body), offline=True)


def _schema_problem(check: jsonschema_rs.Validator, data: Json) -> str:
    """The first fault: where, and what. At most 300 characters."""
    try:
        error = next(check.iter_errors(data))
    except ValueError as deep:
        return _short(str(deep))
    return _short(f"at {_path(error.instance_path)}: {_without_value(error)}")


def _without_value(error: jsonschema_rs.ValidationError) -> str:
    """The validator's words; a long value that they begin with is shortened."""
    message = error.message
    if len(message) <= 200:
        return message
    value = orjson.dumps(error.instance).decode()
    return message.replace(value, value[:60] + "…") if len(value) > 60 else message


def _path(steps: list[Any]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def _no_json(visible: str) -> str:
    return "no JSON in the reply" if visible.strip() else "no answer, only reasoning or nothing"


def _short(problem: str) -> str:
    return problem if len(problem) <= PROBLEM_CHARS else problem[: PROBLEM_CHARS - 1] + "…"


def schema_words(schema: Schema, language: Language) -> str:
    """The instruction that asks for JSON of this schema in words, for `json` and `prompt` mode.

    Holds the word "json" in small letters: DeepSeek and others demand it for their JSON mode.
    """
    body = orjson.dumps(dict(schema.body)).decode()
    return say("structured.words", language, schema=body)


def re_ask_message(problem: str, language: Language) -> str:
    """What the user says to a model whose reply was invalid."""
    return say("structured.re_ask", language, problem=problem)
