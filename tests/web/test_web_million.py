"""A dataset of 1,000,000 records in a real browser."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import million
import pytest
from million import BASE, DATASET, TIMES
from playwright.sync_api import Browser, Page, expect
from web_kit import Look, Site, site_of

from corpusmith.api.serving import Serving
from corpusmith.store.open import open_store

PATH = f"/datasets/{quote(DATASET)}"
TABLE = f"{PATH}/records"
PATIENCE_S = 20.0
"""Nobody waits this long: something would hang. `make bench` says what a page really takes."""


@pytest.fixture(scope="module")
def million_site(browser: Browser, folder: Path) -> Iterator[Site]:
    path = folder / "million.db"
    million.make(path)
    store = open_store(f"sqlite:///{path}")
    with site_of(Serving(store=store, language="en"), browser) as site:
        yield site
    store.close()


@pytest.fixture
def site(million_site: Site) -> Iterator[Site]:
    yield million_site
    million_site.settle()


@contextmanager
def soon() -> Iterator[None]:
    """What is done inside is done before a person wonders."""
    began_s = time.monotonic()
    yield
    assert time.monotonic() - began_s < PATIENCE_S


def numbers(page: Page) -> list[int]:
    """Of the records on the page."""
    return [int(one.get_attribute("value") or 0) for one in page.locator('[name="ids"]').all()]


def test_all_of_it_is_counted_and_drawn(site: Site) -> None:
    with soon():
        page = site.open(PATH)
    expect(page.locator("main")).to_contain_text("1,000,000")
    expect(page.locator("canvas").first).to_be_visible()


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ("", "more than 10,000"),
        ("state=approved", "more than 10,000"),
        ("scenario=日常对话", "more than 10,000"),
        ("model=glm&min_length=20", "more than 10,000"),
        ("tag=好", f"{10 * TIMES:,}"),
        # What holds words is counted for a moment: how many those are depends on the machine.
        ("text=天气", "more than"),
        ("text=weather", "more than"),
        ("text=unicorn", f"{TIMES:,}"),
        ("text=unicorn&state=approved", "Nothing fits"),
        ("text=没有这个词", "Nothing fits"),
        ("min_score=4.9", "more than 10,000"),
        ("max_score=2&order=best", "more than 10,000"),
        ("order=newest", "more than 10,000"),
        ("order=longest", "more than 10,000"),
    ],
)
def test_any_filter_answers_at_once(site: Site, filters: str, told: str) -> None:
    with soon():
        page = site.open(f"{TABLE}?{filters}")
    if told == "Nothing fits":
        expect(page.get_by_text(told)).to_be_visible()
        return
    expect(page.locator("#count")).to_contain_text(told)
    assert len(numbers(page)) > 10


def test_the_address_is_the_place(site: Site) -> None:
    page = site.open(f"{TABLE}?scenario={quote('知识问答')}")
    with soon():
        page.get_by_role("link", name="Next").click()
        page.wait_for_url(re.compile("after="))
    second = numbers(page)
    with soon():
        again = site.open(page.url.removeprefix(site.url), Look(language="zh"))
    assert numbers(again) == second
    with soon():
        page.get_by_role("link", name="Previous").click()
        page.wait_for_url(re.compile("before="))
    assert max(numbers(page)) < min(second)


def test_all_that_fit_are_rejected_and_it_is_taken_back(site: Site) -> None:
    page = site.open(f"{TABLE}?text=unicorn")
    page.get_by_label("Choose all on this page").check()
    page.locator("#all-matching").check()
    expect(page.locator("#bulk-count")).to_contain_text(f"{TIMES:,}")
    page.locator("#bulk-bar").get_by_role("button", name="Reject", exact=True).click()
    with soon():
        expect(page.locator("#said")).to_contain_text(re.compile("Rejected: 1,?000"))
    state = f"{TABLE}?text=unicorn&state=rejected"
    expect(site.open(state).locator("#count")).to_contain_text(f"{TIMES:,}")
    page.get_by_role("button", name="Undo").click()
    with soon():
        expect(site.open(state).get_by_text("Nothing fits")).to_be_visible()


def test_a_record_in_the_midst_knows_its_neighbours(site: Site) -> None:
    middle = BASE * TIMES // 2
    with soon():
        page = site.open(f"/records/{middle}?dataset={quote(DATASET)}")
    expect(page.locator("h1")).to_contain_text(str(middle))
    with soon():
        page.get_by_role("link", name="Next").click()
        page.wait_for_url(re.compile(f"/records/{middle + 1}"))
