"""Charts, finding and cleaning, checks, reports and evaluations, in a real browser."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import httpx2
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from web_kit import PHONE, Look, Site, aside, axe, becomes, dress, sideways, site_of

from corpusmith.api.access import Principal
from corpusmith.api.jobs import Run
from corpusmith.api.serving import Serving
from corpusmith.errors import UsageError
from corpusmith.service.cleaning import Signals
from corpusmith.service.simulating import simulated_endpoint
from corpusmith.service.studio import Studio
from corpusmith.store.store import SqlStore
from corpusmith.values import Selection
from corpusmith.web.charts import of_dataset
from corpusmith.web.selected import chosen
from web_store import CHARACTER, HOSTILE, SCENARIO, filled

NAME = "figures/质量"
PATH = f"/datasets/{quote(NAME, safe='')}"
COUNT = 40
REFUSAL = "作为一个人工智能语言模型，我无法回答这个问题。"
PHONE_NUMBER = "我的电话是13812345678，回头联系。"
TAG = HOSTILE[:14]
_STUDIO_LANGUAGE = "en"


def _fill(store: SqlStore) -> None:
    """Three refusals, two that repeat another, two with a phone number, ratings, scores, a task
    that scored all of them."""
    studio = Studio.over(store, "zh")
    with simulated_endpoint() as endpoint:
        connection = endpoint.model_dump(exclude_unset=True)
        studio.generate(
            characters=[CHARACTER],
            scenarios={SCENARIO: 1, "日常对话": 2},
            count=COUNT,
            turns=2,
            seed=7,
            dataset=NAME,
            connection=connection,
        )
        ids = _numbers(studio)
        for number in ids[:3]:
            _say(studio, number, REFUSAL)
        alike = studio.reviews.get(ids[20]).content
        for number in ids[30:32]:
            studio.reviews.edit(number, alike, reviewer="lin")
        for number in ids[5:7]:
            _say(studio, number, PHONE_NUMBER)
        for place, number in enumerate(ids[::4]):
            state = "approved" if place % 2 else "rejected"
            studio.reviews.review(number, reviewer="lin", rating=place % 5 + 1, state=state)
        studio.reviews.review(ids[9], reviewer="lin", add_tags=[TAG, "精选"])
        task = studio.tasks.create(
            {"recipe": "evaluate", "of": f"dataset:{NAME}", "connection": connection}
        )
        studio.tasks.run(task)
        studio.reviews.take_scores(task.id)


def _say(studio: Studio, number: int, text: str) -> None:
    content = studio.reviews.get(number).content
    content["dialogues"][1]["content"] = text
    studio.reviews.edit(number, content, reviewer="lin")


def _numbers(studio: Studio) -> list[int]:
    found = studio.records.page(Selection(dataset=NAME), limit=200).items
    return [one.id for one in found]


@pytest.fixture(scope="module")
def figured(browser: Browser, folder: Path) -> Iterator[Site]:
    store = filled(folder / "figures.db")
    aside(lambda: _fill(store))
    with site_of(Serving(store=store, language="en"), browser) as site:
        yield site
    store.close()


@pytest.fixture
def data(figured: Site) -> Iterator[Site]:
    """A dataset with some bad records in it. A test takes back what it does."""
    yield figured
    figured.settle()


def _studio(site: Site) -> Studio:
    return Studio.over(site.store, _STUDIO_LANGUAGE)


def _rest(site: Site, path: str) -> Any:
    answer = httpx2.get(site.url + "/api/v1" + path, trust_env=False, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _table(page: Page, chart: str) -> dict[str, int]:
    """What a chart's table says."""
    rows = page.locator(f"[data-numbers='{chart}'] tbody tr")
    texts = [row.locator("th, td.num").all_text_contents() for row in rows.all()]
    return {name.strip(): int(count.replace(",", "")) for name, count in texts}


def _drawn(page: Page) -> int:
    """Charts whose canvas has something else than one colour in it."""
    return int(
        page.evaluate(
            """() => [...document.querySelectorAll('.plot canvas')].filter((one) => {
              const all = one.getContext('2d').getImageData(0, 0, one.width, one.height).data;
              return new Set(new Uint32Array(all.buffer)).size > 4;
            }).length"""
        )
    )


# ---------------------------------------------------------------- charts


def test_every_chart_is_drawn_and_its_table_says_what_rest_says(data: Site) -> None:
    page = data.open(PATH)
    numbers = _rest(data, PATH + "/statistics")
    becomes(page, "document.querySelectorAll('.plot canvas').length >= 7")
    charts = page.locator("[data-chart]").count()
    assert _drawn(page) == charts >= 7
    words = {"pending": "To review", "approved": "Approved", "rejected": "Rejected"}
    assert _table(page, "state") == {
        words[name]: count for name, count in numbers["by_state"].items()
    }
    for chart, field in (("scenario", "scenarios"), ("category", "categories"), ("tag", "tags")):
        told = {one["name"]: one["count"] for one in numbers[field]}
        assert _table(page, chart) == told and told, chart
    for chart, field in (("score", "scores"), ("rating", "ratings"), ("length", "lengths")):
        told = [one["count"] for one in numbers[field] if one["count"]]
        assert [one for one in _table(page, chart).values() if one] == told and told, chart
    assert sum(_table(page, "length").values()) == COUNT


def test_a_bar_leads_to_the_records_that_it_counts(data: Site) -> None:
    page = data.open(PATH)
    plot = page.locator(".chart-card", has_text="Scenarios").locator(".plot")
    plot.locator("canvas").wait_for()
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    # The largest comes first, and reaches nearly across.
    page.mouse.click(box["x"] + box["width"] * 0.55, box["y"] + 20)
    page.wait_for_url(re.compile(r"/records\?scenario="))
    largest = _rest(data, PATH + "/statistics")["scenarios"][0]
    assert dict(parse_qsl(urlsplit(page.url).query)) == {"scenario": largest["name"]}
    expect(page.locator("#count")).to_contain_text(f"Records: {largest['count']}")


def test_what_every_bar_leads_to_is_exactly_what_it_counts(data: Site) -> None:
    studio = _studio(data)
    charts = of_dataset(NAME, studio.datasets.numbers(NAME), lambda key, **data: key)
    asked = 0
    for one in (bar for chart in charts for bar in chart.bars if bar.href):
        which = chosen(NAME, dict(parse_qsl(urlsplit(one.href).query)))
        assert which.ignored == ()
        assert studio.records.count(which.selection).count == one.count, one
        asked += 1
    assert asked > 20


def test_the_numbers_are_there_without_the_chart_and_by_keyboard(data: Site) -> None:
    page = data.open(PATH)
    summary = page.locator(".chart-card", has_text="Review").first.locator("summary")
    summary.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"state=pending"))


def test_charts_follow_the_theme_without_a_reload(data: Site) -> None:
    page = data.open(PATH)
    page.locator(".plot canvas").first.wait_for()
    page.evaluate("window.still = true")
    colour = """() => {
      const one = document.querySelector('.plot canvas');
      const all = one.getContext('2d').getImageData(0, 0, one.width, one.height).data;
      return [...new Set(new Uint32Array(all.buffer))].sort().join();
    }"""
    light = page.evaluate(colour)
    page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
    becomes(page, f"before => ({colour})() !== before", light)
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    becomes(
        page, "document.querySelector('.plot canvas').clientWidth <= 390 - 2 * 16 && window.still"
    )
    assert not sideways(page)


def test_a_page_without_charts_loads_no_charts(data: Site) -> None:
    for path in (PATH + "/records", PATH + "/quality", "/tasks"):
        page = data.open(path)
        assert page.locator("script[src*='charts']").count() == 0, path


def test_a_page_does_not_wait_for_what_draws_its_charts(data: Site) -> None:
    page = data.open(PATH)
    page.locator(".plot canvas").first.wait_for()
    waited_ms = page.evaluate("""() => {
      const [page] = performance.getEntriesByType("navigation");
      const files = performance.getEntriesByType("resource");
      const [drawing] = files.filter((one) => one.name.includes("echarts"));
      return drawing.startTime - page.loadEventStart;
    }""")
    assert waited_ms >= 0


# ---------------------------------------------------------------- finding and cleaning


def _form(site: Site, kind: str, look: Look | None = None) -> Page:
    """The form as it is at first: what an earlier test ticked is kept by the browser."""
    page = site.open(f"{PATH}/quality/{kind}", look)
    page.evaluate("localStorage.clear()")
    page.reload()
    return page


def _look(page: Page, *, kind: str) -> None:
    page.get_by_role("button", name=re.compile("Look at")).click()
    page.wait_for_url(re.compile(rf"/quality/{kind}/[0-9a-f]{{20}}$"))


def _groups(page: Page) -> dict[str, list[int]]:
    """What is wrong → the numbers beside it."""
    found = {}
    for row in page.locator("#apply tbody > tr").all():
        name = row.locator("label").inner_text()
        numbers = row.locator("> td.num").all_text_contents()
        found[name] = [int(one.replace(",", "")) for one in numbers]
    return found


def _tile(page: Page, name: str) -> str:
    tile: Locator = page.locator(".tile", has=page.get_by_text(name, exact=True))
    return tile.locator("dd").first.inner_text()


def test_bad_records_are_found_counted_rejected_and_taken_back(data: Site) -> None:
    studio = _studio(data)
    before = dict(studio.datasets.numbers(NAME).by_state)
    page = _form(data, "clean")
    page.get_by_label("Judge’s score of at most").fill("2")
    page.get_by_label("A person rejected it").check()
    _look(page, kind="clean")
    groups = _groups(page)
    counts = [int(_tile(page, name)) for name in ("Looked at", "With something wrong", "Good")]
    assert counts[0] == COUNT == counts[1] + counts[2]
    assert sum(one[-1] for one in groups.values()) == counts[1]
    assert groups["Rejected by a person"][0] == before["rejected"]
    assert set(groups) >= {"Refusals", "Low judge’s score"}
    assert dict(studio.datasets.numbers(NAME).by_state) == before
    # Nothing of it is lost by a reload, and a sample leads to its record.
    page.reload()
    assert _groups(page) == groups
    row = page.locator("#apply tbody > tr", has_text="Refusals")
    row.locator("summary").click()
    expect(row.locator("details a").first).to_have_attribute("href", re.compile(r"/records/\d+\?"))
    for name in groups:
        if name != "Refusals":
            page.get_by_label(f"Deal with: {name}").uncheck()
    page.get_by_role("button", name="Reject", exact=True).click()
    expect(page.get_by_text("Rejected: ")).to_be_visible()
    done = {name: int(_tile(page, name)) for name in ("Asked for", "Changed", "As it was already")}
    assert done["Asked for"] == groups["Refusals"][0]
    assert done["Asked for"] == done["Changed"] + done["As it was already"]
    assert studio.datasets.numbers(NAME).by_state["rejected"] > before["rejected"]
    assert axe(page) == []
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#said")).to_contain_text("Taken back")
    assert dict(studio.datasets.numbers(NAME).by_state) == before


def test_what_was_found_can_be_taken_out_and_put_back(data: Site) -> None:
    studio = _studio(data)
    page = _form(data, "clean")
    _look(page, kind="clean")
    wrong = int(_tile(page, "With something wrong"))
    for theme, width in (("light", (1280, 900)), ("dark", PHONE)):
        dress(page, theme, width)
        assert axe(page) == [] and not sideways(page)
    page.get_by_role("button", name="Take out of the dataset").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Take out of the dataset").click()
    expect(page.get_by_text(f"Taken out: {wrong}")).to_be_visible()
    assert studio.datasets.numbers(NAME).total == COUNT - wrong
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#said")).to_contain_text("Taken back")
    assert studio.datasets.numbers(NAME).total == COUNT


def test_all_records_of_a_kind_can_be_seen(data: Site) -> None:
    page = _form(data, "clean", Look(language="zh"))
    page.locator("#check-duplicates").uncheck()
    page.locator("form.stack button.main").click()
    page.locator("#apply").wait_for()
    row = page.locator("#apply tbody > tr", has_text="拒答")
    row.locator("summary").click()
    row.get_by_text("查看全部").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator("tbody")).to_contain_text(REFUSAL[:12])
    assert axe(page) == []


def test_a_look_for_nothing_is_refused_and_keeps_what_was_typed(data: Site) -> None:
    page = _form(data, "clean")
    for name in ("format", "placeholders", "refusal", "repetition", "duplicates"):
        page.locator(f"#check-{name}").uncheck()
    page.get_by_role("button", name=re.compile("Look at")).click()
    expect(page.get_by_text("Tick at least one thing")).to_be_visible()
    page.get_by_label("Shorter than").evaluate("one => { one.type = 'text' }")
    page.get_by_label("Shorter than").fill("many")
    page.get_by_role("button", name=re.compile("Look at")).click()
    expect(page.get_by_label("Shorter than")).to_have_attribute("aria-invalid", "true")


def test_checks_take_options_flag_and_mask(data: Site) -> None:
    studio = _studio(data)
    page = _form(data, "checks")
    for name in ("format", "placeholders", "refusal"):
        page.locator(f"#check-{name}").uncheck()
    page.locator("#check-length").check()
    length = page.locator("li", has=page.locator("#check-length"))
    length.locator("summary").click()
    length.get_by_label("Characters, at least").fill("few")
    page.get_by_role("button", name=re.compile("Look at")).click()
    wrong = page.get_by_label("Characters, at least")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(wrong).to_be_visible()
    wrong.fill("1")
    page.locator("#check-personal_data").check()
    _look(page, kind="checks")
    assert _groups(page) == {"Personal data": [2]}
    page.get_by_text("More ways").click()
    page.get_by_role("button", name="Note it at all records").click()
    expect(page.get_by_text(f"Noted at {COUNT} records")).to_be_visible()
    assert [one.name for one in studio.datasets.numbers(NAME).flags] == ["personal_data"]
    page.get_by_role("link", name="Back to what was found").click()
    page.get_by_text("More ways").click()
    page.get_by_role("button", name="Mask what can be masked").click()
    expect(page.get_by_text("Masked: 2")).to_be_visible()
    assert not studio.records.page(Selection(dataset=NAME, text="13812345678")).items
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#said")).to_contain_text("Taken back")
    assert len(studio.records.page(Selection(dataset=NAME, text="13812345678")).items) == 2


def test_a_running_look_says_how_far_it_is_and_can_be_stopped(data: Site) -> None:
    def work(studio: Studio, run: Run) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            run.show(1234, 5000)
            time.sleep(0.02)

    who = Principal(name="another", scope="admin", via="token")
    number = data.app.state.jobs.start("clean", work, studio=_studio(data), by=who)
    page = data.open(f"{PATH}/quality/clean/{number}")
    expect(page.get_by_text("1,234 / 5,000")).to_be_visible()
    page.reload()
    assert axe(page) == []
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped. Nothing was changed.")).to_be_visible()


def test_a_look_that_is_forgotten_leads_back_to_its_form(data: Site) -> None:
    page = data.open(f"{PATH}/quality/clean/{'0' * 20}")
    expect(page).to_have_url(re.compile("/quality/clean$"))
    expect(page.locator("#said")).to_contain_text("not known any more")


def test_of_two_alike_the_one_stays_that_is_good_otherwise(data: Site, tmp_path: Path) -> None:
    studio = _studio(data)
    ids = _numbers(studio)
    found = studio.cleaning.look(NAME, folder=tmp_path, checks=["duplicates"])
    assert (found.looked, found.good, found.found) == (COUNT, COUNT - 2, 2)
    assert studio.cleaning.found(tmp_path, [1]) == ids[30:32]
    studio.reviews.review(ids[20], reviewer="lin", add_tags=["weg"])
    try:
        both = studio.cleaning.look(
            NAME, folder=tmp_path, signals=Signals(tag="weg"), checks=["duplicates"]
        )
        # The first goes, so that of the other two the first stays.
        assert [(one.check, one.counted) for one in both.groups] == [("tag", 1), ("duplicates", 1)]
        assert studio.cleaning.found(tmp_path, [1, 2]) == [ids[20], ids[31]]
        assert both.looked == both.good + both.found == COUNT
    finally:
        studio.reviews.review(ids[20], reviewer="lin", remove_tags=["weg"])
    with pytest.raises(UsageError):
        studio.cleaning.look(NAME, folder=tmp_path)


# ---------------------------------------------------------------- reports


def test_a_report_is_made_read_kept_downloaded_and_deleted(data: Site) -> None:
    page = data.open(PATH + "/reports")
    page.get_by_role("button", name="Make a report").click()
    page.wait_for_url(re.compile(r"/reports/\d{8}T\d+-[0-9a-f]{8}$"))
    address = page.url
    frame = page.frame_locator("iframe")
    expect(frame.locator("h1")).to_have_text(NAME)
    expect(frame.locator(".tiles")).to_contain_text(str(COUNT))
    becomes(page, "document.querySelector('iframe').clientHeight > 2000")
    assert frame.locator("script").count() == 0
    paper = "getComputedStyle(document.querySelector('iframe').contentDocument.body).background"
    light = page.evaluate(paper)
    page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
    becomes(
        page, f"before => {{ try {{ return {paper} !== before }} catch {{ return false }} }}", light
    )
    assert not sideways(page)
    with httpx2.Client(trust_env=False, timeout=60) as client:
        for form, begin in (("html", "<!doctype"), ("json", "{"), ("md", "#")):
            answer = client.get(f"{address}/file/{form}")
            assert answer.text.startswith(begin), form
            assert "attachment" in answer.headers["content-disposition"]
        alone = client.get(f"{address}/page")
        assert "script-src" not in alone.headers["content-security-policy"]
        assert "default-src 'none'" in alone.headers["content-security-policy"]
        assert client.get(f"{address}/file/exe").status_code == 404
        assert client.get(f"{data.url}{PATH}/reports/..%2F..%2Fsecret").status_code == 404
    page.goto(data.url + PATH + "/reports")
    expect(page.locator("#kept ~ .rows li")).to_have_count(1)
    assert axe(page) == []
    page.goto(address)
    page.get_by_role("button", name="Delete this report").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("#said")).to_contain_text("deleted")
    assert httpx2.get(address, trust_env=False, timeout=60).status_code == 404


def test_an_old_report_says_what_was_so_and_only_so_many_are_kept(
    data: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from corpusmith.service import kept_reports

    studio = _studio(data)
    report = studio.reports.of(dataset=NAME)
    first = studio.kept_reports.keep(NAME, report)
    assert studio.kept_reports.get(NAME, first.id) == report
    monkeypatch.setattr(kept_reports, "MOST", 2)
    more = [studio.kept_reports.keep(NAME, report).id for _ in range(2)]
    assert [one.id for one in studio.kept_reports.list(NAME)] == more[::-1]
    for one in more:
        studio.kept_reports.delete(NAME, one)


# ---------------------------------------------------------------- evaluations


def test_an_evaluation_says_what_rest_says_by_model_and_beside_people(data: Site) -> None:
    studio = _studio(data)
    page = data.open(PATH + "/evaluations")
    page.locator("tbody a").first.click()
    page.wait_for_url(re.compile(r"/evaluations/\d+$"))
    number = int(page.url.rpartition("/")[2])
    told = _rest(data, f"/evaluations/{number}")
    becomes(page, "document.querySelectorAll('.plot canvas').length === 2")
    assert _drawn(page) == 2
    rows = page.locator("#dimensions").locator("xpath=ancestor::section").locator("tbody tr").all()
    shown = [row.locator("td.num").first.inner_text() for row in rows]
    assert shown == [f"{one['mean']:.2f}" for one in told["dimensions"]]
    assert _tile(page, "Mean") == f"{told['mean']:.2f}"
    models = page.locator("#models").locator("xpath=ancestor::section").locator("tbody tr")
    assert models.locator("td.num").first.inner_text() == str(told["scored"])
    people = page.locator("#people").locator("xpath=ancestor::section")
    rated = studio.reviews.judge(dataset=NAME).rated
    expect(people.locator("dd").first).to_have_text(str(rated))
    assert rated > 0
    for theme, width in (("light", (1280, 900)), ("dark", PHONE)):
        dress(page, theme, width)
        assert axe(page) == [] and not sideways(page)
    page.locator("#lowest").locator("xpath=ancestor::section").locator("tbody a").first.click()
    page.wait_for_url(re.compile(rf"/records/{told['lowest'][0]['id']}\?"))


def test_an_evaluation_gives_the_records_their_scores(data: Site) -> None:
    studio = _studio(data)
    number = studio.evaluations.about(NAME)[0]
    page = data.open(f"/evaluations/{number}")
    page.get_by_role("button", name="Give records their scores").click()
    page.get_by_role("dialog").get_by_role("button", name="Give records their scores").click()
    scored = _rest(data, f"/evaluations/{number}")["scored"]
    expect(page.locator("#said")).to_contain_text(f"a score now: {scored}")


def test_what_is_no_evaluation_is_said_to_be_none(data: Site) -> None:
    answer = httpx2.get(data.url + "/evaluations/1", trust_env=False, timeout=60)
    assert answer.status_code == 422


# ---------------------------------------------------------------- tasks


def test_a_task_shows_what_each_category_brought(data: Site) -> None:
    task = next(one for one in _studio(data).task_views.list() if one.dataset == NAME)
    page = data.open(f"/tasks/{task.id}")
    page.locator(".plot canvas").wait_for()
    assert _drawn(page) == 1
    told = {one.name: one.accepted for one in _studio(data).task_views.detail(task.id).categories}
    assert _table(page, "category") == told
    page.locator("[data-numbers='category']").locator("xpath=ancestor::details").click()
    page.locator("[data-numbers='category'] a").first.click()
    page.wait_for_url(re.compile(r"/records\?category="))
