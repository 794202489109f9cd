"""What becomes of a model's text: the visible words, the reasoning, the value, or the problem."""

from __future__ import annotations

import json
import re
import time

import orjson
import pytest

from corpusmith.engine.structured import (
    Parsed,
    parse,
    plain_text,
    re_ask_message,
    schema_words,
    validator,
)
from corpusmith.errors import InvalidReply, SpecError
from corpusmith.messages import LANGUAGES
from corpusmith.values import Json, Schema

ANY = Schema(name="any", body={})
TURN = {
    "type": "object",
    "required": ["role", "content"],
    "additionalProperties": False,
    "properties": {"role": {"enum": ["user", "assistant"]}, "content": {"type": "string"}},
}
DIALOGUE = Schema(
    name="dialogue",
    body={
        "type": "object",
        "required": ["dialogues"],
        "additionalProperties": False,
        "properties": {"dialogues": {"type": "array", "minItems": 2, "items": TURN}},
    },
)
TURNS = [{"role": "user", "content": "你好"}, {"role": "assistant", "content": 'He said "好".'}]
CONTENT = {"dialogues": TURNS}
CLEAN = orjson.dumps(CONTENT).decode()


def problem_of(text: str, schema: Schema = ANY) -> str:
    with pytest.raises(InvalidReply) as caught:
        parse(text, schema)
    assert caught.value.raw == text
    return str(caught.value.data["problem"])


@pytest.mark.parametrize(
    ("text", "visible", "reasoning"),
    [
        ("  你好。\n", "你好。", None),
        ("<think>he greets</think>\n\n你好。", "你好。", "he greets"),
        ("<Thinking>a</Thinking>b", "b", "a"),
        ("<reasoning>\na\n</reasoning>\nb", "b", "a"),
        ("<think>\n\n</think>\n\nb", "b", None),
        ("<think>never closed", "", "never closed"),
        ("half an answer\n<think>and again", "half an answer", "and again"),
        ("some servers drop the start tag</think>b", "b", "some servers drop the start tag"),
        ("<think>a<think>b</think>c</think>d", "d", "a<think>b\n\nc"),
        ("b\n<think>a</think>\nc", "b\n\nc", "a"),
        ("```\nb\n```", "b", None),
        ('```json\n{"a": 1}\n```', '{"a": 1}', None),
        ("<think>a</think>\n```text\nb\n```\n", "b", "a"),
        ("```\na\n```\nand\n```\nb\n```", "```\na\n```\nand\n```\nb\n```", None),
        ("````\n```\na\n```\n````", "```\na\n```", None),
        ("Look:\n```\na\n```", "Look:\n```\na\n```", None),
        (
            "Models write <think> before `</think>`.",
            "Models write <think> before `</think>`.",
            None,
        ),
        ("a < b and b > c", "a < b and b > c", None),
        ("", "", None),
    ],
)
def test_the_visible_text_is_what_is_left_without_reasoning_and_fence(
    text: str, visible: str, reasoning: str | None
) -> None:
    assert plain_text(text) == (visible, reasoning)


@pytest.mark.parametrize(
    "text",
    [
        CLEAN,
        f"\n {CLEAN}\n",
        f"```json\n{CLEAN}\n```",
        f"```\n{json.dumps(CONTENT, indent=2)}\n```\n",
        f"好的，以下是[1]生成的对话：\n{CLEAN}\n希望你喜欢！{{完}}",
        f"I fill in {{name}} and [note]:\n```json\n{CLEAN}\n```\nDone.",
        f'<think>maybe {{"dialogues": []}} or {{"dialogues": [</think>\n{CLEAN}',
        f'first {{"dialogues": [ is a draft</think>{CLEAN}',
        f'An empty one: {{"dialogues": []}}. A full one: {CLEAN}',
    ],
)
def test_a_whole_value_is_found_wherever_it_stands(text: str) -> None:
    assert parse(text, DIALOGUE) == Parsed(data=CONTENT, repaired=False)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('{"a": "x",}', {"a": "x"}),
        ("{'a': 'x'}", {"a": "x"}),
        ('{a: "x", b: True, c: None}', {"a": "x", "b": True, "c": None}),
        ('{"a": "x" "b": -1.50e1}', {"a": "x", "b": -15.0}),
        ('{"a": "line\nline\ttab"}', {"a": "line\nline\ttab"}),
        ('{"a": "他说"好"，走了"}', {"a": '他说"好"，走了'}),
        ('{"a": "don\\\'t", }', {"a": "don't"}),
        ("{“a”: “x”}", {"a": "x"}),
        ('{"a": "\\ud83d\\ude00 \\u00e9 \\\\",}', {"a": "😀 é \\"}),
        ('{"a": "",}', {"a": ""}),
        ('Sure: [{"a": 1} {"a": 2}].', [{"a": 1}, {"a": 2}]),
    ],
)
def test_small_faults_are_mended(text: str, data: Json) -> None:
    assert parse(text, ANY) == Parsed(data=data, repaired=True)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "He said "}" to me"}',
        '{"a": "He said ":}" to me"}',
        '{"a": "x"} and "more"}',
        '{"a": 1}, {"a": 2}',
        "{'a': 'it''s'}",
        "{'a': 'b} c'}",
        '{"a": }',
        '{"a": x}',
        '{"a": "x", "a": "y",}',
        '{"a": "x" /* said */}',
        '{"a": NaN}',
        '{"a": "broken \\u00e escape",}',
        '{"a": 123456789012345678901234567890,}',
    ],
)
def test_a_text_that_cannot_be_mended_faithfully_is_refused(text: str) -> None:
    assert problem_of(text).startswith("not valid JSON")


@pytest.mark.parametrize(
    "text",
    [
        CLEAN[:-1],
        CLEAN[:-2],
        CLEAN[:40],
        f"```json\n{CLEAN[:-5]}",
        f"```json\n{CLEAN[:-5]}\n```",
        f"<think>a</think>{CLEAN[:60]}",
        '{"a": "x\\',
        "[[[[[[",
        '{"a": "x"]',
        '{"dialogues" []} {"dialogues": ["a',
    ],
)
def test_a_cut_text_is_named_so(text: str) -> None:
    assert problem_of(text, DIALOGUE).startswith("cut")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no answer, only reasoning or nothing"),
        ('<think>{"dialogues": []}', "no answer, only reasoning or nothing"),
        ("很抱歉，我不能这样做。", "no JSON in the reply"),
        ("3", 'at $: 3 is not of type "object"'),
        ('{"dialogues": []}', "at $.dialogues: [] has less than 2 items"),
        (
            '{"dialogues": [{"role": "user"}, 1]}',
            'at $.dialogues[0]: "content" is a required property',
        ),
    ],
)
def test_the_problem_says_where_and_what(text: str, problem: str) -> None:
    assert problem_of(text, DIALOGUE) == problem


def test_the_problem_stays_short_whatever_the_value() -> None:
    wrong = orjson.dumps({"dialogues": "长" * 9000}).decode()
    assert problem_of(wrong, DIALOGUE) == f'at $.dialogues: "{"长" * 59}… is not of type "array"'


@pytest.mark.parametrize("text", ['{"a": "\\ud800"}', '{"a": "\ud800"}', "\ud800", "[1e999]"])
def test_what_cannot_be_stored_is_refused(text: str) -> None:
    assert problem_of(text)


@pytest.mark.parametrize("text", ["[" * 300 + "]" * 300, "[" * 5000 + "]" * 5000, "{a:" * 3000])
def test_a_deeply_nested_text_ends_as_a_reply_that_does_not_fit(text: str) -> None:
    assert problem_of(text, DIALOGUE)


def test_nul_and_all_other_legal_escapes_can_be_stored() -> None:
    data = parse('{"a": "\\u0000\\uffff"}', ANY).data
    assert orjson.loads(orjson.dumps(data)) == {"a": "\x00\uffff"}


def test_of_a_key_that_comes_twice_the_last_wins() -> None:
    assert parse('{"a": "x", "a": "y"}', ANY) == Parsed(data={"a": "y"})


def test_a_bare_array_is_wrapped_when_only_one_property_can_hold_it() -> None:
    assert parse(orjson.dumps(TURNS).decode(), DIALOGUE) == Parsed(data=CONTENT, repaired=True)


def test_a_bare_array_is_not_wrapped_when_two_properties_could_hold_it() -> None:
    two = {"type": "object", "properties": {"a": {"type": "array"}, "b": {"type": "array"}}}
    assert problem_of("[1]", Schema(name="two", body=two)) == 'at $: [1] is not of type "object"'


def test_a_single_object_of_a_longer_cut_list_is_not_taken_for_the_answer() -> None:
    one = Schema(name="turn", body=TURN)
    text = '[{"role": "user", "content": "你好"}, {"role": "assistant", "content": "你'
    assert problem_of(text, one).startswith("cut")


def test_equal_schemas_share_one_validator() -> None:
    again = Schema(name="other", body=dict(DIALOGUE.body))
    assert validator(again) is validator(DIALOGUE)


def test_a_wrong_schema_is_the_users_error() -> None:
    with pytest.raises(SpecError) as caught:
        validator(Schema(name="mine", body={"type": "strin"}))
    assert caught.value.reason == "bad_schema"
    assert caught.value.data["place"] == "mine"


def test_a_schema_that_points_to_another_host_is_refused_without_asking_it() -> None:
    with pytest.raises(SpecError):
        validator(Schema(name="far", body={"$ref": "http://127.0.0.1:9/schema.json"}))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_instruction_holds_the_schema_and_the_word_that_json_mode_wants(
    language: str,
) -> None:
    words = schema_words(DIALOGUE, language)
    assert "json" in words
    assert orjson.loads(words[words.index("\n{") :]) == DIALOGUE.body


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_second_asking_names_the_problem_and_expands_nothing_in_it(language: str) -> None:
    assert "at $.a: {problem} {x}" in re_ask_message("at $.a: {problem} {x}", language)


def test_a_clean_reply_is_parsed_in_microseconds() -> None:
    turns = [
        {"role": ("user", "assistant")[n % 2], "content": "今天一起去公园吧？" * 5}
        for n in range(6)
    ]
    text = orjson.dumps({"dialogues": turns}).decode()
    parse(text, DIALOGUE)

    def seconds() -> float:
        started = time.perf_counter()
        for _ in range(1000):
            parse(text, DIALOGUE)
        return time.perf_counter() - started

    assert min(seconds() for _ in range(5)) / 1000 < 100e-6  # measured: 3.5 µs


def test_a_long_broken_reply_does_not_hold_up_the_others() -> None:
    turns = ",".join('{"role": "user", "content": "他说 \\n 好"}' for _ in range(2000))
    started = time.perf_counter()
    parsed = parse(f'{{"dialogues": [{turns},]}}', DIALOGUE)
    assert len(parsed.data["dialogues"]) == 2000
    assert time.perf_counter() - started < 5  # measured: 0.1 s


def test_no_text_of_ours_holds_a_sign_that_a_server_could_take_for_a_fence() -> None:
    for language in LANGUAGES:
        assert not re.search(r"`{3}|<think>", schema_words(ANY, language))
