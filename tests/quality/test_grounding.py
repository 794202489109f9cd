"""The `grounding` check on hand-written answers, and what of a text can be looked up."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from checks_kit import chat, dialogue, row
from grounding_cases import CASES, FERRY_EN, FERRY_ZH, LAPTOP_EN, TEA_ZH

from corpusmith.errors import SpecError
from corpusmith.quality.facts import contents, numbers_stated, numbers_there, quotations
from corpusmith.quality.grounding import Grounding
from corpusmith.values import Draft, Verdict

GIVEN = ["text", "source", "chunk"]


def qa(chunk: str, answer: str, question: str = "", **fields: str) -> Draft:
    """A row as the shipped template of document questions makes it."""
    return row(
        GIVEN, question=question, answer=answer, **fields, text=chunk, source="a.md", chunk=1
    )


def test_of_the_hand_written_answers_all_good_ones_pass_and_most_bad_ones_fail() -> None:
    """What is missed: names that changed places, and a `not` put in or left out."""
    found: Counter[tuple[bool, bool]] = Counter()
    missed = []
    for chunk, cases in CASES:
        for case in cases:
            passed = Grounding()(qa(chunk, case.answer, case.question)).passed
            found[case.supported, passed] += 1
            if passed and not case.supported:
                missed.append(case.answer)
    assert missed == [
        "头班早上六点从南岸开出。",
        "七岁以下的孩子、接生婆和送信的人也要收钱。",
        "The first crossing leaves Marsh End.",
        "The drive is soldered and cannot be replaced.",
    ]
    assert found == {(True, True): 25, (False, False): 20, (False, True): 4}


@pytest.mark.parametrize(
    ("answer", "reason", "missing"),
    [
        ("一次最多能载60人。", "ungrounded_number", "60"),
        ("渡船从四月十九日开始。", "ungrounded_number", "十九"),
        ("船上有“严禁吸烟”的牌子。", "ungrounded_quote", "严禁吸烟"),
        ("请看《渡船安全须知》。", "ungrounded_quote", "渡船安全须知"),
    ],
)
def test_a_number_or_quotation_that_is_not_there_is_named(
    answer: str, reason: str, missing: str
) -> None:
    verdict = Grounding()(qa(FERRY_ZH, answer))
    assert (verdict.passed, verdict.reason) == (False, reason)
    assert (verdict.detail["missing"], verdict.detail["path"]) == (missing, "$.answer")


def test_a_made_up_answer_has_little_in_common_with_its_source() -> None:
    answer = "采用进口涡轮增压柴油机，配备卫星导航和自动避障雷达，安全性能处于行业领先水平。"
    verdict = Grounding()(qa(FERRY_ZH, answer))
    assert (verdict.reason, verdict.detail["support"]) == ("ungrounded", 0.0)
    assert Grounding(support=0)(qa(FERRY_ZH, answer)).passed


def test_what_the_question_says_needs_no_proof() -> None:
    question = "我带了75斤行李和一个叫“小黑”的箱子，能上船吗？"
    answer = "能，带着75斤的“小黑”可以上船，渡船能载四十个人。"
    assert Grounding()(qa(FERRY_ZH, answer, question)).passed
    assert Grounding()(qa(FERRY_ZH, answer)).reason == "ungrounded_number"


def test_evidence_is_copied_letter_for_letter() -> None:
    copied = "渡船能载四十个人, 或者二十四个人加两辆板车"
    changed = "渡船一次可以搭载四十名乘客，带板车时人数减少为二十四名"
    answer = "四十个人。"
    assert Grounding()(qa(FERRY_ZH, answer, evidence=copied)).passed
    verdict = Grounding()(qa(FERRY_ZH, answer, evidence=changed))
    assert (verdict.reason, verdict.detail["path"]) == ("ungrounded_evidence", "$.evidence")
    assert Grounding(evidence=[])(qa(FERRY_ZH, answer, evidence=changed)).passed


@pytest.mark.parametrize(
    "draft",
    [
        dialogue("渡船能坐多少人？", "九百人。"),
        chat(("user", "多少人？"), ("assistant", "900")),
        row(question="多少人？", answer="900"),
        row(question="多少人？", answer="900", text=FERRY_ZH),
        row(["text"], answer="900", text="短"),
        row(["text"], answer="900", text=7),
        Draft(content=["900"]),
    ],
)
def test_a_record_without_a_given_source_passes_and_says_so(draft: Draft) -> None:
    assert Grounding()(draft) == Verdict(passed=True, detail={"source": None})


def test_an_imported_rows_source_needs_no_mark() -> None:
    content = {"context": LAPTOP_EN, "question": "How heavy?", "answer": "It weighs 2.5 kg."}
    assert Grounding()(Draft(content=content)).reason == "ungrounded_number"
    renamed = {"manual": LAPTOP_EN, "reply": "It weighs 2.5 kg."}
    assert Grounding()(Draft(content=renamed)).passed
    named = Grounding(source="manual", answer="reply")(Draft(content=renamed))
    assert named.reason == "ungrounded_number"


def test_an_answer_in_another_language_is_only_held_to_its_numbers() -> None:
    answer = "The crew of the ferry must keep animals tied up far away from the hot engine."
    assert Grounding()(qa(FERRY_ZH, answer)).passed
    assert Grounding()(qa(FERRY_ZH, "Up to 77 people can board.")).reason == "ungrounded_number"


def test_the_parts_can_be_switched_off_and_the_whole_only_flag() -> None:
    assert Grounding(numbers=False)(qa(FERRY_EN, "Up to 60 passengers.")).passed
    assert Grounding(quotes=False)(qa(TEA_ZH, "品种是“铁观音”。")).passed
    assert Grounding(action="flag")(qa(FERRY_EN, "Up to 60 passengers.")).action == "flag"


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("共1,234.50元", {1234.5}),
        ("约1.2万斤", {1.2, 12000}),
        ("3 million people", {3, 3_000_000}),
        ("2024年03月05日", {2024, 3, 5}),
        ("二〇二四年，一百二十三人，三万五千", {2024, 123, 35000}),
        ("twenty-four carts, two hundred and the fifteenth", {24, 200, 15}),
        ("1. 先做\n2. 再做\n（3）最后", set()),
        ("一些人，三个方面，十分好，千万别", set()),
        ("one of them, two reasons", set()),
        ("１５％", {15}),
        ("没有数字", set()),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, stated: set[float]) -> None:
    assert {value for _, values in numbers_stated(text) for value in values} == stated


def test_small_words_and_months_count_where_a_number_is_looked_up() -> None:
    assert numbers_there("三天，两步，March, the first of five") >= {3, 2, 1, 5}


def test_quotations_and_contents_are_taken_from_a_text() -> None:
    assert list(quotations('“甲乙”、《丙丁…戊己》和 "quiet mode"，他说：“。。”')) == [
        "甲乙",
        "丙丁",
        "戊己",
        "quiet mode",
    ]
    assert contents("茶树的品种 and the Passengers") == {"茶树", "品种", "passe"}


@pytest.mark.parametrize(
    ("options", "reason", "option"),
    [
        ({"support": 2}, "check_number", "support"),
        ({"numbers": 1}, "check_word", "numbers"),
        ({"quotes": "no"}, "check_word", "quotes"),
        ({"source": 1}, "check_fields", "source"),
        ({"action": ""}, "check_word", "action"),
    ],
)
def test_options_that_make_no_sense_are_named(options: Any, reason: str, option: str) -> None:
    with pytest.raises(SpecError) as caught:
        Grounding(**options)
    assert (caught.value.reason, caught.value.data["option"]) == (reason, option)
