"""`duplicates` and `near_duplicates`: what equals what, and that no order of things changes it."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from checks_kit import ZH, chat, dialogue, failed, nobody, refined, rounds, row
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmith.contracts import CheckContext, ComparingCheck, Earlier
from corpusmith.errors import SpecError
from corpusmith.quality.chain import build
from corpusmith.quality.duplicates import Duplicates, Known
from corpusmith.quality.near_duplicates import NearDuplicates
from corpusmith.values import PASS, Draft, Verdict

STORY = (
    "昨天我去了城西那家旧书店，老板说他三十年前就在这条街上摆摊了。他把一本缺了封面的小说递给我，说这本书"
    "跟着他搬了四次家，最后还是没舍得卖掉。"
)
OTHER = "渡船从三月十五日开到十月底，头班早上六点从青石渡开出，末班晚上九点从南岸开回。"


def beside(check: ComparingCheck, one: Draft, other: Draft) -> Verdict:
    """What `check` says of `other` when `one` is there."""
    check.remember("t#0", one)
    return asyncio.run(check.compare(other, nobody))


def near(**options: Any) -> NearDuplicates:
    return NearDuplicates(context=ZH, **options)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (row(text="你好，世界！"), row(text="  你好 世界")),
        (row(text="ＡＢＣ，１２３"), row(text="abc 123")),
        (row(q="甲", a="乙"), row(a="乙", q="甲")),
        (row(["topic"], topic="茶", text=STORY), row(["topic"], topic="咖啡", text=STORY)),
        (dialogue("在吗？", "在。"), dialogue("在吗", "在！")),
        (dialogue("在吗？", "在。"), chat(("user", "在吗？"), ("assistant", "在。"))),
        (rounds(("一", "二", "三"), ("甲", "乙", "丙"), given=1), rounds(("甲", "乙", "丙"))),
        (refined("问", "初稿", "终稿"), refined("问", "别的初稿", "终稿")),
        (row(text="well-known"), row(text="Well known.")),
        (row(text="**重点**：a*b"), row(text="重点：a*b")),
        (row(text="！！！"), row(text="！！！")),
        (Draft(content="同样"), Draft(content=["同样"])),
    ],
)
def test_records_that_say_the_same_are_duplicates(one: Draft, other: Draft) -> None:
    assert beside(Duplicates(), one, other) == failed("exact_duplicate", of="t#0")
    assert beside(Duplicates(), other, one) == failed("exact_duplicate", of="t#0")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (row(text="C 语言"), row(text="C++ 语言")),
        (row(text="C#"), row(text="C")),
        (row(text="1.5"), row(text="15")),
        (row(text="3*4"), row(text="34")),
        (row(text="5-3"), row(text="53")),
        (row(text="！！！"), row(text="？？？")),
        (row(a="甲", b="乙"), row(a="乙", b="甲")),
        (row(text="甲乙"), row(a="甲", b="乙")),
        (dialogue("在吗？", "在。"), dialogue("在。", "在吗？")),
        (row(text=""), row(text="")),
        (Draft(content=None), Draft(content=None)),
        (row(text=STORY), row(text=STORY.replace("四次", "五次"))),
    ],
)
def test_records_that_differ_in_what_matters_are_none(one: Draft, other: Draft) -> None:
    assert beside(Duplicates(), one, other) is PASS


def test_a_judges_comments_are_not_compared() -> None:
    verdict = Draft(content={"id": 1, "judges": [{"comment": "内容准确，表达清楚。"}]})
    assert beside(Duplicates(), verdict, verdict) is PASS
    assert beside(near(), verdict, verdict) is PASS


@pytest.mark.parametrize("make", [Duplicates, near])
def test_single_fields_can_be_compared(make: Any) -> None:
    one, other = row(question=STORY, answer="是"), row(question=STORY, answer=OTHER)
    assert not beside(make(fields="question"), one, other).passed
    assert beside(make(fields=["answer"]), one, other) is PASS
    assert beside(make(fields=["nothing"]), one, one) is PASS


@pytest.mark.parametrize("make", [Duplicates, near])
@pytest.mark.parametrize(
    ("scope", "own", "passed"),
    [
        ("dataset", True, False),
        ("dataset", False, False),
        ("task", True, False),
        ("task", False, True),
    ],
)
def test_the_scope_is_the_task_or_its_whole_dataset(
    make: Any, scope: str, own: bool, passed: bool
) -> None:
    check = make(scope=scope)
    check.learn([Earlier(place="#7", draft=row(text=STORY), own=own)])
    verdict = asyncio.run(check.compare(row(text=STORY), nobody))
    assert verdict.passed == passed
    assert passed or verdict.detail["of"] == "#7"


@pytest.mark.parametrize("make", [Duplicates, near])
def test_a_flagged_duplicate_is_kept(make: Any) -> None:
    verdict = beside(make(action="flag"), row(text=STORY), row(text=STORY))
    assert (verdict.action, verdict.detail["of"]) == ("flag", "t#0")


def test_the_first_of_several_is_named() -> None:
    check = Duplicates()
    for place in ("#1", "#2"):
        check.remember(place, row(text=STORY))
    assert asyncio.run(check.compare(row(text=STORY), nobody)).detail["of"] == "#1"


# ---------------------------------------------------------------- nearly the same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (row(text=STORY), row(text=STORY.replace("四次", "五次"))),
        (row(text=STORY), row(text=STORY.replace("昨天", "前天") + "真可惜。")),
        (dialogue(STORY, "是吗？"), dialogue(STORY, "真的吗？")),
        (row(["t"], t=OTHER, text=STORY), row(["t"], t="短", text=STORY)),
        (
            row(text="The ferry runs from the fifteenth of March to the end of October."),
            row(text="The ferry runs from the fifteenth of March until the end of October."),
        ),
    ],
)
def test_records_that_nearly_say_the_same_are_near_duplicates(one: Draft, other: Draft) -> None:
    there, back = beside(near(), one, other), beside(near(), other, one)
    assert (there.passed, there.reason, there.detail["of"]) == (False, "near_duplicate", "t#0")
    assert 0.7 <= there.detail["similarity"] <= 1
    assert back == there


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (row(text=STORY), row(text=OTHER)),
        (row(text=STORY), row(text=STORY[: len(STORY) // 2] + OTHER)),
        (row(text="北京的天气怎么样？"), row(text="北京的小吃有哪些？")),
        (row(text=""), row(text="")),
    ],
)
def test_records_that_share_a_part_are_none(one: Draft, other: Draft) -> None:
    assert beside(near(), one, other) is PASS


def test_the_threshold_decides() -> None:
    half = row(text=STORY[: len(STORY) // 2] + OTHER)
    assert beside(near(threshold=0.3), row(text=STORY), half).reason == "near_duplicate"
    changed = row(text=STORY.replace("四次", "五次"))
    assert beside(near(threshold=0.99), row(text=STORY), changed) is PASS


def test_what_a_template_puts_into_every_record_does_not_count() -> None:
    frame = "以下是一位资深顾问根据用户的需要写出的旅行建议，请按顺序阅读，并结合自己的情况取舍："
    one, other = row(text=frame + "去海边看日出。"), row(text=frame + "到山里住两天。")
    assert beside(near(threshold=0.5), one, other).reason == "near_duplicate"
    framed = NearDuplicates(
        context=CheckContext(language="zh", boilerplate=(frame,)), threshold=0.5
    )
    assert beside(framed, one, other) is PASS


@pytest.mark.parametrize(
    ("make", "options", "reason", "option"),
    [
        (Duplicates, {"scope": "all"}, "check_word", "scope"),
        (Duplicates, {"fields": 1}, "check_fields", "fields"),
        (Duplicates, {"action": "mask"}, "check_word", "action"),
        (near, {"threshold": 0}, "check_number", "threshold"),
        (near, {"threshold": 1.01}, "check_number", "threshold"),
        (near, {"threshold": "0.7"}, "check_number", "threshold"),
        (near, {"ngram": 1}, "check_whole", "ngram"),
        (near, {"scope": None}, "check_word", "scope"),
    ],
)
def test_options_that_make_no_sense_are_named(
    make: Any, options: Any, reason: str, option: str
) -> None:
    with pytest.raises(SpecError) as caught:
        make(**options)
    assert (caught.value.reason, caught.value.data["option"]) == (reason, option)


# ---------------------------------------------------------------- in any order, killed anywhere

# Texts that are often equal, nearly equal or alike in part.
PARTS = [STORY, OTHER, STORY[:40], OTHER[:30], "好的。", "", STORY.replace("四次", "五次")]
ANY = st.text(st.characters(exclude_categories=()), max_size=12)
"""All of Unicode, halves of surrogate pairs too."""
TEXTS = st.lists(st.sampled_from(PARTS) | ANY, min_size=1, max_size=3).map("".join)
CHANGES: list[Callable[[str], str]] = [
    lambda text: text,
    lambda text: text + "。",
    lambda text: " ".join(text),
    lambda text: text[1:],
    str.upper,
    lambda text: unicodedata.normalize("NFKD", text),
]
SEQUENCES = st.lists(TEXTS, min_size=1, max_size=5).flatmap(
    lambda some: st.lists(
        st.builds(
            lambda text, change: change(text), st.sampled_from(some), st.sampled_from(CHANGES)
        ),
        min_size=1,
        max_size=12,
    )
)
BOTH = ("duplicates", "near_duplicates")


def accepted(
    texts: Sequence[str], names: Sequence[str], kills: Sequence[int] = (), batch: int = 0
) -> list[int]:
    """Which of `texts` become records. At each number of `kills` the process dies, and a new one
    learns what was accepted, `batch` records at a time (0: all at once)."""
    kept: list[int] = []
    checks = build({name: {} for name in names}, ZH)
    for number, text in enumerate(texts):
        if number in kills:
            checks = build({name: {} for name in names}, ZH)
            there = [
                Earlier(place=f"t#{one}", draft=row(text=texts[one]), own=True) for one in kept
            ]
            step = batch or len(there) or 1
            for start in range(0, len(there), step):
                checks.learn(there[start : start + step])
        draft = asyncio.run(checks.compared(row(text=text), f"t#{number}", nobody))
        if isinstance(draft, Draft):
            kept.append(number)
    return kept


@settings(max_examples=60, deadline=None)
@given(SEQUENCES, st.sets(st.integers(0, 11)), st.integers(0, 3), st.sampled_from([BOTH, BOTH[:1]]))
def test_a_kill_changes_no_verdict(
    texts: list[str], kills: set[int], batch: int, names: Sequence[str]
) -> None:
    assert accepted(texts, names, sorted(kills), batch) == accepted(texts, names)


@settings(max_examples=60, deadline=None)
@given(SEQUENCES, TEXTS, st.randoms(use_true_random=False), st.integers(1, 4))
def test_neither_the_order_nor_the_batches_of_what_is_learned_matter(
    there: list[str], text: str, shuffle: Any, batch: int
) -> None:
    earlier = [
        Earlier(place=f"#{n}", draft=row(text=one), own=False) for n, one in enumerate(there)
    ]
    mixed = shuffle.sample(earlier, len(earlier))
    for make in (Duplicates, near):
        one, other = make(), make()
        one.learn(earlier)
        for start in range(0, len(mixed), batch):
            other.learn(mixed[start : start + batch])
        verdicts = [asyncio.run(check.compare(row(text=text), nobody)) for check in (one, other)]
        assert verdicts[0].passed == verdicts[1].passed
        assert verdicts[0].detail.get("similarity") == verdicts[1].detail.get("similarity")


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS)
def test_if_one_is_a_duplicate_of_the_other_so_is_the_other_of_the_one(
    one: str, other: str
) -> None:
    for make in (Duplicates, near):
        there = beside(make(), row(text=one), row(text=other))
        assert there == beside(make(), row(text=other), row(text=one))


# ---------------------------------------------------------------- many


def test_a_hundred_thousand_records_are_found_again_at_forty_bytes_each() -> None:
    known = Known()
    digests = [number.to_bytes(16, "big")[::-1] for number in range(1, 100_001)]
    for number, digest in enumerate(digests):
        known.add(digest, f"t#{number}")
        known.add(digest, "later")
    assert len(known) == 100_000
    assert [known.find(digests[at]) for at in (0, 5, 99_999)] == ["t#0", "t#5", "t#99999"]
    assert known.find(bytes(16)) is None
    assert known.held_bytes / len(known) < 40
