"""The rounds recipe by itself: its calls, its record, its misses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from corpusmith.contracts import Answer, CheckContext, TaskContext
from corpusmith.errors import InvalidReply
from corpusmith.quality.chain import build
from corpusmith.recipes.rounds import Rounds
from corpusmith.values import PASS, Category, Draft, Item, Message, Miss

GIVEN = {
    "id": "r1-000007",
    "rounds": [{"question": "高速公路开多快？", "answer": "随便开", "correction": "看路标"}],
}
ITEM = Item(task_seed=3, category="rounds", ordinal=0)


class Models:
    """Answers for all roles, and what they were asked."""

    def __init__(self, reply: Callable[[str, int], str]) -> None:
        self._reply = reply
        self.asked: list[tuple[str, list[Message], dict[str, Any]]] = []

    async def __call__(self, role: str, messages: Sequence[Message], **options: Any) -> Answer:
        self.asked.append((role, list(messages), options))
        number = len(self.asked)
        text = self._reply(role, number)
        fault = options.pop("fault", None)
        if fault is not None and (reason := fault(text)):
            raise InvalidReply(reason, raw=text)
        return Answer(text=text, raw=text, call_key=f"k{number}", model=f"m-{role}")


def produce(reply: Callable[[str, int], str], **spec: Any) -> tuple[Draft, Models]:
    recipe = Rounds(spec, _context())
    models = Models(reply)
    made = asyncio.run(recipe.produce(ITEM, models))
    assert len(made) == 1
    return made[0], models


def _context() -> TaskContext:
    return TaskContext(
        seed=3,
        language="zh",
        batch_id="batch_20260102_030405",
        started_at="2026-01-02T03:04:05",
        inputs=[GIVEN],
    )


def test_a_record_is_the_conversation_with_its_new_rounds() -> None:
    draft, models = produce(lambda role, number: f"{role} {number}", rounds=2)
    assert draft == Draft(
        content={
            "id": "r1-000007",
            "rounds": [
                *GIVEN["rounds"],
                {"question": "ask 1", "answer": "answer 2", "correction": "correct 3"},
                {"question": "ask 4", "answer": "answer 5", "correction": "correct 6"},
            ],
        },
        raw="correct 6",
        provenance={
            "recipe": "rounds",
            "models": ["m-answer", "m-ask", "m-correct"],
            "model_of_role": {"ask": "m-ask", "answer": "m-answer", "correct": "m-correct"},
            "simulated": False,
            "calls": ["k1", "k2", "k3", "k4", "k5", "k6"],
            "seed": 3,
            "item": "rounds#0",
            "given_rounds": 1,
        },
    )
    assert [(role, options) for role, _, options in models.asked[:3]] == [
        ("ask", {"max_tokens": 256}),
        ("answer", {"max_tokens": 1024}),
        ("correct", {"max_tokens": 1024}),
    ]


def test_the_given_conversation_is_not_changed() -> None:
    before = [dict(one) for one in GIVEN["rounds"]]
    produce(lambda role, number: f"{role} {number}", rounds=3)
    assert GIVEN["rounds"] == before


def test_later_rounds_see_corrections_and_never_drafts() -> None:
    _, models = produce(lambda role, number: f"{role} {number}", rounds=2)
    role, messages, _ = models.asked[4]
    assert (role, [one.content for one in messages[1:]]) == (
        "answer",
        ["高速公路开多快？", "看路标", "ask 1", "correct 3", "ask 4"],
    )


@pytest.mark.parametrize(
    ("role", "text", "reason"),
    [
        ("ask", "追问：", "empty_reply_text"),
        ("ask", "高速公路，开多快", "repeated_question"),
        ("correct", "修正后的回答：", "empty_reply_text"),
    ],
)
def test_a_reply_without_use_is_never_a_round(role: str, text: str, reason: str) -> None:
    with pytest.raises(InvalidReply) as caught:
        produce(lambda asked, number: text if asked == role else f"{number}")
    assert (caught.value.reason, caught.value.raw) == (reason, text)


def test_a_plan_is_one_conversation_an_item() -> None:
    recipe = Rounds({"rounds": 4}, _context())
    assert (recipe.closed, recipe.per_item, recipe.roles) == (True, 1, ("ask", "answer", "correct"))
    assert recipe.plan(236) == [Category(name="rounds", count=236)]
    assert recipe.estimate(ITEM)[0] == 12
    assert [role for role, _ in recipe.preview(ITEM)] == ["ask", "answer", "correct"]


def test_the_estimate_is_of_the_first_conversations_not_of_the_first_one() -> None:
    texts = ("短", "很长的一句话。" * 500)
    rows = [{"id": t, "rounds": [{"question": t, "answer": t, "correction": t}]} for t in texts]
    told = [
        Rounds({}, replace(_context(), inputs=inputs)).estimate(ITEM)
        for inputs in (rows, rows[::-1], rows[:1], rows[1:])
    ]
    assert told[0] == told[1]
    assert told[0][1] == (told[2][1] + told[3][1]) // 2


def fault(draft: Draft, *names: str) -> str | None:
    """The reason why these checks turn it down; None: they all pass it."""
    checks = build({name: {} for name in names}, CheckContext(language="zh"))
    seen = checks.own(draft)
    if isinstance(seen, Miss):
        return seen.reason
    assert seen.verdicts == dict.fromkeys(names, PASS)
    return None


def test_checks_leave_the_given_rounds_alone() -> None:
    checks = ("format", "placeholders", "refusal")
    given = {"question": "写信", "answer": "尊敬的{{user}}", "correction": "很抱歉，我无法提供。"}
    new = {"question": "再短些？", "answer": "作为AI，我不能。", "correction": "此致敬礼。"}
    content = {"id": "r1-000001", "rounds": [given, new]}
    assert fault(Draft(content=content, provenance={"given_rounds": 1}), *checks) is None
    assert fault(Draft(content=content), *checks) == "placeholder"
    spoiled = {**content, "rounds": [given, {**new, "correction": "尊敬的{{user}}"}]}
    spoiled_draft = Draft(content=spoiled, provenance={"given_rounds": 1})
    assert fault(spoiled_draft, *checks) == "placeholder"
