"""The evaluate recipe by itself: what it asks, and what it makes of the verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from corpusmith.contracts import Answer, TaskContext
from corpusmith.recipes.evaluate import Evaluate
from corpusmith.values import Category, Item, Message

DIMENSIONS = [
    {"name": "right", "label": "Right", "description": "d", "score_1": "a", "score_5": "b"},
    {"name": "kind", "description": "d", "score_1": "a", "score_5": "b", "weight": 3},
]
SPEC = {
    "of": "dataset:x",
    "rubric": {"name": "own", "judged": "All.", "dimensions": DIMENSIONS},
    "judges": [
        {"role": "judge", "name": "strict"},
        {"role": "judge2", "name": "mild", "weight": 3},
    ],
    "language": "en",
}
ROWS = [{"id": 41, "content": {"question": "Q", "answer": "A secret answer"}}]
ITEM = Item(task_seed=7, category="dataset:x", ordinal=0)


class Verdicts:
    """An Ask that says what it was given, in turn, and keeps what it was asked."""

    def __init__(self, *verdicts: dict[str, Any]) -> None:
        self._verdicts = list(verdicts)
        self.asked: list[dict[str, Any]] = []

    async def __call__(self, role: str, messages: Sequence[Message], **options: Any) -> Answer:
        self.asked.append({"role": role, "messages": messages, **options})
        data = self._verdicts.pop(0)
        key = f"key-{role}"
        return Answer(
            text="t", data=data, raw=str(data), call_key=key, model="m", simulated=role == "judge2"
        )


def recipe(**changes: Any) -> Evaluate:
    context = TaskContext(seed=7, language="en", batch_id="b", started_at="s", inputs=ROWS)
    return Evaluate({**SPEC, **changes}, context)


async def test_a_result_is_ids_and_scores_and_nothing_of_the_row() -> None:
    ask = Verdicts(
        {"comment": " Too harsh. ", "right": 2, "kind": 1},
        {"comment": "Fine.", "right": 4, "kind": 5},
    )
    (draft,) = await recipe().produce(ITEM, ask)
    assert draft.content == {
        "id": 41,
        "scores": {"right": 3.5, "kind": 4.0},
        "overall": 3.875,
        "judges": [
            {
                "judge": "strict",
                "model": "m",
                "scores": {"right": 2, "kind": 1},
                "comment": "Too harsh.",
            },
            {"judge": "mild", "model": "m", "scores": {"right": 4, "kind": 5}, "comment": "Fine."},
        ],
    }
    assert "secret" not in str(draft)


async def test_where_the_scores_came_from_is_kept() -> None:
    made = recipe()
    (draft,) = await made.produce(ITEM, Verdicts({"right": 2, "kind": 1}, {"right": 4, "kind": 5}))
    assert draft.labels == {"rubric": "own", "judge": "strict, mild"}
    assert draft.provenance == {
        "recipe": "evaluate",
        "of": "dataset:x",
        "rubric": "own",
        "rubric_digest": made.spec.rubric.digest,
        "models": ["m"],
        "simulated": True,
        "calls": ["key-judge", "key-judge2"],
        "seed": 7,
        "item": "dataset:x#0",
    }


@pytest.mark.parametrize("fresh", [False, True])
async def test_judges_are_asked_cold_and_share_what_was_paid_unless_it_is_to_be_fresh(
    fresh: bool,
) -> None:
    ask = Verdicts({"right": 2, "kind": 1}, {"right": 4, "kind": 5})
    await recipe(fresh=fresh).produce(ITEM, ask)
    assert [
        (one["role"], one["temperature"], one["shared"], one["schema"].name) for one in ask.asked
    ] == [("judge", 0.0, not fresh, "verdict"), ("judge2", 0.0, not fresh, "verdict")]
    assert ask.asked[0]["messages"] == ask.asked[1]["messages"] == recipe().preview(ITEM)[0][1]


def test_all_rows_are_one_category_and_every_judge_a_role() -> None:
    made = recipe()
    assert made.closed
    assert (made.roles, made.per_item) == (("judge", "judge2"), 1)
    assert made.plan(5) == [Category(name="dataset:x", count=5)]


def test_the_estimate_is_for_all_judges_and_grows_with_the_rows() -> None:
    calls, prompt, completion = recipe().estimate(ITEM)
    longer = Evaluate(
        SPEC,
        TaskContext(
            seed=7,
            language="en",
            batch_id="b",
            started_at="s",
            inputs=[{"id": 1, "content": {"answer": "long " * 400}}],
        ),
    ).estimate(ITEM)
    assert (calls, completion) == (2, 2 * (80 + 2 * 8))
    assert longer[1] - prompt == pytest.approx(2 * 500, rel=0.1)


async def test_a_long_row_is_shown_without_its_middle() -> None:
    long = [{"id": 1, "content": {"answer": "word " * 5000}}]
    context = TaskContext(seed=7, language="en", batch_id="b", started_at="s", inputs=long)
    made = Evaluate({**SPEC, "max_row_tokens": 200}, context)
    shown = made.preview(ITEM)[0][1][1].content
    assert "tokens are left out here" in shown
    assert len(shown) < 2000
