"""What replies read like."""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import pytest

from corpusmith.simulator.asks import Ask, count_tokens, cut_tokens
from corpusmith.simulator.author import Author
from corpusmith.simulator.prompts import kind_of, language_of, who_of, wishes_of
from corpusmith.simulator.prose import PLANS, pack
from corpusmith.simulator.scribe import Wishes

AUTHOR = Author(3)


def asked(text: str, system: str = "", **more: Any) -> Ask:
    return Ask(model="m", system=system, messages=(("user", text),), **more)


def reply(ask: Ask, salt: str = "") -> str:
    digest = blake2b(f"{ask}{salt}".encode(), digest_size=16).digest()
    return AUTHOR.write(ask, digest).text


PROMPTS = {
    "zh": "请用约120字回答第{n}号问题：怎样把日子过好？",
    "en": "Please answer question {n} in about 60 words: how to live well?",
}


@pytest.mark.parametrize("language", PROMPTS)
def test_a_thousand_replies_do_not_look_alike(language: str) -> None:
    texts = [reply(asked(PROMPTS[language].replace("{n}", str(n)))) for n in range(1000)]
    sentences = [set(re.split("[。？！.?!]", text)) - {"", " "} for text in texts]
    shares = [len(one & other) / len(one | other) for one, other in pairwise(sentences)]
    assert len(set(texts)) >= 998
    assert sum(shares) / len(shares) < 0.1
    assert len({text[:60] for text in texts}) > 90


@pytest.mark.parametrize("language", PROMPTS)
def test_no_reply_holds_artefacts(language: str) -> None:
    texts = [
        reply(asked(f"{prompt}{n}"))
        for n in range(40)
        for prompt in ("追问 ", "点评 ", "更正 ", "总结 ", "扮演用户 ", "角色 ", "标题 ")
    ]
    found = [
        t for t in texts if re.search(r"[{}<>`%|]|作为.{0,2}AI|语言模型|As an AI|抱歉|sorry", t)
    ]
    assert found == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_slot_of_every_frame_has_words(language: Any) -> None:
    words = pack(language)
    slots = {
        slot for frames, _, _ in words.frames.values() for _, found in frames for slot in found
    }
    kinds = {kind for plan in PLANS.values() for kind in plan if kind} | {"refusal"}
    assert all(slots <= topic.keys() for topic in words.topics)
    assert kinds == words.frames.keys()


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("请写约200字的回答", 160, 235),
        ("请写 600 字左右", 500, 700),
        ("回答不超过50字", 12, 50),
        ("100到150字，回答我", 80, 150),
        ("Answer in about 80 words", 330, 520),
        ("Answer in no more than 40 words.", 60, 224),
    ],
)
def test_a_wish_for_length_is_heard(text: str, low: int, high: int) -> None:
    lengths = [len(reply(asked(text), str(n))) for n in range(60)]
    assert low <= min(lengths) and max(lengths) <= high


@pytest.mark.parametrize(
    ("system", "text", "kind"),
    [
        ("", "请针对上面的回答提出一个追问", "follow"),
        ("你是评委，请批评下面的回答", "怎么做饭", "critique"),
        ("", "请更正这段回答", "correction"),
        ("请扮演用户，写出用户的下一句话", "你好呀", "user_more"),
        ("你要扮演角色林晚", "今天过得好吗", "character"),
        ("", "为什么天是蓝的？", "answer"),
        ("", "Ask a follow-up question.", "follow"),
        ("You are a strict judge.", "The answer is 5.", "critique"),
    ],
)
def test_the_kind_is_guessed_from_the_prompt(system: str, text: str, kind: str) -> None:
    ask = Ask(model="m", system=system, messages=(("assistant", "嗯"), ("user", text)))
    assert kind_of(ask) == kind


def test_the_prompt_tells_name_counts_and_language() -> None:
    ask = asked("请写 5 条问答，每条约30字", "角色名：苏小满\n请写 3 轮对话")
    assert who_of(ask) == "苏小满"
    assert wishes_of(ask, "zh") == Wishes(length=(27, 34), turns=3, items=5)
    assert [language_of("你好 world"), language_of("hello"), language_of("")] == ["zh", "en", "en"]


def test_a_talk_has_its_turns_and_the_characters_name() -> None:
    schema = {
        "type": "object",
        "properties": {
            "dialogues": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "role": {"type": "string", "enum": ["assistant", "user"]},
                        "content": {"type": "string"},
                    },
                    "required": ["role", "content"],
                    "additionalProperties": False,
                },
            }
        },
        "required": ["dialogues"],
        "additionalProperties": False,
    }
    ask = asked("请写 4 轮对话", "角色名：苏小满", mode="schema", schema=schema)
    talks = [json.loads(reply(ask, str(n)))["dialogues"] for n in range(30)]
    assert {tuple(line["role"] for line in talk) for talk in talks} == {("user", "assistant") * 4}
    assert all(len({line["content"] for line in talk}) == 8 for talk in talks)
    assert any("苏小满" in line["content"] for talk in talks for line in talk)


def test_fields_read_as_what_they_are_named() -> None:
    names = ("question", "answer", "title", "score", "回答", "final_answer", "confidence")
    schema = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in names},
        "required": list(names),
    }
    schema["properties"] |= {"score": {"type": "integer"}, "confidence": {"type": "number"}}  # type: ignore[operator]
    found = json.loads(reply(asked("写一条问答", mode="schema", schema=schema)))
    assert len(found["answer"]) > len(found["question"]) > len(found["title"]) > 2
    assert 1 <= found["score"] <= 5 and 0 <= found["confidence"] <= 1


def test_tokens_are_counted_and_cut_alike() -> None:
    text = "语料 corpus 工坊，makes data 好"
    assert count_tokens("") == 0
    assert count_tokens("语料工坊") == 4
    assert count_tokens("abcdefgh") == 2
    assert all(count_tokens(cut_tokens(text, n)) <= n for n in range(1, 20))
    assert cut_tokens(text, 99) == text


def test_foreign_text_in_a_prompt_is_never_expanded() -> None:
    hostile = "角色名：{0.__class__} %s %(a)s <tip> ${x}\n请写 2 轮对话 {n}"
    texts = [reply(asked(hostile), str(n)) for n in range(50)]
    assert [t for t in texts if re.search(r"[{}<>$%]", t)] == []
