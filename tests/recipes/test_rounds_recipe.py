"""The rounds recipe by itself: its calls, its record, its misses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from corpusmith.contracts import Answer, TaskContext
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
        return Answer(text=text, raw=text, call_key=f"k{number}", model=f"m-{role}")


def produce(reply: Callable[[str, int], str], **spec: Any) -> tuple[Draft | Miss, Models]:
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


def test_a_reply_that_is_only_a_label_is_a_miss_with_the_models_words() -> None:
    made, models = produce(lambda role, number: "追问：" if role == "ask" else "…")
    assert made == Miss(
        kind="rejected",
        reason="empty_reply_text",
        detail={"role": "ask"},
        raw="追问：",
        fresh=True,
    )
    assert len(models.asked) == 1


def test_a_correction_that_is_only_a_label_is_a_miss() -> None:
    made, _ = produce(lambda role, number: "修正后的回答：" if role == "correct" else f"{number}")
    assert isinstance(made, Miss)
    assert (made.reason, made.detail) == ("empty_reply_text", {"role": "correct"})


def test_a_question_that_was_asked_before_is_a_miss() -> None:
    made, _ = produce(lambda role, number: "高速公路，开多快" if role == "ask" else f"{number}")
    assert isinstance(made, Miss)
    assert (made.kind, made.reason, made.raw) == (
        "rejected",
        "repeated_question",
        "高速公路，开多快",
    )


def test_a_plan_is_one_conversation_an_item() -> None:
    recipe = Rounds({"rounds": 4}, _context())
    assert (recipe.closed, recipe.per_item, recipe.roles) == (True, 1, ("ask", "answer", "correct"))
    assert recipe.plan(236) == [Category(name="rounds", count=236)]
    assert recipe.estimate(ITEM)[0] == 12
    assert [role for role, _ in recipe.preview(ITEM)] == ["ask", "answer", "correct"]


def test_checks_leave_the_given_rounds_alone() -> None:
    check = build(("format", "placeholders", "refusal"), {})
    given = {"question": "写信", "answer": "尊敬的{{user}}", "correction": "很抱歉，我无法提供。"}
    new = {"question": "再短些？", "answer": "作为AI，我不能。", "correction": "此致敬礼。"}
    content = {"id": "r1-000001", "rounds": [given, new]}
    assert check(Draft(content=content, provenance={"given_rounds": 1})) == PASS
    assert check(Draft(content=content)).reason == "placeholder"
    spoiled = {**content, "rounds": [given, {**new, "correction": "尊敬的{{user}}"}]}
    assert check(Draft(content=spoiled, provenance={"given_rounds": 1})).reason == "placeholder"
