"""What holds for every check over all of Unicode: no memory of other texts, and a mask that covers
what was found and nothing else."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from checks_kit import ZH, dialogue
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from corpusmith.contracts import Check
from corpusmith.quality.chain import build
from corpusmith.quality.personal import KINDS, find
from corpusmith.quality.personal_data import PersonalData
from corpusmith.quality.sensitive import Sensitive
from corpusmith.quality.words import Matcher, Word
from corpusmith.values import Draft

ANY = st.text(st.characters(exclude_categories=()), max_size=20)
"""Halves of surrogate pairs too."""
TELLING = st.sampled_from(
    [
        *(
            "用户：",
            "{name}",
            "作为一个AI，我不能说。",
            "好的，" * 40,
            "Sure, what is it that you want?",
        ),
        *("毒品", "毒。品", "13812345678", "a.b@qq.com", "11010519491231002X", "「」", "\x00", ""),
        "一个水池有甲乙两个进水管，单开甲管六小时注满",
    ]
)
TEXTS = st.lists(ANY | TELLING, max_size=4).map("".join)
OPTIONS: dict[str, dict[str, Any]] = {
    "format": {},
    "placeholders": {},
    "refusal": {},
    "length": {"max_chars": 60},
    "repetition": {},
    "language": {"script": "simplified"},
    "sensitive": {"lists": [], "words": ["毒品", "ass"], "action": "mask"},
    "personal_data": {"action": "mask"},
    "grounding": {},
    "contamination": {"tests": {"exam": ["一个水池有甲乙两个进水管，单开甲管六小时注满"]}},
}


def fresh(name: str) -> Check:
    return build({name: OPTIONS[name]}, ZH).plain[0]


USED = {name: fresh(name) for name in OPTIONS}
"""One of each for all examples: whatever they remember shows in a later one."""


@pytest.mark.parametrize("name", OPTIONS)
@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_a_verdict_depends_on_nothing_that_was_checked_before(name: str, texts: list[str]) -> None:
    draft = dialogue(*texts)
    before = copy.deepcopy(draft)
    assert USED[name](draft) == fresh(name)(draft) == USED[name](draft)
    assert repr(draft) == repr(before)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_a_mask_of_personal_data_covers_the_letters_of_what_was_found_alone(text: str) -> None:
    places = {at for one in find(text, tuple(KINDS)) for at in range(one.start, one.end)}
    verdict = PersonalData(action="mask", mask="█")(Draft(content=[text, "别的"]))
    if not places:
        assert verdict.content is None
        return
    masked, other = verdict.content
    once = "".join("█" if at in places and sign.isalnum() else sign for at, sign in enumerate(text))
    assume(not find(once, tuple(KINDS)))  # a mask may bring others together: seldom, and masked too
    assert (masked, other) == (once, "别的")


WORDS = ("毒品", "ass", "敏感词")
MATCHER = Matcher(Word(text=word, category="words") for word in WORDS)
MASKING = Sensitive(lists=[], words=WORDS, action="mask", mask="█")


@settings(max_examples=200, deadline=None)
@given(st.lists(ANY | st.sampled_from([*WORDS, "毒", "品", "敏 感\u200b词", " "]), max_size=6))
def test_a_mask_of_words_covers_what_was_found_alone(parts: list[str]) -> None:
    text = "".join(parts)
    places = {at for hit in MATCHER.find(text) for at in range(hit.start, hit.end)}
    verdict = MASKING(Draft(content={"text": text, "other": "别的"}))
    if not places:
        assert verdict.content is None
        return
    once = "".join("█" if at in places else sign for at, sign in enumerate(text))
    assume(not MATCHER.find(once))
    assert verdict.content == {"text": once, "other": "别的"}
