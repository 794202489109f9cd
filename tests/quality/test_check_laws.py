"""What holds for every check that asks no model: it changes nothing, judges anything, is quick."""

from __future__ import annotations

import asyncio
import copy
import time
from typing import Any

import pytest
from checks_kit import ZH, chat, dialogue, nobody, refined, rounds, row
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmith import registry
from corpusmith.errors import SpecError
from corpusmith.messages import LANGUAGES, catalog
from corpusmith.quality.chain import build
from corpusmith.values import Draft, Json, Miss, Verdict

PLAIN = ("format", "placeholders", "refusal", "length", "repetition", "language", "grounding")
COMPARING = ("duplicates", "near_duplicates")
REASONS = {
    "format": {"keys", "types", "roles", "turns", "empty", "control", "role_prefix"},
    "placeholders": {"placeholder", "prompt_leak"},
    "refusal": {"refusal"},
    "length": {"too_short", "too_long"},
    "repetition": {"loop", "repeated_lines", "repeated_phrases", "repeated_turn"},
    "language": {"wrong_language", "wrong_script"},
    "grounding": {"ungrounded", "ungrounded_number", "ungrounded_quote", "ungrounded_evidence"},
    "duplicates": {"exact_duplicate"},
    "near_duplicates": {"near_duplicate"},
}
CHECKS = {name: build({name: {}}, ZH).plain[0] for name in PLAIN}


@pytest.mark.parametrize("name", [*PLAIN, *COMPARING])
def test_every_check_is_registered_under_its_name_and_says_its_reasons(name: str) -> None:
    assert registry.load("check", name).name == name
    for language in LANGUAGES:
        texts = {f"{kind}.{reason}" for kind in ("reason", "short") for reason in REASONS[name]}
        assert texts <= set(catalog(language))


def test_checks_run_from_cheap_to_dear() -> None:
    built = build({name: {} for name in reversed([*PLAIN, *COMPARING])}, ZH)
    assert [one.name for one in built.plain] == list(PLAIN)
    assert [one.name for one in built.comparers] == list(COMPARING)


@pytest.mark.parametrize("name", [*PLAIN, *COMPARING])
def test_an_option_that_there_is_not_is_the_users_error(name: str) -> None:
    with pytest.raises(SpecError) as caught:
        build({name: {"strictness": 9}}, ZH)
    assert (caught.value.reason, caught.value.data["name"]) == ("check_options", name)


# ---------------------------------------------------------------- any value at all

RECORDS: list[Draft] = [
    dialogue("在吗？", "在的。"),
    rounds(("一", "二", "三"), ("四", "五", "六"), given=1),
    refined("怎么剪？", "先剪。", "先写脚本再剪。"),
    row(
        ["text"],
        question="多少？",
        answer="三十",
        text="渡船能载四十个人，或者二十四个人加两辆板车。",
    ),
    chat(("user", "嗨"), ("assistant", "你好")),
    chat(("user", "嗨"), chosen={"role": "assistant"}, rejected=3),
    Draft(content={"id": 1, "scores": {"a": 3}, "judges": [{"comment": "还行。"}]}),
    Draft(content={"instruction": "翻译", "input": "", "output": "ok"}),
]
KEYS = sorted({key for one in RECORDS for key in one.content} | {"role", "content", "comment"})
TEXTS = st.text(max_size=30) | st.sampled_from(
    ["user", "{x}", "好的，" * 30, "\ud800", "一千零１２", "“…”", "$x$", "```", "a" * 300]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=15,
)


def verdicts_on(draft: Draft) -> list[Verdict]:
    return [check(draft) for check in CHECKS.values()]


@settings(max_examples=200, deadline=None)
@given(VALUES, st.sampled_from(KEYS), st.sampled_from(RECORDS))
def test_a_check_judges_any_value_and_changes_none(value: Json, key: str, record: Draft) -> None:
    given_rounds = record.provenance.get("given_rounds", 0)
    if given_rounds and key == "rounds":
        return  # a conversation that goes on is made by our own recipe, and has its list
    for draft in (
        Draft(content=value),
        Draft(content={**record.content, key: value}, provenance=record.provenance),
    ):
        before = copy.deepcopy(draft)
        for name, verdict in zip(PLAIN, verdicts_on(draft), strict=True):
            assert verdict.passed or verdict.reason in REASONS[name]
            assert verdict.content is None
        assert repr(draft) == repr(before)


@settings(max_examples=60, deadline=None)
@given(VALUES, st.sampled_from(KEYS), st.sampled_from(RECORDS))
def test_comparing_takes_any_value_and_changes_none(value: Json, key: str, record: Draft) -> None:
    draft = Draft(content={**record.content, key: value})
    before = copy.deepcopy(draft)
    built = build({name: {} for name in COMPARING}, ZH)
    first = asyncio.run(built.compared(draft, "t#0", nobody))
    again = asyncio.run(built.compared(draft, "t#1", nobody))
    assert isinstance(first, Draft)
    assert isinstance(again, Draft) or again.detail["of"] == "t#0"
    assert repr(draft) == repr(before)


@pytest.mark.parametrize("record", RECORDS[:4], ids=["dialogue", "rounds", "refinement", "row"])
def test_a_good_record_of_every_shape_passes_all_of_them(record: Draft) -> None:
    assert all(verdict.passed for verdict in verdicts_on(record)) or record is RECORDS[3]


def test_deep_values_and_huge_texts_are_judged_too() -> None:
    deep: Any = "底"
    for _ in range(5000):
        deep = [deep]
    for content in (deep, {"dialogues": deep}, {"text": "好" * 300_000}, {"text": "9" * 5000}):
        assert len(verdicts_on(Draft(content=content))) == len(PLAIN)


# ---------------------------------------------------------------- speed


def us_a_draft(draft: Draft) -> float:
    """Microseconds of the processor that all plain checks take together, at their best."""
    run = build({name: {} for name in PLAIN}, ZH)
    assert not isinstance(run.own(draft), Miss)

    def seconds() -> float:
        started = time.process_time()
        for _ in range(200):
            run.own(draft)
        return time.process_time() - started

    return min(seconds() for _ in range(8)) / 200 * 1e6


def test_all_plain_checks_together_take_microseconds() -> None:
    """Of three turns (six lines of 45 characters), and of six."""
    line = "昨天我去了城西那家旧书店，老板说他三十年前就在这条街上摆摊了，这{}本书跟着他搬了家。"
    turns = [line.format(number) for number in range(12)]
    assert us_a_draft(dialogue(*turns[:6])) < 300  # measured: 91, on a busy machine
    assert us_a_draft(dialogue(*turns)) < 600  # measured: 172
