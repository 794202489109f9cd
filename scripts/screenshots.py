"""Photographs the studio's pages over sample data, in both languages and themes, wide and narrow.

Owns: which pages, the browser, the pictures. Does not own: the sample data (`sample_store`).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from urllib.parse import quote

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "scripts")]

from playwright.sync_api import Browser, Error, Page, sync_playwright  # noqa: E402
from sample_store import WORDS, fill  # noqa: E402

from corpusmith.values import Language  # noqa: E402

Act = Callable[[Page], None]
CHROMIUM = os.environ.get("CHROMIUM") or which("chromium") or which("chromium-headless-shell")
WIDE, PHONE = (1280, 800), (390, 844)
LOOKS: Mapping[Language, Sequence[tuple[str, tuple[int, int]]]] = {
    "zh": (("light", WIDE), ("dark", PHONE)),
    "en": (("dark", WIDE), ("light", PHONE)),
}
"""Of each language two, so that all four are seen."""
LANGUAGES: tuple[Language, ...] = ("zh", "en")
PASSWORD = "ink and paper, every evening"  # noqa: S105  of a user who lives as long as the pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture: where it is taken, and what is done before."""

    name: str
    path: str
    act: Act | None = None
    store: str = "full"
    docs: str = ""
    """Its name in docs/img, of those that are shown there."""


def shots(language: Language) -> tuple[Shot, ...]:
    """All pictures of one language."""
    words = WORDS[language]
    dataset = f"/datasets/{quote(words.dataset)}"
    template = f"/templates/{quote(words.templates['qa'])}"
    return (
        Shot(name="home-first", path="/", store="empty"),
        Shot(name="tasks-none", path="/tasks", store="empty"),
        Shot(name="datasets-none", path="/datasets", store="empty"),
        Shot(name="review-none", path="/review", store="empty"),
        Shot(name="characters-none", path="/characters", store="empty"),
        Shot(name="templates-none", path="/templates", store="empty"),
        Shot(name="connections-none", path="/connections", store="empty"),
        Shot(name="generate-none", path="/generate/dialogue", store="empty"),
        Shot(name="login", path="/login", store="users"),
        Shot(name="home", path="/"),
        Shot(name="connections", path="/connections"),
        Shot(name="connection-new", path="/connections/-/new"),
        Shot(name="connection", path="/connections/simulator"),
        Shot(name="connection-tested", path="/connections/simulator", act=_try),
        Shot(name="connection-chat", path="/connections/simulator/chat"),
        Shot(name="characters", path="/characters"),
        Shot(name="characters-shipped", path="/characters/-/shipped"),
        Shot(name="character-new", path="/characters/-/new"),
        Shot(
            name="character",
            path="/characters",
            act=_first("main a[href^='/characters/']:not([href*='/-/'])"),
        ),
        Shot(name="scenarios", path="/scenarios"),
        Shot(name="scenarios-shipped", path="/scenarios/-/shipped"),
        Shot(name="scenario", path=f"/scenarios/{quote(next(iter(words.scenarios)))}"),
        Shot(name="templates", path="/templates"),
        Shot(name="templates-shipped", path="/templates/-/shipped"),
        Shot(name="template-shipped", path="/templates/-/shipped/qa"),
        Shot(name="template", path=template),
        Shot(name="template-versions", path=f"{template}/versions"),
        Shot(name="generate", path="/generate"),
        Shot(
            name="generate-ready", path="/generate/dialogue?example=1", act=_ready, docs="generate"
        ),
        *(
            Shot(name=f"generate-{job}", path=f"/generate/{job}?example=1")
            for job in ("dialogue", "template", "ratio", "selfplay")
        ),
        *(
            Shot(name=f"generate-{job}", path=f"/generate/{job}")
            for job in ("rounds", "evaluate", "feedback")
        ),
        Shot(name="tasks", path="/tasks"),
        Shot(name="task-live", path="/tasks/5", act=_under_way, docs="task"),
        Shot(name="task", path="/tasks/1"),
        *(
            Shot(name=f"task-{tab}", path=f"/tasks/1/{tab}")
            for tab in ("results", "failures", "executions", "parameters")
        ),
        Shot(name="task-uncommitted", path="/tasks/3"),
        Shot(name="task-export", path="/tasks/1/export"),
        Shot(name="datasets", path="/datasets"),
        Shot(name="dataset-new", path="/datasets/-/new"),
        Shot(name="dataset", path=dataset, docs="dataset"),
        Shot(name="records", path=f"{dataset}/records"),
        Shot(name="records-none", path=f"{dataset}/records?min_score=9&text=zzz&flag=any"),
        Shot(name="record", path=f"/records/1?dataset={quote(words.dataset)}"),
        Shot(name="record-edit", path="/records/1/edit"),
        Shot(name="review", path="/review"),
        Shot(name="review-one", path=f"/review?dataset={quote(words.dataset)}", docs="review"),
        Shot(name="quality", path=f"{dataset}/quality"),
        Shot(name="clean", path=f"{dataset}/quality/clean"),
        Shot(name="clean-found", path=f"{dataset}/quality/clean", act=_look),
        Shot(name="checks", path=f"{dataset}/quality/checks"),
        Shot(name="reports", path=f"{dataset}/reports"),
        Shot(name="report", path=f"{dataset}/reports", act=_report),
        Shot(name="evaluations", path="/evaluations"),
        Shot(name="evaluations-dataset", path=f"{dataset}/evaluations"),
        Shot(name="evaluation", path="/evaluations/2"),
        Shot(name="import", path="/datasets/-/import"),
        Shot(name="import-map", path="/datasets/-/import", act=_upload(language)),
        Shot(name="export", path=f"{dataset}/export", docs="export"),
        Shot(name="export-dpo", path=f"{dataset}/export?format=dpo&state=any"),
        *(
            Shot(name=f"settings-{tab or 'look'}", path=f"/settings/{tab}".rstrip("/"))
            for tab in (
                "",
                "account",
                "tokens",
                "users",
                "users/-/new",
                "audit",
                "storage",
                "backup",
                "about",
            )
        ),
        Shot(name="settings-prune", path="/settings/storage/prune?days=0&deleted=true"),
        Shot(name="nowhere", path="/nowhere"),
    )


def _first(selector: str) -> Act:
    return lambda page: _follow(page, selector)


def _follow(page: Page, selector: str) -> None:
    page.locator(selector).first.click()
    page.wait_for_load_state()


def _ready(page: Page) -> None:
    page.locator("select[name=connection]").select_option("simulator")
    page.wait_for_timeout(3000)
    page.evaluate("scrollTo(0, 0)")


def _under_way(page: Page) -> None:
    page.wait_for_timeout(15_000)


def _try(page: Page) -> None:
    page.locator("[hx-post*='/test'], form[action*='/test'] button").first.click()
    page.wait_for_timeout(4000)


def _look(page: Page) -> None:
    page.locator("main form button.main").first.click()
    page.wait_for_timeout(5000)


def _report(page: Page) -> None:
    page.locator("main form button.main").first.click()
    page.wait_for_timeout(7000)


def _upload(language: Language) -> Act:
    def act(page: Page) -> None:
        page.set_input_files("#file", str(ROOT / "examples" / f"answers.{language}.jsonl"))
        page.wait_for_url("**upload=*")
        page.wait_for_timeout(1500)

    return act


# ---------------------------------------------------------------- servers


@contextmanager
def server(folder: Path, kind: str, language: Language) -> Iterator[str]:
    """The address of `corpusmith serve` over a data folder of its own."""
    home = folder / f"{kind}-{language}"
    env = {**os.environ, "CORPUSMITH_HOME": str(home), "CORPUSMITH_LANG": language}
    for name in ("CORPUSMITH_DATABASE_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        env.pop(name, None)
    program = str(ROOT / ".venv/bin/corpusmith")
    if kind == "users":
        command = [program, "users", "add", "lin", "--role", "admin"]
        subprocess.run(command, input=PASSWORD, text=True, env=env, check=True, capture_output=True)  # noqa: S603
    running = subprocess.Popen(  # noqa: S603
        [program, "serve", "--no-browser", "--port", "0"],
        env=env,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for line in running.stderr or ():
            if found := re.search(r"http://\S+", line):
                yield found[0]
                break
    finally:
        running.terminate()
        try:
            running.wait(15)
        except subprocess.TimeoutExpired:
            running.kill()


@contextmanager
def simulators() -> Iterator[tuple[str, str]]:
    """A quick one and a slow one."""
    from corpusmith.simulator import SimulatorConfig, run_in_thread

    slow = SimulatorConfig(latency_ms=4000, jitter=0.5)
    with run_in_thread(SimulatorConfig()) as one, run_in_thread(slow) as other:
        yield f"{one.url}/v1", f"{other.url}/v1"


# ---------------------------------------------------------------- pictures


def photograph(browser: Browser, url: str, shot: Shot, language: Language, out: Path) -> None:
    page = _opened(browser, url, language, WIDE)
    page.goto(url + shot.path)
    if shot.act:
        shot.act(page)
    page.wait_for_timeout(500)
    for theme, (width, height) in LOOKS[language]:
        page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme }", theme)
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(200)
        path = out / f"{shot.name}.{language}.{theme}.{width}.png"
        page.screenshot(path=str(path), full_page=True)
    page.context.close()


def main(arguments: list[str]) -> None:
    if arguments:
        out, words = Path(arguments[0]), arguments[1:]
        take_all(out, lambda name: not words or any(word in name for word in words))
    else:
        take_those_of_the_docs(ROOT / "docs/img")


def take_all(out: Path, wanted: Callable[[str], bool]) -> None:
    """Of every page, each language in its two looks."""
    out.mkdir(parents=True, exist_ok=True)
    with _folder() as (folder, quick, slow):
        for language in LANGUAGES:
            some = [one for one in shots(language) if wanted(one.name)]
            for kind in dict.fromkeys(one.store for one in some):
                with _browsed(folder, kind, language, quick, slow) as (browser, url):
                    for one in some:
                        if one.store == kind:
                            _tried(browser, url, one, language, out)


def take_those_of_the_docs(out: Path) -> None:
    """The pictures of README and docs/studio.md, small and in few colours."""
    with _folder() as (folder, quick, slow):
        for language in LANGUAGES:
            with _browsed(folder, "full", language, quick, slow) as (browser, url):
                for one in shots(language):
                    if one.docs:
                        page = _opened(browser, url, language, (1280, 800))
                        page.goto(url + one.path)
                        if one.act:
                            one.act(page)
                        page.wait_for_timeout(1500)
                        path = out / f"studio-{one.docs}.{language}.png"
                        page.screenshot(path=str(path))
                        page.context.close()
                        lighten(path)


def lighten(path: Path) -> None:
    """Fewer colours, where Pillow is there."""
    try:
        from PIL import Image
    except ModuleNotFoundError:
        print(f"{path.name}: {path.stat().st_size} bytes; Pillow would make it smaller")
        return
    with Image.open(path) as image:
        image.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)


@contextmanager
def _folder() -> Iterator[tuple[Path, str, str]]:
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with folder as name, simulators() as (quick, slow):
        yield Path(name), quick, slow


@contextmanager
def _browsed(
    folder: Path, kind: str, language: Language, quick: str, slow: str
) -> Iterator[tuple[Browser, str]]:
    """A browser, and the address of a server over a store of this kind."""
    if kind == "full":
        os.environ["CORPUSMITH_HOME"] = str(folder / f"full-{language}")
        (folder / f"full-{language}").mkdir()
        fill(f"sqlite:///{folder / f'full-{language}' / 'corpusmith.db'}", language, quick, slow)
    with server(folder, kind, language) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser, url
        browser.close()


def _tried(browser: Browser, url: str, shot: Shot, language: Language, out: Path) -> None:
    """One page; what it refuses is said, and the others are taken all the same."""
    try:
        photograph(browser, url, shot, language, out)
    except Error as error:
        print(shot.name, language, str(error)[:300])


def _opened(browser: Browser, url: str, language: Language, size: tuple[int, int]) -> Page:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale={"en": "en-US", "zh": "zh-CN"}[language],
        timezone_id="Asia/Shanghai",
        reduced_motion="reduce",
    )
    context.add_cookies([{"name": "corpusmith_lang", "value": language, "url": url}])
    page = context.new_page()
    page.set_default_timeout(8000)
    return page


if __name__ == "__main__":
    main(sys.argv[1:])
