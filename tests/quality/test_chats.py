"""Chats as others write them: what of them the `format` check passes, and which texts they hold."""

from __future__ import annotations

from typing import Any

import pytest
from checks_kit import chat, failed

from corpusmith.quality.format import Format
from corpusmith.quality.refusal import Refusal
from corpusmith.quality.shapes import passages
from corpusmith.values import PASS, Draft, Json

ASK, SAY, RULE = ("user", "几点了？"), ("assistant", "三点。"), ("system", "你是钟。")
GOOD = {"role": "assistant", "content": "三点整。"}
BAD = {"role": "assistant", "content": "不知道。"}


@pytest.mark.parametrize(
    "draft",
    [
        chat(ASK, SAY),
        chat(RULE, ASK, SAY),
        chat(("developer", "你是钟。"), ASK, SAY, ASK, SAY),
        chat(SAY, ASK, SAY),
        chat(ASK, ("function_call", "time()"), ("tool", "15:00"), ("tool", "UTC"), SAY),
        chat(ASK, SAY, label=True),
        chat(ASK, SAY, label="闲聊"),
        chat(ASK, SAY, source="a.md", score=3),
        chat(ASK, chosen=GOOD, rejected=BAD),
        chat(RULE, ASK, SAY, ASK, chosen=GOOD, rejected=BAD),
        Draft(
            content={
                "messages": [
                    {"role": "user", "content": "几点了？"},
                    {"role": "assistant", "content": "", "tool_calls": [{"id": "1"}]},
                    {"role": "tool", "content": "15:00", "tool_call_id": "1"},
                    {"role": "assistant", "content": "三点。"},
                ],
                "tools": [],
            }
        ),
    ],
)
def test_a_chat_that_trainers_load_passes(draft: Draft) -> None:
    assert Format()(draft) is PASS


@pytest.mark.parametrize(
    ("content", "reason", "path"),
    [
        ({"messages": "hi"}, "types", "$.messages"),
        ({"messages": []}, "types", "$.messages"),
        ({"messages": ["hi"]}, "types", "$.messages[0]"),
        ({"messages": [{"role": "user"}]}, "types", "$.messages[0]"),
        ({"messages": [{"role": ["user"], "content": "a"}]}, "types", "$.messages[0]"),
        ({"messages": [{"role": "user", "content": 3}]}, "types", "$.messages[0]"),
        (chat(("bot", "嗨"), ASK, SAY).content, "roles", "$.messages[0].role"),
        (chat(ASK, RULE, SAY).content, "roles", "$.messages[1].role"),
        (chat(ASK, ASK, SAY).content, "roles", "$.messages[1].role"),
        (chat(ASK, SAY, SAY).content, "roles", "$.messages[2].role"),
        (chat(ASK, SAY, ASK).content, "roles", "$.messages[2].role"),
        (chat(RULE).content, "roles", "$.messages[0].role"),
        (chat(ASK, ("assistant", " ")).content, "empty", "$.messages[1].content"),
        (chat(ASK, ("assistant", "a\x00")).content, "control", "$.messages[1].content"),
        (chat(ASK, SAY, note="").content, "empty", "$.note"),
        (chat(ASK, SAY, label=1).content, "types", "$.label"),
        (chat(ASK, SAY, chosen=GOOD, rejected=BAD).content, "roles", "$.messages[1].role"),
        (chat(ASK, chosen=GOOD).content, "keys", "$"),
        (chat(ASK, chosen="三点", rejected=BAD).content, "types", "$.chosen"),
        (
            chat(ASK, chosen=GOOD, rejected={"role": "user", "content": "?"}).content,
            "roles",
            "$.rejected.role",
        ),
        (
            chat(ASK, chosen=GOOD, rejected={"role": "assistant", "content": ""}).content,
            "empty",
            "$.rejected.content",
        ),
    ],
)
def test_a_chat_that_trainers_would_drop_fails(content: Json, reason: str, path: str) -> None:
    verdict = Format()(Draft(content=content))
    assert (verdict.passed, verdict.reason, verdict.detail["path"]) == (False, reason, path)


def test_a_templates_field_of_that_name_is_just_a_field() -> None:
    draft = Draft(content={"messages": ["一", "二"]}, provenance={"recipe": "template"})
    assert Format()(draft) is PASS


def test_the_texts_of_a_chat_are_what_is_said_and_not_who_says_it() -> None:
    draft = chat(RULE, ASK, chosen=GOOD, rejected=BAD, topic="钟表")
    assert [tuple(one) for one in passages(draft)] == [
        ("$.messages[0].content", "你是钟。", "system"),
        ("$.messages[1].content", "几点了？", "user"),
        ("$.chosen.content", "三点整。", "chosen"),
        ("$.rejected.content", "不知道。", "rejected"),
        ("$.topic", "钟表", ""),
    ]


@pytest.mark.parametrize(
    ("fields", "passes"),
    [
        ({"chosen": GOOD, "rejected": {**BAD, "content": "抱歉，我无法提供帮助。"}}, True),
        ({"rejected": BAD, "chosen": {**GOOD, "content": "抱歉，我无法提供帮助。"}}, False),
    ],
)
def test_what_a_preference_rejects_may_be_a_refusal(fields: Any, passes: bool) -> None:
    assert Refusal()(chat(ASK, **fields)).passed == passes
    assert Refusal(action="flag")(chat(ASK, **fields)).passed
    assert passes or Refusal()(chat(ASK, **fields)) == failed(
        "refusal", found="抱歉，我无法提供帮助。"
    )
