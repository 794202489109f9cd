"""Training data that holds a test set's questions."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmith.errors import SpecError
from corpusmith.quality.contamination import Contamination, tokens
from corpusmith.values import Draft

QUESTION = "一个水池有甲乙两个进水管，单开甲管六小时注满，单开乙管八小时注满，两管齐开几小时注满？"
ENGLISH = "Natalia sold clips to 48 of her friends in April, and then half as many clips in May."
SHORT = "法国的首都是哪座城市？"
TESTS = {"gsm": [ENGLISH, QUESTION, SHORT, "是", "B"]}


def verdict(text: str, **options: Any) -> Any:
    return Contamination(tests=TESTS, **options)(Draft(content={"text": text}))


@pytest.mark.parametrize(
    "text",
    [
        QUESTION,
        f"请看这道题。{QUESTION}我来解。",
        QUESTION.replace("，", ", ").replace("？", "?"),
        "Natalia SOLD clips to 48 of her friends in April and then half as many clips in May",
        "Today: natalia sold clips to 48 of her friends in April, and then half as many on Sunday.",
        "问：法国的首都是哪座城市？答：巴黎。",
    ],
)
def test_a_text_with_a_test_question_in_it_fails(text: str) -> None:
    found = verdict(text)
    assert (found.passed, found.reason, found.detail["test"]) == (False, "contaminated", "gsm")
    assert found.detail["overlap"] >= 0.5


@pytest.mark.parametrize(
    "text",
    [
        "一个水池有一个进水管，六小时注满。",
        "法国的城市里我最喜欢里昂。",
        "是",
        "选B。",
        "",
        "Natalia sold books to her friends in April.",
        "April and May: half as many clips.",
    ],
)
def test_a_text_on_the_same_subject_passes(text: str) -> None:
    assert verdict(text).passed


def test_the_threshold_and_the_action_are_the_users() -> None:
    half = QUESTION[: len(QUESTION) // 2]
    assert verdict(half, threshold=0.8).passed
    assert not verdict(half, threshold=0.2).passed
    assert verdict(QUESTION, action="flag").action == "flag"


def test_of_several_questions_the_one_that_is_there_most_is_named() -> None:
    check = Contamination(tests={"a": [QUESTION], "b": [QUESTION[:30]]})
    found = check(Draft(content={"text": QUESTION[:30]}))
    assert (found.detail["test"], found.detail["overlap"]) == ("b", 1.0)


@given(st.text(), st.text(min_size=1))
def test_it_judges_any_text_and_changes_none(text: str, test: str) -> None:
    content = {"text": text, "more": [{"a": text}]}
    before = copy.deepcopy(content)
    check = Contamination(tests={"t": [test]}, least=1)
    found = check(Draft(content=content))
    assert content == before
    if tokens(test) and test in text and tokens(test) == tokens(text):
        assert not found.passed


@pytest.mark.parametrize(
    "options",
    [
        {"tests": {}},
        {"tests": ["x"]},
        {"tests": {"a": "x"}},
        {"tests": {"a": [1]}},
        {"tests": TESTS, "ngram": 1},
        {"tests": TESTS, "threshold": 0},
        {"tests": TESTS, "least": 0},
        {"tests": TESTS, "action": "mask"},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(SpecError):
        Contamination(**options)


def test_tokens_are_characters_or_words() -> None:
    assert tokens("用Python写ＡＢＣ 3.14，good-bye") == [
        *("用", "python", "写", "abc", "3", "14", "good", "bye"),
    ]
