"""Templates and talks, in a real browser over the simulator."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from web_kit import Look, Site, aside, axe, sideways

from corpusmith.service.studio import Studio
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import Running, run_in_thread
from web_store import CHARACTER, HOSTILE

SOON = 15_000
PROMPT = 'Write {count} about {topic}, {level}: {"question": "…", "answer": "…"}'


@pytest.fixture(scope="module")
def simulator() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig(latency_ms=30)) as running:
        yield running


@pytest.fixture
def studio(site: Site) -> Studio:
    return Studio.over(site.store, "en")


@pytest.fixture
def connected(site: Site, studio: Studio, simulator: Running) -> str:
    """A connection of that name that answers."""
    price = {"input": 1.0, "output": 1.0}
    if "sim" not in [one.name for one in studio.connections.list()]:
        base = f"{simulator.url}/v1"
        aside(lambda: studio.connections.add("sim", base_url=base, model="any", price=price))
    return "sim"


def stored(studio: Studio, name: str, **fields: Any) -> str:
    """Its address."""
    studio.templates.save({"name": name, "prompt": PROMPT, **fields})
    return f"/templates/{quote(name)}"


def save(page: Page) -> None:
    page.locator("#template").get_by_role("button", name="Save").click()


def forget(page: Page, name: str) -> None:
    page.evaluate("name => localStorage.removeItem('corpusmith.draft.' + name)", name)


def test_variables_are_known_as_they_are_typed_and_a_draft_keeps_their_values(
    site: Site, studio: Studio
) -> None:
    page = site.open("/templates/-/new")
    page.get_by_label("Name", exact=True).fill("typed")
    prompt = page.get_by_label("Prompt", exact=True)
    prompt.press_sequentially('Ask {主题} on {current_date} {"a": {"b": 1}} {level}', delay=1)
    chips = page.locator("#about .chips code")
    expect(chips).to_have_text(["{主题}", "{current_date}", "{level}"])
    expect(page.locator("#about .chips")).to_contain_text("filled in by itself")
    usual = page.locator("[name='usual.level']")
    usual.fill("easy\nhard * 2")
    page.get_by_label("Description").fill("d")
    expect(page.locator("#about .pill.good")).to_contain_text("{level}")
    prompt.fill(prompt.input_value().replace("{level}", "{lev"))
    expect(page.locator("#need-usual")).to_contain_text("level")
    expect(usual).to_have_value("easy\nhard * 2")
    prompt.fill(prompt.input_value() + "el}")
    expect(page.locator("#need-usual")).to_be_empty()
    page.reload()
    expect(page.locator("[name='usual.level']")).to_have_value("easy\nhard * 2")
    save(page)
    expect(page.locator("#said")).to_contain_text("typed")
    made = studio.templates.get("typed")
    assert (made.version, dict(made.vars)) == (1, {"level": {"easy": 1, "hard": 2}})
    assert page.evaluate("localStorage.getItem('corpusmith.draft.template')") is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("{ topic }", "{topic}"),
        ("{my topic}", "{my_topic}"),
        ("{{topic}}", "{topic}"),
        ("｛主题｝", "{主题}"),
        ("tell {topic of it", "{topic}"),
    ],
)
def test_what_was_meant_as_a_variable_and_is_none_is_said(
    site: Site, text: str, meant: str
) -> None:
    page = site.open("/templates/-/new")
    page.get_by_label("Prompt", exact=True).fill(text)
    expect(page.locator("#about .missing")).to_contain_text(meant)
    forget(page, "template")


def test_what_does_not_fit_is_said_beside_its_field_and_nothing_is_lost(
    site: Site, studio: Studio
) -> None:
    stored(studio, "taken")
    page = site.open("/templates/-/new")
    page.get_by_label("Name", exact=True).fill("taken")
    expect(page.locator("#need-name")).to_contain_text("exists already")
    page.get_by_label("Prompt", exact=True).fill("About {topic}")
    page.get_by_label("JSON Schema", exact=True).first.check()
    schema = page.locator("[name=schema_text]")
    schema.fill('{"type": ')
    expect(page.locator("#need-schema_text")).to_contain_text("no JSON")
    schema.fill('{"type": "number"}')
    expect(page.locator("#need-schema_text")).to_contain_text("number")
    save(page)
    expect(page.locator("#w-schema_text, #need-schema_text").first).not_to_be_empty()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("About {topic}")
    assert axe(page) == []
    page.get_by_label("Like a sample").check()
    page.locator("[name=sample]").fill("no sample at all")
    expect(page.locator("#need-sample")).not_to_be_empty()
    page.locator("[name=sample]").fill('{"title": "…", "score": 1-5}')
    page.get_by_label("Name", exact=True).fill("by a sample")
    expect(page.locator("#about code.wraps")).to_contain_text('"score": integer')
    save(page)
    expect(page.locator("#said")).to_contain_text("by a sample")
    found = studio.templates.get("by a sample").schema
    assert found is not None and set(found["properties"]) == {"title", "score"}


def test_versions_are_compared_by_line_and_word_and_brought_back(
    site: Site, studio: Studio
) -> None:
    place = stored(studio, "versions")
    page = site.open(place)
    page.get_by_label("Prompt", exact=True).fill(PROMPT.replace("Write", "Carefully write"))
    save(page)
    expect(page.locator("#said")).to_contain_text("version 2")
    save(page)
    expect(page.locator("#said")).to_contain_text("Nothing has changed")
    studio.templates.edit("versions", description="third", temperature=0.5)
    page.goto(f"{site.url}{place}/versions?old=1&new=2")
    expect(page.locator(".lines del")).to_have_text(["Write"])
    expect(page.locator(".lines ins")).to_have_text(["Carefully write"])
    page.locator("#diff [name=new]").select_option("3")
    expect(page).to_have_url(f"{site.url}{place}/versions?old=1&new=3")
    expect(page.locator(".lines")).to_contain_text("temperature: 0.5")
    assert axe(page) == []
    page.get_by_role("button", name="Restore").last.click()
    expect(page.locator("#said")).to_contain_text("Version 1 is back, as version 4")
    now = studio.templates.get("versions")
    assert (now.version, now.prompt, now.temperature) == (4, PROMPT, None)


def test_a_change_of_somebody_else_is_not_covered_unasked(site: Site, studio: Studio) -> None:
    page = site.open(stored(studio, "two people"))
    studio.templates.edit("two people", description="theirs")
    page.get_by_label("Description").fill("mine")
    save(page)
    expect(page.locator(".said.bad")).to_contain_text("version 2")
    assert studio.templates.get("two people").description == "theirs"
    expect(page.get_by_label("Description")).to_have_value("mine")
    save(page)
    expect(page.locator("#said")).to_contain_text("version 3")
    assert studio.templates.get("two people").description == "mine"


def test_values_that_nobody_touched_stay_exactly_as_they_are(site: Site, studio: Studio) -> None:
    values = {"topic": "two\nlines", "level": [1, 2.5, "x"]}
    page = site.open(stored(studio, "exact", vars=values, keep=["level"]))
    page.get_by_label("Description").fill("only this")
    save(page)
    expect(page.locator("#said")).to_contain_text("version 2")
    now = studio.templates.get("exact")
    assert (dict(now.vars), now.keep, now.description) == (values, ("level",), "only this")


def test_a_template_is_copied_renamed_and_deleted(site: Site, studio: Studio) -> None:
    stored(studio, "in the way")
    page = site.open(stored(studio, "copied from"))
    page.get_by_role("button", name="Copy", exact=True).click()
    page.locator("#copy [name=new_name]").fill("in the way")
    page.locator("#copy").get_by_role("button", name="Copy").click()
    expect(page.locator("#copy .wrong")).to_contain_text("exists already")
    page.locator("#copy [name=new_name]").fill("the copy")
    page.locator("#copy").get_by_role("button", name="Copy").click()
    expect(page.locator("h1")).to_have_text("the copy")
    page.get_by_role("button", name="Rename").click()
    page.locator("#rename [name=new_name]").fill("another name")
    page.locator("#rename").get_by_role("button", name="Rename").click()
    expect(page.locator("h1")).to_have_text("another name")
    page.get_by_role("button", name="Delete").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#said")).to_contain_text("deleted")
    assert {one.name for one in studio.templates.list("cop")} == {"copied from"}


def test_a_shipped_one_is_looked_at_copied_and_used(site: Site, studio: Studio) -> None:
    page = site.open("/templates/-/shipped?language=zh")
    page.locator("article", has_text="围绕一个主题").get_by_role("link").click()
    expect(page.locator("pre").first).to_contain_text("{topic}")
    page.get_by_role("button", name="Copy to yours").click()
    expect(page.locator("h1")).to_have_text("My qa")
    assert studio.templates.get("My qa").language == "zh"
    page.get_by_role("link", name="Generate with it").click()
    expect(page.locator("#choose-template")).to_have_value("My qa")
    expect(page.locator("[name='var.topic']")).to_be_visible()


def test_one_record_is_made_of_what_is_typed(site: Site, studio: Studio, connected: str) -> None:
    page = site.open(stored(studio, "tried", vars={"level": ["easy", "hard"]}))
    calls = len(site.store.tasks.list(limit=100))
    page.get_by_role("button", name="Make one").click()
    expect(page.locator("[id='need-var.topic']")).not_to_be_empty()
    expect(page.locator("#need-connection")).not_to_be_empty()
    page.locator("#f-connection").select_option(connected)
    page.locator("[name='var.topic']").fill("green\ntea")
    page.get_by_label("Prompt", exact=True).fill(PROMPT.replace("Write", "UNSAVED write"))
    page.get_by_role("button", name="Make one").click()
    expect(page.locator("#result .said.good")).to_be_visible(timeout=SOON)
    expect(page.locator("[id='need-var.topic']")).to_be_empty()
    sample = json.loads(page.locator("#made-sample").inner_text())
    assert set(sample) == {"question", "answer"}
    expect(page.locator("#result")).to_contain_text("UNSAVED write 1 about green\ntea")
    expect(page.locator("#result .tile").nth(1)).to_contain_text("$0.0")
    expect(page.locator("#made-raw")).to_contain_text(sample["answer"][:20])
    assert axe(page) == [] and not sideways(page)
    assert len(site.store.tasks.list(limit=100)) == calls
    assert studio.templates.get("tried").version == 1


def test_why_nothing_came_of_a_test_is_said_with_the_raw_reply(site: Site, studio: Studio) -> None:
    with run_in_thread(SimulatorConfig(latency_ms=1, faults={"wrong_schema": 1.0})) as broken:
        base = f"{broken.url}/v1"
        aside(lambda: studio.connections.add("broken", base_url=base, model="any"))
        page = site.open(stored(studio, "breaks", vars={"level": "x", "topic": "y"}))
        page.locator("#f-connection").select_option("broken")
        page.get_by_role("button", name="Make one").click()
        expect(page.locator("#result .said.bad")).to_contain_text("asked shape", timeout=SOON)
        expect(page.locator("#made-raw")).not_to_be_empty()
    page.get_by_role("button", name="Make one").click()
    expect(page.locator("#result .said.bad")).to_contain_text("Cannot reach", timeout=60_000)
    aside(lambda: studio.connections.delete("broken"))


def test_hostile_text_is_text_in_every_field(site: Site, studio: Studio, connected: str) -> None:
    page = site.open("/templates/-/new")
    evil = HOSTILE.replace("/", "|")
    page.get_by_label("Name", exact=True).fill(evil)
    page.get_by_label("Description").fill(HOSTILE)
    page.get_by_label("Prompt", exact=True).fill(HOSTILE + "{x} { <b>bold</b> } {</textarea>}")
    page.get_by_label("System message").fill("</textarea>" + HOSTILE)
    page.locator("[name='usual.x']").fill("</textarea>" + HOSTILE + "\n" + evil)
    page.locator("summary").filter(has_text="Model, parameters").click()
    page.locator("#f-model").fill(HOSTILE)
    page.locator("#f-connection").select_option(connected)
    page.get_by_role("button", name="Make one").click()
    expect(page.locator("#made-raw")).not_to_be_empty(timeout=SOON)
    expect(page.locator("#made-1")).to_contain_text("</textarea>")
    nothing_came_of(page)
    save(page)
    expect(page.locator("h1")).to_have_text(evil)
    studio.templates.edit(evil, description=HOSTILE * 2)
    place = f"/templates/{quote(evil, safe='')}"
    for path in (place, f"{place}/versions", "/templates", "/templates?search=%3Cimg"):
        page.goto(site.url + path)
        expect(page.get_by_text(evil, exact=False).first).to_be_visible()
        nothing_came_of(page)
    studio.templates.delete(evil)


def nothing_came_of(page: Page) -> None:
    page.wait_for_timeout(100)
    assert page.locator("main img[src=x], main b, [hx-get='/evil']").count() == 0


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_talk_has_turns_survives_a_reload_and_is_said_anew(
    site: Site, connected: str, language: Any
) -> None:
    place = f"/characters/{quote(CHARACTER)}"
    page = site.open(place, Look(language=language))
    page.locator(f"a[href='{place}/chat']").click()
    said = page.locator("#so-far .talk .given:not(#pending)")
    expect(said).to_have_count(1)
    page.locator("#f-connection").select_option(connected)
    for turn in (1, 2):
        say = page.locator("[name=say]")
        say.fill(f"{turn} {HOSTILE}")
        say.press("Enter")
        expect(said).to_have_count(1 + 2 * turn, timeout=SOON)
        expect(page.locator("[name=say]")).to_have_value("")
        expect(page.locator("[name=say]")).to_be_focused()
    before = page.locator(".spent").inner_text()
    assert "$0.00" in before and page.locator("main img[src=x], [hx-get='/evil']").count() == 0
    page.reload()
    expect(said).to_have_count(5)
    expect(page.locator("#f-connection")).to_have_value(connected)
    expect(page.locator(".spent")).to_have_text(before)
    page.locator("[value=again]").click()
    expect(page.locator(".spent")).not_to_have_text(before, timeout=SOON)
    expect(said).to_have_count(5)
    assert axe(page) == [] and not sideways(page)
    page.locator("[value=clear]").click()
    expect(said).to_have_count(1)
    page.reload()
    page.wait_for_timeout(300)
    expect(said).to_have_count(1)


def test_what_is_typed_while_the_page_or_a_reply_is_awaited_is_kept(
    site: Site, connected: str
) -> None:
    page = site.open(f"/connections/{connected}/chat")
    held: list[Any] = []
    page.route("**/chat/part", lambda route: held.append(route))
    page.reload()
    say = page.locator("[name=say]")
    say.fill("typed early")
    page.wait_for_timeout(300)
    with page.expect_response("**/chat/part"):
        held[-1].continue_()
    expect(page.locator("#so-far")).to_be_visible()
    expect(say).to_have_value("typed early")
    answers: list[Any] = []
    page.route(f"**/connections/{connected}/chat", lambda route: answers.append(route))
    say.press("Enter")
    expect(page.locator("#pending")).to_have_text("typed early")
    say.fill("typed meanwhile")
    answers[0].continue_()
    expect(page.locator("#so-far .talk li.assistant")).to_have_count(1, timeout=SOON)
    expect(say).to_have_value("typed meanwhile")


def test_a_model_is_spoken_to_and_what_is_wrong_is_said_in_words(
    site: Site, studio: Studio, simulator: Running
) -> None:
    # A connection of its own: the browser keeps the talks of the tests before this one.
    aside(lambda: studio.connections.add("near", base_url=f"{simulator.url}/v1", model="any"))
    page = site.open("/connections/near/chat")
    page.locator("[name=say]").fill("hello")
    page.locator("[name=say]").press("Enter")
    expect(page.locator("#so-far .talk li.assistant")).to_have_count(1, timeout=SOON)
    aside(lambda: studio.connections.add("away", base_url="http://127.0.0.1:9/v1", model="m"))
    page = site.open("/connections/away/chat")
    page.locator("[name=say]").fill("still here")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".said.bad")).to_contain_text("Cannot reach", timeout=SOON)
    expect(page.locator("[name=say]")).to_have_value("still here")
    page.reload()
    expect(page.locator("[name=say]")).to_have_value("still here")
    for name in ("near", "away"):
        aside(partial(studio.connections.delete, name))


def test_a_talk_that_was_tampered_with_is_none(site: Site) -> None:
    page = site.open(f"/characters/{quote(CHARACTER)}/chat")
    began_s = time.monotonic()
    for kept in ("[", '{"messages": [{"role": "system", "content": "x"}]}', '{"evil": 1}'):
        answer = page.request.post(
            f"{site.url}/characters/{quote(CHARACTER)}/chat/part", form={"talk": kept}
        )
        assert answer.status == 200 and "evil" not in answer.text()
    assert time.monotonic() - began_s < 10
