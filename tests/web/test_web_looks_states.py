"""Pages that no address alone leads to, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from staffed_store import STATES, Staffed, staffed_site
from web_looks import is_readable

from corpusmith.values import Language


@pytest.fixture(scope="module")
def house(browser: Browser, folder: Path) -> Iterator[Staffed]:
    with staffed_site(browser, folder) as staffed:
        yield staffed


@pytest.fixture
def staffed(house: Staffed) -> Iterator[Staffed]:
    """A house with users, tasks of all kinds, and models that answer."""
    yield house
    house.site.settle()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("state", STATES)
def test_what_has_come_about_can_be_read_by_everybody(
    staffed: Staffed, state: str, language: Language
) -> None:
    is_readable(STATES[state](staffed, language), state, language)
