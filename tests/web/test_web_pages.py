"""Every page, in both languages and themes, wide and narrow."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from fastapi.routing import APIRoute
from web_kit import PHONE, WIDE, Look, Site, axe, dress, photograph, sideways
from web_store import CHARACTER, CONNECTION, DATASET, SCENARIO

from corpusmith.api.access import scope_of
from corpusmith.values import Language
from corpusmith.web.app import page_router
from corpusmith.web.view import Theme

ADDRESSES = (
    "/",
    "/scenarios",
    "/scenarios?search=nothing-like-it",
    "/scenarios/-/shipped",
    "/scenarios/-/new",
    f"/scenarios/{quote(SCENARIO, safe='')}",
    "/characters",
    "/characters/-/shipped",
    "/characters/-/new",
    f"/characters/{quote(CHARACTER)}",
    "/connections",
    "/connections/-/new",
    "/connections/-/new?provider=deepseek",
    f"/connections/{CONNECTION}",
    "/generate",
    "/generate/dialogue",
    "/generate/dialogue?example=1",
    "/generate/template?example=1",
    "/generate/ratio?example=1",
    "/generate/selfplay?example=1",
    "/generate/rounds",
    "/generate/evaluate",
    "/generate/feedback",
    "/tasks",
    "/tasks?search=nothing-like-it",
    "/tasks/1",
    "/tasks/1/results",
    "/tasks/1/failures",
    "/tasks/1/executions",
    "/tasks/1/parameters",
    "/datasets",
    "/datasets?search=nothing-like-it",
    "/datasets/-/new",
    f"/datasets/{quote(DATASET)}",
    f"/datasets/{quote(DATASET)}/records",
    f"/datasets/{quote(DATASET)}/records?min_score=9&text=nothing-like-it&flag=any",
    f"/records/1?dataset={quote(DATASET)}",
    "/records/1/edit",
    "/review",
    f"/review?dataset={quote(DATASET)}&kind=all",
    f"/review?dataset={quote(DATASET)}&kind=flagged",
    "/settings",
    "/login",
    "/nowhere",
)
"""A new page stands here: then all of this holds for it."""

OPEN = {"/look", "/login"}
"""What anybody may ask for."""


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_can_be_read_by_everybody(site: Site, address: str, language: Language) -> None:
    page = site.open(address, Look(language=language))
    assert page.locator("html").get_attribute("lang") == {"zh": "zh-CN", "en": "en"}[language]
    assert page.locator("h1").count() == 1
    found = []
    for theme, width in ((t, w) for w in (WIDE, PHONE) for t in ("light", "dark")):
        dress(page, theme, width)
        photograph(page, f"{unquote(address)} {language} {theme} {width[0]}")
        # A theme changes colours alone.
        found += axe(page) if theme == "light" else axe(page, "color-contrast")
        assert not sideways(page)
    assert found == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_comes_in_the_theme_that_was_chosen(site: Site, theme: Theme) -> None:
    page = site.open("/", Look(theme=theme))
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == theme


def routes() -> list[APIRoute]:
    return [one for one in page_router().routes if isinstance(one, APIRoute)]


def test_every_page_without_a_name_in_its_address_is_looked_at() -> None:
    plain = {one.path for one in routes() if "GET" in one.methods and "{" not in one.path}
    parts = {one for one in plain if one.endswith(("/live", "/part"))}
    assert plain - parts - {one.partition("?")[0] for one in ADDRESSES} == set()


def test_every_page_says_who_may_see_it() -> None:
    silent = {
        one.path
        for one in routes()
        if not any(scope_of(two.dependency) for two in one.dependencies if two.dependency)
    }
    assert silent - OPEN == set()
