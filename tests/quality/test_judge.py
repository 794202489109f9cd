"""The check that asks a model for scores."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from corpusmith.contracts import Answer, CheckContext
from corpusmith.errors import SpecError
from corpusmith.quality.chain import build
from corpusmith.quality.judge import Judge
from corpusmith.values import Draft, Message, Miss

ZH = CheckContext(language="zh")
DRAFT = Draft(
    content={"question": "茶怎么泡？", "answer": "水烧到八十五度，泡两分钟。"}, raw="原文"
)
RUBRIC = {
    "judged": "the answer",
    "dimensions": [
        {"name": "right", "description": "d", "score_1": "no", "score_5": "yes", "weight": 3},
        {"name": "clear", "description": "d", "score_1": "no", "score_5": "yes"},
    ],
}


class Scores:
    """Fits contracts.Ask: gives every question the same scores."""

    def __init__(self, **scores: int) -> None:
        self.asked: list[tuple[str, Sequence[Message], Mapping[str, Any]]] = []
        self._scores = scores

    async def __call__(self, role: str, messages: Sequence[Message], **given: Any) -> Answer:
        self.asked.append((role, messages, given))
        data = {"comment": " 说得清楚 ", **self._scores}
        return Answer(text="", data=data, call_key="ab", model="m")


async def test_the_scorer_sees_the_record_at_temperature_0_and_its_reply_is_shared() -> None:
    ask = Scores(right=5, clear=4)
    verdict = await Judge(context=ZH, rubric=RUBRIC).ask_about(DRAFT, ask)
    role, messages, given = ask.asked[0]
    assert (role, given["temperature"], given["shared"]) == ("scorer", 0.0, True)
    assert "八十五度" in messages[1].content
    assert verdict.passed
    assert (verdict.action, verdict.score) == ("pass", 4.75)
    assert verdict.detail == {
        "score": 4.75,
        "scores": {"right": 5, "clear": 4},
        "comment": "说得清楚",
        "model": "m",
        "call": "ab",
    }


@pytest.mark.parametrize(
    ("options", "scores", "action"),
    [
        ({"min_score": 4.75}, {"right": 5, "clear": 4}, "pass"),
        ({"min_score": 4.8}, {"right": 5, "clear": 4}, "reject"),
        ({"min_score": 4.8, "action": "flag"}, {"right": 5, "clear": 4}, "flag"),
        ({"min_score": 1, "min_scores": {"clear": 3}}, {"right": 5, "clear": 2}, "reject"),
        ({"min_score": 1, "min_scores": {"clear": 2}}, {"right": 5, "clear": 2}, "pass"),
        ({}, {"right": 3, "clear": 3}, "pass"),
        ({}, {"right": 2, "clear": 5}, "reject"),
    ],
)
async def test_what_is_below_a_threshold_is_turned_down_or_flagged(
    options: dict[str, Any], scores: dict[str, int], action: str
) -> None:
    verdict = await Judge(context=ZH, rubric=RUBRIC, **options).ask_about(DRAFT, Scores(**scores))
    assert (verdict.action, verdict.reason) == (action, "" if action == "pass" else "score_low")


async def test_a_judge_changes_no_record() -> None:
    before = copy.deepcopy(DRAFT.content)
    await Judge(context=ZH, rubric=RUBRIC).ask_about(DRAFT, Scores(right=1, clear=1))
    assert DRAFT.content == before


async def test_in_a_chain_its_verdict_stays_with_the_draft_or_with_the_miss() -> None:
    chain = build({"judge": {"rubric": RUBRIC}}, ZH)
    assert (chain.asking, chain.comparing) == (True, False)
    kept = await chain.asked(DRAFT, Scores(right=5, clear=5))
    assert isinstance(kept, Draft)
    assert kept.verdicts["judge"].score == 5
    missed = await chain.asked(DRAFT, Scores(right=1, clear=1))
    assert isinstance(missed, Miss)
    assert (missed.reason, missed.detail["check"], missed.raw) == ("score_low", "judge", "原文")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"rubric": "taste"}, "unknown_rubric"),
        ({"rubric": {"judged": "x"}}, "judge_rubric"),
        ({"min_score": 0}, "judge_threshold"),
        ({"min_score": "4"}, "judge_threshold"),
        ({"min_score": float("nan")}, "judge_threshold"),
        ({"min_scores": {"taste": 3}}, "judge_dimension"),
        ({"action": "mask"}, "check_choice"),
        ({"max_row_tokens": 1}, "check_at_least"),
        ({"max_row_tokens": True}, "check_at_least"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(SpecError) as caught:
        build({"judge": options}, ZH)
    assert caught.value.reason == code


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("rubric", ["general", "dialogue", "qa"])
def test_every_shipped_rubric_can_judge(language: Any, rubric: str) -> None:
    check = Judge(context=CheckContext(language=language), rubric=rubric)
    role, prompt, completion = check.calls(500)[0]
    assert role == "scorer"
    assert prompt > 500
    assert completion > 80
