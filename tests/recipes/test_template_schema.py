"""The shape of a template's samples: given, from the example in the prompt, or the type's own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmith.errors import SpecError
from corpusmith.nouns import Template
from corpusmith.recipes.template_example import example_in
from corpusmith.recipes.template_schema import (
    FREE_TEXT,
    OF_TYPE,
    checker,
    fault,
    reply_schema,
    shape_of,
)

S: dict[str, Any] = {"type": "string"}
EDUCATION = """任务：生成教育问答对
数量：{count}
要求：
1. 问题要符合该年级的知识水平 [1]
输出格式（JSON）：
[
  {
    "id": 1,
    "question": "问题内容",
    "difficulty": "easy/medium/hard",
    "knowledge_points": ["知识点1", "知识点2"]
  }
]

请开始生成："""


def record(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def listed(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def shape(prompt: str, **fields: Any) -> tuple[Any, bool, str]:
    found = shape_of(Template(name="t", prompt=prompt, **fields))
    return found.schema, found.many, found.origin


def test_the_education_page_gives_the_fields_of_its_example() -> None:
    wanted = record(id={"type": "integer"}, question=S, difficulty=S, knowledge_points=listed(S))
    assert shape(EDUCATION) == (wanted, True, "example")


@pytest.mark.parametrize(
    ("text", "schema", "many"),
    [
        ('写：{"text": "...", "score": 0.5}', record(text=S, score={"type": "number"}), False),
        ('[{"q": "…"}, {"q": "…"}, ...]', record(q=S), True),
        ('{"q": "…", "a": "…", ...}', record(q=S, a=S), False),
        ('{"q": "x", "a": "y",}', record(q=S, a=S), False),
        ("{'q': 'x'}", record(q=S), False),
        ("{“q”: “x”}", record(q=S), False),
        ('{"q": "x", // 问题\n "a": "y" /* 回答 */}', record(q=S, a=S), False),
        ('{"q": "x" （不超过20字）, "a": "y"}', record(q=S, a=S), False),
        ('{"ok": true, "n": 3, "x": null}', None, False),
        ('{"score": 1-5}', record(score={"type": "integer"}), False),
        ('{"score": number, "ok": boolean, "label": 正面或负面}', None, False),
        ('{"a": {"b": [1, 2.5]}, "c": []}', None, False),
        ('["…", "…"]', S, True),
        ('["写一条", "再写一条", ...]', S, True),
        ('标签 ["正面", "负面"] 选一个：{"label": "…"}', record(label=S), False),
        ('输出 {"label": "…"}，从 ["正面", "负面"] 里选', record(label=S), False),
        ('输入 {"text": "好吃"}，输出 {"label": "正面"}', record(label=S), False),
        ('[{"q": "x", "n": 1}, {"q": "y", "n": 1.5, "a": "z"}]', None, True),
    ],
)
def test_examples_are_read_as_people_write_them(text: str, schema: Any, many: bool) -> None:
    special: dict[str, Any] = {
        '{"ok": true, "n": 3, "x": null}': record(
            ok={"type": "boolean"}, n={"type": "integer"}, x={"type": ["string", "null"]}
        ),
        '{"score": number, "ok": boolean, "label": 正面或负面}': record(
            score={"type": "number"}, ok={"type": "boolean"}, label=S
        ),
        '{"a": {"b": [1, 2.5]}, "c": []}': record(
            a=record(b=listed({"type": "number"})), c=listed(S)
        ),
        '[{"q": "x", "n": 1}, {"q": "y", "n": 1.5, "a": "z"}]': {
            **record(q=S, n={"type": "number"}, a=S),
            "required": ["q", "n"],
        },
    }
    found = example_in(text)
    assert found is not None
    assert (found.schema, found.many) == (schema or special[text], many)


@pytest.mark.parametrize(
    "text",
    [
        "从 [正面, 负面] 中选择 [1]",
        '从 ["正面", "负面"] 中选择',
        "f(x) = {x | x > 0}",
        "a { color: red; }",
        "if (a) { return 1; }",
        "{}",
        "[]",
        '{"a": ',
        '{"a": "b"',
        "[[[[" * 200,
        '{"a":' * 200,
        "{{}}",
    ],
)
def test_other_brackets_are_no_example(text: str) -> None:
    assert example_in(text) is None


@given(st.text(st.sampled_from('{}[]",:… \n.a1/*('), max_size=60))
def test_any_text_is_read_without_an_error(text: str) -> None:
    example_in(text)


def test_variables_inside_the_example_are_texts_and_doubled_braces_are_json_too() -> None:
    wanted = record(label=S, n=S)
    assert shape('{"label": "{label}", "n": {n}}') == (wanted, False, "example")
    assert shape('{{"label": "{label}", "n": {n}}}') == (wanted, False, "example")


@pytest.mark.parametrize("kind", ["qa", "summary", "classification", "dialogue"])
def test_a_type_has_its_own_shape_when_the_prompt_shows_none(kind: Any) -> None:
    assert shape("写 {topic}。", type=kind) == (OF_TYPE[kind], False, "type")


def test_without_example_and_type_a_sample_is_free_text() -> None:
    assert shape("写一首诗。") == (None, False, "text")
    assert shape("写 {count} 首诗。") == (None, True, "text")


def test_a_given_schema_is_closed_where_it_is_silent() -> None:
    given_schema = {
        "type": "object",
        "properties": {
            "a": {"type": "object", "properties": {"b": S}, "additionalProperties": True},
            "c": {"type": "array", "items": {"$ref": "#/$defs/d"}},
        },
        "required": ["a"],
        "$defs": {"d": {"type": "object", "properties": {"e": S}}},
    }
    wanted = {
        "type": "object",
        "properties": {
            "a": {
                "type": "object",
                "properties": {"b": S},
                "additionalProperties": True,
                "required": ["b"],
            },
            "c": {"type": "array", "items": {"$ref": "#/$defs/d"}},
        },
        "required": ["a"],
        "additionalProperties": False,
        "$defs": {"d": record(e=S)},
    }
    assert shape("写。", schema=given_schema) == (wanted, False, "given")


def test_a_given_array_means_its_items() -> None:
    schema = {"type": "array", "items": {"$ref": "#/$defs/d"}, "$defs": {"d": {"properties": {}}}}
    found, many, _ = shape("写。", schema={**schema, "items": record(a={"$ref": "#/$defs/d"})})
    assert (found["properties"], many) == ({"a": {"$ref": "#/$defs/d"}}, True)


@pytest.mark.parametrize(
    ("schema", "code"),
    [
        ({"type": "integer"}, "template_schema_kind"),
        ({"type": "object", "properties": {"a": {"type": "text"}}}, "template_schema_bad"),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}}, "template_schema_bad"),
        ({"$ref": "https://example.org/schema.json"}, "template_schema_ref"),
    ],
)
def test_a_given_schema_that_cannot_be_one_is_refused_with_the_templates_name(
    schema: Any, code: str
) -> None:
    with pytest.raises(SpecError) as caught:
        shape("写。", schema=schema)
    assert (caught.value.reason, caught.value.data["template"]) == (code, "t")


def test_several_samples_are_asked_for_strictly_and_accepted_each_by_itself() -> None:
    found = reply_schema(record(q=S), 3, many=True)
    assert found is not None
    assert found.body == record(
        samples={"type": "array", "items": record(q=S), "minItems": 3, "maxItems": 3}
    )
    least = record(samples={"type": "array", "minItems": 1})
    assert found.accept == {**least, "additionalProperties": True}


def test_a_single_sample_of_a_list_must_fit_or_be_asked_again() -> None:
    found = reply_schema(record(q=S), 1, many=True)
    assert found is not None
    least = record(samples={"type": "array", "items": record(q=S), "minItems": 1})
    assert found.accept == {**least, "additionalProperties": True}


def test_references_of_a_sample_lead_to_where_it_stands_in_the_reply() -> None:
    node = {
        "type": "object",
        "properties": {
            "name": {"$ref": "#/$defs/name"},
            "child": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
        },
        "required": ["name", "child"],
        "additionalProperties": False,
        "$defs": {"name": S},
    }
    found = reply_schema(node, 1, many=True)
    assert found is not None
    check = checker(found.body, "t")
    leaf = {"name": "b", "child": None}
    assert check.is_valid({"samples": [{"name": "a", "child": leaf}]})
    assert not check.is_valid({"samples": [{"name": "a", "child": {"name": 1, "child": None}}]})


def test_a_single_sample_is_asked_for_by_its_own_schema_or_as_free_text() -> None:
    single = reply_schema(record(q=S), 1, many=False)
    assert single is not None
    assert (single.body, single.accept) == (record(q=S), None)
    assert reply_schema(None, 1, many=False) is None
    several = reply_schema(None, 2, many=True)
    assert several is not None
    assert several.body["properties"]["samples"]["items"] == FREE_TEXT


def test_a_fault_says_where_it_is() -> None:
    check = checker(record(q=S, tags=listed(S)), "t")
    assert fault(check, {"q": "x", "tags": ["a"]}) is None
    assert fault(check, {"q": "x", "tags": ["a", 1]}) == 'at $.tags[1]: 1 is not of type "string"'
