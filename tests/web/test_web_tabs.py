"""The same thing in two tabs: nothing typed is lost, nothing counts twice, and each tab says what
the other did."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Route, expect
from web_kit import Site, aside, site_of

from corpusmith.api.serving import Serving
from corpusmith.nouns import Scenario
from corpusmith.service.studio import Studio
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import run_in_thread
from corpusmith.values import Selection
from running_kit import dialogue, working
from web_store import CHARACTER, CONNECTION, DATASET, SCENARIO, TEMPLATE, filled

SOON = 30_000
MOST = 24


@pytest.fixture(scope="module")
def house(browser: Browser, folder: Path) -> Iterator[Site]:
    store = filled(folder / "tabs.db")
    with site_of(Serving(store=store, language="en"), browser) as site:
        yield site
    store.close()


@pytest.fixture
def tabs(house: Site) -> Iterator[Site]:
    """A server with a bit of everything."""
    yield house
    house.settle()


def _studio(site: Site) -> Studio:
    return Studio.over(site.store, "en")


def _ids(site: Site) -> list[int]:
    return [one.id for one in _studio(site).records.page(Selection(dataset=DATASET)).items]


def test_a_record_changed_in_both_loses_nothing(tabs: Site) -> None:
    number = _ids(tabs)[0]
    one, other = (tabs.open(f"/records/{number}/edit") for _ in range(2))
    one.locator("textarea").nth(0).fill("from the first tab")
    other.locator("textarea").nth(1).fill("from the second tab")
    one.get_by_role("button", name="Save").click()
    one.wait_for_url(re.compile(rf"/records/{number}$"))
    other.get_by_role("button", name="Save").click()
    expect(other.locator(".said.bad")).to_be_visible()
    expect(other.locator("textarea").nth(1)).to_have_value("from the second tab")
    assert "from the first tab" in str(_studio(tabs).reviews.get(number).content)
    assert "from the second tab" not in str(_studio(tabs).reviews.get(number).content)
    other.get_by_role("button", name="Save").click()
    other.wait_for_url(re.compile(rf"/records/{number}$"))
    assert "from the second tab" in str(_studio(tabs).reviews.get(number).content)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (f"/scenarios/{quote(SCENARIO, safe='')}", "#f-description"),
        (f"/characters/{quote(CHARACTER)}", "#f-personality"),
        (f"/connections/{CONNECTION}", "#f-model"),
        (f"/templates/{quote(TEMPLATE)}", "#f-description"),
    ],
)
def test_what_another_tab_changed_is_not_covered_unasked(tabs: Site, path: str, field: str) -> None:
    one, other = tabs.open(path), tabs.open(path)
    one.locator(field).fill("first")
    other.locator(field).fill("second")
    one.get_by_role("button", name="Save").click()
    expect(one.locator("#said .said.good")).to_be_visible()
    other.get_by_role("button", name="Save").click()
    expect(other.locator("main .said.bad")).to_be_visible()
    expect(other.locator(field)).to_have_value("second")
    looked = tabs.open(path)
    expect(looked.locator(field)).to_have_value("first")
    other.get_by_role("button", name="Save").click()
    expect(other.locator("#said .said.good")).to_be_visible()
    looked.reload()
    expect(looked.locator(field)).to_have_value("second")


@pytest.mark.parametrize("act", ["Save", "Delete"])
def test_what_another_tab_deleted_is_said_to_be_gone(tabs: Site, act: str) -> None:
    name = f"to be deleted {act}"
    tabs.store.scenarios.add(Scenario(name=name, description="d"))
    one, other = (tabs.open(f"/scenarios/{quote(name)}") for _ in range(2))
    other.get_by_label("Description").fill("typed")
    one.get_by_role("button", name="Delete “").or_(
        one.get_by_role("button", name="Delete", exact=True)
    ).first.click()
    one.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(one.locator("#said")).to_contain_text("deleted")
    if act == "Save":
        other.get_by_role("button", name="Save").click()
    else:
        other.get_by_role("button", name="Delete", exact=True).first.click()
        other.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(other.locator("h1")).to_contain_text("nothing here")
    expect(other.locator("main")).to_contain_text(name)


def test_a_review_in_both_counts_once(tabs: Site) -> None:
    studio = _studio(tabs)
    path = f"/review?dataset={quote(DATASET)}&kind=all"
    one, other = tabs.open(path), tabs.open(path)
    first = one.locator("article:not([hidden])").get_attribute("data-record")
    assert other.locator("article:not([hidden])").get_attribute("data-record") == first
    one.keyboard.press("a")
    expect(one.locator("article:not([hidden])")).not_to_have_attribute("data-record", str(first))
    expect(one.locator("#review-saving")).to_be_empty()
    other.keyboard.press("r")
    expect(other.locator("#review-saving")).to_be_empty()
    expect(other.locator("article:not([hidden])")).not_to_have_attribute("data-record", str(first))
    said = studio.reviews.of(int(str(first)))
    assert [each.state for each in said] == ["rejected"]
    assert sum(studio.datasets.numbers(DATASET).by_state.values()) == len(_ids(tabs))
    assert studio.datasets.numbers(DATASET).by_state["rejected"] == 1
    for tab in (one, other):
        tab.reload()
        assert tab.locator(".review-progress progress").get_attribute("value") == "1"


def test_a_task_paused_in_one_tab_is_paused_in_the_other(tabs: Site) -> None:
    studio = _studio(tabs)
    with run_in_thread(SimulatorConfig(latency_ms=400, jitter=0)) as simulator:
        fields = dialogue(simulator, MOST, concurrency=2)
        number = aside(lambda: studio.tasks.submit(fields))[0].id
        one, other = (tabs.open(f"/tasks/{number}") for _ in range(2))
        listed = tabs.open("/tasks")
        url = tabs.store.database.url.render_as_string(hide_password=False)
        with working(str(url)):
            expect(other.locator(".huge")).to_contain_text(re.compile("^\\s*[1-9]"), timeout=SOON)
            one.get_by_role("button", name="Pause").click()
            expect(other.locator(".under-head")).to_contain_text("Paused", timeout=SOON)
            expect(listed.locator("#list tbody tr").first).to_contain_text("Paused", timeout=SOON)
            expect(other.get_by_role("button", name="Pause")).to_have_count(0)
            other.get_by_role("button", name="Resume", exact=True).click()
            expect(one.locator(".huge")).to_contain_text(f"{MOST} / {MOST}", timeout=SOON)
        assert studio.tasks.get(number).counts.accepted == MOST


def test_an_end_that_is_told_while_the_page_asks_is_shown(tabs: Site) -> None:
    """What is asked for again while an answer is on its way belongs to what the answer replaces."""
    told = {"state": "running", "request": None, "can": []}
    events = [("progress", told), ("ended", {**told, "state": "paused"})]
    stream = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
    page = tabs.open("/")
    asked: list[str] = []

    def slow(route: Route) -> None:
        if "hx-request" not in route.request.headers:
            route.continue_()
            return
        asked.append(route.request.url)
        answer = route.fetch()
        if len(asked) == 1:
            time.sleep(1)  # the end has been told by now
        text = answer.text().replace("<h1", f'<p id="answer">{len(asked)}</p><h1', 1)
        route.fulfill(response=answer, body=text)

    page.route(
        "**/api/v1/tasks/1/events",
        lambda route: route.fulfill(content_type="text/event-stream", body=stream),
    )
    page.route(re.compile(r"/tasks/1$"), slow)
    page.goto(f"{tabs.url}/tasks/1")
    expect(page.locator("#answer")).to_have_text("2", timeout=SOON)
    assert len(asked) >= 2
