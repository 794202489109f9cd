"""Datasets, records and review mode, in a real browser."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect
from web_kit import Look, Site, aside, site_of

from corpusmith.api.serving import Serving
from corpusmith.service.simulating import simulated_endpoint
from corpusmith.service.studio import Studio
from corpusmith.store.store import SqlStore
from corpusmith.values import Selection
from web_store import CHARACTER, HOSTILE, SCENARIO, filled

NAME = "many/有趣"
PATH = f"/datasets/{quote(NAME, safe='')}"
COUNT = 60
BIDI = "left ‮right‬ " + HOSTILE


def _fill(store: SqlStore) -> None:
    studio = Studio.over(store, "zh")
    with simulated_endpoint() as endpoint:
        studio.generate(
            characters=[CHARACTER],
            scenarios={SCENARIO: 1, "日常对话": 1},
            count=COUNT,
            turns=2,
            seed=7,
            dataset=NAME,
            connection=endpoint.model_dump(exclude_unset=True),
        )
    ids = [one.id for one in studio.records.page(Selection(dataset=NAME), limit=100).items]
    content = studio.reviews.get(ids[1]).content
    content["dialogues"][1]["content"] = BIDI + "长" * 100_000
    studio.reviews.edit(ids[1], content, reviewer=HOSTILE[:90])
    studio.reviews.review(ids[1], reviewer=HOSTILE[:90], note=HOSTILE, add_tags=[HOSTILE[:14]])


@pytest.fixture(scope="module")
def many(browser: Browser, folder: Path) -> Iterator[Site]:
    store = filled(folder / "data.db")
    aside(lambda: _fill(store))
    with site_of(Serving(store=store, language="en"), browser) as site:
        yield site
    store.close()


@pytest.fixture
def data(many: Site) -> Iterator[Site]:
    """A dataset of sixty records, one of them hostile. A test leaves no verdict behind."""
    yield many
    many.settle()
    studio = Studio.over(many.store, "en")
    for removal in studio.datasets.removals(NAME):
        if removal.undone_at is None:
            studio.datasets.restore(removal.number)
    ids = _ids(many)
    studio.reviews.apply(ids=ids, reviewer="cleaner", state="pending")


def _ids(site: Site) -> list[int]:
    studio = Studio.over(site.store, "en")
    return [one.id for one in studio.records.page(Selection(dataset=NAME), limit=500).items]


def _states(site: Site) -> dict[str, int]:
    return dict(Studio.over(site.store, "en").datasets.numbers(NAME).by_state)


def test_a_dataset_is_made_bound_renamed_and_deleted(data: Site) -> None:
    page = data.open("/datasets/-/new")
    page.get_by_label("Name").fill("fresh/one")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("fresh/one")
    page.get_by_label("Choose a scenario").select_option(SCENARIO)
    page.locator("#bound form", has=page.get_by_label("Choose a scenario")).get_by_role(
        "button", name="Bind"
    ).click()
    weight = page.get_by_label(f"Weight of “{SCENARIO}”")
    weight.fill("2.5")
    weight.press("Enter")
    expect(page.locator("#said")).to_contain_text("Bound")
    studio = Studio.over(data.store, "en")
    _, scenarios = studio.datasets.bindings("fresh/one")
    assert [(one.name, weight) for one, weight in scenarios] == [(SCENARIO, 2.5)]
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Name").fill(NAME)
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Name").fill("renamed")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("renamed")
    page.get_by_role("button", name="Edit").click()
    page.get_by_text("Delete this dataset").click()
    page.get_by_role("button", name="Delete “renamed”").click()
    expect(page.locator("#said")).to_contain_text("deleted")
    assert studio.datasets.list("renamed") == []


def test_filters_and_words_stand_in_the_address(data: Site) -> None:
    page = data.open(PATH + "/records")
    page.evaluate("window.still = true")
    expect(page.locator("#count")).to_contain_text(f"{COUNT}")
    page.get_by_label("Any scenario").select_option("日常对话")
    expect(page).to_have_url(re.compile(r"scenario=%E6%97%A5"))
    rows = page.locator("#list tbody tr")
    expect(page.locator("#count")).not_to_contain_text(f"{COUNT}")
    page.get_by_role("searchbox").fill("长长")
    expect(page.get_by_text("Nothing fits").or_(rows.first)).to_be_visible()
    assert page.evaluate("window.still")
    page.goto(data.url + PATH + "/records?text=left")
    expect(rows).to_have_count(1)
    page.goto(data.url + PATH + "/records?min_score=9&text=left")
    expect(page.get_by_text("was left out")).to_be_visible()
    expect(rows).to_have_count(1)


def test_pages_go_on_and_back(data: Site) -> None:
    page = data.open(PATH + "/records")
    first = page.locator("#list tbody a").first.get_attribute("href")
    page.get_by_role("link", name="Next page").click()
    expect(page.locator("#list tbody tr")).to_have_count(COUNT - 50)
    page.get_by_role("link", name="Previous page").click()
    expect(page.locator("#list tbody a").first).to_have_attribute("href", first or "")


def test_all_that_fit_are_approved_and_taken_back(data: Site) -> None:
    page = data.open(PATH + "/records")
    page.get_by_label("Choose all on this page").check()
    page.get_by_label(f"All {COUNT} that fit").check()
    expect(page.locator("#bulk-count")).to_contain_text(f"all {COUNT}")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#said")).to_contain_text(f"Approved: {COUNT}")
    assert _states(data) == {"approved": COUNT, "pending": 0, "rejected": 0}
    page.reload()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#said")).to_contain_text(f"{COUNT}")
    assert _states(data) == {"approved": 0, "pending": COUNT, "rejected": 0}
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)


def test_what_was_deleted_can_be_put_back(data: Site) -> None:
    before = _ids(data)
    page = data.open(PATH + "/records")
    for number in before[2:4]:
        page.get_by_label(f"Choose record {number}", exact=True).check()
    page.locator("#bulk-bar").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("Chosen: 2")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("#said")).to_contain_text("Deleted: 2")
    assert _ids(data) == [one for one in before if one not in before[2:4]]
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#said")).to_contain_text("2")
    assert _ids(data) == before


def test_a_selection_that_changed_is_not_acted_on(data: Site) -> None:
    page = data.open(PATH + "/records?state=pending")
    page.get_by_label("Choose all on this page").check()
    page.get_by_label(f"All {COUNT} that fit").check()
    reviews = Studio.over(data.store, "en").reviews
    reviews.review(_ids(data)[0], reviewer="other", state="approved")
    page.get_by_role("button", name="Reject").click()
    expect(page.locator("#said")).to_contain_text("Not done")
    assert _states(data)["rejected"] == 0
    reviews.undo(reviewer="other")


def test_tags_are_put_on_and_taken_off(data: Site) -> None:
    number = _ids(data)[5]
    page = data.open(PATH + "/records")
    for verb, tags in (("Tag", ("good", "回看")), ("Remove tags", ())):
        page.get_by_label(f"Choose record {number}", exact=True).check()
        page.locator("#bulk-bar").get_by_role("button", name="Tag", exact=True).click()
        page.get_by_label("Tags").fill("good，回看")
        page.get_by_role("dialog").get_by_role("button", name=verb, exact=True).click()
        expect(page.locator("#said")).to_contain_text("1")
        assert Studio.over(data.store, "en").reviews.get(number).tags == tags


# ---------------------------------------------------------------- one record


def test_a_record_says_where_it_came_from_and_leads_on(data: Site) -> None:
    ids = _ids(data)
    page = data.open(f"/records/{ids[0]}?dataset={quote(NAME)}", Look(language="zh"))
    page.get_by_text("提示词与原始回复").click()
    expect(page.locator("details pre").first).to_be_visible()
    page.locator("main").press("ArrowRight")
    expect(page.locator("h1")).to_contain_text(str(ids[1]))
    page.locator("main").press("k")
    expect(page.locator("h1")).to_contain_text(str(ids[0]))
    page.locator("main").press("a")
    expect(page.locator("#said")).to_contain_text("已保存")
    assert _states(data)["approved"] == 1
    page.get_by_role("button", name="撤销").click()
    expect(page.locator("#said")).to_contain_text("已撤销")
    assert _states(data)["approved"] == 0


def test_two_tabs_that_edit_one_record_lose_nothing(data: Site) -> None:
    number = _ids(data)[7]
    one, two = (data.open(f"/records/{number}/edit") for _ in range(2))
    one.locator("textarea").first.fill("from the first\ntab")
    two.locator("textarea").first.fill("from the second tab")
    one.get_by_role("button", name="Save").click()
    expect(one.locator("#said")).to_contain_text("new version")
    two.get_by_role("button", name="Save").click()
    expect(two.locator("textarea").first).to_have_value("from the second tab")
    expect(two.get_by_role("link", name="See the newer version")).to_be_visible()
    studio = Studio.over(data.store, "en")
    assert studio.reviews.get(number).content["dialogues"][0]["content"] == "from the first\ntab"
    two.get_by_role("button", name="Save").click()
    expect(two.locator("#said")).to_contain_text("new version")
    assert [one.version for one in studio.reviews.versions(number)] == [1, 2, 3]
    two.get_by_role("link", name="Compare with now").first.click()
    expect(two.locator("#diff ins")).to_contain_text(["second"])
    two.get_by_role("button", name="Restore").last.click()
    expect(two.locator("#said")).to_contain_text("Version 1")
    versions = studio.reviews.versions(number)
    assert versions[-1].content == versions[0].content


def test_hostile_text_is_only_text(data: Site) -> None:
    number = _ids(data)[1]
    for path in (
        PATH + "/records",
        f"/records/{number}?dataset={quote(NAME)}",
        f"/records/{number}?old=1",
        f"/records/{number}/edit",
        f"/review?dataset={quote(NAME)}&kind=all&blind=off&record={number}",
    ):
        page = data.open(path)
        assert page.locator("img[src=x], [hx-get='/evil'], [onerror]").count() == 0, path
        if "edit" not in path and not path.endswith("/records"):
            expect(page.get_by_text(HOSTILE, exact=False).first).to_be_visible()


# ---------------------------------------------------------------- review mode


MEASURED = """() => {
    const shown = () => document.querySelector("article.card:not([hidden])");
    const before = shown(), begun = performance.now();
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "j", bubbles: true }));
    return { ms: shown() !== before ? performance.now() - begun : 1e9 };
}"""


def _shown(page: Page) -> str:
    return page.locator("article.card:visible").get_attribute("data-record") or ""


def test_a_queue_is_reviewed_by_keyboard_alone(data: Site) -> None:
    page = data.open("/review")
    page.get_by_label("Dataset", exact=True).select_option(NAME)
    page.get_by_role("button", name="Start").press("Enter")
    studio = Studio.over(data.store, "en")
    keyboard, saving = page.keyboard, page.locator("#review-saving")
    first = int(_shown(page))
    keyboard.press("4")
    keyboard.press("t")
    keyboard.type("funny, 好")
    keyboard.press("Enter")
    keyboard.press("c")
    keyboard.type("a comment")
    keyboard.press("Escape")
    keyboard.press("a")
    second = int(_shown(page))
    assert second != first
    expect(saving).to_have_text("")
    record, review = studio.reviews.get(first), studio.reviews.of(first)[-1]
    assert (review.state, review.rating, review.note) == ("approved", 4, "a comment")
    assert record.tags == ("funny", "好")
    keyboard.press("r")
    expect(saving).to_have_text("")
    assert studio.reviews.get(second).state == "rejected"
    expect(page.locator("#review-count")).to_contain_text("2 /")
    keyboard.press("u")
    expect(page.locator(f"article[data-record='{second}']")).to_be_visible()
    assert studio.reviews.get(second).state == "pending"
    keyboard.press("k")
    assert int(_shown(page)) == first
    keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    keyboard.press("Escape")
    keyboard.press("j")
    expect(page).to_have_url(re.compile(f"record={second}"))
    page.reload()
    assert int(_shown(page)) == second
    keyboard.press("e")
    expect(page.locator("h1")).to_contain_text(f"Edit record {second}")
    page.locator("textarea").first.fill("edited while reviewing")
    keyboard.press("Control+Enter")
    expect(page.locator(f"article[data-record='{second}']")).to_contain_text("edited while")
    expect(page).to_have_url(re.compile("/review"))


def test_the_next_record_is_there_at_once_and_the_queue_ends(data: Site) -> None:
    page = data.open(f"/review?dataset={quote(NAME)}&kind=all")
    first, seen = _shown(page), set()
    # What a key does is measured in the page: until the next card can be seen.
    took = page.evaluate(MEASURED)
    assert took["ms"] < 100
    page.keyboard.press("k")
    assert _shown(page) == first
    for _ in range(10 * COUNT):
        if page.get_by_text("That was all").is_visible():
            break
        seen.add(_shown(page))
        page.keyboard.press("j")
    expect(page.get_by_text("That was all")).to_be_visible()
    done = Studio.over(data.store, "en").reviews.queue(dataset=NAME, kind="all", limit=100)
    assert seen >= {str(one) for one in done.ids}


def test_a_verdict_on_what_somebody_edited_is_refused_and_said(data: Site) -> None:
    page = data.open(f"/review?dataset={quote(NAME)}&kind=all")
    number = int(_shown(page))
    studio = Studio.over(data.store, "en")
    content = studio.reviews.get(number).content
    content["dialogues"][0]["content"] = f"changed at {time.time()}"
    studio.reviews.edit(number, content, reviewer="quicker")
    page.keyboard.press("c")
    page.keyboard.type("kept")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(page.locator("#toasts")).to_contain_text("quicker")
    expect(page.locator(f"article[data-record='{number}']")).to_be_visible()
    expect(page.locator(f"#note-{number}")).to_have_value("kept")
    assert studio.reviews.get(number).state == "pending"
