"""The same short ways through the house, beside the store and over REST."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from corpusmith import Studio
from corpusmith.errors import Conflict, CorpusmithError, KeyMissing, NotFound, SpecError, UsageError
from corpusmith.nouns import Character, Scenario, Template
from corpusmith.simulator.thread import Running
from corpusmith.values import Selection

ROOT = Path(__file__).parents[2]
CARDS = ROOT / "examples/cards"


def fields(simulator: Running, count: int = 4, **more: Any) -> dict[str, Any]:
    return {
        "connection": {"base_url": f"{simulator.url}/v1", "model": "any"},
        "characters": [str(CARDS / "nora.json")],
        "scenarios": {"Good news": 2, "Two roads": 1},
        "count": count,
        "turns": 2,
        "seed": 7,
        **more,
    }


def rows(path: Path, some: list[Any]) -> Path:
    text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in some)
    path.write_text(text, "utf-8")
    return path


def chats(path: Path, count: int = 6) -> Path:
    return rows(
        path,
        [
            {
                "messages": [
                    {"role": "user", "content": f"第{n}个问题是什么？"},
                    {"role": "assistant", "content": f"这是第{n}个回答，写得很清楚。" * (n + 1)},
                ]
            }
            for n in range(count)
        ],
    )


# ---------------------------------------------------------------- nouns


def test_scenarios(studio: Studio) -> None:
    rain = Scenario(name="雨夜/书店", description="避雨的客人。", weight=2.5)
    assert studio.scenarios.add(rain) == rain
    assert studio.scenarios.get("雨夜/书店") == studio.scenarios.find("雨夜/书店") == rain
    studio.scenarios.add(Scenario(name="B", language="en"))
    assert [one.name for one in studio.scenarios.list()] == ["B", "雨夜/书店"]
    assert [one.name for one in studio.scenarios.list(limit=1)] == ["B"]
    assert [one.name for one in studio.scenarios.list(after="B")] == ["雨夜/书店"]
    assert [one.name for one in studio.scenarios.list("雨")] == ["雨夜/书店"]
    assert studio.scenarios.update("B", weight=3.0).weight == 3.0
    studio.scenarios.delete("B")
    assert "日常对话" in [one.name for one in studio.scenarios.shipped("zh")]
    assert {one.language for one in studio.scenarios.shipped()} == {"zh", "en"}
    assert studio.scenarios.find("Good news").language == "en"


def test_characters_with_card_and_picture(studio: Studio, tmp_path: Path) -> None:
    wren = studio.characters.import_file(CARDS / "wren.png")
    assert wren.image is not None and wren == studio.characters.get(wren.name)
    nora = studio.characters.import_file(str(CARDS / "nora.json"))
    assert nora.card is not None and nora.image is None
    with pytest.raises(Conflict):
        studio.characters.import_file(CARDS / "nora.json")
    assert studio.characters.import_file(CARDS / "nora.json", replace_existing=True) == nora
    made = Character(name="The Ferryman", description="Rows.", tags=("river",), language="en")
    assert studio.characters.add(made) == made
    changed = studio.characters.update("The Ferryman", personality="calm", tags=("a", "b"))
    assert (changed.personality, changed.tags) == ("calm", ("a", "b"))
    assert studio.characters.copy("The Ferryman", "Twin").personality == "calm"
    pictured = studio.characters.set_picture("Twin", wren.image)
    assert pictured.image is not None
    assert studio.characters.set_picture("Twin", None).image is None
    assert [one.name for one in studio.characters.list("Ferry")] == ["The Ferryman"]
    listed = {one.name: has for one, has in studio.characters.listed()}
    assert listed == {"The Ferryman": False, "Twin": False, nora.name: False, wren.name: True}
    written = studio.characters.export_file(wren.name, tmp_path / "card.png", form="v3")
    assert studio.characters.find(str(written)).name == wren.name
    again = studio.characters.import_bytes(written.read_bytes(), "w.png", on_conflict="rename")
    assert [(one.outcome, one.name) for one in again] == [("renamed", f"{wren.name} (2)")]
    (refused,) = studio.characters.import_bytes(b"{]", "bad.json")
    assert refused.outcome == "refused" and refused.error is not None and str(refused.error)
    studio.characters.delete("Twin")


def test_a_character_that_is_added_with_its_card_keeps_it(studio: Studio, tmp_path: Path) -> None:
    card = studio.characters.find(str(CARDS / "nora.json"))
    added = studio.characters.add(card)
    assert (added.name, added.description, added.greeting) == (
        card.name,
        card.description,
        card.greeting,
    )
    assert added.card is not None


def test_connections_keep_their_secrets(studio: Studio, simulator: Running) -> None:
    made = studio.connections.add(
        "here",
        base_url=f"{simulator.url}/v1",
        model="any",
        rpm=600,
        headers={"X-Team": "quiet"},
        extra={"top_k": 3},
    )
    assert (made.name, made.model, made.limits.requests_per_min) == ("here", "any", 600)
    studio.connections.set_key("here", "sk-very-secret", instead=True)
    found = studio.connections.get("here")
    assert found.key_stored and "sk-very-secret" not in repr(found)
    assert set(found.headers) == {"X-Team"} and found.extra == {"top_k": 3}
    trial = studio.connections.trial("here")
    assert trial.answered and trial.error is None and trial.mode is not None
    assert trial.models and list(studio.connections.models("here")) == list(trial.models)
    assert studio.connections.update("here", concurrency=4).limits.concurrency == 4
    assert studio.connections.change("here", {"model": None}).model is None
    asked = studio.connections.unsaved("x", {"base_url": f"{simulator.url}/v1", "model": "any"})
    assert studio.connections.trial_with(asked, "sk-x").answered
    assert studio.connections.models_with(asked, "sk-x")
    studio.connections.delete_key("here")
    assert not studio.connections.get("here").key_stored
    assert [one.name for one in studio.connections.list()] == ["here"]
    studio.connections.delete("here")
    assert list(studio.connections.list()) == []


async def test_what_waits_has_a_twin_that_is_awaited(studio: Studio, simulator: Running) -> None:
    studio.connections.add("here", base_url=f"{simulator.url}/v1", api_key_env="SIM_KEY")
    models, trial = await asyncio.gather(
        studio.connections.models_async("here"), studio.connections.trial_async("here")
    )
    assert models and trial.answered


def test_templates(studio: Studio, tmp_path: Path, simulator: Running) -> None:
    prompt = 'About {topic}, as JSON: {"question": "…", "answer": "…"}'
    made = studio.templates.add(Template(name="qa one", prompt=prompt, type="qa", language="en"))
    assert (made.version, made.prompt) == (1, prompt)
    about = studio.templates.about("qa one")
    assert dict(about.variables) == {"topic": "given"} and about.shape == "example"
    second = studio.templates.edit("qa one", vars={"topic": ["tea"]}, keep=["topic"])
    assert (second.version, second.keep) == (2, ("topic",))
    assert studio.templates.find("qa one@1") == studio.templates.get("qa one", 1) == made
    assert [number for number, _ in studio.templates.versions("qa one")] == [1, 2]
    assert "+vars" in studio.templates.diff("qa one")
    third = studio.templates.save(
        {"name": "qa one", "prompt": prompt + " Short.", "language": "en"}
    )
    assert (third.version, third.vars, third.type) == (3, {}, "custom")
    assert studio.templates.restore("qa one", 1).version == 4
    assert studio.templates.schema_like('{"a": "…"}')["properties"]["a"]
    studio.templates.rename("qa one", "qa2")
    assert studio.templates.copy("qa2@1", "old").prompt == prompt
    assert [one.name for one in studio.templates.list()] == ["old", "qa2"]
    shipped = studio.templates.shipped("en")[0]
    assert studio.templates.find(f"{shipped.name}.en").prompt == shipped.prompt
    written = studio.templates.export_file("old", tmp_path / "t" / "old.yaml")
    assert studio.templates.find(str(written)).prompt == prompt
    _, wrong = studio.templates.look({"prompt": "{{", "schema": {"type": 7}})
    assert wrong is not None and wrong.reason
    connection = fields(simulator)["connection"]
    studio.connections.add("here", **connection)
    trial = studio.templates.test("old", vars={"topic": "tea"}, connection="here")
    assert trial.sample is not None and trial.reason is None and trial.messages
    studio.templates.delete("old")


def test_datasets_and_what_they_bind(studio: Studio) -> None:
    studio.scenarios.add(Scenario(name="Late", language="en"))
    who = studio.characters.shipped("en")[0]
    made = studio.datasets.add(
        "evenings", description="d", language="en", characters=[who.name], scenarios={"Late": 2}
    )
    assert [one.name for one in studio.datasets.bindings("evenings")[0]] == [who.name]
    assert made == studio.datasets.get("evenings")
    studio.datasets.bind_more("evenings", scenarios={"Good news": 1})
    _, scenes = studio.datasets.bindings("evenings")
    assert sorted((one.name, weight) for one, weight in scenes) == [("Good news", 1), ("Late", 2)]
    studio.datasets.unbind("evenings", scenarios=["Late"])
    studio.datasets.bind("evenings", scenarios={"Late": 5})
    assert [weight for _, weight in studio.datasets.bindings("evenings")[1]] == [5]
    assert studio.datasets.update("evenings", new_name="nights").description == "d"
    studio.datasets.ensure("other", "zh")
    studio.datasets.ensure("other", "zh")
    assert [one.name for one in studio.datasets.list()] == ["nights", "other"]
    assert studio.datasets.counts(["nights", "other"]) == {}
    studio.datasets.delete("other")


def test_what_there_is_to_choose_from(studio: Studio, tmp_path: Path) -> None:
    assert "dialogue" in [one.name for one in studio.catalogue.recipes()]
    assert studio.catalogue.recipe("dialogue")
    assert studio.catalogue.checks() and studio.catalogue.formats()
    assert studio.domains.find("short_video").name == "short_video"
    assert len(studio.domains.list()) >= 1
    started = studio.domains.init("mine", folder=tmp_path)
    assert studio.domains.find(str(started)).name == "mine"
    assert [one.name for one in studio.settings.list()]
    changed = studio.settings.change({"journal_days": 9})
    assert {one.name: one.value for one in changed}["journal_days"] == 9
    studio.settings.change({"journal_days": None})
    assert studio.uploads.list() is not None
    assert not studio.users.any() and list(studio.tokens.list()) == []
    assert studio.workers.alive().workers >= 0


# ---------------------------------------------------------------- jobs

SHARES = {"Good news/Nora Pell": 3, "Two roads/Nora Pell": 1}


def test_a_task_from_its_preview_to_a_file(
    studio: Studio, simulator: Running, tmp_path: Path
) -> None:
    given = fields(simulator, dataset="evenings", commit=False)
    look = studio.tasks.preview(given, items=2)
    assert look.quotas == SHARES and len(look.calls) == 2
    assert look.estimate.calls == 4
    seen: list[int] = []
    task = studio.tasks.create(given, name="first")
    assert (task.name, task.status, task.requested, task.seed) == ("first", "created", 4, 7)
    result = studio.tasks.run(task, show=lambda one: seen.append(one.counts.accepted))
    assert (result.status, result.counts.accepted, result.counts.shortfall) == ("finished", 4, 0)
    assert seen and seen[-1] == 4
    assert result.spend.calls >= 4 and result.output is None
    assert studio.tasks.uncommitted(task) == 4
    assert studio.tasks.commit(task) == 4 and studio.tasks.uncommitted(task) == 0
    found = studio.tasks.get(task.id)
    assert (found.status, found.counts, found.dataset) == ("finished", result.counts, "evenings")
    assert studio.tasks.last().id == task.id
    assert [one.id for one in studio.tasks.list(status="finished")] == [task.id]
    assert [one.status for one in studio.tasks.executions(task)] == ["finished"]
    quotas = {one.name: (one.count, one.accepted) for one in studio.tasks.quotas(task)}
    assert quotas == {name: (count, count) for name, count in SHARES.items()}
    assert len(studio.tasks.first(task, 2)) == 2
    assert studio.task_views.detail(task.id).task.state == "finished"
    assert [one.id for one in studio.task_views.list()] == [task.id]
    calls = studio.calls.list(task.id)
    assert calls and studio.calls.get(task.id, calls[0].id).reply.text
    record = studio.datasets.first("evenings", 1)[0]
    assert studio.calls.of_record(record.id)
    assert studio.overview.look().recent[0].id == task.id
    numbers = studio.datasets.statistics("evenings")
    assert (numbers.total, dict(numbers.by_scenario)) == (4, {"Good news": 3, "Two roads": 1})
    assert studio.datasets.numbers("evenings").total == 4
    assert studio.datasets.counts(["evenings"]) == {"evenings": 4}
    more = studio.tasks.extend(task, 6)
    assert more.requested == 6
    assert studio.tasks.resume(task).counts.accepted == 6
    assert studio.tasks.discard(task) == 2
    studio.tasks.delete(task)
    with pytest.raises(NotFound):
        studio.tasks.get(task.id)


def test_generate_leaves_the_file_on_this_machine(
    studio: Studio, simulator: Running, tmp_path: Path
) -> None:
    place = tmp_path / "deep" / "out.jsonl"
    result = studio.generate(**fields(simulator, 3, output=str(place)))
    assert (result.status, result.output) == ("finished", place)
    lines = [json.loads(line) for line in place.read_text("utf-8").splitlines()]
    assert len(lines) == 3 and all(one["dialogues"] for one in lines)


def test_a_budget_pauses_and_a_change_goes_on(studio: Studio, simulator: Running) -> None:
    task = studio.tasks.create(fields(simulator, 6, mode="turns"))
    studio.tasks.change(task, max_calls=4, concurrency=1)
    result = studio.tasks.run(task)
    assert result.status == "paused" and result.cause is not None
    assert result.cause["code"] == "budget_calls"
    assert not studio.tasks.stop(task)
    studio.tasks.change(task, max_calls=None)
    assert studio.tasks.resume(task).counts.accepted == 6
    with pytest.raises(UsageError):
        studio.tasks.change(task, count=9)


async def test_tasks_run_at_once_and_awaited(studio: Studio, simulator: Running) -> None:
    results = await asyncio.gather(
        *(studio.generate_async(**fields(simulator, 2, seed=seed)) for seed in (1, 2))
    )
    assert [one.counts.accepted for one in results] == [2, 2]


def test_misses_are_told_and_put_back(studio: Studio, simulator: Running) -> None:
    checks = {"length": {"min_chars": 100_000}}
    result = studio.generate(**fields(simulator, 2, checks=checks, max_attempts_multiplier=1))
    assert result.counts.accepted == 0 and result.misses
    task = studio.tasks.last()
    misses = studio.tasks.misses(task)
    assert {one.kind for one in misses} == {"rejected"} and misses[0].place
    assert sum(studio.tasks.miss_counts(task).values()) == len(misses) == 2
    assert len(studio.tasks.misses(task, limit=1)) == 1
    assert len(studio.tasks.misses(task, after=misses[0].place)) == 1
    assert studio.task_views.misses(task.id)[0].text
    assert studio.tasks.retry(task, ("rejected",)) == 2
    other = studio.tasks.create(fields(simulator))
    assert studio.tasks.ask(other, "cancel").status == "cancelled"


def test_each_other_job_runs_small(studio: Studio, simulator: Running, tmp_path: Path) -> None:
    endpoint = fields(simulator)["connection"]
    template = tmp_path / "t.yaml"
    template.write_text(
        'name: t\nlanguage: en\nprompt: \'About {topic}: {"q": "…", "a": "…"}\'\n', "utf-8"
    )
    table = rows(tmp_path / "topics.jsonl", [{"topic": "tea"}, {"topic": "rain"}])
    made = studio.generate(
        recipe="template",
        template=str(template),
        input=str(table),
        connection=endpoint,
        count=2,
        seed=1,
        dataset="qa",
    )
    assert (made.status, made.counts.accepted) == ("finished", 2)
    played = studio.generate(
        recipe="selfplay",
        domain=str(ROOT / "examples/domains/balcony.en.yaml"),
        connection=endpoint,
        count=1,
        refinement_iterations=1,
        seed=1,
    )
    assert played.counts.accepted == 1, played
    folder = tmp_path / "rounds"
    rounds = studio.generate(
        recipe="rounds",
        input=str(ROOT / "examples/triples.en.jsonl"),
        sample=2,
        rounds=1,
        roles={"ask": endpoint, "answer": endpoint, "correct": endpoint},
        output_dir=str(folder),
        seed=1,
    )
    assert rounds.status == "finished", rounds
    assert (folder / "round2" / "round2_history.jsonl").is_file()
    other = tmp_path / "again"
    studio.rounds.write(rounds.task_id, other)
    assert (other / "round2" / "round2_history.jsonl").read_bytes() == (
        folder / "round2" / "round2_history.jsonl"
    ).read_bytes()
    scored = studio.generate(
        recipe="evaluate", of="dataset:qa", rubric="general", connection=endpoint, seed=1
    )
    assert scored.counts.accepted == 2
    found = studio.evaluations.of(scored.task_id)
    assert found.scored == 2 and found.dimensions and found.mean is not None
    assert len(list(studio.evaluations.scores(scored.task_id))) == 2
    page, end = studio.evaluations.page(scored.task_id, limit=1)
    assert len(page) == 1
    rest, end = studio.evaluations.page(scored.task_id, limit=5, after=end)
    assert len(rest) == 1 and end is None
    assert studio.reviews.take_scores(scored.task_id) == 2


# ---------------------------------------------------------------- records


def test_records_are_found_changed_and_put_back(studio: Studio, tmp_path: Path) -> None:
    studio.imports.run(chats(tmp_path / "rows.jsonl", 6), "d")
    whole = Selection(dataset="d")
    assert studio.exports.count(whole) == studio.records.count(whole).count == 6
    first = studio.records.page(whole, limit=4)
    assert len(first.items) == 4 and first.after is not None
    rest = studio.records.page(whole, limit=4, after=first.after)
    assert len(rest.items) == 2 and rest.after is None
    back = studio.records.page(whole, limit=4, before=rest.before)
    assert [one.id for one in back.items] == [one.id for one in first.items]
    found = studio.records.page(Selection(dataset="d", text="第3个"))
    assert [one.id for one in found.items] == [first.items[3].id]
    ids = [one.id for one in first.items]
    detail = studio.records.get(ids[1], whole)
    assert (detail.previous, detail.next, detail.dataset) == (ids[0], ids[2], "d")
    assert studio.records.facets("d").total == 6
    chosen = studio.records.chosen(Selection(dataset="d", min_length=60), None)
    assert 0 < len(chosen) < 6
    done = studio.records.bulk("tag", chosen, tags=["long"])
    assert (done.changed, done.count) == (len(chosen), len(chosen))
    assert studio.records.count(Selection(dataset="d", tag="long")).count == len(chosen)
    studio.reviews.undo()
    assert studio.records.count(Selection(dataset="d", tag="long")).count == 0
    with pytest.raises(Conflict) as changed:
        studio.records.chosen(whole, None, expected=99)
    assert changed.value.reason == "selection_changed"
    gone = studio.records.bulk("delete", ids[:2])
    assert gone.changed == 2 and [one.count for one in gone.removals] == [2]
    assert [one.number for one in studio.datasets.removals("d")] == [gone.removals[0].number]
    assert studio.datasets.restore(gone.removals[0].number).count == 2
    assert studio.records.count(whole).count == 6
    assert studio.records.clean("d").broken == 0
    assert studio.datasets.broken("d") == [] and studio.datasets.clean("d") is None
    assert studio.records.broken("d").looked == 6


def test_reviews(studio: Studio, tmp_path: Path) -> None:
    studio.imports.run(chats(tmp_path / "rows.jsonl", 5), "d")
    queue = studio.reviews.queue_of(dataset="d", kind="pending")
    page = studio.reviews.queue(queue, limit=3)
    first, *others = page.ids
    assert len(others) == 2 and page.after is not None
    assert len(studio.reviews.queue(queue, limit=3, after=page.after).ids) == 2
    said = studio.reviews.review(first, state="rejected", rating=2, note="太短", add_tags=["x"])
    assert (said.state, said.rating, said.tags) == ("rejected", 2, ("x",))
    with pytest.raises(UsageError) as nothing:
        studio.reviews.review(first)
    assert nothing.value.reason == "review_nothing"
    done = studio.reviews.apply(ids=others, state="approved", rating=4)
    assert done.changed == 2
    assert studio.reviews.statistics(dataset="d").by_state["approved"] == 2
    assert studio.reviews.progress(queue).done >= 0
    look = studio.reviews.look([first, 999_999])
    assert [one.record.id for one in look] == [first]
    assert look[0].review is not None and look[0].review.note == "太短"
    assert [one.reviewer for one in studio.reviews.of(first)] == ["ann"]
    content = {**studio.reviews.get(first).content}
    content["messages"] = [*content["messages"][:1], {"role": "assistant", "content": "新的回答。"}]
    edited = studio.reviews.edit(first, content, version=1)
    assert edited.version == 2 and edited.content == content
    with pytest.raises(Conflict):
        studio.reviews.edit(first, {**content, "source": "x"}, version=1)
    assert studio.reviews.diff(first, 1).texts
    assert studio.reviews.restore(first, 1).version == 3
    assert [one.version for one in studio.reviews.versions(first)] == [1, 2, 3]
    assert studio.reviews.history(first)
    assert studio.reviews.agreement(dataset="d").reviewers is not None
    assert studio.reviews.judge(dataset="d") is not None
    assert studio.reviews.count(dataset="d") == 5
    last = studio.reviews.last_action()
    assert last is not None and studio.reviews.undo(action=last)
    assert len(studio.reviews.page(dataset="d", limit=2).ids) == 2


def test_checks_over_records_and_files(studio: Studio, tmp_path: Path) -> None:
    path = chats(tmp_path / "rows.jsonl", 4)
    studio.imports.run(path, "d")
    told: list[Any] = []
    strict = {"length": {"min_chars": 60}}
    dry = studio.checking.records(Selection(dataset="d"), checks=strict, each=told.append)
    assert (dry.looked, dry.passed + dry.failed) == (4, 4) and dry.failed == len(told) > 0
    assert dry.target == "dataset:d" and sum(dry.counts.values()) == len(told)
    flagged = studio.checking.records(Selection(dataset="d"), checks=strict, apply="flag")
    assert flagged.noted > 0
    asked: list[int] = []
    refused = studio.checking.records(
        Selection(dataset="d"),
        checks=strict,
        apply="remove",
        agree=lambda found: bool(asked.append(found.failed)),
    )
    assert asked == [dry.failed] and refused.removal is None
    gone = studio.checking.records(Selection(dataset="d"), checks=strict, apply="remove")
    assert gone.removal is not None and gone.removal.count == dry.failed
    out = tmp_path / "good.jsonl"
    of_file = studio.checking.file(path, checks=strict, output=out)
    assert of_file.failed == dry.failed and of_file.written == out
    assert len(out.read_text("utf-8").splitlines()) == of_file.passed
    assert of_file.rejected_file is not None
    assert len(of_file.rejected_file.read_text("utf-8").splitlines()) == of_file.failed


def test_imports_look_make_and_take_back(studio: Studio, tmp_path: Path) -> None:
    path = rows(
        tmp_path / "r.jsonl", [{"问题": "一", "答": "甲"}, {"问题": "二", "答": "乙"}, {"问题": 3}]
    )
    mapping = {"instruction": "问题", "output": "答"}
    look = studio.imports.preview(path, "d", map=mapping, first=1)
    assert (look.rows, look.refused, len(look.first)) == (3, 1, 1)
    assert look.refusals[0].line == 3 and look.file == str(path)
    read: list[int] = []
    done = studio.imports.run(path, "d", map=mapping, show=read.append)
    assert (done.read, done.imported, done.refused, done.dataset) == (3, 2, 1, "d")
    again = studio.imports.run(path, "d", map=mapping, skip_duplicates=True)
    assert again.skipped == 2
    assert studio.imports.undo(done.task_id) == 2
    assert studio.datasets.counts(["d"]) == {}


def test_samples_feedback_and_prepared_rounds(studio: Studio, tmp_path: Path) -> None:
    studio.imports.run(chats(tmp_path / "rows.jsonl", 6), "d")
    wish: Mapping[str, Any] = {
        "total": 2,
        "seed": 5,
        "categories": [{"name": "all", "share": 1, "dataset": "d"}],
    }
    assert studio.sampling.preview(wish).found == {"all": 2}
    place = tmp_path / "sample.jsonl"
    drawn = studio.sampling.run({**wish, "dataset": "few", "output": str(place)})
    assert drawn.found == {"all": 2} and drawn.output == place
    assert len(place.read_text("utf-8").splitlines()) == 2
    assert studio.datasets.counts(["few"]) == {"few": 2}
    folder = tmp_path / "training"
    made = studio.feedback.run(
        feedback_file=str(ROOT / "examples/feedback.en.jsonl"), output_dir=str(folder), pairs=True
    )
    assert made.read == made.kept + sum(made.dropped.values()) + sum(made.bad.values())
    assert made.kept > 0 and all(one.is_file() for one in made.files.values())
    assert {one.parent for one in made.files.values()} == {folder}
    prepared = studio.rounds.prepare(
        str(ROOT / "examples/triples.en.jsonl"), sample=2, seed=1, output_dir=tmp_path / "data"
    )
    assert prepared.conversations == 2 and prepared.asked == 2
    assert (tmp_path / "data/round1/round1_single_turn.jsonl").is_file()


def test_reports(studio: Studio, tmp_path: Path) -> None:
    studio.imports.run(chats(tmp_path / "rows.jsonl", 6), "d")
    seen: list[tuple[int, int]] = []
    report = studio.reports.of(dataset="d", show=lambda done, total: seen.append((done, total)))
    assert (report.name, report.records, report.kind) == ("d", 6, "dataset")
    assert report.findings and report.lengths
    page = studio.reports.page(report)
    assert page.startswith("<!DOCTYPE html>") or "<html" in page
    written = studio.reports.write(report, tmp_path / "r.json", "json")
    assert json.loads((tmp_path / "r.json").read_bytes())["records"] == 6
    assert written.bytes > 0


# ---------------------------------------------------------------- errors


def error_of(action: Any) -> CorpusmithError:
    with pytest.raises(CorpusmithError) as found:
        action()
    return found.value


REFUSED: Mapping[str, tuple[type[CorpusmithError], str, Any]] = {
    "no scenario": (NotFound, "unknown_scenario", lambda s: s.scenarios.get("x")),
    "no task": (NotFound, "unknown_task", lambda s: s.tasks.get(99)),
    "no record": (NotFound, "unknown_record", lambda s: s.reviews.get(99)),
    "no dataset": (NotFound, "unknown_dataset", lambda s: s.datasets.get("x")),
    "no removal": (NotFound, "unknown_removal", lambda s: s.datasets.restore(9)),
    "taken": (
        Conflict,
        "scenario_exists",
        lambda s: [s.scenarios.add(Scenario(name="a")) for _ in range(2)],
    ),
    "two sources": (UsageError, "task_or_dataset", lambda s: s.reports.of()),
    "no key": (
        KeyMissing,
        "key_missing",
        lambda s: [
            s.connections.add("k", base_url="http://127.0.0.1:9/v1", api_key_env="NOPE", model="m"),
            s.generate(characters=["贺三娘"], scenarios=["日常对话"], count=1, connection="k"),
        ],
    ),
    "no recipe": (SpecError, "unknown_recipe", lambda s: s.tasks.create({"recipe": "x"})),
    "no format": (
        NotFound,
        "unknown_plugin",
        lambda s: [s.datasets.ensure("d", "zh"), s.exports.preview(dataset="d", form="nope")],
    ),
    "a job's": (
        UsageError,
        "import_nothing",
        lambda s: s.imports.run(rows(Path("/tmp/remote-odd.jsonl"), [1, 2]), "d"),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_errors_are_of_the_same_kind_and_code(studio: Studio, case: str) -> None:
    kind, code, action = REFUSED[case]
    error = error_of(lambda: action(studio))
    assert isinstance(error, kind), type(error).__mro__
    for language in ("en", "zh"):
        assert error.message(language)  # type: ignore[arg-type]
    if case not in ("taken", "a job's"):
        assert error.reason == code
