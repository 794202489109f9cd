"""The notation of prompts."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmith.template_text import fill, variables

PLAIN = st.text(st.characters(exclude_characters="{}", exclude_categories=("Cs",)), max_size=12)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PLAIN, inner, max_size=4),
    max_leaves=20,
)
NAMES = st.sampled_from(["topic", "主题", "_x", "n2", "Größe"])


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("写 {topic}。", "写 餐厅。"),
        ("写 {主题}。", "写 旅行。"),
        ("{{topic}}", "{topic}"),
        ("{{{topic}}}", "{餐厅}"),
        ("{{{{topic}}}}", "{{topic}}"),
        ('{{"label": "{topic}"}}', '{"label": "餐厅"}'),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
        ('{"a":{"b":{"c":"{topic}"}}}', '{"a":{"b":{"c":"餐厅"}}}'),
        ('[{"q": "..."}, {"q": "..."}]', '[{"q": "..."}, {"q": "..."}]'),
        ("{ topic }", "{ topic }"),
        ("{topic.name} {topic[0]} {topic!r} {0} {}", "{topic.name} {topic[0]} {topic!r} {0} {}"),
        ("{{topic}", "{餐厅"),
        ("{topic}}", "餐厅}"),
        ("}{topic}{", "}餐厅{"),
        ("if (x) { return {topic} }", "if (x) { return 餐厅 }"),
        ("{{ {topic} }}", "{ 餐厅 }"),
        ("{{a}{topic}}", "{1餐厅}"),
        ("", ""),
    ],
)
def test_only_an_identifier_in_single_braces_is_a_variable(text: str, filled: str) -> None:
    assert fill(text, {"topic": "餐厅", "主题": "旅行", "a": "1"}) == filled


def test_variables_come_in_the_order_of_their_first_places() -> None:
    assert variables("{b} {{c}} {a} {b} {主题}") == ["b", "a", "主题"]


def test_values_are_never_expanded_again() -> None:
    assert fill("{a}{b}", {"a": "{b}{{b}}", "b": "{a}"}) == "{b}{{b}}{a}"


def test_a_variable_without_a_value_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="topic"):
        fill("{topic}", {})


@given(JSON, st.sampled_from([None, 2]), st.sampled_from([(", ", ": "), (",", ":")]))
def test_literal_json_stays_as_it_is(
    value: Any, indent: int | None, separators: tuple[str, str]
) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
    assert (fill(text, {}), variables(text)) == (text, [])


@given(st.text(st.sampled_from("{}ab \n"), max_size=30))
def test_any_braces_are_read_without_an_error_and_only_braces_are_lost(text: str) -> None:
    filled = fill(text, {name: f"<{name}>" for name in variables(text)})
    without = str.maketrans("", "", "{}<>")
    assert filled.translate(without) == text.translate(without)


@given(st.lists(st.tuples(PLAIN, NAMES), max_size=6), PLAIN)
def test_each_variable_is_put_where_it_stands(parts: list[tuple[str, str]], end: str) -> None:
    text = "".join(f"{literal}{{{name}}}" for literal, name in parts) + end
    values = {name: f"[{name}]{{x}}" for _, name in parts}
    wanted = "".join(literal + values[name] for literal, name in parts) + end
    assert fill(text, values) == wanted


@given(st.lists(st.tuples(PLAIN, NAMES), max_size=5))
def test_doubled_braces_mean_what_they_mean_in_str_format(parts: list[tuple[str, str]]) -> None:
    text = "".join(f"{literal}{{{{{name}}}}}{{{name}}}" for literal, name in parts)
    values = {name: name.upper() for _, name in parts}
    assert fill(text, values) == string.Formatter().vformat(text, (), values)
