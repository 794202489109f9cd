"""What people do on the pages, in a real browser."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx2
from playwright.sync_api import Page, expect
from web_kit import PHONE, Look, Site, aside, furnished, listening

from corpusmith.api.serving import Serving
from corpusmith.service.sealing import opened
from corpusmith.service.studio import Studio
from corpusmith.web.said import COOKIE
from web_store import CHARACTER, HOSTILE, SCENARIO


def test_a_scenario_is_made_changed_and_deleted(site: Site) -> None:
    page = site.open("/scenarios/-/new")
    page.get_by_label("Name").fill("new/one & more")
    page.get_by_label("Weight").fill("2.5")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#said")).to_contain_text("new/one & more")
    assert site.store.scenarios.get("new/one & more").weight == 2.5
    page.get_by_role("link", name="new/one & more").click()
    page.get_by_label("Description").fill("打烊前")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#said")).to_contain_text("saved")
    assert site.store.scenarios.get("new/one & more").description == "打烊前"
    page.get_by_role("button", name="Delete “new/one & more”").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#said")).to_contain_text("deleted")
    assert [one.name for one in site.store.scenarios.list("new/one")] == []


def test_what_does_not_fit_is_said_beside_its_field_and_nothing_typed_is_lost(site: Site) -> None:
    page = site.open("/scenarios/-/new")
    page.get_by_label("Name").fill(SCENARIO)
    page.get_by_label("Description").fill("kept as typed")
    page.get_by_role("button", name="Save").click()
    field = page.get_by_label("Name")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    described = field.get_attribute("aria-describedby") or ""
    assert page.locator(f"#{described.split()[0]}").inner_text().strip()
    expect(page.get_by_label("Description")).to_have_value("kept as typed")
    _forget(page, "scenario")


def test_a_draft_survives_a_reload_and_ends_when_it_is_saved(site: Site) -> None:
    page = site.open("/scenarios/-/new")
    page.get_by_label("Name").fill("from a draft")
    page.get_by_label("Language").select_option("zh")
    page.reload()
    expect(page.get_by_label("Name")).to_have_value("from a draft")
    expect(page.get_by_label("Language")).to_have_value("zh")
    expect(page.locator("[data-draft-note]")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#said")).to_contain_text("from a draft")
    page.goto(site.url + "/scenarios/-/new")
    expect(page.get_by_label("Name")).to_have_value("")


def test_a_search_changes_the_list_and_the_address_alone(site: Site) -> None:
    page = site.open("/scenarios")
    page.evaluate("window.still = true")
    page.get_by_role("searchbox").fill("食堂")
    expect(page).to_have_url(re.compile(r"\?search=%E9%A3%9F%E5%A0%82$"))
    expect(page.locator("#list tbody tr")).to_have_count(1)
    assert page.evaluate("window.still")
    expect(page.get_by_role("searchbox")).to_have_value("食堂")
    page.reload()
    expect(page.locator("#list tbody tr")).to_have_count(1)


def test_language_and_theme_are_kept(site: Site) -> None:
    page = site.open("/settings", Look(language="en", width=(1000, 800)))
    page.get_by_role("radio", name="中文").check()
    page.get_by_role("radio", name="Dark").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert page.url.endswith("/settings")


def test_the_menu_of_a_phone_opens(site: Site) -> None:
    page = site.open("/", Look(width=PHONE))
    link = page.get_by_role("navigation", name="Menu").get_by_role("link", name="Scenarios")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    link.click()
    expect(page).to_have_url(re.compile("/scenarios$"))


def test_the_keyboard_reaches_the_content_first(site: Site) -> None:
    page = site.open("/scenarios")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_times_are_those_of_the_viewer(site: Site) -> None:
    page = site.open("/")
    times = page.locator("time[data-time]")
    expect(times.first).not_to_contain_text("UTC")
    assert "GMT+8" in (times.first.get_attribute("title") or "")


def test_what_others_wrote_is_shown_as_they_wrote_it(site: Site) -> None:
    for path in ("/scenarios", "/characters"):
        page = site.open(path)
        expect(page.get_by_text(HOSTILE, exact=False).first).to_be_visible()
        assert page.locator("img[src=x], [hx-get='/evil']").count() == 0


def test_a_character_is_written_with_its_prompt_beside_it(site: Site) -> None:
    page = site.open(f"/characters/{CHARACTER}", Look(language="zh"))
    expect(page.locator("#preview")).to_contain_text("退休的语文老师")
    page.get_by_label("性格").fill("忽然变得急躁")
    expect(page.locator("#preview")).to_contain_text("忽然变得急躁")
    page.get_by_role("button", name="保存").click()
    assert site.store.characters.get(CHARACTER).personality == "忽然变得急躁"


def test_a_card_is_imported_by_the_page(site: Site) -> None:
    page = site.open("/characters")
    page.get_by_role("button", name="Import cards").click()
    card = {"name": "Imported", "description": "d", "personality": "p"}
    files = [
        {"name": "a.json", "mimeType": "application/json", "buffer": _json(card)},
        {"name": "broken.json", "mimeType": "application/json", "buffer": b"{"},
    ]
    page.set_input_files("#files", files)  # type: ignore[arg-type]
    page.get_by_role("dialog").get_by_role("button", name="Import cards").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    assert site.store.characters.get("Imported").personality == "p"


def test_the_simulator_is_one_click_and_its_connection_works(empty_site: Site) -> None:
    page = empty_site.open("/")
    try:
        page.get_by_role("button", name="Start the simulator").click()
        expect(page.locator("#said")).to_contain_text("simulator", timeout=30_000)
        page.goto(empty_site.url + "/connections/simulator")
        page.get_by_role("button", name="Test").click()
        expect(page.locator("#trial .said.good")).to_be_visible(timeout=30_000)
        page.get_by_role("button", name="List models").click()
        expect(page.locator("#found-models button").first).to_be_visible(timeout=30_000)
    finally:
        empty_site.app.state.simulator.close()


def test_a_key_never_comes_back(site: Site) -> None:
    page = site.open("/connections/-/new?provider=deepseek")
    canary = "sk-canary-9f8e7d"
    page.get_by_label("Name", exact=True).fill("bad\tname" * 40)
    page.get_by_label("The key", exact=False).fill(canary)
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".said.bad, .wrong").first).to_be_visible()
    assert canary not in page.content()
    assert canary not in str(page.evaluate("JSON.stringify(localStorage)"))
    _forget(page, "connection")


def test_own_headers_and_fields_are_kept_hidden_and_changed(site: Site) -> None:
    studio = Studio.over(site.store, "en")
    page, canary = site.open("/connections/-/new?provider=deepseek"), "gateway-canary-9f8e7d"

    def save(headers: str, extra: str) -> None:
        if page.locator("#f-headers").is_hidden():
            page.get_by_text("Advanced: headers and body fields").click()
        page.get_by_label("Own headers").fill(headers)
        page.get_by_label("Own body fields").fill(extra)
        with page.expect_navigation():
            page.get_by_role("button", name="Save").click()

    def kept() -> tuple[dict[str, Any], dict[str, Any]]:
        found = opened(studio.connections.get("gateway"))
        return dict(found.headers), dict(found.extra)

    page.get_by_label("Name", exact=True).fill("gateway")
    page.get_by_text("None needed").click()
    fields = json.dumps({"gateway": {"token": canary}, "top_k": 3})
    save(f"X-Gateway: {canary}\n{canary}", fields)
    expect(page.locator("#f-headers")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#f-headers")).to_have_value("X-Gateway: •••\n")
    assert canary not in page.content()
    assert canary not in str(page.evaluate("JSON.stringify(localStorage)"))
    save(f"X-Gateway: {canary}", f'{{"token": "{canary}", "top_k": False}}')
    expect(page.locator("#f-extra")).to_have_attribute("aria-invalid", "true")
    assert canary not in page.content()
    save(f"X-Gateway: {canary}\nX-Team: blue", fields)
    expect(page.locator("#said")).to_contain_text("gateway")
    secrets = {"X-Gateway": canary, "X-Team": "blue"}, {"gateway": {"token": canary}, "top_k": 3}
    assert kept() == secrets

    assert canary not in page.content()
    shown = page.locator("#f-headers").input_value(), page.locator("#f-extra").input_value()
    assert shown[0] == "X-Gateway: •••\nX-Team: •••"
    assert json.loads(shown[1]) == {"gateway": {"token": "•••"}, "top_k": 3}
    save(*shown)
    assert kept() == secrets
    save("X-Gateway: •••", shown[1].replace("3", "4"))
    assert kept() == ({"X-Gateway": canary}, {"gateway": {"token": canary}, "top_k": 4})
    save("X-New: •••", shown[1])
    expect(page.locator("#f-headers")).to_have_attribute("aria-invalid", "true")
    assert kept()[0] == {"X-Gateway": canary}


def test_errors_are_pages_for_people_and_json_for_programs(site: Site) -> None:
    with httpx2.Client(base_url=site.url, trust_env=False, timeout=60) as client:
        page = client.get("/scenarios/unknown", headers={"Accept-Language": "zh"})
        assert page.status_code == 404
        assert page.headers["content-type"].startswith("text/html")
        assert 'lang="zh-CN"' in page.text
        rest = client.get("/api/v1/scenarios/unknown")
        assert rest.json()["error"]["code"] == "unknown_scenario"
        part = client.post("/scenarios/unknown/delete", headers={"HX-Request": "true"})
        assert part.status_code == 404
        assert part.headers["hx-retarget"] == "#said"
        assert "<html" not in part.text
        assert client.post("/look", data={"back": "//evil.example"}).headers["location"] == "/"
        assert client.get("/", headers={"Cookie": f"{COOKIE}=WyJ4Il0="}).status_code == 200


def test_a_page_from_elsewhere_changes_nothing(site: Site) -> None:
    with httpx2.Client(base_url=site.url, trust_env=False, timeout=60) as client:
        headers = {"Origin": "http://evil.example"}
        answer = client.post("/scenarios/-/new", data={"name": "evil"}, headers=headers)
        assert answer.status_code == 403
    assert [one.name for one in site.store.scenarios.list("evil")] == [HOSTILE]


def test_where_a_login_is_needed_the_page_leads_there_and_back(empty_site: Site) -> None:
    studio = Studio.over(empty_site.store, "en")
    aside(lambda: studio.users.add("林晓", "a long enough phrase"))
    serving = Serving(store=empty_site.store, language="en", login=True)
    with (
        furnished(serving) as app,
        listening(app) as url,
        httpx2.Client(base_url=url, trust_env=False, timeout=60) as client,
    ):
        answer = client.get("/scenarios?search=a")
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            "/login?next=%2Fscenarios%3Fsearch%3Da",
        )
        wrong = {"name": "林晓", "password": "no", "next": "/scenarios"}
        refused = client.post("/login", data=wrong)
        assert refused.status_code == 401
        assert "林晓" in refused.text and 'value="no"' not in refused.text
        right = {**wrong, "password": "a long enough phrase", "next": "//evil.example"}
        assert client.post("/login", data=right).headers["location"] == "/"
        assert client.get("/scenarios").status_code == 200
        assert client.post("/logout").status_code == 303
        assert client.get("/scenarios").status_code == 303


def _json(value: object) -> bytes:
    import orjson

    return orjson.dumps(value)


def _forget(page: Page, name: str) -> None:
    page.evaluate("name => localStorage.removeItem('corpusmith.draft.' + name)", name)
