"""The `repetition` check: models that are stuck, and people who repeat themselves for a reason."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from checks_kit import chat, dialogue, refined, rounds, row

from corpusmith.errors import SpecError
from corpusmith.presets.load import characters
from corpusmith.quality.repetition import Repetition, loop_of, repeated_share, weight
from corpusmith.values import PASS, Draft

ROOT = Path(__file__).parents[2]
STORY = (
    "昨天我去了城西那家旧书店，老板说他三十年前就在这条街上摆摊了。他把一本缺了封面的小说递给我，说这本书"
    "跟着他搬了四次家，最后还是没舍得卖掉。我问他为什么，他只是笑了笑，说有些东西留着，就像留着一个人。"
)
TALE = (
    "Yesterday I went to the old bookshop on the west side. The owner said he had been selling"
    " books on that street for thirty years, and he handed me a copy without a cover that had moved"
    " house with him four times already, because some things you keep the way you keep a person."
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (STORY + "我会一直等你。" * 12, "loop"),
        (TALE + " I will wait for you." * 9, "loop"),
        ("好的，" * 40, "loop"),
        ("啊" * 200, "loop"),
        ("ha" * 60, "loop"),
        ("1. 保持冷静\n2. 保持冷静\n" + "保持冷静，继续前进。\n" * 8, "loop"),
        ("\n".join(f"{n}、首先要做好充分的准备工作。" for n in range(9)), "repeated_lines"),
        ("\n".join(f"第{n}天\n今天的天气很好，我很高兴。" for n in range(8)), "repeated_lines"),
        (
            "\n".join(
                line
                for n in range(8)
                for line in (f"Day {n * 37}", "It was a fine day for all of us.")
            ),
            "repeated_lines",
        ),
        ((STORY + "\n另外，再说一遍：\n") * 4, "repeated_phrases"),
        ((TALE + " Once more with feeling: ") * 4, "repeated_phrases"),
    ],
)
def test_a_text_that_goes_round_in_circles_fails(text: str, reason: str) -> None:
    verdict = Repetition()(row(text=text))
    assert (verdict.passed, verdict.reason, verdict.detail["path"]) == (False, reason, "$.text")


@pytest.mark.parametrize(
    "text",
    [
        "哈哈哈哈哈哈哈哈哈哈，笑死我了，你怎么会这么想！",
        "呜呜呜呜呜呜呜呜呜呜呜呜呜呜呜，我不想去上学……",
        "加油！加油！加油！加油！加油！加油！",
        "No no no no no no no no, that is not what I meant.",
        "标题\n" + "—" * 300 + "\n正文\n" + "=" * 200,
        "| a | b |\n" + "|---|---|\n" * 1 + "| 空 | 空 |\n" * 30,
        "```\n" + "print('hello world, how are you')\n" * 20 + "```",
        "滴答滴答滴答滴答，钟又走了一圈，窗外还在下雨，屋里一个人也没有。",
        "……" * 50 + "我知道了。",
        "我不想死。我不想死。我不想死。医生，求求你，我家里还有两个孩子在等我回去。",
        "\n".join(f"{n}. 置信度：100%" for n in range(4)) + STORY,
        "明月几时有？把酒问青天。\n啦啦啦，啦啦啦\n不知天上宫阙，今夕是何年。\n啦啦啦，啦啦啦\n"
        * 2,
        "3.14159265358979323846264338327950288419716939937510582097494459",
        STORY,
        TALE,
    ],
)
def test_laughter_rules_refrains_and_tables_pass(text: str) -> None:
    assert Repetition()(row(text=text)) is PASS


def test_what_people_wrote_for_this_project_passes() -> None:
    # The pages of the API are written by a program, and show what a server answered.
    written = set((ROOT / "docs").rglob("*.md")) - set((ROOT / "docs").glob("api*.md"))
    pages = [page.read_text("utf-8") for page in sorted(written)]
    parts = [one[at : at + 4000] for one in pages for at in range(0, len(one), 4000)]
    cards = [card.example_dialogues for one in ("zh", "en") for card in characters(one)]
    assert len(parts) + len(cards) > 80
    rejected = [text for text in parts + cards if not Repetition()(row(text=str(text))).passed]
    assert rejected == []


LONG = "我昨天已经把那份报告发给你们经理了。"


@pytest.mark.parametrize(
    "draft",
    [
        dialogue(LONG, "收到。", LONG, "收到。"),
        dialogue("报告呢？", LONG, "什么？", f" {LONG}\n"),
        rounds((LONG, "一", "二"), (LONG, "三", "四")),
        chat(("user", "报告呢？"), ("assistant", LONG), ("user", "什么？"), ("assistant", LONG)),
    ],
)
def test_the_same_words_twice_in_one_conversation_fail(draft: Draft) -> None:
    verdict = Repetition()(draft)
    assert (verdict.reason, verdict.detail["found"]) == ("repeated_turn", LONG)
    assert Repetition(turns=False)(draft) is PASS


@pytest.mark.parametrize(
    "draft",
    [
        dialogue("嗯。", "好的。", "嗯。", "好的。"),
        dialogue(LONG, LONG),
        rounds(("问", LONG, LONG)),
        rounds((LONG, "一", "二"), (LONG, "三", "四"), given=1),
        refined("怎么写？", LONG, LONG),
        row(a=LONG, b=LONG),
    ],
)
def test_short_replies_and_other_speakers_may_say_the_same(draft: Draft) -> None:
    assert Repetition()(draft) is PASS


def test_the_limits_are_options() -> None:
    text = STORY + "我会一直等你。" * 6
    verdict = Repetition()(row(text=text))
    assert (verdict.reason, verdict.detail["times"]) == ("loop", 6)
    assert Repetition(loops=7)(row(text=text)) is PASS
    share = repeated_share((STORY + "\n") * 2)
    assert 0.4 < share < 0.6
    assert Repetition(phrases=0.3)(row(text=(STORY + "\n") * 2)).reason == "repeated_phrases"
    assert Repetition(fields="b")(row(a="好的，" * 40, b="好")) is PASS
    assert Repetition(action="flag")(row(a="好的，" * 40)).action == "flag"


def test_a_loop_is_found_wherever_it_is() -> None:
    piece = "请稍等，马上就好。"
    for before in range(0, 40, 3):
        text = STORY[:before] + piece * 8 + STORY
        unit, times = loop_of(text, 5)
        assert times >= 7
        assert sorted(unit) == sorted(piece)


def test_a_chinese_character_weighs_two_letters() -> None:
    assert [weight(text) for text in ("ab", "你好", "a你", "")] == [2, 4, 3, 0]


@pytest.mark.parametrize(
    ("options", "reason", "option"),
    [
        ({"loops": 1}, "check_whole", "loops"),
        ({"lines": "9"}, "check_whole", "lines"),
        ({"phrases": 1.1}, "check_number", "phrases"),
        ({"phrases": True}, "check_number", "phrases"),
        ({"phrases": float("nan")}, "check_number", "phrases"),
        ({"turns": "yes"}, "check_word", "turns"),
        ({"fields": 3}, "check_fields", "fields"),
        ({"fields": {"a": 1}}, "check_fields", "fields"),
        ({"action": None}, "check_word", "action"),
    ],
)
def test_options_that_make_no_sense_are_named(options: Any, reason: str, option: str) -> None:
    with pytest.raises(SpecError) as caught:
        Repetition(**options)
    assert (caught.value.reason, caught.value.data["option"]) == (reason, option)


@pytest.mark.parametrize("sign", [" ", "\n", "“", "{", "|\n", "`", "- "])
def test_a_long_run_of_signs_without_a_letter_is_looked_at_once(sign: str) -> None:
    text = sign * (300_000 // len(sign))
    began_s = time.monotonic()
    Repetition()(row(text=text))
    assert time.monotonic() - began_s < 3


def test_what_stands_between_two_tables_is_looked_at_too() -> None:
    table = "| 名称 | 价格 |\n"
    verdict = Repetition()(row(text=table + STORY + "我会一直等你。" * 12 + "\n" + table))
    assert (verdict.passed, verdict.reason) == (False, "loop")
