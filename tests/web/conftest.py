"""One browser a test process; one server a test file, over a store with something in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from web_kit import Site, chromium, site_of

from corpusmith.api.serving import Serving
from corpusmith.store.open import open_store
from web_store import filled


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, of one file: while Playwright is there, its thread has a running event loop, and
    the tests of the next file could start none of their own."""
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of the file's servers; no endpoint of the environment is seen."""
    folder = tmp_path_factory.mktemp("web")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CORPUSMITH_HOME", str(folder / "home"))
        for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "GEMINI_API_KEY", "ANTHROPIC_API_KEY"):
            patch.delenv(name, raising=False)
        yield folder


@pytest.fixture(scope="module")
def filled_site(browser: Browser, folder: Path) -> Iterator[Site]:
    store = filled(folder / "filled.db")
    with site_of(Serving(store=store, language="en"), browser) as site:
        yield site
    store.close()


@pytest.fixture
def site(filled_site: Site) -> Iterator[Site]:
    """A server with a bit of everything in it. A test may add to it."""
    yield filled_site
    filled_site.settle()


@pytest.fixture
def empty_site(browser: Browser, folder: Path, tmp_path: Path) -> Iterator[Site]:
    """A server over an empty store, of this test alone."""
    store = open_store(f"sqlite:///{tmp_path / 'empty.db'}")
    with site_of(Serving(store=store, language="en"), browser) as site:
        yield site
        site.settle()
    store.close()
