"""Whatever a value is, it stands in the request as it is: a property of each recipe.

`test_hostile_values.py` tries the chosen ones through the whole house.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_hostile_values import DOMAIN, RUBRIC, SECRET

from corpusmith.contracts import Recipe, TaskContext
from corpusmith.recipes.evaluate import Evaluate
from corpusmith.recipes.rounds import Rounds
from corpusmith.recipes.selfplay import SelfPlay
from corpusmith.recipes.template import TemplateRecipe
from corpusmith.values import Item, Json

ANY = st.text(min_size=1, max_size=60) | st.text(
    st.sampled_from("{}%$\\<>/topiclevel\n"), max_size=40
)


def _recipe(kind: Any, spec: Mapping[str, Json], *rows: Json) -> Recipe:
    started = "2026-01-02T03:04:05"
    context = TaskContext(seed=1, language="zh", batch_id="b", started_at=started, inputs=rows)
    made: Recipe = kind(spec, context)
    return made


def _of_template(text: str) -> Recipe:
    template = {"name": "t", "prompt": "〔{topic}〕〔{level}〕〔{row}〕"}
    part = {
        "name": "t",
        "template": template,
        "values": {"topic": text, "level": SECRET},
        "columns": {"row": "row"},
        "rows": 1,
        "writers": [{"role": "writer"}],
    }
    return _recipe(TemplateRecipe, {"categories": [part]}, {"row": text})


def _of_rounds(text: str) -> Recipe:
    triple = {"question": text, "answer": SECRET, "correction": text}
    return _recipe(Rounds, {}, {"id": "r1", "rounds": [triple]})


def _of_evaluate(text: str) -> Recipe:
    rubric = {**RUBRIC, "judged": "all"}
    judges = [{"role": "judge", "name": "j"}]
    spec = {"of": "file:x", "rubric": rubric, "judges": judges}
    return _recipe(Evaluate, spec, {"id": 1, "content": {"question": text, "output": "x"}})


def _of_selfplay(text: str) -> Recipe:
    domain = {**DOMAIN, "axes": {**DOMAIN["axes"], "topic": [text]}}
    return _recipe(SelfPlay, {"domain": domain})


RECIPES: dict[str, Callable[[str], Recipe]] = {
    "template": _of_template,
    "rounds": _of_rounds,
    "evaluate": _of_evaluate,
    "selfplay": _of_selfplay,
}


@pytest.mark.parametrize("name", RECIPES)
@settings(deadline=None)
@given(text=ANY)
def test_any_text_is_asked_with_as_it_is(name: str, text: str) -> None:
    text = text.strip() or "x"
    made = RECIPES[name](text)
    item = Item(task_seed=1, category=made.plan(1)[0].name, ordinal=0)
    asked = made.preview(item)[0][1]
    said = "\n".join(message.content for message in asked)
    assert text in said
    assert said.count(SECRET) <= 1
    if name == "template":
        assert said == f"〔{text}〕〔{SECRET}〕〔{text}〕"
