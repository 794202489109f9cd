"""The check `sensitive`: what it does with a find, what it tells, which options it takes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmith import registry
from corpusmith.errors import SpecError
from corpusmith.messages import LANGUAGES, catalog
from corpusmith.quality.sensitive import Sensitive
from corpusmith.values import PASS, Draft, Json, Verdict

WORDS = {"drugs": ["毒品", "buy meth"], "abuse": ["滚蛋"], "spam": ["加V信"]}


def check(**options: Any) -> Sensitive:
    return Sensitive(**{"lists": [], "words": WORDS, **options})


def saying(*texts: str) -> Draft:
    return Draft(content={"dialogues": [{"role": "user", "content": text} for text in texts]})


def test_it_is_registered_under_its_name() -> None:
    assert registry.load("check", "sensitive") is Sensitive
    assert Sensitive().name == "sensitive"


def test_a_draft_without_words_passes() -> None:
    assert check()(saying("你好", "Buy method books")) is PASS


def test_a_find_is_a_reject_that_says_what_where_and_how_often() -> None:
    verdict = check()(saying("你好", "他们说这里可以放心地买到毒。品，还有毒 品，你滚蛋"))
    assert verdict == Verdict(
        passed=False,
        reason="sensitive_word",
        detail={
            "category": "drugs",
            "word": "毒品",
            "found": "毒 品",
            "context": "心地买到毒。品，还有毒 品，你滚蛋",
            "path": "$.dialogues[1].content",
            "hits": 2,
            "categories": {"drugs": 1, "abuse": 1},
        },
    )


def test_what_stands_beside_a_word_is_told_without_personal_data() -> None:
    detail = check()(saying("加v信13812345678")).detail
    assert (detail["found"], detail["context"]) == ("加v信", "加v信**********")


def test_a_flag_passes_with_its_reason() -> None:
    verdict = check(action="flag")(saying("滚蛋"))
    assert (verdict.passed, verdict.action, verdict.reason) == (True, "flag", "sensitive_word")


def test_a_mask_covers_the_words_and_nothing_else() -> None:
    draft = Draft(
        content={"a": ["买毒.品㎏的", {"b": "請 BUY  METH now"}], "n": 1, "x": None, "毒品": "ok"}
    )
    verdict = check(action="mask")(draft)
    assert (verdict.action, verdict.reason) == ("mask", "sensitive_word")
    assert verdict.content == {
        "a": ["买***㎏的", {"b": "請 ********* now"}],
        "n": 1,
        "x": None,
        "毒品": "ok",
    }


def test_a_masked_word_does_not_bring_another_together() -> None:
    assert check(action="mask")(Draft(content="毒毒品品")).content == "****"


@pytest.mark.parametrize(
    ("text", "action", "category"),
    [
        ("滚蛋，毒品", "reject", "drugs"),
        ("滚蛋，加v信", "mask", "spam"),
        ("滚蛋", "flag", "abuse"),
        ("你好", "pass", None),
    ],
)
def test_of_several_categories_the_strongest_action_counts(
    text: str, action: str, category: str | None
) -> None:
    verdict = check(action={"spam": "mask", "abuse": "flag"})(Draft(content=text))
    assert (verdict.action, verdict.detail.get("category")) == (action, category)


def test_only_what_is_to_be_masked_is_masked() -> None:
    verdict = check(action={"spam": "mask", "abuse": "flag"}, mask="█")(saying("滚蛋，加v信"))
    assert verdict.content == {"dialogues": [{"role": "user", "content": "滚蛋，███"}]}


def test_an_allowed_phrase_is_fine() -> None:
    assert check(allow=["缉毒品类"])(saying("缉毒品类")) is PASS


def test_what_a_draft_was_given_is_not_its_to_answer_for() -> None:
    rounds = [{"question": "毒品"}, {"question": "滚蛋"}]
    draft = Draft(content={"rounds": rounds, "id": "毒品"}, provenance={"given_rounds": 1})
    verdict = check(action="mask", words={"c": ["毒品", "滚蛋"]})(draft)
    assert verdict.content == {"rounds": [{"question": "毒品"}, {"question": "**"}], "id": "**"}
    kept = Draft(content={"a": "毒品", "b": "好"}, provenance={"given_fields": ["a"]})
    assert check()(kept) is PASS


def test_detail_is_never_huge() -> None:
    many = {f"c{number}": [f"毒品{number:03d}"] for number in range(100)}
    text = "".join(word[0] for word in many.values()) * 50
    draft = Draft(content={"k" * 5000: text})
    detail = check(words=many)(draft).detail
    assert detail["hits"] == 5000
    assert len(str(detail)) < 1000


def test_shipped_lists_find_what_they_are_for_and_leave_ordinary_talk() -> None:
    shipped = Sensitive()
    assert shipped(saying("你這個王·八·蛋")).detail["category"] == "abuse"
    assert shipped(saying("Why don't you KILL YOURSELF")).detail["category"] == "self_harm"
    for fine in (
        "孩子说了脏话，我该怎么教育？学校开展禁毒教育，讲了毒品的危害。",
        "他赌气不说话；我打赌明天下雨。警方提醒：远离网络赌博，谨防诈骗。",
        "性别、两性关系、青春期的性教育都可以好好谈。",
        "如果有自杀的念头，请拨打心理援助热线，告诉家人。",
        "The class passed the assessment; Scunthorpe is in England. They cocked their hats.",
        "Methods to buy a house; how to kill a process; the casino scene in the film.",
        "If you think about suicide, please call someone. Drug education belongs in schools.",
        "This is a risk-free trial of our antivirus; ransomware is a crime.",
    ):
        assert shipped(saying(fine)) is PASS


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"lists": []}, "words_none"),
        ({"lists": [1]}, "check_texts"),
        ({"lists": None}, "check_texts"),
        ({"lists": ["nowhere.txt"]}, "words_unknown"),
        ({"words": ["\u200b"]}, "check_texts"),
        ({"words": {"a": 1}}, "check_texts"),
        ({"allow": ["ok", ""]}, "check_texts"),
        ({"action": "delete"}, "check_choice"),
        ({"action": None}, "check_choice"),
        ({"action": {"abuse": "hide"}}, "check_choice"),
        ({"action": {"abuse": ["flag"]}}, "check_choice"),
        ({"action": {"gamling": "flag"}}, "check_group"),
        ({"mask": ""}, "check_mask"),
        ({"mask": "**"}, "check_mask"),
        ({"mask": "x"}, "check_mask"),
        ({"mask": "毒"}, "check_mask"),
        ({"mask": " "}, "check_mask"),
        ({"mask": "\n"}, "check_mask"),
        ({"mask": 1}, "check_mask"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_options_that_make_no_sense_are_told(
    options: dict[str, Any], code: str, language: Any
) -> None:
    with pytest.raises(SpecError) as caught:
        Sensitive(**options)
    assert caught.value.reason == code
    assert "{" not in caught.value.message(language)


def test_files_start_from_their_tasks_folder_and_are_copied_into_the_task(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("毒品\n[abuse]\n滚蛋\n", "utf-8")
    options = {"lists": ["mine.txt", "en/drugs"], "words": ["加V信"], "mask": "#"}
    moved = Sensitive.from_folder(options, tmp_path)
    assert moved["lists"] == [str(tmp_path / "mine.txt"), "en/drugs"]
    copied = Sensitive.copied(moved)
    (tmp_path / "mine.txt").unlink()
    assert copied["lists"] == [] and copied["mask"] == "#"
    assert copied["words"]["mine"] == ["毒品"] and copied["words"]["words"] == ["加V信"]
    assert Sensitive(**copied)(saying("滚蛋")).detail["category"] == "abuse"


def test_options_without_files_are_copied_as_they_are() -> None:
    assert Sensitive.copied({"action": "flag"}) == {"action": "flag"}
    assert Sensitive.from_folder({"action": "flag"}, Path("x")) == {"action": "flag"}
    assert Sensitive.from_folder({"lists": "zh"}, Path("x")) == {"lists": "zh"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_reason_has_a_text(language: Any) -> None:
    assert {"reason.sensitive_word", "short.sensitive_word"} <= set(catalog(language))


PIECES = st.lists(
    st.sampled_from(
        ["毒", "品", "滚", "蛋", "加", "V", "信", "buy", "meth", " ", ".", "*", "，", "a"]
    )
    | st.text(max_size=2),
    max_size=12,
).map("".join)
CONTENT = st.recursive(
    st.none() | st.integers() | PIECES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PIECES, inner, max_size=3),
    max_leaves=8,
)
CHECKS = [check(action=action) for action in ("reject", "flag", "mask")]


@given(CONTENT)
def test_a_check_changes_no_draft_and_what_it_masked_passes(content: Json) -> None:
    before = copy.deepcopy(content)
    for one in CHECKS:
        verdict = one(Draft(content=content))
        assert content == before
        if verdict.action == "mask":
            assert one(Draft(content=verdict.content)) is PASS


@given(PIECES)
def test_a_mask_keeps_the_length(text: str) -> None:
    masked = CHECKS[2](Draft(content=text)).content
    assert masked is None or len(masked) == len(text)
