"""The `length` check: its limits, whose they are, and what passes without any."""

from __future__ import annotations

from typing import Any

import pytest
from checks_kit import chat, dialogue, failed, refined, rounds, row

from corpusmith.errors import SpecError
from corpusmith.quality.length import MAX_CHARS, Length
from corpusmith.values import PASS, Draft

TALK = dialogue("在吗？", "在的，你说。")


@pytest.mark.parametrize(
    "draft",
    [
        TALK,
        rounds(("多久？", "三天", "三到五天。")),
        row(text="好"),
        row(instruction="翻译", input="", output="ok"),
        refined("怎么剪？", "先剪。", "先写脚本再剪。"),
        chat(("user", "hi"), ("assistant", "x" * MAX_CHARS)),
        Draft(content=None),
        Draft(content=[1, {"a": None}]),
    ],
)
def test_without_limits_of_ones_own_hardly_anything_fails(draft: Draft) -> None:
    assert Length()(draft) is PASS


def test_without_limits_an_empty_and_an_endless_text_fail() -> None:
    assert Length()(row(text=" \n")) == failed(
        "too_short", path="$.text", unit="chars", found=0, allowed=1
    )
    assert Length()(row(text="啊" * 100_001)) == failed(
        "too_long", path="$.text", unit="chars", found=100_001, allowed=100_000
    )


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [
        ({"min_chars": 3}, PASS),
        (
            {"min_chars": 4},
            failed("too_short", path="$.dialogues[0].content", unit="chars", found=3, allowed=4),
        ),
        ({"max_chars": 6}, PASS),
        (
            {"max_chars": 5},
            failed("too_long", path="$.dialogues[1].content", unit="chars", found=6, allowed=5),
        ),
        (
            {"min_tokens": 4},
            failed("too_short", path="$.dialogues[0].content", unit="tokens", found=3, allowed=4),
        ),
        (
            {"max_tokens": 4},
            failed("too_long", path="$.dialogues[1].content", unit="tokens", found=5, allowed=4),
        ),
        ({"total": {"max_tokens": 8}}, PASS),
        (
            {"total": {"max_tokens": 7}},
            failed("too_long", path="$", unit="tokens", found=8, allowed=7),
        ),
        ({"fields": {"assistant": {"min_chars": 6}}}, PASS),
        (
            {"fields": {"assistant": {"min_chars": 7}}},
            failed("too_short", path="$.dialogues[1].content", unit="chars", found=6, allowed=7),
        ),
        ({"fields": {"dialogues": {"max_chars": 6}}, "max_chars": 1}, PASS),
        ({"fields": {"user": {"min_chars": 1}}, "min_chars": 5}, PASS),
    ],
)
def test_limits_are_of_each_text_of_a_field_or_of_all(limits: Any, verdict: Any) -> None:
    assert Length(**limits)(TALK) == verdict


def test_a_field_may_lie_deep_or_be_a_list() -> None:
    deep = row(items=[{"answer": "好的"}, {"answer": "好"}], note="")
    check = Length(min_chars=0, fields={"items.answer": {"min_chars": 2}})
    assert check(deep) == failed(
        "too_short", path="$.items[1].answer", unit="chars", found=1, allowed=2
    )


def test_what_was_given_is_not_judged_and_the_place_is_the_records_own() -> None:
    check = Length(min_chars=2)
    old, new = ("问", "答", "改"), ("问题", "答案", "改")
    assert check(rounds(old, new, given=1)) == failed(
        "too_short", path="$.rounds[1].correction", unit="chars", found=1, allowed=2
    )
    assert check(row(["topic"], topic="茶", text="好茶")) is PASS


def test_blanks_around_a_text_do_not_count() -> None:
    assert Length(min_chars=2)(row(text="  好\n\n")).reason == "too_short"


def test_a_flag_lets_the_draft_pass() -> None:
    verdict = Length(min_chars=9, action="flag")(row(text="好"))
    assert (verdict.passed, verdict.action, verdict.reason) == (True, "flag", "too_short")


@pytest.mark.parametrize(
    ("options", "reason", "data"),
    [
        ({"min_chars": -1}, "check_whole", {"option": "min_chars", "low": 0, "high": 100_000_000}),
        ({"max_tokens": 1.5}, "check_whole", {"option": "max_tokens"}),
        ({"min_chars": True}, "check_whole", {"option": "min_chars"}),
        ({"min_chars": "9"}, "check_whole", {"option": "min_chars"}),
        ({"min_chars": 9, "max_chars": 3}, "check_least_most", {"option": "min_chars", "high": 3}),
        ({"fields": ["answer"]}, "check_limits_fields", {}),
        ({"fields": {"answer": 9}}, "check_limits", {"option": "fields.answer"}),
        ({"fields": {"answer": {"min": 9}}}, "check_limits", {"option": "fields.answer"}),
        ({"fields": {"answer": {"min_chars": "x"}}}, "check_whole", {}),
        ({"fields": {"": {}}}, "check_fields", {"option": "fields"}),
        ({"fields": {3: {}}}, "check_fields", {"option": "fields"}),
        ({"total": 5}, "check_limits", {"option": "total"}),
        ({"action": "mask"}, "check_word", {"option": "action", "known": "reject, flag"}),
    ],
)
def test_options_that_make_no_sense_are_named(options: Any, reason: str, data: Any) -> None:
    with pytest.raises(SpecError) as caught:
        Length(**options)
    assert caught.value.reason == reason
    assert {"name": "length", **data}.items() <= caught.value.data.items()
    assert all(
        "{" not in caught.value.message(one).replace("{min_chars: 20}", "") for one in ("zh", "en")
    )
