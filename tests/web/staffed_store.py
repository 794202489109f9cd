"""Pages that are there once something happened: users, tokens, jobs, talks, failures.

Owns: a house with an admin, a reviewer and a running simulator, and the ways to such pages. Does
not own: what is asked of a page (`web_looks`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from hostile_store import cheap
from playwright.sync_api import APIResponse, Browser, Page
from web_kit import Look, Site, aside, site_of

from corpusmith.api.serving import Serving
from corpusmith.service.studio import Studio
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import run_in_thread
from corpusmith.values import Language
from running_kit import running, until
from web_store import CHARACTER, DATASET, SCENARIO, filled

WORD = "correct horse battery"
NO_RECORDS = "还没有记录"
BROKEN = ["{broken", json.dumps({"问题": "有问无答", "答案": ""}, ensure_ascii=False)]
ROWS = [{"问题": f"第 {n} 问", "答案": f"第 {n} 答"} for n in range(5)]


@dataclass(frozen=True, kw_only=True)
class Staffed:
    """The site, and the numbers of its tasks."""

    site: Site
    failed: int
    unreachable: int
    waiting: int
    spent: int
    unanswered: int
    slowed: int

    def tab(self, language: Language, name: str = "anna") -> Page:
        """A browser of hers, logged in."""
        look = Look(language=language, width=(1280, 900 + len(name)))
        page = self.site.turn("/login", look)
        sent = {"name": name, "password": WORD, "next": "/settings"}
        answer = page.request.post(self.site.url + "/login", form=sent)
        assert answer.url.endswith("/settings"), (answer.status, answer.text())
        return page

    def posted(self, page: Page, path: str, **form: str) -> APIResponse:
        """The answer to a form, redirects followed."""
        answer = page.request.post(self.site.url + path, form=form)
        assert answer.status == 200, (path, answer.status)
        return answer


@contextmanager
def staffed_site(browser: Browser, folder: Path) -> Iterator[Staffed]:
    """Over a store of its own."""
    store = filled(folder / "staffed.db")
    passwords = cheap()
    studio = Studio.over(store, "en", passwords=passwords)
    # Three calls in ten never come back: a task gets on, and then waits.
    stuck = SimulatorConfig(latency_ms=1, tail_rate=0.3, tail_factor=1e7)
    with run_in_thread(SimulatorConfig(latency_ms=1)) as quick, run_in_thread(stuck) as slow:
        numbers = aside(lambda: _furnished(studio, f"{quick.url}/v1", f"{slow.url}/v1"))
        serving = Serving(store=store, language="en", passwords=passwords)
        with (
            running(store, numbers["unanswered"], numbers["slowed"]),
            site_of(serving, browser) as site,
        ):
            yield Staffed(site=site, **numbers)
    store.close()


def _furnished(studio: Studio, url: str, slow: str) -> Mapping[str, int]:
    studio.connections.add("sim", base_url=url, model="sim-chat", price={"input": 1, "output": 2})
    studio.connections.add("away", base_url="http://127.0.0.1:9/v1", model="gone")
    studio.datasets.add(NO_RECORDS, language="zh")
    asked = {"characters": [CHARACTER], "scenarios": {SCENARIO: 1}, "turns": 1, "seed": 3}
    with run_in_thread(SimulatorConfig(latency_ms=1, faults={"wrong_schema": 1.0})) as wrong:
        broken = {"base_url": f"{wrong.url}/v1", "model": "sim-chat"}
        failed = studio.tasks.create(
            connection=broken, count=3, name="都不合格", max_attempts_multiplier=1, **asked
        )
        studio.tasks.run(failed)
    away = studio.tasks.create(connection="away", count=3, name="连不上", **asked)
    long = studio.tasks.create(connection="sim", count=40, name="慢慢来", **asked)
    spent = studio.tasks.create(connection="sim", count=40, name="预算", max_calls=4, **asked)
    studio.tasks.run(spent)
    endpoint = {"base_url": slow, "model": "sim-chat"}
    stuck = studio.tasks.create(connection=endpoint, count=40, name="等回复", **asked)
    slowed = studio.tasks.create(connection="sim", rpm=6, count=40, name="限速", **asked)
    studio.backups.make()
    for name, role in (("anna", "admin"), ("rosa", "reviewer"), ("欧阳", "editor")):
        studio.users.add(name, WORD, role)
    studio.users.change("欧阳", active=False)
    made = {"failed": failed, "unreachable": away, "waiting": long, "spent": spent}
    made |= {"unanswered": stuck, "slowed": slowed}
    return {name: task.id for name, task in made.items()}


# ---------------------------------------------------------------- the ways


def _plain(path: str, name: str = "anna") -> Callable[[Staffed, Language], Page]:
    def go(staffed: Staffed, language: Language) -> Page:
        page = staffed.tab(language, name)
        page.goto(staffed.site.url + path)
        return page

    return go


def _of_task(which: str, tab: str = "") -> Callable[[Staffed, Language], Page]:
    def go(staffed: Staffed, language: Language) -> Page:
        return _plain(f"/tasks/{getattr(staffed, which)}{tab}")(staffed, language)

    return go


def _told(verb: str) -> Callable[[Staffed, Language], Page]:
    """No worker is there: what a task is told stays so."""

    def go(staffed: Staffed, language: Language) -> Page:
        page = staffed.tab(language)
        path = f"{staffed.site.url}/tasks/{staffed.waiting}"
        page.request.post(f"{path}/{verb}")  # in the second language it is so already
        page.goto(path)
        return page

    return go


STILL = """() => { for (const name of ["told", "whole"])
    window.addEventListener(name, (event) => event.stopImmediatePropagation(), true); }"""
"""No piece of the page is asked for again: what is being looked at stays as it is."""


def _at_work(which: str, reason: str) -> Callable[[Staffed, Language], Page]:
    """A task that runs, as it is when `reason` decides its speed."""

    def go(staffed: Staffed, language: Language) -> Page:
        number = getattr(staffed, which)
        views = Studio.over(staffed.site.store, language).task_views

        def is_so() -> bool:
            task = views.get(number)
            paces = task.live.paces if task.live else ()
            return bool(task.counts.accepted) and [one.reason for one in paces] == [reason]

        aside(lambda: until(is_so))
        page = staffed.tab(language)
        page.goto(f"{staffed.site.url}/tasks/{number}")
        page.evaluate(STILL)
        page.locator("[data-mark^=running] .paces").wait_for()
        return page

    return go


def _new_token(staffed: Staffed, language: Language) -> Page:
    page = _plain("/settings/tokens")(staffed, language)
    page.locator("#f-name").fill("夜间导出")
    page.locator("main form .btn.main").click()
    page.locator("#new_token").wait_for()
    return page


def _backup(staffed: Staffed, language: Language) -> Page:
    name = Studio.over(staffed.site.store, "en").backups.list()[0].name
    return _plain(f"/settings/backup/{quote(name)}")(staffed, language)


def _backup_job(staffed: Staffed, language: Language) -> Page:
    page = staffed.tab(language)
    page.goto(staffed.posted(page, "/settings/backup").url)
    page.locator("a[href$='/download']").wait_for()
    return page


def _talk(path: str) -> Callable[[Staffed, Language], Page]:
    def go(staffed: Staffed, language: Language) -> Page:
        page = _plain(path)(staffed, language)
        page.wait_for_load_state("networkidle")  # the talk that the browser kept came
        if page.locator("#f-connection").count():
            page.locator("#f-connection").select_option("sim")
        before = page.locator("#so-far li.assistant").count()
        page.locator("[name=say]").fill("今天怎么样？\n下雨了吗？")
        page.locator("[name=say]").press("Enter")
        page.locator("#so-far li.assistant").nth(before).wait_for()
        return page

    return go


def _unanswered(staffed: Staffed, language: Language) -> Page:
    page = _plain("/connections/away/chat")(staffed, language)
    page.wait_for_load_state("networkidle")
    page.locator("[name=say]").fill("在吗？")
    page.locator("[name=say]").press("Enter")
    page.locator(".said.bad").wait_for()
    return page


def _found(staffed: Staffed, language: Language) -> Page:
    page = staffed.tab(language)
    path = f"/datasets/{quote(DATASET)}/quality/clean"
    page.goto(staffed.posted(page, path, checks="format", longer_than="250").url)
    page.locator("#apply summary").first.click()
    return page


def _imported(staffed: Staffed, language: Language) -> Page:
    page = staffed.tab(language)
    lines = [*(json.dumps(one, ensure_ascii=False) for one in ROWS), *BROKEN]
    file = {"name": "旧问答.jsonl", "mimeType": "text/plain", "buffer": "\n".join(lines).encode()}
    came = page.request.post(f"{staffed.site.url}/api/v1/uploads", multipart={"file": file})
    form = {"upload": came.json()["id"], "dataset": f"问答 {language}", "format": "alpaca"}
    named = {"map.instruction": "问题", "map.output": "答案"}
    page.goto(staffed.posted(page, "/datasets/-/import", **form, **named).url)
    page.wait_for_url("**/imports/*")
    return page


STATES: Mapping[str, Callable[[Staffed, Language], Page]] = {
    "users": _plain("/settings/users"),
    "a user": _plain("/settings/users/rosa"),
    "a user switched off": _plain(f"/settings/users/{quote('欧阳')}"),
    "an account": _plain("/settings/account"),
    "a new token": _new_token,
    "tokens": _plain("/settings/tokens"),
    "log": _plain("/settings/audit"),
    "a backup": _backup,
    "a backup made": _backup_job,
    "a talk": _talk(f"/characters/{quote(CHARACTER)}/chat"),
    "a talk with a model": _talk("/connections/sim/chat"),
    "no answer": _unanswered,
    "bad records found": _found,
    "an import with refused rows": _imported,
    "failures": _of_task("failed", "/failures?kind="),
    "a task that failed": _of_task("failed"),
    "a task that waits": _of_task("unreachable"),
    "a task in the queue": _told("run"),
    "a paused task": _told("pause"),
    "a task out of budget": _of_task("spent"),
    "a running task": _at_work("unanswered", "free"),
    "a running task held back": _at_work("slowed", "requests_per_min"),
    "nothing left to review": _plain(f"/review?dataset={quote(NO_RECORDS)}&kind=pending"),
    "a dataset without records": _plain(f"/datasets/{quote(NO_RECORDS)}"),
    "no records to export": _plain(f"/datasets/{quote(NO_RECORDS)}/export"),
    "no records to clean": _plain(f"/datasets/{quote(NO_RECORDS)}/quality/clean"),
    "not for a reviewer": _plain("/settings/users", "rosa"),
    "home of a reviewer": _plain("/", "rosa"),
    "no such dataset": _plain("/datasets/nothing-of-that-name"),
    "no such task": _plain("/tasks/999999"),
}
"""What a page shows, and the way to it."""
