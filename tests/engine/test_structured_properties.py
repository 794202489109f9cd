"""Properties of parsing: nothing whole is lost, nothing cut is kept, nothing else is raised."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from corpusmith.engine.structured import Parsed, parse, plain_text
from corpusmith.errors import InvalidReply
from corpusmith.values import Json, Schema

ANY = Schema(name="any", body={})
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
CONTAINER = st.lists(JSON, min_size=1, max_size=4) | st.dictionaries(TEXT, JSON, max_size=4)
NASTY = st.text("{}[]\"'\\:,\n 1a“”`<>/think", max_size=80)
NO_ESCAPES = st.text("{}[]\"':, 1ab“”", max_size=30)
WRAPPINGS = [
    "{}",
    "```json\n{}\n```",
    "```\n{}\n```",
    "<think>Let me see: [1, 2] or maybe a list.</think>\n{}",
    "好的，这是结果：\n{}\n希望对你有帮助。",
    "Sure! Here it is:\n\n```json\n{}\n```\n\nHope that helps.",
    "<thinking>\n</thinking>\n好的：{} 完",
]

DIALOGUES = [
    [
        {"role": "user", "content": '林老师，今天的"月亮"真圆！\n你看{那里}。'},
        {"role": "assistant", "content": "嗯……（抬头）像一枚硬币。\t记得《静夜思》吗？[笑] 😀"},
    ],
    [
        {"role": "user", "content": 'I pressed "}" and then "]", what now?'},
        {"role": "assistant", "content": "Don't panic: C:\\temp\\{x}.json is safe, isn't it?"},
        {"role": "user", "content": "Yes, 100%."},
        {"role": "assistant", "content": "Good."},
    ],
    [
        {"role": "user", "content": '写一段 JSON 给我：{"a": [1, 2, {"b": "c"}]}'},
        {"role": "assistant", "content": '```json\n{"a": [1, 2]}\n```\n就这样。<think>好</think>'},
    ],
]


def texts_of(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)


def outcome(text: str, schema: Schema = ANY) -> Parsed | None:
    """None for an InvalidReply; any other exception fails the test."""
    try:
        return parse(text, schema)
    except InvalidReply:
        return None


@given(CONTAINER, st.sampled_from(WRAPPINGS), st.booleans())
@example({"a": "</think>"}, WRAPPINGS[1], False)
@example([{"a": "x</think>"}, {"a": "y"}], WRAPPINGS[1], False)
def test_any_value_is_found_in_any_wrapping(value: Json, wrapping: str, indented: bool) -> None:
    option = orjson.OPT_INDENT_2 if indented else None
    before, _, after = wrapping.partition("{}")
    assert parse(before + orjson.dumps(value, option=option).decode() + after, ANY).data == value


@given(JSON)
def test_any_bare_value_is_itself(value: Json) -> None:
    assert parse(orjson.dumps(value).decode(), ANY) == Parsed(data=value)


@pytest.mark.parametrize("turns", DIALOGUES)
@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("indented", [False, True])
def test_a_dialogue_cut_at_any_byte_is_never_a_value(
    turns: Json, wrapping: str, indented: bool
) -> None:
    option = orjson.OPT_INDENT_2 if indented else None
    body = orjson.dumps({"dialogues": turns}, option=option)
    before, _, after = (part.encode() for part in wrapping.partition("{}"))
    for size in range(len(before) + len(body)):
        cut = (before + body)[:size]
        for text in (cut.decode("utf-8", "replace"), (cut + after).decode("utf-8", "replace")):
            parsed = outcome(text)
            # Reasoning or prose before the answer may hold a value of its own, never our texts.
            assert parsed is None or not list(texts_of(parsed.data)), (text, parsed)


@given(CONTAINER, st.data())
def test_a_cut_text_never_gives_a_text_that_is_not_wholly_there(
    value: Json, data: st.DataObject
) -> None:
    whole = orjson.dumps(value).decode()
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    parsed = outcome(cut)
    assert parsed is None or not list(texts_of(parsed.data)), (cut, parsed)


@given(st.text() | NASTY | st.text().map(lambda text: '{"a": "' + text) | NASTY.map("[{}]".format))
def test_whatever_comes_only_one_kind_of_error_leaves(text: str) -> None:
    parsed = outcome(text)
    if parsed is not None:
        orjson.dumps(parsed.data)


@given(NO_ESCAPES, NO_ESCAPES)
@example("", '"]1[')
@example("", '"}1[')
def test_a_mended_value_never_drops_or_invents_a_word(one: str, two: str) -> None:
    text = '{"a": "' + one + '", "b": "' + two + '",}'
    parsed = outcome(text)
    if parsed is not None and parsed.repaired:
        words = "".join(str(leaf) for leaf in _leaves(parsed.data))
        assert sorted(filter(str.isalnum, words)) == sorted(filter(str.isalnum, text))


def _leaves(value: Json) -> Iterator[Json]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


@given(st.text() | NASTY)
def test_the_visible_text_is_always_a_trimmed_text(text: str) -> None:
    visible, reasoning = plain_text(text)
    assert visible == visible.strip()
    assert reasoning is None or reasoning == reasoning.strip() != ""
