"""Hostile text in every field and in what models say: no page takes it for anything but text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from fastapi.routing import APIRoute
from hostile_store import (
    EVERYTHING,
    NAME,
    PASSWORD,
    PAYLOADS,
    TEMPLATE,
    TEXTS,
    WILD,
    cheap,
    fill,
    here,
)
from playwright.sync_api import Browser, Page, expect
from test_web_pages import routes
from web_addresses import ADDRESSES
from web_kit import PHONE, Look, Site, aside, photograph, sideways, site_of

from answering import Answer, answering, chat
from corpusmith.api.serving import Serving
from corpusmith.service.studio import Studio
from corpusmith.store.open import open_store
from corpusmith.web.form import read_form

FOUND = """(page) => {
  page ??= document;
  const found = [];
  const ours = (one, path = "/static/") => new URL(one.getAttribute("src"), location).href
    .startsWith(location.origin + path);
  const addresses = ["href", "src", "action", "formaction"];
  const made = (one, name, value) => name.startsWith("on") || name.startsWith("hx-on")
    || name === "style" && !one.closest("[data-chart], iframe")
    || name === "data-pwn" || name === "srcdoc" || name === "class" && value === "pwn"
    || addresses.includes(name) && /^\\s*(javascript|data:text)/i.test(value)
    || name.startsWith("hx-") && value.includes("pwn") && !value.includes("%");
  for (const one of page.querySelectorAll("*")) {
    const kind = one.tagName;
    for (const { name, value } of one.attributes) {
      if (made(one, name, value)) found.push(`${kind} ${name}=${value}`.slice(0, 200));
    }
    if (["OBJECT", "EMBED", "BASE", "STYLE", "SVG"].includes(kind)) found.push(kind);
    if (kind === "IFRAME" && !ours(one, "/datasets/")) found.push(kind);
    if (kind !== "SCRIPT") continue;
    if (one.type === "application/json") {
      try { JSON.parse(one.textContent); } catch { found.push("broken JSON"); }
    } else if (!(one.src ? ours(one) : one.nonce)) found.push(one.outerHTML.slice(0, 200));
  }
  const never = "meta[http-equiv=refresh], input[name=pwn], link[href*=pwn], "
    + "[autofocus]:not(textarea[name])";
  if (page.querySelector(never)) found.push("made");
  if (window.pwned || page.querySelector("main") && page.title === "") found.push("ran");
  return found;
}"""
"""What stands in a page that none of ours put there."""
WIDER = """() => [...document.querySelectorAll("body *")]
  .map((one) => [one, Math.round(one.getBoundingClientRect().right)])
  .filter(([one, right]) => right > innerWidth + 1)
  .slice(0, 4).map(([one, right]) => `${one.tagName}.${one.className} ${right}`)"""
READ = f"""async (addresses) => {{
  const look = {FOUND};
  const wrong = {{}}, texts = {{}};
  for (const address of addresses) {{
    const answer = await fetch(address, {{ headers: {{ Accept: "text/html" }} }});
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = answer.status < 500 ? look(page) : [answer.status];
    if (found.length) wrong[address] = found;
    texts[address] = page.querySelector("h1")?.textContent ?? "";
  }}
  return [wrong, texts];
}}"""
"""What is wrong with pages as a browser reads them, and their headings; they are not shown."""
PARTS = 6


@pytest.fixture(scope="module")
def house(browser: Browser, folder: Path) -> Iterator[tuple[Site, list[str]]]:
    store = open_store(f"sqlite:///{folder / 'hostile.db'}")
    more = aside(lambda: fill(store, folder))
    with site_of(Serving(store=store, language="en"), browser) as site:
        yield site, [*map(here, ADDRESSES), *more]
    store.close()


@pytest.fixture
def hostile(house: tuple[Site, list[str]]) -> Iterator[Site]:
    """A server over a store of payloads."""
    yield house[0]
    house[0].settle()


def harmless(page: Page) -> list[str]:
    """What a page took for more than text. Empty is what is wanted."""
    found = list(page.evaluate(FOUND))
    if sideways(page):
        page.wait_for_timeout(1000)  # parts that come by themselves are settling
    return found + ([f"sideways: {page.evaluate(WIDER)}"] if sideways(page) else [])


@pytest.mark.parametrize("part", range(PARTS))
def test_no_page_takes_text_for_anything_else(house: tuple[Site, list[str]], part: int) -> None:
    site, addresses = house
    wrong: dict[str, list[str]] = {}
    # Narrow: what is too wide shows there first. The pages of names are looked at wide, below.
    page = site.open("/", Look(width=PHONE))
    for address in list(dict.fromkeys(addresses))[part::PARTS]:
        answer = page.goto(site.url + address)
        assert answer is not None
        found = [] if answer.status == 200 or address == "/nowhere" else [str(answer.status)]
        found += harmless(page)
        photograph(page, f"hostile {address[:60]}")
        if found or site.watch.problems:
            wrong[address] = [*found, *site.watch.problems]
            site.watch.problems.clear()
    site.settle()
    assert not wrong, "\n".join(f"{address}: {found}" for address, found in wrong.items())


@pytest.mark.parametrize(
    "kind", ["scenarios", "characters", "templates", "connections", "datasets"]
)
def test_every_name_is_shown_as_it_is_and_its_page_is_found(hostile: Site, kind: str) -> None:
    page = hostile.open(f"/{kind}")
    shown, names = _text(page), set(PAYLOADS) | {NAME}
    if kind == "templates":
        names = {one.replace("/", "|").strip() for one in names}
    following = page.locator("a[rel=next]")
    while following.count():
        following.click()
        page.wait_for_load_state()
        shown += _text(page)
    assert {one for one in names if _plain(one) not in shown} == set()
    paths = {one: f"/{kind}/{quote(one, safe='')}" for one in sorted(names)}
    wrong, headings = page.evaluate(READ, list(paths.values()))
    assert wrong == {}
    assert {
        one for one, path in paths.items() if _plain(one) not in _plain(headings[path])
    } == set()
    for name in sorted(names)[::20]:
        answer = page.goto(hostile.url + paths[name])
        assert answer is not None and answer.status == 200
        assert _plain(name) in _plain(page.locator("h1").text_content() or "")
        assert harmless(page) == []


def test_what_a_model_said_is_shown_as_it_said_it(hostile: Site) -> None:
    studio = Studio.over(hostile.store, "en")
    page = hostile.open("/tasks/1/results?count=100")
    shown = _text(page)
    said = {one for one in (*PAYLOADS, WILD[0], WILD[2]) if _plain(one) not in shown}
    assert said == set()
    failed = hostile.open("/tasks/2/failures")
    assert harmless(failed) == []
    misses = list(studio.tasks.misses(2, limit=10))
    assert len(misses) == 10
    for one in misses[:5]:
        part = hostile.open(f"/tasks/2/item?name={quote(one.item)}")
        assert _plain(one.raw)[:60] in _plain(part.locator("body").text_content() or "")
        assert harmless(part) == []


def _addressed(text: str) -> tuple[str, ...]:
    """Pages with it in their addresses."""
    sent = quote(text, safe="")
    dataset = quote(NAME, safe="")
    return (
        f"/scenarios?search={sent}",
        f"/tasks?search={sent}&status={sent}",
        f"/datasets/{dataset}/records?text={sent}&tag={sent}&state={sent}",
        f"/datasets/{dataset}/export?scenario={sent}&format={sent}",
        f"/connections/-/new?provider={sent}",
        f"/login?next={sent}",
        f"/scenarios/{sent}?next={sent}",
        f"/records/{sent}",
        f"/{sent}",
    )


@pytest.mark.parametrize("part", range(3))
def test_what_stands_in_an_address_is_text(hostile: Site, part: int) -> None:
    page = hostile.open("/login")
    texts = TEXTS[part::3]
    wrong, _ = page.evaluate(READ, [one for text in texts[::2] for one in _addressed(text)])
    assert wrong == {}
    # A browser shows each page at least once, each with another text.
    for place, text in enumerate(texts[:9]):
        address = _addressed(text)[place]
        answer = page.goto(hostile.url + address)
        assert answer is not None and answer.status < 500
        assert harmless(page) == [], address


def test_what_is_typed_is_text_where_it_comes_back(hostile: Site) -> None:
    page = hostile.open("/scenarios/-/new")
    page.get_by_label("Name").fill(PAYLOADS[0])
    page.get_by_label("Description").fill(EVERYTHING)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    assert harmless(page) == []
    page.get_by_label("Name").fill(NAME + " 2")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#said")).to_contain_text(NAME + " 2")
    assert harmless(page) == []
    page.goto(hostile.url + f"/characters/{quote(NAME, safe='')}")
    expect(page.locator("#preview pre").first).to_contain_text("{{ 7*7 }}")
    assert harmless(page) == []
    page.goto(hostile.url + f"/templates/{quote(TEMPLATE, safe='')}")
    expect(page.locator("#about")).not_to_be_empty()
    assert harmless(page) == []


# ---------------------------------------------------------------- replies, files, people


@pytest.fixture(scope="module")
def speaking(house: tuple[Site, list[str]]) -> Iterator[str]:
    """A connection whose model says everything at once."""

    def say(_headers: Any, body: bytes) -> Answer:
        return chat(json.dumps({"said": EVERYTHING}) if b"AS-JSON" in body else EVERYTHING)

    studio = Studio.over(house[0].store, "en")
    with answering(say) as url:
        aside(lambda: studio.connections.add("speaks", base_url=f"{url}/v1", model=PAYLOADS[1]))
        yield "speaks"
    aside(lambda: studio.connections.delete("speaks"))


def test_a_reply_in_a_talk_is_text(hostile: Site, speaking: str) -> None:
    page = hostile.open(f"/characters/{quote(NAME, safe='')}/chat", Look(width=PHONE))
    page.locator("#f-connection").select_option(speaking)
    page.locator("[name=say]").fill(EVERYTHING)
    page.locator("[name=say]").press("Enter")
    reply = page.locator("#so-far li.assistant").nth(1)
    expect(reply).to_be_visible()
    assert _plain(reply.locator(".given").inner_text()) == _plain(EVERYTHING)
    assert harmless(page) == []
    page.reload()
    expect(reply).to_be_visible()
    assert harmless(page) == []


@pytest.mark.parametrize("prompt", ["plain {topic}", 'AS-JSON {topic} {{"said": "…"}}'])
def test_what_comes_of_a_trial_is_text(hostile: Site, speaking: str, prompt: str) -> None:
    page = hostile.open("/templates/-/new")
    page.locator("#f-name").fill("trial")
    page.locator("#f-prompt").fill(prompt)
    page.locator("[id='f-var.topic'], [id='f-try.topic']").first.fill(PAYLOADS[1])
    page.locator("#f-connection").select_option(speaking)
    page.get_by_role("button", name="Make one").click()
    expect(page.locator("#result .tiles")).to_be_visible()
    shown = _text(page)
    assert _plain(PAYLOADS[2]) in shown and _plain(PAYLOADS[1]) in shown
    assert harmless(page) == []


def test_the_name_of_a_file_is_text(hostile: Site) -> None:
    names = [f"{one[:90]}.jsonl" for one in PAYLOADS[::5]]
    rows = json.dumps({"instruction": PAYLOADS[1], PAYLOADS[2]: PAYLOADS[3]}).encode()
    with httpx2.Client(base_url=hostile.url, trust_env=False, timeout=60) as client:
        came = [client.post("/api/v1/uploads", files={"file": (one, rows)}) for one in names]
    sent = [one.json() for one in came]
    addresses = [f"/datasets/-/import?upload={one['id']}" for one in sent]
    page = hostile.open("/datasets/-/import", Look(width=PHONE))
    shown = _text(page)
    assert {one["name"] for one in sent if _plain(one["name"]) not in shown} == set()
    assert harmless(page) == []
    others = ["/generate/template", "/generate/rounds", "/generate/feedback"]
    assert page.evaluate(READ, [*addresses, *others])[0] == {}
    for address in addresses[::3]:
        page.goto(hostile.url + address)
        assert harmless(page) == []


def test_the_name_of_a_person_is_text(browser: Browser, tmp_path: Path) -> None:
    store, passwords = open_store(f"sqlite:///{tmp_path / 'people.db'}"), cheap()
    names = [one[:90].strip() for one in PAYLOADS]
    users = Studio.over(store, "en", passwords=passwords).users
    for place, name in enumerate(names):
        users.add(name, PASSWORD, "admin" if place < 2 else "reviewer")
    with site_of(Serving(store=store, language="en", passwords=passwords), browser) as site:
        page = site.open("/login", Look(width=PHONE))
        form = {"name": names[1], "password": PASSWORD}
        assert page.request.post(site.url + "/login", form=form).status == 200
        for path in ("/settings/users", "/settings/account", "/settings/audit", "/settings/tokens"):
            page.goto(site.url + path)
            assert _plain(names[1]) in _plain(page.locator("body").text_content() or "")
            assert harmless(page) == [], path
        paths = {one: f"/settings/users/{quote(one, safe='')}" for one in names}
        wrong, headings = page.evaluate(READ, list(paths.values()))
        assert wrong == {}
        lost = {one for one, path in paths.items() if _plain(one) not in _plain(headings[path])}
        assert lost == set()
        site.settle()
    store.close()


# ---------------------------------------------------------------- what is no text


def _forms() -> list[str]:
    """Where pages send forms, with names of nothing in their places."""
    taken = [one for one in routes() if "POST" in one.methods and _takes_a_form(one)]
    assert len(taken) > 40
    return [re.sub(r"\{\w+(:int)?\}|\{\w+:noun\}", "1", one.path) for one in taken]


def _takes_a_form(route: APIRoute) -> bool:
    return any(one.call is read_form for one in route.dependant.dependencies)


def test_no_form_takes_a_nul_and_none_breaks_on_half_a_sign(hostile: Site) -> None:
    with httpx2.Client(base_url=hostile.url, trust_env=False, timeout=60) as client:
        for path in _forms():
            nul = {"anything": "a\0b"}
            answer = client.post(path, data=nul, headers={"HX-Request": "true"})
            assert answer.status_code in (422, 429), path
            assert answer.text.count("NUL") == 1 or answer.status_code == 429, path
        half = {
            name: b"a\xed\xa0\x80b" for name in ("name", "description", "prompt", "text", "say")
        }
        for path in _forms():
            assert client.post(path, data=half).status_code < 500, path
        for language, text in (("en", "NUL"), ("zh", "空字符")):
            words = {"Accept": "text/html", "Accept-Language": language}
            page = client.post("/scenarios/-/new", data={"name": "a\0"}, headers=words)
            assert page.status_code == 422 and page.text.count(text) == 1
        for sent in ("%00", "%ED%A0%80", "a%00b"):
            for address in ("/scenarios?search=", "/tasks?search=", "/login?next=", "/scenarios/"):
                assert client.get(address + sent).status_code < 500, address


def _text(page: Page) -> str:
    return _plain(page.locator("main").text_content() or "")


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
