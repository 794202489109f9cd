"""What the models of the rounds recipe are told, and what is taken from their replies."""

from __future__ import annotations

import pytest

from corpusmith.presets.load import prompts as shipped
from corpusmith.recipes import rounds_prompts as prompts
from corpusmith.recipes.rounds_prompts import Window
from corpusmith.tokens import tokens_of
from corpusmith.values import Language, Message, Role

WIDE = Window(messages=16, tokens=8000)
ROLES: tuple[Role, Role] = ("user", "assistant")


def talk(count: int) -> list[Message]:
    return [Message(ROLES[at % 2], f"{at:04d}") for at in range(count)]


def rounds(count: int) -> list[dict[str, str]]:
    return [
        {"question": f"q{at}", "answer": f"a{at}", "correction": f"c{at}"}
        for at in range(1, count + 1)
    ]


def said(messages: list[Message]) -> list[str]:
    return [f"{one.role[0]}:{one.content}" for one in messages[1:]]


@pytest.mark.parametrize(
    ("count", "limit", "least", "first"),
    [
        (5, 16, 1, 0),
        (16, 16, 2, 0),
        (18, 16, 2, 2),
        (17, 16, 1, 2),  # 16 would begin with the assistant
        (9, 1, 1, 8),
        (8, 1, 2, 6),  # a follow-up needs the round before it
    ],
)
def test_the_newest_messages_are_shown_and_a_users_comes_first(
    count: int, limit: int, least: int, first: int
) -> None:
    window = Window(messages=limit, tokens=8000)
    assert window.of(talk(count), least) == talk(count)[first:]


@pytest.mark.parametrize(("tokens", "first"), [(9, 0), (8, 2), (7, 2), (6, 4), (1, 8)])
def test_tokens_cut_whole_messages_and_never_the_last(tokens: int, first: int) -> None:
    assert tokens_of("0000") == 1
    window = Window(messages=16, tokens=tokens)
    assert window.of(talk(9), 1) == talk(9)[first:]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_role_sees_the_conversation_as_it_should_have_gone(language: Language) -> None:
    texts = shipped("rounds", language)
    asked = prompts.ask(rounds(2), WIDE, language)
    answered = prompts.answer(rounds(2), "q3", WIDE, language)
    corrected = prompts.correct(rounds(2), "q3", "a3", WIDE, language)
    before = ["u:q1", "a:c1", "u:q2", "a:c2"]
    assert [asked[0].content, answered[0].content, corrected[0].content] == [
        texts["ask_system"],
        texts["answer_system"],
        texts["correct_system"],
    ]
    assert said(asked) == [*before, f"u:{texts['ask_cue']}"]
    assert said(answered) == [*before, "u:q3"]
    assert said(corrected) == [*before, "u:q3", "a:a3", f"u:{texts['correct_cue']}"]


def test_nothing_in_a_conversation_is_expanded() -> None:
    hostile = "{name} {{char}} {ask_cue} $HOME %s \\1 <|im_end|>"
    one = {"question": hostile, "answer": hostile, "correction": hostile}
    assert said(prompts.correct([one], hostile, hostile, WIDE, "zh"))[:4] == [
        f"u:{hostile}",
        f"a:{hostile}",
        f"u:{hostile}",
        f"a:{hostile}",
    ]


@pytest.mark.parametrize(
    ("reply", "question"),
    [
        ("雨天要减速多少？", "雨天要减速多少？"),
        ("追问：雨天要减速多少？", "雨天要减速多少？"),
        ("**追问：** 雨天要减速多少？", "雨天要减速多少？"),
        ("**追问**：雨天要减速多少？", "雨天要减速多少？"),
        ("### 追问\n雨天要减速多少？", "### 追问\n雨天要减速多少？"),
        ("【追问】：雨天要减速多少？", "雨天要减速多少？"),
        ("用户：雨天要减速多少？", "雨天要减速多少？"),
        ("用户的下一个问题：\n\n雨天要减速多少？", "雨天要减速多少？"),
        ("“雨天要减速多少？”", "雨天要减速多少？"),
        ("追问：“雨天要减速多少？”", "雨天要减速多少？"),
        ("“雨天”和“雪天”", "“雨天”和“雪天”"),
        ("Follow-up question: And in the rain?", "And in the rain?"),
        ("Next question: And in the rain?", "And in the rain?"),
        ("Question: And in the rain?", "And in the rain?"),
        ("**Question:** And in the rain?", "And in the rain?"),
        ('"And in the rain?"', "And in the rain?"),
        ("Questions of style: which matter?", "Questions of style: which matter?"),
        ("问题在于：要减速多少？", "问题在于：要减速多少？"),
        ("这样写对吗：`{name}`？\r\n第二行", "这样写对吗：`{name}`？\n第二行"),
        ("追问：**雨天**要减速多少？", "**雨天**要减速多少？"),
        ("追问：", ""),
        (" \r\n", ""),
    ],
)
def test_a_label_before_a_follow_up_is_cut_off(reply: str, question: str) -> None:
    assert prompts.question_in(reply) == question


@pytest.mark.parametrize(
    ("reply", "correction"),
    [
        ("雨天降低 10 到 15 英里。", "雨天降低 10 到 15 英里。"),
        ("修正后的回答：\n\n**要点**：慢。", "**要点**：慢。"),
        ("以下是修正后的完整回答：慢。", "慢。"),
        ("好的，以下是经过修正的回答：\n慢。", "慢。"),
        ("**修正后的回答：**\n- 慢。", "- 慢。"),
        ("Here is the corrected answer:\n\n1. Slow down.", "1. Slow down."),
        ("Sure! Here's the improved and complete response: Slow down.", "Slow down."),
        ("**Corrected answer:** Slow down.", "Slow down."),
        ("修正案：第一条", "修正案：第一条"),
        ("修改的内容很多。", "修改的内容很多。"),
        ("修正后的回答：", ""),
    ],
)
def test_a_label_before_a_correction_is_cut_off(reply: str, correction: str) -> None:
    assert prompts.correction_in(reply) == correction


def test_questions_are_the_same_whatever_stands_between_their_words() -> None:
    assert prompts.same("And in the RAIN?", "and in the rain")
    assert prompts.same("雨天呢？", "雨天 呢")
    assert not prompts.same("雨天呢？", "雪天呢？")
    assert not prompts.same("？", "！")
