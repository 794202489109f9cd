"""From an empty database to a finished task, in a real browser, with a worker beside the server."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Page, expect
from web_kit import Look, Site, aside, axe, furnished, sideways

from corpusmith.api.serving import Serving
from corpusmith.service.studio import Studio
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import Running, run_in_thread
from corpusmith.values import Language
from running_kit import working
from web_store import HOSTILE

SOON = 30_000
SOME = re.compile(r"^\s*[1-9]")
"""A count that is not 0."""


@pytest.fixture(scope="module")
def simulator() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig(latency_ms=30)) as running:
        yield running


@pytest.fixture(scope="module")
def slow() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig(latency_ms=700, jitter=0)) as running:
        yield running


def connect(site: Site, running: Running) -> Studio:
    studio = Studio.over(site.store, "en")
    base = f"{running.url}/v1"
    price = {"input": 1.0, "output": 1.0}
    aside(lambda: studio.connections.add("sim", base_url=base, model="any", price=price))
    return studio


def url_of_store(site: Site) -> str:
    return str(site.store.database.url.render_as_string(hide_password=False))


def start(page: Page, name: str = "Start") -> None:
    page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_dialogues_come_from_an_example_to_a_file(
    empty_site: Site, simulator: Running, language: Language, tmp_path: Path
) -> None:
    connect(empty_site, simulator)
    page = empty_site.open("/generate", Look(language=language))
    page.locator("a[href='/generate/dialogue?example=1']").click()
    expect(page.locator("#preview .tile").first).to_contain_text("12")
    expect(page.locator("#preview pre").first).not_to_be_empty()
    with working(url_of_store(empty_site)):
        page.locator("#making .btn.main").click()
        expect(page).to_have_url(empty_site.url + "/tasks/1")
        expect(page.locator(".huge")).to_contain_text("12 / 12", timeout=SOON)
    expect(page.locator(".under-head .pill.good")).to_be_visible()
    expect(page.locator(".results > li")).to_have_count(10)
    assert axe(page) == [] and not sideways(page)
    page.locator("a[href='/tasks/1/export']").click()
    page.locator("#f-format").select_option("json")
    expect(page.locator("#begins")).to_contain_text("scenario_labels")
    with page.expect_download() as download:
        page.locator("#download").click()
    target = tmp_path / "out.json"
    download.value.save_as(target)
    rows = json.loads(target.read_text("utf-8"))
    assert len(rows) == 12
    assert {"scenario_labels", "dialogues", "turn_count"} <= set(rows[0])


def test_a_template_runs_live_is_paused_and_goes_on(empty_site: Site, slow: Running) -> None:
    studio = connect(empty_site, slow)
    page = empty_site.open("/generate/template?example=1")
    page.get_by_label("Records", exact=False).first.fill("24")
    page.get_by_text("More options", exact=True).click()
    page.get_by_label("Requests at a time").fill("2")
    page.get_by_label("Add to the dataset when finished").uncheck()
    with working(url_of_store(empty_site)):
        start(page)
        page.evaluate("window.still = true")
        expect(page.locator(".huge")).to_have_text(SOME, timeout=SOON)
        expect(page.locator(".paces")).to_contain_text("in flight")
        page.get_by_role("button", name="Pause").click()
        expect(page.locator(".under-head")).to_contain_text("Paused", timeout=SOON)
        made = studio.task_views.get(1).counts.accepted
        assert 0 < made < 24
        page.get_by_role("button", name="Budget and pace").click()
        page.locator("#change").get_by_label("Requests at a time").fill("20")
        page.locator("#change").get_by_role("button", name="Save").click()
        expect(page.locator("#said")).to_contain_text("Changed")
        start(page, "Resume")
        expect(page.locator(".huge")).to_contain_text("24 / 24", timeout=SOON)
    page.get_by_role("button", name="Add to a dataset").click()
    page.locator("#commit").get_by_role("button", name="Add to a dataset").click()
    expect(page.locator("#said")).to_contain_text("24 records")
    assert studio.datasets.numbers("Example: questions") is not None


def test_what_is_missing_is_said_beside_its_field(empty_site: Site, simulator: Running) -> None:
    page = empty_site.open("/generate/dialogue")
    expect(page.locator("#need-connection")).not_to_be_empty()
    expect(page.locator("#need-characters")).not_to_be_empty()
    connect(empty_site, simulator)
    page.reload()
    expect(page.locator("#need-characters")).not_to_be_empty()
    expect(page.locator("#need-connection")).to_be_empty()
    page.get_by_label("Nora Pell").check()
    expect(page.locator("#need-characters")).to_be_empty()
    page.locator("#f-count").fill("5")
    page.evaluate("document.querySelector('#f-temperature').value = '9'")
    page.evaluate("document.querySelector('#making').noValidate = true")
    start(page)
    expect(page.locator("#need-temperature")).not_to_be_empty()
    expect(page.get_by_label("Nora Pell")).to_be_checked()
    expect(page.locator("#f-count")).to_have_value("5")
    assert empty_site.store.tasks.list(limit=1) == []


def test_a_large_number_is_asked_twice(empty_site: Site, simulator: Running) -> None:
    connect(empty_site, simulator)
    page = empty_site.open("/generate/dialogue?example=1")
    page.locator("#f-count").fill("5000")
    expect(page.locator("#need-count")).to_contain_text("1,000")
    page.get_by_text("More options", exact=True).click()
    page.get_by_label("Allow larger numbers").check()
    expect(page.locator("#need-count")).to_be_empty()


def test_what_was_filled_in_survives_a_reload(empty_site: Site, simulator: Running) -> None:
    connect(empty_site, simulator)
    page = empty_site.open("/generate/template?template=qa")
    page.locator("[name='var.topic']").fill("rain\nsnow")
    page.get_by_role("button", name="Creative").click()
    page.reload()
    expect(page.locator("[name='var.topic']")).to_have_value("rain\nsnow")
    expect(page.get_by_label("Temperature")).to_have_value("0.9")
    expect(page.locator("#preview")).to_contain_text("rain")


def test_names_are_shown_as_they_were_written(empty_site: Site, simulator: Running) -> None:
    studio = connect(empty_site, simulator)
    fields = {
        "connection": "sim",
        "characters": ["Nora Pell"],
        "scenarios": [HOSTILE],
        "count": 2,
        "turns": 1,
        "name": HOSTILE,
        "description": HOSTILE,
        "dataset": HOSTILE,
    }
    aside(lambda: studio.generate(**fields))
    for path in ("/tasks", "/tasks/1", "/tasks/1/results", "/tasks/1/parameters", "/generate"):
        page = empty_site.open(path)
        if path != "/generate":
            expect(page.get_by_text(HOSTILE, exact=False).first).to_be_visible()
        assert page.locator("img[src=x], [hx-get='/evil']").count() == 0


def test_failures_stand_by_cause_with_the_prompt(empty_site: Site) -> None:
    with run_in_thread(SimulatorConfig(latency_ms=1, faults={"wrong_schema": 1.0})) as broken:
        studio = connect(empty_site, broken)
        fields = {"connection": "sim", "characters": ["Nora Pell"], "count": 2, "turns": 1}
        aside(lambda: studio.generate(**fields, max_attempts_multiplier=1))
    page = empty_site.open("/tasks/1/failures")
    page.locator("#missing ~ *, tbody a").first.click()
    expect(page.locator("article").first).to_be_visible()
    page.locator("details.ask summary").first.click()
    expect(page.locator("details.ask pre").first).to_contain_text("Nora Pell")
    assert axe(page) == []


def test_tasks_are_chosen_and_deleted_together(empty_site: Site, simulator: Running) -> None:
    studio = connect(empty_site, simulator)
    fields = {"connection": "sim", "characters": ["Nora Pell"], "count": 1, "turns": 1}
    for name in ("first", "second", "third"):
        aside(lambda name=name: studio.tasks.create(**fields, name=name))  # type: ignore[misc]
    page = empty_site.open("/tasks?search=ir")
    page.get_by_label("Choose all of this page").check()
    expect(page.locator("#bulk-count")).to_have_text("2 chosen")
    page.locator("#bulk-bar").get_by_role("button", name="Delete").click()
    page.locator("#bulk-delete").get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#said")).to_contain_text("2 tasks")
    assert [one.name for one in studio.tasks.list()] == ["second"]
    assert page.url.endswith("?search=ir")


@pytest.mark.parametrize(("job", "done"), [("ratio", "20 / 20"), ("selfplay", "5 / 5")])
def test_other_examples_come_to_their_end(
    empty_site: Site, simulator: Running, job: str, done: str
) -> None:
    connect(empty_site, simulator)
    page = empty_site.open(f"/generate/{job}?example=1", Look(language="zh"))
    with working(url_of_store(empty_site)):
        start(page, "开始生成")
        expect(page.locator(".huge")).to_contain_text(done, timeout=SOON)


def test_data_that_is_there_is_scored_and_gone_on_with(
    empty_site: Site, simulator: Running, tmp_path: Path
) -> None:
    connect(empty_site, simulator)
    rows = [{"question": f"Why {n}?", "answer": "So.", "correction": "Better."} for n in "abc"]
    source = tmp_path / "triples.json"
    source.write_text(json.dumps(rows), "utf-8")
    with working(url_of_store(empty_site)):
        page = empty_site.open("/generate/rounds")
        page.locator("#file-input").set_input_files(str(source))
        expect(page.locator("#f-input option:checked")).to_have_text("triples.json")
        page.locator("#f-rounds").fill("1")
        expect(page.locator("#preview .said.good")).to_be_visible()
        start(page)
        expect(page.locator(".huge")).to_contain_text("3 / 3", timeout=SOON)
        page.goto(empty_site.url + "/generate/evaluate")
        page.locator("#f-of").select_option("task:1")
        start(page)
        expect(page.locator(".huge")).to_contain_text("3 / 3", timeout=SOON)
    expect(page.locator("#scores")).to_be_visible()


def test_feedback_becomes_training_files(empty_site: Site, tmp_path: Path) -> None:
    page = empty_site.open("/generate/feedback")
    page.get_by_role("button", name="Make the files").click()
    expect(page.locator("#w-source")).to_be_visible()
    row = {"user_input": "Hello?", "model_response": "Yes.", "model_name": "m", "timestamp": "now"}
    rows = [{**row, "id": str(at), "rating": at} for at in range(1, 6)]
    source = tmp_path / "ratings.json"
    source.write_text(json.dumps(rows), "utf-8")
    page.locator("#file-source").set_input_files(str(source))
    expect(page.locator("#f-source option:checked")).to_have_text("ratings.json")
    page.get_by_role("button", name="Make the files").click()
    expect(page.locator(".said.good").first).to_contain_text("2", timeout=SOON)
    assert axe(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="high_quality_samples.jsonl").click()
    kept = Path(download.value.path()).read_text("utf-8").splitlines()
    assert [json.loads(one)["rating"] for one in kept] == [4, 5]


def test_a_task_that_is_gone_says_so(empty_site: Site, simulator: Running) -> None:
    studio = connect(empty_site, simulator)
    fields = {"connection": "sim", "characters": ["Nora Pell"], "count": 1, "turns": 1}
    aside(lambda: studio.tasks.create(**fields))
    page = empty_site.open("/tasks/1")
    studio.tasks.delete(1)
    expect(page.locator("h1")).not_to_have_text("", timeout=SOON)
    expect(page.get_by_text("no task", exact=False).first).to_be_visible(timeout=SOON)


def test_an_open_page_outlives_its_server(empty_site: Site, slow: Running) -> None:
    studio = connect(empty_site, slow)
    fields = {"connection": "sim", "characters": ["Nora Pell"], "count": 400, "turns": 1}
    task = aside(lambda: studio.tasks.submit({**fields, "concurrency": 4}))[0]
    port = free_port()
    with working(url_of_store(empty_site)):
        with serving_at(empty_site, port):
            page = empty_site.open("/settings")
            empty_site.watch.host = f"127.0.0.1:{port}"
            page.goto(f"http://127.0.0.1:{port}/tasks/{task.id}")
            expect(page.locator(".huge")).to_have_text(SOME, timeout=SOON)
            before = page.locator(".huge").inner_text()
        expect(page.locator("#away")).to_be_visible(timeout=SOON)
        with serving_at(empty_site, port):
            expect(page.locator("#away")).to_be_hidden(timeout=SOON)
            expect(page.locator(".huge")).not_to_have_text(before, timeout=SOON)
            studio.tasks.ask(task.id, "cancel")
            expect(page.locator(".under-head")).to_contain_text("Cancelled", timeout=SOON)
    # What was asked of a server that was not there, and of the one that the page came from first.
    told = empty_site.watch.problems
    empty_site.watch.problems = [
        one for one in told if "Failed to fetch" not in one and "icon.svg" not in one
    ]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def serving_at(site: Site, port: int) -> Iterator[None]:
    """A server over the same store at a port of one's own, which it leaves at the end."""
    with furnished(Serving(store=site.store, language="en")) as app, listening_at(app, port):
        yield


@contextmanager
def listening_at(app: FastAPI, port: int) -> Iterator[None]:
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive() and time.monotonic() < until
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(20)
