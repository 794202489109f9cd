"""The templates that ship: what each asks for, what it brings, and that it works as it comes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import yaml

from corpusmith.cards.fields import language_of
from corpusmith.nouns import Template
from corpusmith.presets.load import templates
from corpusmith.service.recipes import recipe_of
from corpusmith.service.studio import Studio
from corpusmith.service.template_check import Source, check
from corpusmith.service.template_file import dump_template, template_of
from corpusmith.service.template_trial import Trial
from corpusmith.simulator import Running, SimulatorConfig, run_in_thread
from corpusmith.values import Item, Language

GIVEN: dict[str, set[str]] = {
    "answer": {"instruction"},
    "classification": {"topic", "labels"},
    "education-qa": {"subject", "grade"},
    "evolve-breadth": {"instruction"},
    "evolve-depth": {"instruction"},
    "grounded-qa": {"text", "source"},
    "label-text": {"text", "labels"},
    "persona-instruction": set(),
    "qa": {"topic"},
    "sentiment": {"topic"},
    "summary": {"text"},
    "topic-dialogue": {"topic"},
    "topic-summary": {"topic"},
}
"""What a user must give; the documentation says the same."""
DEFAULTS: dict[str, set[str]] = {
    "classification": {"source", "style"},
    "education-qa": {"difficulty", "question_type", "setting"},
    "evolve-breadth": {"direction"},
    "evolve-depth": {"method"},
    "grounded-qa": {"question_type"},
    "persona-instruction": {"persona", "need", "voice"},
    "qa": {"difficulty", "angle", "asker"},
    "sentiment": {"label", "aspect", "writer"},
    "summary": {"length", "style"},
    "topic-dialogue": {"turns", "purpose", "course"},
    "topic-summary": {"genre", "length", "angle"},
}
"""What changes from request to request unless a user says otherwise."""
COUNTED = {
    *("classification", "education-qa", "evolve-breadth", "grounded-qa"),
    *("persona-instruction", "qa", "sentiment"),
}
"""Those that write several samples in one request."""
SAMPLES: dict[str, dict[str, Any]] = {
    "answer": {"output": "…"},
    "classification": {"text": "…", "label": "好", "reason": "…"},
    "education-qa": {
        "question": "…",
        "answer": "…",
        "explanation": "…",
        "knowledge_points": ["一元一次方程"],
    },
    "evolve-breadth": {"new_instruction": "…"},
    "evolve-depth": {"evolved_instruction": "…", "change": "…"},
    "grounded-qa": {"question": "…", "answer": "…", "evidence": "…"},
    "label-text": {"label": "好", "evidence": "…", "reason": "…", "confidence": "…"},
    "persona-instruction": {"instruction": "…", "output": "…"},
    "qa": {"question": "…", "answer": "…"},
    "sentiment": {"text": "…"},
    "summary": {"summary": "…", "key_points": ["…", "…"]},
    "topic-dialogue": {
        "messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]
    },
    "topic-summary": {"title": "…", "text": "…", "summary": "…"},
}
VALUES: dict[Language, dict[str, str]] = {
    "zh": {
        "topic": "旧书修补",
        "labels": "求助；抱怨；闲聊",
        "subject": "数学",
        "grade": "初二",
        "instruction": "写一条请假短信。",
        "text": "老桥建于一九五八年，去年冬天开始加固，预计今年九月通车。",
        "source": "县志.txt",
        "chunk": "3",
    },
    "en": {
        "topic": "mending old books",
        "labels": "request; complaint; small talk",
        "subject": "mathematics",
        "grade": "eighth-grade",
        "instruction": "Write a text asking for a day off.",
        "text": "The old bridge was built in 1958. It should reopen in September.",
        "source": "chronicle.txt",
        "chunk": "3",
    },
}
ALL = [one for language in ("zh", "en") for one in templates(language)]
EACH = pytest.mark.parametrize("one", ALL, ids=lambda one: f"{one.name}.{one.language}")


def test_both_languages_ship_the_same_templates() -> None:
    assert [one.name for one in templates("zh")] == sorted(GIVEN)
    assert [one.name for one in templates("en")] == sorted(GIVEN)


@pytest.mark.parametrize("name", sorted(GIVEN))
def test_a_template_is_the_same_in_both_languages_but_for_its_words(name: str) -> None:
    zh, en = (_shape(one) for one in ALL if one.name == name)
    assert zh == en


def _shape(one: Template) -> dict[str, Any]:
    schema = json.loads(json.dumps(dict(one.schema or {})))
    return {
        "type": one.type,
        "preset": one.preset,
        "keep": one.keep,
        "fields": list(schema["properties"]),
        "variables": dict(check(one).variables).items(),
        "lists": {name: len(values) for name, values in one.vars.items()},
    }


@EACH
def test_it_asks_for_what_is_documented_and_nothing_else(one: Template) -> None:
    wanted: dict[str, Source] = {
        **dict.fromkeys(GIVEN[one.name], "given"),
        **dict.fromkeys(DEFAULTS.get(one.name, ()), "default"),
        **({"count": "task"} if one.name in COUNTED else {}),
    }
    about = check(one)
    assert about.variables == wanted
    assert (about.shape, about.several) == ("given", one.name in COUNTED)


@EACH
def test_its_words_are_in_its_language_and_it_reads_back_from_a_file(one: Template) -> None:
    described = json.dumps(one.schema, ensure_ascii=False)
    assert language_of(one.prompt) == language_of(one.description) == one.language
    assert any("\u4e00" <= sign <= "\u9fff" for sign in described) == (one.language == "zh")
    assert template_of(yaml.safe_load(dump_template(one)), source="t") == one


@EACH
def test_its_schema_takes_a_fitting_sample_and_no_other(one: Template) -> None:
    check_ = jsonschema_rs.validator_for(dict(one.schema or {}), offline=True)
    sample = dict(SAMPLES[one.name])
    if "confidence" in sample:
        sample["confidence"] = "高" if one.language == "zh" else "high"
    assert check_.is_valid(sample)
    for name in sample:
        assert not check_.is_valid({**sample, name: 7})
        assert not check_.is_valid({k: v for k, v in sample.items() if k != name})
    assert not check_.is_valid({**sample, "more": "x"})


@EACH
def test_every_field_of_its_sample_is_described(one: Template) -> None:
    properties: dict[str, Any] = (one.schema or {})["properties"]
    assert [name for name, field in properties.items() if not field.get("description")] == []


@EACH
def test_its_lists_give_variety(one: Template) -> None:
    short = {"difficulty", "label", "length", "turns", "voice"}
    for name, values in one.vars.items():
        assert len(values) == len(set(values))
        assert len(values) >= (3 if name in short else 8), name
        # Entries stand in a line of the prompt.
        assert not any(str(value) != str(value).strip(" 。.\n") for value in values)


# ---------------------------------------------------------------- against the simulator


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig()) as running:
        yield running


@pytest.fixture
def studio(sqlite_url: str) -> Iterator[Studio]:
    with Studio(sqlite_url, language="en") as opened:
        yield opened


@EACH
def test_it_brings_a_valid_row_that_keeps_what_it_was_given(
    one: Template, studio: Studio, endpoint: Running
) -> None:
    given = {name: VALUES[one.language][name] for name in GIVEN[one.name]}
    trial: Trial = studio.templates.test(
        f"{one.name}.{one.language}",
        vars=given,
        connection={"base_url": f"{endpoint.url}/v1", "model": "m"},
    )
    assert (trial.reason, trial.detail) == (None, {})
    fields = list((one.schema or {})["properties"])
    kept = [name for name in one.keep if name != "chunk"]
    assert sorted(trial.sample or {}) == sorted([*fields, *kept])
    prompt = trial.messages[-1].content
    for name, value in given.items():
        assert value in prompt
        assert name not in one.keep or (trial.sample or {})[name] == value
    assert studio.tasks.list() == []


@EACH
def test_twenty_requests_of_one_topic_differ_as_far_as_its_lists_go(
    one: Template, studio: Studio
) -> None:
    task = studio.tasks.create(
        recipe="template",
        template=f"{one.name}.{one.language}",
        vars={name: VALUES[one.language][name] for name in GIVEN[one.name]},
        count=20,
        connection={"base_url": "http://127.0.0.1:9/v1", "model": "m"},
    )
    made = recipe_of(task, studio.store)
    (quota,) = studio.tasks.quotas(task)
    items = [Item(task_seed=task.seed, category=quota.name, ordinal=n) for n in range(20)]
    asked = {made.preview(item)[0][1][-1].content for item in items}
    combinations = math.prod(len(values) for values in one.vars.values())
    assert len(asked) == min(20, combinations)
