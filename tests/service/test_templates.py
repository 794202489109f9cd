"""Templates from Python: what a name stands for, what is refused, a trial that leaves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corpusmith.errors import CorpusmithError, NotFound, UsageError
from corpusmith.nouns import Template
from corpusmith.presets.load import templates
from corpusmith.service.studio import Studio
from corpusmith.service.templates import find_template
from corpusmith.simulator import SimulatorConfig, run_in_thread

OWN = Template(name="own", prompt="Write about {topic} for {reader}.", language="en")


@pytest.fixture
def studio(sqlite_url: str) -> Iterator[Studio]:
    with Studio(sqlite_url, language="en") as opened:
        yield opened


def test_a_name_stands_for_a_file_then_a_stored_then_a_shipped_template(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shipped = {one.name: one for one in templates("en")}
    assert studio.templates.find("qa") == shipped["qa"]
    stored = studio.templates.add(replace(OWN, name="qa"))
    newer = studio.templates.edit("qa", preset="fast")
    assert [studio.templates.find(wish) for wish in ("qa", "qa@1", "qa@2", "qa.en")] == [
        newer,
        stored,
        newer,
        shipped["qa"],
    ]
    Path("qa.yaml").write_text("prompt: from a file\n", "utf-8")
    assert studio.templates.find("qa.yaml").prompt == "from a file"


def test_a_shipped_template_speaks_the_language_that_is_asked_for(studio: Studio) -> None:
    spoken = [
        find_template(wish, studio.store, language).language
        for wish, language in (("qa", "zh"), ("qa", "en"), ("qa.zh", "en"), ("qa.en", "zh"))
    ]
    assert spoken == ["zh", "en", "zh", "en"]


@pytest.mark.parametrize("wish", ["qa@3", "nothing", "qa.fr", "missing.yaml", ""])
def test_what_is_not_there_is_said_without_a_traceback(studio: Studio, wish: str) -> None:
    with pytest.raises(UsageError):
        studio.templates.find(wish)


def test_near_names_are_told(studio: Studio) -> None:
    studio.templates.add(replace(OWN, name="sentimental"))
    with pytest.raises(NotFound) as caught:
        studio.templates.find("sentimet")
    assert caught.value.message("en") == (
        "There is no template named “sentimet”. Did you mean: sentiment, sentimental?"
    )


def test_an_edit_changes_what_is_given_and_none_takes_away(studio: Studio) -> None:
    studio.templates.add(
        replace(OWN, vars={"reader": ["a", "b"]}, temperature=0.5, keep=("topic",))
    )
    made = studio.templates.edit("own", temperature=None, keep=["reader"], max_tokens=50)
    assert made == replace(
        OWN, vars={"reader": ["a", "b"]}, keep=("reader",), max_tokens=50, version=2
    )


def test_what_is_saved_from_fields_is_what_a_file_would_hold(studio: Studio) -> None:
    made = studio.templates.save({"name": "own", "prompt": "  Write about {topic}.\n"})
    assert made == Template(name="own", prompt="Write about {topic}.", language="en", version=1)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"prompt": "  "}, "spec_fields"),
        ({"type": "poem"}, "spec_fields"),
        ({"temperature": 2.5}, "spec_fields"),
        ({"top_p": 0.0}, "spec_fields"),
        ({"name": ""}, "bad_name"),
        ({"name": "a\nb"}, "bad_name"),
        ({"name": "qa@2"}, "template_name_taken"),
        ({"name": "a.YAML"}, "template_name_taken"),
        ({"vars": {"reder": "x"}}, "template_default_unused_near"),
        ({"vars": {"colour": "x"}}, "template_default_unused"),
        ({"vars": {"current_date": "x"}}, "template_default_built_in"),
        ({"vars": {"topic": []}}, "template_var_empty"),
        ({"vars": {"topic": ["a", "a"]}}, "template_var_twice"),
        ({"keep": (" ",)}, "template_keep_empty"),
        ({"schema": {"type": "string"}, "prompt": "x {topic}"}, None),
        ({"schema": {"type": "array", "items": {"type": "object"}}}, None),
        ({"schema": {"type": "array", "items": True}}, "template_schema_kind"),
        ({"schema": {"type": "number"}}, "template_schema_kind"),
        ({"schema": {"properties": []}}, "template_schema_bad"),
        ({"schema": {"$ref": "http://127.0.0.1:9/x"}}, "template_schema_ref"),
        ({"schema": {"properties": {"topic": {}}}, "keep": ("topic",)}, "template_keep_own"),
        ({"vars": {"topic": {"column": "subject"}}, "keep": ("other_column",)}, None),
        ({"vars": {"topic": {"tea": 2, "coffee": "30%"}}}, None),
    ],
)
def test_only_what_makes_sense_is_stored(
    studio: Studio, changes: dict[str, Any], reason: str | None
) -> None:
    try:
        studio.templates.save(replace(OWN, **changes))
    except CorpusmithError as error:
        assert error.reason == reason
        assert not error.message("zh").startswith("error.")
        assert studio.templates.list() == []
    else:
        assert reason is None


def test_versions_are_compared_whichever_are_named(studio: Studio) -> None:
    for prompt in ("one {topic}", "two {topic}", "three {topic}"):
        studio.templates.save(replace(OWN, prompt=prompt))
    prompts = {
        pair: [
            line for line in studio.templates.diff("own", *pair).splitlines() if "prompt" in line
        ]
        for pair in ((None, None), (1, None), (1, 2), (2, 2), (3, 1))
    }
    one, two, three = ("prompt: one {topic}", "prompt: two {topic}", "prompt: three {topic}")
    assert prompts == {
        (None, None): [f"-{two}", f"+{three}"],
        (1, None): [f"-{one}", f"+{three}"],
        (1, 2): [f"-{one}", f"+{two}"],
        (2, 2): [],
        (3, 1): [f"-{three}", f"+{one}"],
    }


def test_a_task_keeps_the_version_that_it_was_made_with(studio: Studio) -> None:
    studio.templates.add(OWN)
    task = studio.tasks.create(
        recipe="template",
        template="own",
        vars={"topic": "tea", "reader": "me"},
        count=1,
        connection={"base_url": "http://127.0.0.1:9/v1", "model": "m"},
    )
    studio.templates.edit("own", prompt="Changed {topic} {reader}")
    studio.templates.delete("own")
    kept = studio.tasks.get(task.id).spec["recipe_spec"]["categories"][0]["template"]
    assert (kept["version"], kept["prompt"]) == (1, OWN.prompt)


def test_a_template_that_is_not_stored_is_tried_too(studio: Studio) -> None:
    with run_in_thread(SimulatorConfig()) as endpoint:
        made = studio.templates.test(
            OWN,
            vars={"topic": "tea", "reader": "children"},
            connection={"base_url": f"{endpoint.url}/v1", "model": "m"},
        )
    assert [one.content for one in made.messages] == ["Write about tea for children."]
    assert made.sample == {"text": made.raw}
    assert studio.tasks.list() == []


def test_a_trial_that_is_cut_short_leaves_no_task(studio: Studio) -> None:
    async def cut_short(url: str) -> None:
        work = asyncio.create_task(
            studio.templates.test_async(
                OWN,
                vars={"topic": "tea", "reader": "children"},
                connection={"base_url": f"{url}/v1", "model": "m"},
            )
        )
        while not studio.tasks.list(status="running"):
            await asyncio.sleep(0.02)
        work.cancel()
        await asyncio.wait([work])
        assert work.cancelled()

    with run_in_thread(SimulatorConfig(latency_ms=60_000)) as slow:
        asyncio.run(asyncio.wait_for(cut_short(slow.url), 30))
    assert studio.tasks.list() == []
