"""Each check on many texts as people and models write them: those it must find, and look-alikes.

The texts are in the `*_cases.py` files beside this one.
"""

from __future__ import annotations

import asyncio
from typing import Any

import contamination_cases
import duplicate_cases
import format_cases
import language_cases
import personal_cases
import placeholder_cases
import pytest
import refusal_cases
import repetition_cases
import sensitive_cases
from checks_kit import ZH, dialogue, nobody, row

from corpusmith.contracts import CheckContext
from corpusmith.quality.contamination import Contamination
from corpusmith.quality.duplicates import Duplicates
from corpusmith.quality.format import Format
from corpusmith.quality.language import Language
from corpusmith.quality.languages import language_of, plainly
from corpusmith.quality.length import Length
from corpusmith.quality.near_duplicates import NearDuplicates
from corpusmith.quality.personal import KINDS, find
from corpusmith.quality.placeholders import Placeholders
from corpusmith.quality.refusal import Refusal
from corpusmith.quality.repetition import Repetition
from corpusmith.quality.sensitive import Sensitive
from corpusmith.values import Verdict

OWN_WORDS = Sensitive(lists=[], words=sensitive_cases.WORDS)
DECONTAMINATE = Contamination(tests={"exam": contamination_cases.QUESTIONS})


def says(text: str) -> Any:
    """A dialogue in which the assistant says it."""
    return dialogue("请你说说看。", text)


def text(value: str) -> Any:
    return row(text=value)


# check, how a text becomes a record, its reason, what it must find, what it must leave.
TABLES: list[tuple[Any, Any, str, list[str], list[str]]] = [
    (Refusal(), says, "refusal", refusal_cases.FOUND, refusal_cases.FINE),
    (
        Placeholders(context=ZH),
        says,
        "placeholder",
        placeholder_cases.FOUND,
        placeholder_cases.FINE,
    ),
    (Repetition(), text, "", [], repetition_cases.FINE),
    (OWN_WORDS, text, "sensitive_word", sensitive_cases.FOUND, sensitive_cases.FINE),
    (
        Sensitive(),
        says,
        "sensitive_word",
        sensitive_cases.SHIPPED_FOUND,
        sensitive_cases.SHIPPED_FINE,
    ),
    (DECONTAMINATE, text, "contaminated", contamination_cases.FOUND, contamination_cases.FINE),
    (Format(), says, "", [], format_cases.FINE),
]
WITH_REASONS: list[tuple[Any, Any, list[tuple[str, str]]]] = [
    (Repetition(), text, repetition_cases.FOUND),
    (Format(), says, format_cases.FOUND),
]


def name_of(case: Any) -> str | None:
    """Of a check its name; of a text its beginning: some have 100,000 characters."""
    return case if isinstance(case, str) and case.isascii() and len(case) < 20 else None


@pytest.mark.parametrize(
    ("check", "made", "reason", "value"),
    [(check, made, reason, value) for check, made, reason, found, _ in TABLES for value in found]
    + [
        (check, made, reason, value)
        for check, made, found in WITH_REASONS
        for value, reason in found
    ],
    ids=name_of,
)
def test_what_is_wrong_is_found(check: Any, made: Any, reason: str, value: str) -> None:
    verdict = check(made(value))
    assert (verdict.passed, verdict.reason) == (False, reason)


@pytest.mark.parametrize(
    ("check", "made", "value"),
    [(check, made, value) for check, made, _, _, fine in TABLES for value in fine],
    ids=name_of,
)
def test_what_only_looks_wrong_passes(check: Any, made: Any, value: str) -> None:
    verdict: Verdict = check(made(value))
    assert verdict == Verdict(passed=True)


@pytest.mark.parametrize(("kind", "value", "place"), personal_cases.FOUND, ids=name_of)
def test_personal_data_is_found_at_its_place(kind: str, value: str, place: str) -> None:
    found = find(value, tuple(KINDS))
    assert [one.kind for one in found] == [kind]
    assert value[found[0].start : found[0].end] == place or not place


@pytest.mark.parametrize("value", personal_cases.FINE, ids=name_of)
def test_numbers_and_names_of_nobody_are_left(value: str) -> None:
    assert find(value, tuple(KINDS)) == []


@pytest.mark.parametrize(("code", "value"), language_cases.TEXTS, ids=name_of)
def test_a_language_is_told_as_a_person_tells_it(code: str | None, value: str) -> None:
    assert language_of(value) == code
    assert {one for one in ("zh", "en") if plainly(value, one)} <= {code} or code is None


@pytest.mark.parametrize(("asked", "value", "passes"), language_cases.ASKED, ids=name_of)
def test_what_is_not_in_the_language_asked_for_fails(asked: Any, value: str, passes: bool) -> None:
    assert Language(context=CheckContext(language=asked))(text(value)).passed is passes


def compared(check: Any, one: str, other: str) -> str:
    """The reason for which `other` is turned down beside `one`; empty: it is not."""
    check.remember("t#0", text(one))
    verdict: Verdict = asyncio.run(check.compare(text(other), nobody))
    return verdict.reason


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize(
    ("make", "reason", "pairs"),
    [
        (Duplicates, "exact_duplicate", duplicate_cases.SAME),
        (Duplicates, "", duplicate_cases.DIFFERENT),
        (NearDuplicates, "near_duplicate", duplicate_cases.NEAR),
        (NearDuplicates, "", duplicate_cases.FAR),
    ],
)
def test_pairs_are_the_same_nearly_the_same_or_different_both_ways_round(
    make: Any, reason: str, pairs: list[tuple[str, str]], swap: bool
) -> None:
    options = {"context": ZH} if make is NearDuplicates else {}
    wrong = [
        pair
        for pair in pairs
        if compared(make(**options), *(reversed(pair) if swap else pair)) != reason
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("limits", "value", "found"),
    [
        # Characters are code points, as Python and JSON count them.
        ({"max_chars": 1}, "好", None),
        ({"max_chars": 1}, "𠀀", None),
        ({"max_chars": 1}, "\ud800", None),
        ({"max_chars": 1}, "e\u0301", 2),
        ({"max_chars": 6}, "👨‍👩‍👧‍👦", 7),
        ({"max_chars": 1}, "🇨🇳", 2),
        ({"max_chars": 2}, "你\u200b好", 3),
        ({"max_chars": 2}, " 你好\n", None),
        ({"max_chars": 2}, "　你好　", None),
        ({"min_chars": 3}, "你好", 2),
        ({"min_chars": 3}, "你好呀", None),
        ({"min_chars": 3}, "OK!", None),
        ({"min_chars": 99_999}, "好" * 100_000, None),
        ({"max_chars": 99_999}, "好" * 100_000, 100_000),
        # Tokens: about 0.8 for a Chinese character, a quarter for a letter, never 0 for something.
        ({"min_tokens": 1}, "a", None),
        ({"max_tokens": 8}, "今天天气真的很不错", None),
        ({"max_tokens": 7}, "今天天气真的很不错", 8),
        ({"max_tokens": 8}, "今天天气真的很不错啊", None),
        ({"min_tokens": 3}, "Hello there", None),
        ({"min_tokens": 4}, "Hello there", 3),
        ({"max_tokens": 79_999}, "好" * 100_000, 80_000),
        ({"max_tokens": 24_999}, "a" * 100_000, 25_000),
        ({"min_tokens": 1, "max_tokens": 10}, "😀😀😀", None),
        ({"max_tokens": 10}, "\ud800\udfff", None),
    ],
    ids=name_of,
)
def test_lengths_are_counted_as_people_count(limits: Any, value: str, found: int | None) -> None:
    assert Length(**limits)(text(value)).detail.get("found") == found
