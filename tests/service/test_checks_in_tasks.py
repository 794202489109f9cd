"""Checks of a task, from what people write to what its records say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from corpusmith import Studio
from corpusmith.errors import CorpusmithError
from corpusmith.service.checks import ALL_CHECKS, DEFAULT_CHECKS, options_of, usual_checks
from corpusmith.simulator import Running, SimulatorConfig, run_in_thread
from corpusmith.store.schema import calls

CARD = Path(__file__).parent.parent.parent / "src/corpusmith/presets/characters"
USUAL: dict[str, Any] = {name: {} for name in DEFAULT_CHECKS}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig(seed=3)) as running:
        yield running


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    with Studio(f"sqlite:///{tmp_path}/checks.db", language="zh") as opened:
        yield opened


def task_of(simulator: Running, **fields: Any) -> dict[str, Any]:
    connection = {"base_url": simulator.url, "model": "writer-model"}
    return {
        "template": {"name": "qa", "prompt": "写一个关于{topic}的问答。", "schema": SCHEMA},
        "vars": {"topic": "茶"},
        "count": 12,
        "seed": 5,
        "connection": connection,
        **fields,
    }


SCHEMA = {
    "type": "object",
    "properties": {"question": {"type": "string"}, "answer": {"type": "string"}},
    "required": ["question", "answer"],
}


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        (None, USUAL),
        ("default", USUAL),
        ("none", {}),
        ("all", {name: {} for name in ALL_CHECKS}),
        (["format", "judge"], {"format": {}, "judge": {}}),
        ("format, judge", {"format": {}, "judge": {}}),
        (["default", "judge"], {**USUAL, "judge": {}}),
        ({"refusal": "off"}, {"format": {}, "placeholders": {}}),
        ({"refusal": False, "judge": None}, {"format": {}, "placeholders": {}, "judge": {}}),
        ({"judge": {"min_score": 4}}, {**USUAL, "judge": {"min_score": 4}}),
        (["format", {"judge": {"min_score": 4}}], {"format": {}, "judge": {"min_score": 4}}),
    ],
)
def test_checks_are_written_in_several_ways(wish: Any, found: Any) -> None:
    assert options_of(wish, usual_checks()) == found


@pytest.mark.parametrize("wish", [3, [3], {"format": 3}, {"format": [1]}, {3: {}}, True])
def test_what_names_no_check_is_refused(wish: Any) -> None:
    with pytest.raises(CorpusmithError) as caught:
        options_of(wish, usual_checks())
    assert caught.value.reason == "checks_shape"


def test_a_judge_in_the_stream_scores_every_record(studio: Studio, simulator: Running) -> None:
    result = studio.generate(
        **task_of(simulator, checks={"judge": {"min_score": 3, "rubric": "qa"}})
    )
    records = list(studio.store.records.iterate(task_id=result.task_id))
    assert result.counts.accepted == len(records) == 12
    assert all(record.score is not None and record.score >= 3 for record in records)
    verdicts = records[0].verdicts
    assert [*verdicts] == ["format", "placeholders", "refusal", "judge"]
    assert verdicts["format"] == "pass"
    assert verdicts["judge"]["score"] == records[0].score
    # Those that it turned down are there with their scores and texts.
    misses = studio.tasks.misses(result.task_id)
    assert result.counts.rejected == len(misses) > 0
    assert {miss.reason for miss in misses} == {"score_low"}
    assert all(miss.detail["score"] < 3 and miss.raw for miss in misses)


def test_a_scorer_has_its_own_endpoint_and_no_temperature_of_the_task(
    studio: Studio, simulator: Running
) -> None:
    fields = task_of(
        simulator,
        checks={"judge": {"min_score": 1}},
        temperature=0.9,
        roles={"scorer": {"base_url": simulator.url, "model": "judge-model"}},
    )
    result = studio.generate(**fields)
    with studio.store.records._database.read() as connection:
        rows = connection.execute(select(calls.c.role, calls.c.model, calls.c.request)).all()
    told = {
        (role, model, orjson.loads(body)["sampling"]["temperature"]) for role, model, body in rows
    }
    assert told == {("writer", "writer-model", 0.9), ("scorer", "judge-model", 0.0)}
    assert result.counts.accepted == 12


def test_an_estimate_counts_the_judge_too(studio: Studio, simulator: Running) -> None:
    plain = studio.tasks.preview(task_of(simulator)).estimate
    judged = studio.tasks.preview(task_of(simulator, checks={"judge": {}})).estimate
    assert judged.calls == plain.calls + 12
    assert judged.prompt_tokens > plain.prompt_tokens + 12 * 100


def test_the_same_texts_are_not_judged_twice(studio: Studio, simulator: Running) -> None:
    fields = task_of(simulator, checks={"judge": {"min_score": 1}})
    first = studio.generate(**fields)
    again = studio.generate(**fields)
    assert first.spend.calls == 24
    assert again.spend.calls == 0, "same seed, same texts: everything is in the journal"


def test_options_are_kept_with_the_task_and_a_wrong_one_costs_nothing(
    studio: Studio, simulator: Running, tmp_path: Path
) -> None:
    rubric = tmp_path / "taste.yaml"
    rubric.write_text(
        "judged: 回答\ndimensions:\n- {name: taste, description: 味道, score_1: 差, score_5: 好}\n",
        "utf-8",
    )
    task = studio.tasks.create(**task_of(simulator, checks={"judge": {"rubric": str(rubric)}}))
    rubric.unlink()
    assert studio.tasks.get(task.id).spec["checks"]["judge"]["rubric"]["name"] == "taste"
    assert studio.tasks.run(task).counts.accepted == 12
    with pytest.raises(CorpusmithError) as caught:
        studio.tasks.create(**task_of(simulator, checks={"judge": {"min_score": 9}}))
    assert caught.value.reason == "judge_threshold"
    assert len(studio.tasks.list()) == 1
