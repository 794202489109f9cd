"""A real server, a real Chromium, and what must hold on every page.

A test asks for `site` (a server over a store with something in it) and opens pages by
`site.open(...)`; whatever a page does that it must not (errors in the console, refused content,
dialogs, requests elsewhere, 5xx) fails the test when it ends.
"""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import uvicorn
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright

from corpusmith.api.serving import Serving
from corpusmith.api.speaking import COOKIE
from corpusmith.store.store import SqlStore
from corpusmith.values import Language
from corpusmith.web.app import create_app, furnish
from corpusmith.web.view import THEME_COOKIE, Theme

T = TypeVar("T")

SHELL = Path("/usr/bin/chromium-headless-shell")
"""Debian's Chromium without the parts that draw windows: it takes a fifth less CPU."""
CHROMIUM = os.environ.get("CHROMIUM") or str(SHELL if SHELL.exists() else "/usr/bin/chromium")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
SHOTS = os.environ.get("SHOTS")
"""A folder: every page that the tests look at is photographed into it."""

WIDE, PHONE = (1280, 900), (390, 844)
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
AXE = Axe().axe_script

_free: list[FastAPI] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a person sees the pages."""

    language: Language = "en"
    theme: Theme = "light"
    width: tuple[int, int] = WIDE

    def __str__(self) -> str:
        return f"{self.language}-{self.theme}-{self.width[0]}"


def chromium(playwright: Playwright) -> Browser:
    """Debian's: Playwright's own is not needed."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))


@dataclass(kw_only=True)  # no slots: Playwright keeps its wrappers of bound methods in the object
class Watch:
    """What pages did that they must not."""

    host: str
    problems: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        page.on("dialog", self._dialog)
        page.on("request", lambda request: self._request(request.url))
        page.on("response", lambda answer: self._response(answer.status, answer.url))

    def _console(self, message: ConsoleMessage) -> None:
        # A refused form is a 4xx, which Chromium writes there by itself; 5xx are counted below.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.problems.append(f"console: {message.text}")

    def _dialog(self, dialog: Any) -> None:
        self.problems.append(f"dialog: {dialog.type} {dialog.message}")
        dialog.dismiss()

    def _request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.netloc != self.host:
            self.problems.append(f"request: {url}")

    def _response(self, status: int, url: str) -> None:
        if status >= 500:
            self.problems.append(f"{status}: {url}")


@dataclass(slots=True, kw_only=True)
class Site:
    """A server that a browser looks at."""

    url: str
    app: FastAPI
    store: SqlStore
    browser: Browser
    watch: Watch
    _contexts: dict[Look, BrowserContext] = field(default_factory=dict)
    _pages: list[Page] = field(default_factory=list)
    _tabs: dict[Look, Page] = field(default_factory=dict)

    def open(self, path: str, look: Look | None = None) -> Page:
        """A new page at `path`. Pages of one look share their cookies."""
        look = look or Look()
        page = self._context(look).new_page()
        self._pages.append(page)
        self.watch.over(page)
        page.goto(self.url + path)
        return page

    def turn(self, path: str, look: Look) -> Page:
        """The one tab of this look, at `path`. A tab of its own costs a process,
        and every script is read anew."""
        if look not in self._tabs:
            self._tabs[look] = self._context(look).new_page()
            self.watch.over(self._tabs[look])
        page, so_far = self._tabs[look], list(self.watch.problems)
        # What the last page was still asking for is cut off, and its script says so.
        page.evaluate("() => { stop(); return new Promise((done) => setTimeout(done)); }")
        self.watch.problems[:] = so_far
        dress(page, look.theme, look.width)
        page.goto(self.url + path)
        return page

    def settle(self) -> None:
        """Close the pages of a test; AssertionError for what they did."""
        pages, self._pages = self._pages, []
        for page in pages:
            page.close()
        problems, self.watch.problems = self.watch.problems, []
        assert problems == [], problems

    def close(self) -> None:
        for context in self._contexts.values():
            context.close()

    def _context(self, look: Look) -> BrowserContext:
        if look not in self._contexts:
            width, height = look.width
            context = self.browser.new_context(
                viewport={"width": width, "height": height},
                locale={"en": "en-US", "zh": "zh-CN"}[look.language],
                timezone_id="Asia/Shanghai",
                color_scheme="dark" if look.theme == "dark" else "light",
                has_touch=look.width == PHONE,
                reduced_motion="reduce",
            )
            context.add_init_script(VIOLATIONS)
            for name, value in ((THEME_COOKIE, look.theme), (COOKIE, look.language)):
                context.add_cookies([{"name": name, "value": value, "url": self.url}])
            self._contexts[look] = context
        return self._contexts[look]


VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) =>
    console.error("policy:", event.violatedDirective, event.blockedURI, event.sample));"""


@contextmanager
def furnished(serving: Serving) -> Iterator[FastAPI]:
    """An application with this store and these rules. To make one, and to have it answer for the
    first time, takes two seconds of CPU: one that no other test is using is furnished anew."""
    app = _free.pop() if _free else create_app(serving)
    furnish(app, serving)
    yield app
    _free.append(app)


@contextmanager
def site_of(serving: Serving, browser: Browser) -> Iterator[Site]:
    """A server under uvicorn, in a thread of its own."""
    with furnished(serving) as app, listening(app) as url:
        watch = Watch(host=urlsplit(url).netloc)
        site = Site(url=url, app=app, store=serving.store, browser=browser, watch=watch)
        try:
            yield site
        finally:
            site.close()


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """The address of the app under uvicorn."""
    with socket.socket() as open_socket:
        open_socket.bind(("127.0.0.1", 0))
        open_socket.listen(128)
        config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [open_socket]}, daemon=True)
        thread.start()
        try:
            until = time.monotonic() + 20
            while not server.started:
                assert thread.is_alive() and time.monotonic() < until
                time.sleep(0.01)
            yield f"http://127.0.0.1:{open_socket.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)


def aside(work: Callable[[], T]) -> T:
    """The result of `work`, done in another thread: Playwright's event loop runs in this one, and
    what waits for an endpoint needs one of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def axe(page: Page, *rules: str) -> list[str]:
    """What WCAG 2 A/AA finds: rule, and the first places. Empty is what is wanted. `rules`: only
    these."""
    only = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else RULES
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    # `preload` fetches every style sheet and film anew: for rules that are not of these.
    options = {"resultTypes": ["violations"], "preload": False, **only}
    found = page.evaluate("options => axe.run(options).then((all) => all.violations)", options)
    return [
        f"{one['id']}: {[node['html'][:160] for node in one['nodes'][:3]]} "
        f"{one['nodes'][0].get('failureSummary', '')[:300]}"
        for one in found
    ]


def dress(page: Page, theme: str, width: tuple[int, int]) -> None:
    """Show the page as another person would see it, without asking the server again."""
    page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme }", theme)
    page.set_viewport_size({"width": width[0], "height": width[1]})


def sideways(page: Page) -> bool:
    """Whether the whole page has to be moved sideways to be read."""
    script = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    return bool(page.evaluate(script))


def becomes(page: Page, script: str, arg: Any = None, within_s: float = 15) -> None:
    """Wait until what `script` says is true. Playwright's own `wait_for_function` looks once, and
    compiles the script in the page for the second time, which our policy forbids."""
    end_s = time.monotonic() + within_s
    while not page.evaluate(script, arg):
        assert time.monotonic() < end_s, f"it never came to be: {script}"
        page.wait_for_timeout(50)


def photograph(page: Page, name: str) -> None:
    """A picture of the whole page in the folder SHOTS, where one is asked for."""
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        plain = re.sub(r"[^\w.-]+", "-", name).strip("-")
        # Hiding the caret puts a style beside each field, which htmx keeps when it swaps, against
        # the policy.
        page.screenshot(path=str(Path(SHOTS) / f"{plain}.png"), full_page=True, caret="initial")
