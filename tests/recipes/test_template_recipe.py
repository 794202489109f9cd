"""The template recipe by itself: its quotas, its calls, its rows, its misses."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from itertools import product
from typing import Any

from corpusmith.contracts import Answer, CheckContext, TaskContext
from corpusmith.quality.chain import build
from corpusmith.recipes.template import TemplateRecipe
from corpusmith.values import PASS, Category, Draft, Item, Json, Message, Miss

TEXT = {"type": "string"}
SAMPLE = {
    "type": "object",
    "properties": {"text": TEXT},
    "required": ["text"],
    "additionalProperties": False,
}
CHECKS = ("format", "placeholders", "refusal")
LEVELS = {"name": "difficulty", "values": ["简单", "中等", "困难"], "weights": [1, 1, 1]}


class Model:
    """Answers with the same value each time, and keeps what it was asked."""

    def __init__(self, data: Json = None, text: str = "{}") -> None:
        self._data = data
        self._text = text
        self.asked: list[tuple[str, list[Message], dict[str, Any]]] = []

    async def __call__(self, role: str, messages: Sequence[Message], **options: Any) -> Answer:
        self.asked.append((role, list(messages), options))
        return Answer(
            text=self._text, raw=self._text, data=self._data, call_key="k1", model=f"m-{role}"
        )


def part(name: str = "t", **fields: Any) -> dict[str, Any]:
    template = {"name": "t", "version": 2, "prompt": "写{topic}。", "sample": SAMPLE}
    template |= fields.pop("template", {})
    given = {"values": {"topic": "餐厅"}, "writers": [{"role": "writer"}], **fields}
    return {"name": name, "template": template, **given}


def recipe(*parts: dict[str, Any], rows: Sequence[Json] = (), **spec: Any) -> TemplateRecipe:
    context = TaskContext(
        seed=3,
        language="zh",
        batch_id="batch_20260102_030405",
        started_at="2026-01-02T03:04:05",
        inputs=rows,
    )
    return TemplateRecipe({"categories": list(parts), **spec}, context)


def item(category: str = "t", ordinal: int = 0, **fields: Any) -> Item:
    return Item(task_seed=3, category=category, ordinal=ordinal, **fields)


def produce(made: TemplateRecipe, one: Item, model: Model) -> list[Draft | Miss]:
    return list(asyncio.run(made.produce(one, model)))


def prompt(made: TemplateRecipe, one: Item) -> str:
    return made.preview(one)[0][1][-1].content


# ---------------------------------------------------------------- quotas


def test_each_value_of_a_list_has_its_exact_share() -> None:
    assert recipe(part(choices=[LEVELS])).plan(100) == [
        Category(name="简单", count=34, labels={"difficulty": "简单"}),
        Category(name="中等", count=33, labels={"difficulty": "中等"}),
        Category(name="困难", count=33, labels={"difficulty": "困难"}),
    ]


def test_a_ratio_task_shares_exactly_and_again_within_each_category() -> None:
    made = recipe(
        part("正面", weight=40, choices=[LEVELS]),
        part("负面", weight=30),
        part("中性", weight=30),
        ratio=True,
    )
    assert [(one.name, one.count) for one in made.plan(1000)] == [
        ("正面/简单", 134),
        ("正面/中等", 133),
        ("正面/困难", 133),
        ("负面", 300),
        ("中性", 300),
    ]
    assert made.plan(10)[0].labels == {"category": "正面", "difficulty": "简单"}
    assert made.plan(10)[3].labels == {"category": "负面"}


def test_values_that_look_alike_when_short_are_still_cells_of_their_own() -> None:
    long = "一" * 60
    choice = {"name": "topic", "values": [long + "甲", long + "乙", "a/b"], "weights": [1, 1, 1]}
    names = [one.name for one in recipe(part(values={}, choices=[choice])).plan(3)]
    assert names == ["一" * 39 + "…", "一" * 39 + "…~2", "a／b"]


# ---------------------------------------------------------------- calls


def test_the_call_is_what_the_preview_shows_with_the_categorys_parameters() -> None:
    made = recipe(
        part(
            template={
                "prompt": "写 {count} 条{topic}，{difficulty}。{{topic}} {current_date}",
                "system": "你写{topic}。",
                "many": True,
            },
            choices=[LEVELS],
            temperature=0.4,
            top_p=0.9,
            sample_tokens=512,
        ),
        per_request=5,
    )
    one = item("中等", want=4)
    model = Model({"samples": [{"text": "a"}] * 4})
    produce(made, one, model)
    messages = [
        Message("system", "你写餐厅。"),
        Message("user", "写 4 条餐厅，中等。{topic} 2026-01-02"),
    ]
    assert made.preview(one) == [("writer", messages)]
    role, sent, options = model.asked[0]
    schema = options.pop("schema")
    assert (role, sent) == ("writer", messages)
    assert options == {"temperature": 0.4, "top_p": 0.9, "max_tokens": 4 * 512}
    assert schema.body["properties"]["samples"]["maxItems"] == 4


def test_the_schema_of_a_request_is_the_same_object_each_time() -> None:
    made = recipe(part(template={"many": True}))
    model = Model({"samples": [{"text": "a"}]})
    produce(made, item(), model)
    produce(made, item(ordinal=1), model)
    assert model.asked[0][2]["schema"] is model.asked[1][2]["schema"]


def test_the_built_in_variables_are_fixed_for_an_item() -> None:
    made = recipe(part(template={"prompt": "{current_date}|{current_time}|{random_id}|{count}"}))
    first = prompt(made, item())
    date, time, number, count = first.split("|")
    assert (date, time, len(number), count) == ("2026-01-02", "03:04:05", 12, "1")
    assert prompt(made, item()) == first
    others = {prompt(made, item(ordinal=n)) for n in range(1, 50)}
    assert len(others) == 49
    assert first not in others
    assert prompt(made, item(generation=1)) != first


def test_values_are_put_in_as_they_are() -> None:
    made = recipe(part(template={"prompt": "{topic}{n}"}, values={"topic": "{n}{{n}}", "n": 3}))
    assert prompt(made, item()) == "{n}{{n}}3"


# ---------------------------------------------------------------- rows


def test_a_row_is_the_sample_with_its_category_first_and_what_is_kept_last() -> None:
    made = recipe(
        part(
            "正面",
            template={"prompt": "写{topic}，{text}"},
            columns={"text": "content"},
            choices=[LEVELS],
            keep=["topic", "text", "source"],
            rows=1,
        ),
        ratio=True,
        rows=[{"content": "长" * 300, "source": "a.md"}],
    )
    kept = {"topic": "餐厅", "text": "长" * 300, "source": "a.md"}
    labels = {"category": "正面", "difficulty": "简单"}
    assert produce(made, item("正面/简单"), Model({"text": "好"}, '{"text": "好"}')) == [
        Draft(
            content={"category": "正面", "text": "好"} | kept,
            raw='{"text": "好"}',
            labels=labels,
            provenance={
                "recipe": "template",
                "template": {"name": "t", "version": 2},
                "values": {"topic": "餐厅", "difficulty": "简单"},
                "row": 0,
                "models": ["m-writer"],
                "simulated": False,
                "calls": ["k1"],
                "seed": 3,
                "item": "正面/简单#0",
                "given_fields": ["category", "topic", "text", "source"],
            },
        )
    ]


def test_a_bad_sample_is_rejected_by_itself_and_too_many_are_cut() -> None:
    made = recipe(part(template={"many": True}), per_request=3)
    samples = [{"text": "a"}, {"text": 1}, {"text": "c"}, {"text": "d"}]
    found = produce(made, item(want=3), Model({"samples": samples}))
    assert [one.content for one in found if isinstance(one, Draft)] == [
        {"text": "a"},
        {"text": "c"},
    ]
    assert found[1] == Miss(
        kind="rejected",
        reason="schema",
        detail={"problem": 'at $.text: 1 is not of type "string"'},
        raw='{"text":1}',
        fresh=True,
    )


def test_samples_that_are_no_objects_are_rejected() -> None:
    made = recipe(part(template={"many": True}), per_request=2)
    found = produce(made, item(want=2), Model({"samples": [None, ["a"]]}))
    assert [(one.kind, one.reason) for one in found if isinstance(one, Miss)] == [
        ("rejected", "schema")
    ] * 2


def test_without_a_shape_a_row_is_the_text() -> None:
    made = recipe(part(template={"sample": None}))
    model = Model(text="一首诗")
    (draft,) = produce(made, item(), model)
    assert isinstance(draft, Draft)
    assert (draft.content, model.asked[0][2]["schema"]) == ({"text": "一首诗"}, None)


def test_a_sample_may_be_a_text() -> None:
    made = recipe(part(template={"sample": TEXT, "many": True}), per_request=2)
    found = produce(made, item(want=2), Model({"samples": ["a", "b"]}))
    assert [one.content for one in found if isinstance(one, Draft)] == [
        {"text": "a"},
        {"text": "b"},
    ]


def fault(draft: Draft, *names: str) -> str | None:
    """The reason why these checks turn it down; None: they all pass it."""
    checks = build({name: {} for name in names}, CheckContext(language="zh"))
    seen = checks.own(draft)
    if isinstance(seen, Miss):
        return seen.reason
    assert seen.verdicts == dict.fromkeys(names, PASS)
    return None


def test_the_checks_judge_what_was_written_and_not_what_was_kept() -> None:
    made = recipe(part(values={"topic": "TODO: \x0c{name}"}, keep=["topic"]))
    (good,) = produce(made, item(), Model({"text": "好吃"}))
    (bad,) = produce(made, item(), Model({"text": "我是{name}，你好"}))
    assert isinstance(good, Draft)
    assert isinstance(bad, Draft)
    assert fault(good, *CHECKS) is None
    assert fault(bad, *CHECKS) == "placeholder"


def test_a_field_that_other_jobs_have_too_is_just_a_field() -> None:
    shape = {**SAMPLE, "properties": {"dialogues": TEXT}, "required": ["dialogues"]}
    (draft,) = produce(recipe(part(template={"sample": shape})), item(), Model({"dialogues": "a"}))
    assert isinstance(draft, Draft)
    assert fault(draft, "format") is None


# ---------------------------------------------------------------- rows of an input


def by_row(made: TemplateRecipe, cells: Sequence[str], ordinals: int) -> list[tuple[str, str]]:
    return [
        (cell, prompt(made, item(cell, ordinal))) for ordinal in range(ordinals) for cell in cells
    ]


def test_every_cell_meets_every_row_once_before_any_again() -> None:
    rows = [{"text": f"r{n}"} for n in range(6)]
    made = recipe(
        part(
            template={"prompt": "{text}"},
            values={},
            columns={"text": "text"},
            choices=[LEVELS],
            rows=6,
        ),
        rows=rows,
    )
    cells = ["简单", "中等", "困难"]
    wanted = sorted(product(cells, [f"r{n}" for n in range(6)]))
    assert sorted(by_row(made, cells, 6)) == wanted
    assert sorted(by_row(made, cells, 12)) == sorted(wanted * 2)


def test_a_category_reads_its_own_stretch_of_the_rows() -> None:
    rows = [{"text": "a"}, {"text": "b"}, {"text": "c"}]
    fields: dict[str, Any] = {
        "template": {"prompt": "{text}"},
        "values": {},
        "columns": {"text": "text"},
    }
    made = recipe(
        part("x", rows=1, **fields),
        part("y", first_row=1, rows=2, **fields),
        ratio=True,
        rows=rows,
    )
    assert [prompt(made, item("x", n)) for n in range(2)] == ["a", "a"]
    assert [prompt(made, item("y", n)) for n in range(3)] == ["b", "c", "b"]


def test_where_each_row_has_its_records_a_short_reply_is_tried_again() -> None:
    made = recipe(
        part(values={}, columns={"topic": "text"}, rows=2, template={"many": True}),
        rows=[{"text": "a"}, {"text": "b"}],
        each_row=True,
        per_request=2,
    )
    found = produce(made, item(want=2), Model({"samples": [{"text": "x"}]}))
    assert made.closed
    assert found[1] == Miss(kind="rejected", reason="too_few", fresh=True)


# ---------------------------------------------------------------- variety and models


def test_variety_goes_through_all_combinations_evenly() -> None:
    made = recipe(
        part(
            template={"prompt": "{a}{b}"},
            values={},
            variety=[
                {"name": "a", "values": [1, 2, 3], "weights": [1, 1, 1]},
                {"name": "b", "values": ["x", "y"], "weights": [3, 1]},
            ],
        )
    )
    asked = [prompt(made, item(ordinal=n)) for n in range(12)]
    assert Counter(asked) == {f"{a}{b}": n for a in (1, 2, 3) for b, n in (("x", 3), ("y", 1))}
    assert [one.name for one in made.plan(5)] == ["t"]


def test_models_share_the_items_by_weight_in_every_cell() -> None:
    writers = [{"role": "writer", "weight": 3}, {"role": "writer2", "weight": 1}]
    made = recipe(part(choices=[LEVELS], writers=writers))
    asked = Counter(
        (cell, made.preview(item(cell, n))[0][0])
        for cell in ("简单", "中等", "困难")
        for n in range(40)
    )
    wanted = {}
    for cell in ("简单", "中等", "困难"):
        wanted |= {(cell, "writer"): 30, (cell, "writer2"): 10}
    assert asked == wanted
    assert made.roles == ("writer", "writer2")


def test_the_estimate_counts_the_prompt_the_schema_and_each_sample() -> None:
    made = recipe(part(template={"many": True}), per_request=5)
    calls, prompt_tokens, completion = made.estimate(item(want=5))
    assert calls == 1
    assert 30 < prompt_tokens < 90
    assert completion == 5 * made.estimate(item(want=1))[2]
