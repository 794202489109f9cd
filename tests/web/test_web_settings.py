"""The settings' pages, refusals as pages, and a session that ends under an open page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect
from web_kit import Look, Site, aside, axe, becomes, site_of

from corpusmith.api.rates import GUESSES
from corpusmith.api.serving import Serving
from corpusmith.nouns import Scenario
from corpusmith.service.logins import Logins
from corpusmith.service.passwords import Passwords
from corpusmith.service.studio import Studio
from corpusmith.values import Language
from web_store import SCENARIO, filled

WORD = "correct horse battery"
OTHER = "staple correct horse"
SOON = 15_000
_widths = count(1101)


def cheap() -> Passwords:
    from argon2 import Parameters, Type

    sizes = {"salt_len": 16, "hash_len": 16, "time_cost": 1, "memory_cost": 8, "parallelism": 1}
    return Passwords(Parameters(type=Type.ID, version=19, **sizes))


@contextmanager
def house(browser: Browser, file: Path, *, people: bool) -> Iterator[Site]:
    """A server with cheap passwords; `people`: with a user of each role."""
    store = filled(file)
    passwords = cheap()
    studio = Studio.over(store, "en", passwords=passwords)

    for name, role in (("anna", "admin"), ("rosa", "reviewer")) if people else ():
        studio.users.add(name, WORD, role)
    serving = Serving(store=store, language="en", passwords=passwords)
    with site_of(serving, browser) as site:
        yield site
    store.close()


@pytest.fixture(scope="module")
def staffed_site(browser: Browser, folder: Path) -> Iterator[Site]:
    with house(browser, folder / "staffed.db", people=True) as site:
        yield site


@pytest.fixture
def staffed(staffed_site: Site) -> Iterator[Site]:
    """With an admin, anna, and a reviewer, rosa."""
    yield staffed_site
    staffed_site.settle()


@pytest.fixture
def alone(browser: Browser, folder: Path, tmp_path: Path) -> Iterator[Site]:
    """Nobody but the one person of the machine; the test's own."""
    with house(browser, tmp_path / "alone.db", people=False) as site:
        yield site
        site.settle()


def stranger(language: Language = "en") -> Look:
    """A browser that nobody has used before."""
    return Look(language=language, width=(next(_widths), 900))


def log_in(site: Site, name: str, path: str = "/", look: Look | None = None) -> Page:
    """A browser of their own, logged in and at `path`."""
    page = site.open("/login?next=" + path, look or stranger())
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(WORD)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(site.url + path)
    return page


def studio_of(site: Site) -> Studio:
    return Studio.over(site.store, "en", passwords=cheap())


def end_sessions(site: Site, name: str) -> None:
    assert studio_of(site).users.log_out(name) > 0


# ---------------------------------------------------------------- users


def test_the_first_admin_is_made_on_the_page_and_everybody_else_has_to_log_in(alone: Site) -> None:
    page = alone.open("/settings/users", stranger())
    expect(page.get_by_text("From now on everybody logs in")).to_be_visible()
    page.get_by_label("Name").fill("林晓")
    page.get_by_label("Password", exact=True).fill(WORD)
    page.get_by_label("Password again").fill(OTHER)
    page.get_by_role("button", name="Create, and log in").click()
    expect(page.get_by_label("Password again")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Name")).to_have_value("林晓")
    page.get_by_label("Password", exact=True).fill(WORD)
    page.get_by_label("Password again").fill(WORD)
    page.get_by_role("button", name="Create, and log in").click()
    expect(page.locator("#said")).to_contain_text("林晓")
    expect(page.get_by_role("link", name="林晓")).to_be_visible()
    other = alone.open("/settings/users", stranger())
    expect(other.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_reviewer_that_was_added_logs_in_and_can_edit_nothing(staffed: Site) -> None:
    page = log_in(staffed, "anna", "/settings/users")
    page.get_by_role("link", name="New user").click()
    page.get_by_label("Name").fill("mei")
    page.get_by_label("Password", exact=True).fill(WORD)
    page.get_by_label("Password again").fill(WORD)
    page.get_by_role("button", name="Add the user").click()
    expect(page.locator("#said")).to_contain_text("mei")

    page = log_in(staffed, "mei", "/settings")
    menu = page.get_by_role("navigation", name="Menu")
    expect(menu.get_by_role("link", name="Review")).to_be_visible()
    expect(menu.get_by_role("link", name="Generate")).to_have_count(0)
    expect(page.locator(".tabs a")).to_have_text(["Look", "Your account", "API tokens", "About"])
    page.goto(staffed.url + "/settings/users")
    expect(page.locator("h1")).to_have_text("Not for you to see")
    page.goto(staffed.url + "/settings/tokens")
    expect(page.get_by_label("Rights").locator("option")).to_have_text(["look", "look and review"])
    assert axe(page) == []


def test_a_user_gets_another_role_and_password_and_is_switched_off(staffed: Site) -> None:
    aside(lambda: studio_of(staffed).users.add("otto", WORD, "reviewer"))
    page = log_in(staffed, "anna", "/settings/users/otto")
    page.get_by_role("radio", name="Editor").check()
    page.get_by_role("button", name="Save the role").click()
    expect(page.locator("#said")).to_contain_text("otto")
    page.get_by_label("Password", exact=True).fill(OTHER)
    page.get_by_label("Password again").fill(OTHER)
    page.get_by_role("button", name="Set the password").click()
    expect(page.locator("#said")).to_contain_text("new password")
    page.get_by_role("button", name="Switch off").click()
    page.get_by_role("dialog").get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("switched off")).to_be_visible()
    found = staffed.store.users.get("otto")
    assert (found.role, found.active) == ("editor", False)
    page.get_by_role("button", name="Switch on again").click()
    expect(page.get_by_text("can log in")).to_be_visible()
    aside(lambda: Logins(studio_of(staffed)).log_in("otto", OTHER))


def test_the_last_admin_stays(staffed: Site) -> None:
    page = log_in(staffed, "anna", "/settings/users/anna")
    page.get_by_role("radio", name="Reviewer").check()
    page.get_by_role("button", name="Save the role").click()
    expect(page.locator(".said.bad")).to_contain_text("anna")
    assert staffed.store.users.get("anna").role == "admin"


def test_people_change_their_password_and_end_their_other_sessions(staffed: Site) -> None:
    aside(lambda: studio_of(staffed).users.add("lea", WORD, "reviewer"))
    other = log_in(staffed, "lea")
    page = log_in(staffed, "lea", "/settings/account")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.locator("tbody tr").filter(has_not_text="this browser").get_by_role("button").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    other.reload()
    expect(other.get_by_text("Your session has ended")).to_be_visible()
    page.get_by_label("Old password").fill("wrong wrong wrong")
    page.get_by_label("New password").fill(OTHER)
    page.get_by_label("Password again").fill(OTHER)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_label("Old password")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Old password").fill(WORD)
    page.get_by_label("New password").fill(OTHER)
    page.get_by_label("Password again").fill(OTHER)
    page.get_by_role("button", name="Change the password").click()
    expect(page.locator("#said")).to_contain_text("Your password is changed")
    page.get_by_role("button", name="Log out everywhere").click()
    page.get_by_role("dialog").get_by_role("button", name="Log out everywhere").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


# ---------------------------------------------------------------- tokens, log


def test_a_token_is_shown_once_and_works(staffed: Site) -> None:
    page = log_in(staffed, "anna", "/settings/tokens")
    page.get_by_label("What it is for").fill("夜间导出")
    page.get_by_label("Rights").select_option("edit")
    page.get_by_label("Until").select_option("30")
    page.get_by_role("button", name="Make the token").click()
    secret = page.locator("#new_token").inner_text()
    assert secret.startswith("csm_")
    with httpx2.Client(base_url=staffed.url, trust_env=False, timeout=60) as client:
        api, headers = "/api/v1/scenarios", {"Authorization": f"Bearer {secret}"}
        assert client.get(api).status_code == 401
        assert client.get(api, headers=headers).status_code == 200
        page.reload()
        expect(page.locator("#new_token")).to_have_count(0)
        row = page.get_by_role("row").filter(has_text="夜间导出")
        expect(row).to_have_count(1)
        assert secret not in page.content()
        row.get_by_role("button", name="Revoke").click()
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        expect(page.locator("#said")).to_contain_text("revoked")
        assert client.get(api, headers=headers).status_code == 401


def test_the_log_is_filtered_by_its_address(staffed: Site) -> None:
    page = log_in(staffed, "anna", "/settings/users/-/new")
    page.get_by_label("Name").fill("logged")
    page.get_by_label("Password", exact=True).fill(WORD)
    page.get_by_label("Password again").fill(WORD)
    page.get_by_role("button", name="Add the user").click()
    page.goto(staffed.url + "/settings/audit")
    page.get_by_role("row").filter(has_text="logged").get_by_role("link", name="Add a user").click()
    expect(page).to_have_url(re.compile(r"action=add_user$"))
    expect(page.get_by_label("What")).to_have_value("add_user")
    expect(page.locator("#list tbody tr").first).to_contain_text("logged")
    expect(page.locator("#list tbody")).not_to_contain_text("Log in")
    page.get_by_label("From").fill("2001-01-01")
    expect(page).to_have_url(re.compile(r"from=2001-01-01.*zone=-480"))
    expect(page.locator("#list tbody tr").first).to_contain_text("logged")
    page.get_by_label("to", exact=True).fill("2001-01-02")
    expect(page.get_by_role("heading", name="Nothing fits")).to_have_count(1)
    page.reload()
    expect(page.get_by_label("From")).to_have_value("2001-01-01")


def test_the_log_has_pages(staffed: Site) -> None:
    from corpusmith.store.access_values import Deed

    for number in range(60):
        deed = Deed(who="many", via="cli", action="add_scenario", target=f"t{number}")
        staffed.store.audit.add(deed)
    page = log_in(staffed, "anna", "/settings/audit?who=many")
    expect(page.locator("#list tbody tr")).to_have_count(50)
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#list tbody tr")).to_have_count(10)
    expect(page.locator("#list tbody tr").last).to_contain_text("t0")


# ---------------------------------------------------------------- storage


def test_settings_are_stored_within_their_range_and_the_environment_locks_its_own(
    alone: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORPUSMITH_AUDIT_DAYS", "44")
    page = alone.open("/settings/storage")
    locked = page.get_by_label("Keep the log, days")
    expect(locked).to_be_disabled()
    expect(locked).to_have_value("44")
    expect(page.get_by_text("CORPUSMITH_AUDIT_DAYS")).to_be_visible()
    with httpx2.Client(base_url=alone.url, trust_env=False, timeout=60) as client:
        wrong = {"journal_days": "99999", "private_endpoints": "on"}
        answer = client.post("/settings/storage", data=wrong)
        assert answer.status_code == 422
        assert 'value="99999"' in answer.text and "w-journal_days" in answer.text
    page.get_by_label("Keep calls of ended tasks, days").fill("31")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#said")).to_contain_text("saved")
    found = {one.name: one.value for one in studio_of(alone).settings.list()}
    assert (found["journal_days"], found["audit_days"]) == (31, 44)


def test_what_the_dry_run_says_is_what_goes(alone: Site) -> None:
    page = alone.open("/settings/storage")
    page.get_by_label("Untouched for so many days").fill("0")
    page.get_by_role("button", name="See what would go").click()
    expect(page).to_have_url(re.compile(r"days=0&deleted=true$"))
    told = int(page.locator(".tile dd").first.inner_text())
    assert told > 0
    before = studio_of(alone).retention.prune_journal(0, dry_run=True)
    assert before.found.calls == told
    page.get_by_role("button", name=f"Delete {told} calls").click()
    expect(page.get_by_text(f"{told} calls deleted")).to_be_visible(timeout=SOON)
    after = studio_of(alone).retention.prune_journal(0, dry_run=True)
    assert after.found.calls == 0
    page.goto(alone.url + "/settings/storage/prune?days=0")
    expect(page.get_by_role("heading", name="Nothing would go")).to_be_visible()


# ---------------------------------------------------------------- backup, restore


def test_a_backup_is_made_fetched_sent_back_and_brings_back_what_was_deleted(
    alone: Site, tmp_path: Path
) -> None:
    page = alone.open("/settings/backup")
    page.get_by_role("button", name="Make a backup").click()
    expect(page.get_by_text("The backup is made")).to_be_visible(timeout=SOON)
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download").click()
    file = tmp_path / "all.zip"
    saved.value.save_as(file)
    page.goto(alone.url + "/settings/backup")
    page.get_by_role("button", name="Delete “corpusmith-").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#said")).to_contain_text("deleted")
    alone.store.scenarios.delete(SCENARIO)
    alone.store.scenarios.add(Scenario(name="made later"))

    page.get_by_label("Backup file").set_input_files(file)
    page.get_by_role("button", name="Send, and look into it").click()
    expect(page.get_by_role("row", name="Scenarios")).to_contain_text("4")
    assert axe(page) == []
    page.get_by_label("To confirm").fill("yes")
    page.get_by_role("button", name="Put it back now").click()
    expect(page.get_by_label("To confirm")).to_have_attribute("aria-invalid", "true")
    assert alone.store.scenarios.list("made later")
    page.get_by_label("To confirm").fill("Restore")
    page.get_by_role("button", name="Put it back now").click()
    expect(page.get_by_text("The backup is put back")).to_be_visible(timeout=SOON)
    names = {one.name for one in alone.store.scenarios.list()}
    assert SCENARIO in names and "made later" not in names
    page.get_by_role("link", name="All backups").click()
    expect(page.get_by_text("what was here before a restore")).to_be_visible()


@pytest.mark.parametrize("content", [b"no zip at all", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_backup_is_refused_in_plain_words_and_nothing_of_it_stays(
    alone: Site, tmp_path: Path, content: bytes
) -> None:
    before = [one.name for one in studio_of(alone).backups.list()]
    file = tmp_path / "holiday.zip"
    file.write_bytes(content)
    page = alone.open("/settings/backup", stranger("zh"))
    page.get_by_label("备份文件").set_input_files(file)
    page.get_by_role("button", name="上传并查看").click()
    expect(page.locator("form .said.bad")).to_contain_text("不是 Corpusmith 的备份")
    assert [one.name for one in studio_of(alone).backups.list()] == before
    assert studio_of(alone).uploads.list() == []


@pytest.mark.parametrize("name", ["..%2F..%2Fetc%2Fpasswd", "nothing.zip", "%00", "alone.db"])
def test_only_files_of_the_folder_of_backups_can_be_asked_for(alone: Site, name: str) -> None:
    with httpx2.Client(base_url=alone.url, trust_env=False, timeout=60) as client:
        for path in ("", "/download"):
            assert client.get(f"/settings/backup/{name}{path}").status_code == 404
        for path in ("/restore", "/delete"):
            answer = client.post(f"/settings/backup/{name}{path}", data={"word": "restore"})
            assert answer.status_code == 404


# ---------------------------------------------------------------- refusals


def test_a_refusal_is_a_page_for_a_person_and_json_for_a_program(alone: Site) -> None:
    zh = {"Accept-Language": "zh-CN"}
    with httpx2.Client(base_url=alone.url, trust_env=False, timeout=60) as client:
        for headers, status, said in (
            ({"Host": "evil.example"}, 400, "不能用这个地址访问"),
            ({"Origin": "http://evil.example"}, 403, "没有权限"),
            ({"Sec-Fetch-Site": "cross-site"}, 403, "没有权限"),
        ):
            answer = client.post("/scenarios/-/new", data={"name": "x"}, headers={**zh, **headers})
            assert (answer.status_code, said in answer.text) == (status, True)
            assert answer.headers["content-type"].startswith("text/html")
            assert 'href="/tasks"' not in answer.text
            assert "nonce-" in answer.headers["content-security-policy"]
            answer = client.post("/api/v1/scenarios", json={}, headers={**zh, **headers})
            assert answer.status_code == status and "code" in answer.json()["error"]
        by_htmx = {**zh, "Origin": "http://evil.example", "HX-Request": "true"}
        answer = client.post("/look", headers=by_htmx)
        assert answer.headers["hx-retarget"] == "#said" and "<html" not in answer.text
        large = b"name=" + b"x" * (33 << 20)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = client.post("/scenarios/-/new", content=large, headers={**zh, **kind})
        assert answer.status_code == 413 and "内容过大" in answer.text


def test_the_page_of_a_foreign_name_can_be_read_by_everybody(alone: Site) -> None:
    port = urlsplit(alone.url).port
    page = alone.open("/", stranger())
    # Of another name: the watch of foreign requests would count what this test is about.
    page.route(
        "**/foreign",
        lambda route: route.fulfill(
            response=route.fetch(url=f"{alone.url}/", headers={"Host": f"evil.example:{port}"})
        ),
    )
    page.goto(alone.url + "/foreign")
    expect(page.get_by_role("heading", name="Not by this name")).to_be_visible()
    assert axe(page) == []


def test_too_many_tries_say_how_long_to_wait(staffed: Site) -> None:
    door = staffed.app.state.door
    before, door.rates = door.rates, type(door.rates)()
    try:
        page = staffed.open("/login", stranger("zh"))
        for _ in range(GUESSES[0].amount + 1):
            page.get_by_label("用户名").fill("guessed")
            page.get_by_label("密码").fill("wrong")
            with page.expect_navigation():
                page.get_by_role("button", name="登录").click()
        expect(page.locator(".said.bad")).to_contain_text("秒")
    finally:
        door.rates = before


@pytest.mark.parametrize(
    "wish",
    ["//evil.example", "/\\evil.example", "https://evil.example", "/logout", "/login?next=/x"],
)
def test_a_login_leads_nowhere_but_to_our_own_pages(staffed: Site, wish: str) -> None:
    with httpx2.Client(base_url=staffed.url, trust_env=False, timeout=60) as client:
        data = {"name": "rosa", "password": WORD, "next": wish}
        assert client.post("/login", data=data).headers["location"] == "/"


# ---------------------------------------------------------------- a session that ends


def test_a_form_that_is_sent_after_the_sessions_end_comes_back_as_it_was_typed(
    staffed: Site,
) -> None:
    aside(lambda: studio_of(staffed).users.add("ines", WORD, "editor"))
    staffed.store.scenarios.add(Scenario(name="edited late"))
    page = log_in(staffed, "ines", "/scenarios/edited%20late")
    page.get_by_label("Description").fill("an hour's work")
    page.get_by_label("Weight").fill("2.5")
    end_sessions(staffed, "ines")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("nothing was changed")).to_be_visible()
    page.get_by_label("Name").fill("ines")
    page.get_by_label("Password").fill("wrong at first")
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Password").fill(WORD)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(staffed.url + "/scenarios/edited%20late")
    expect(page.locator("#said")).to_contain_text("was not done")
    expect(page.get_by_label("Description")).to_have_value("an hour's work")
    expect(page.get_by_label("Weight")).to_have_value("2.5")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#said")).to_contain_text("saved")
    assert staffed.store.scenarios.get("edited late").description == "an hour's work"
    page.goto(staffed.url + "/scenarios/edited%20late")
    assert page.evaluate("sessionStorage.getItem('corpusmith.sent')") is None


def test_what_was_typed_outlives_a_session_for_the_same_person_and_no_logout(
    staffed: Site,
) -> None:
    aside(lambda: [studio_of(staffed).users.add(one, WORD, "editor") for one in ("nora", "olga")])
    new = "/scenarios/-/new"
    kept = "Object.keys(localStorage).filter((one) => one.includes('draft'))"

    def typed() -> None:
        page.get_by_label("Description").fill("mine alone")
        assert page.evaluate(kept) == ["corpusmith.draft.scenario"]

    def enter(name: str) -> None:
        page.goto(staffed.url + "/login?next=" + new)
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(WORD)
        page.get_by_role("button", name="Log in").click()
        expect(page).to_have_url(staffed.url + new)

    page = log_in(staffed, "nora", new)
    typed()
    end_sessions(staffed, "nora")
    page.goto(staffed.url + new)
    enter("nora")
    expect(page.get_by_label("Description")).to_have_value("mine alone")
    end_sessions(staffed, "nora")
    enter("olga")
    expect(page.get_by_label("Description")).to_have_value("")
    assert page.evaluate(kept) == []
    typed()
    page.get_by_role("button", name="Log out").click()
    expect(page.locator("#said")).to_contain_text("logged out")
    becomes(page, "localStorage.length + sessionStorage.length === 0")


def test_what_a_script_asks_for_after_the_sessions_end_goes_on_after_a_login_in_the_page(
    staffed: Site,
) -> None:
    page = log_in(staffed, "rosa", "/scenarios")
    page.evaluate("window.still = true")
    end_sessions(staffed, "rosa")
    page.get_by_role("searchbox").fill("食堂")
    dialog = page.get_by_role("dialog", name="Your session has ended")
    expect(dialog).to_be_visible()
    assert axe(page) == []
    dialog.get_by_role("button", name="Later").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#again")).to_contain_text("Your session has ended")
    page.locator("#again").get_by_role("button", name="Log in").first.click()
    dialog.get_by_label("Name").fill("rosa")
    dialog.get_by_label("Password").fill("wrong")
    dialog.get_by_role("button", name="Log in").click()
    expect(dialog.locator(".said.bad")).to_be_visible()
    dialog.get_by_label("Password").fill(WORD)
    dialog.get_by_role("button", name="Log in").click()
    expect(dialog).to_have_count(0)
    expect(page).to_have_url(re.compile(r"\?search=%E9%A3%9F%E5%A0%82$"))
    expect(page.locator("#list tbody tr")).to_have_count(1)
    assert page.evaluate("window.still")
    expect(page.get_by_role("searchbox")).to_have_value("食堂")
