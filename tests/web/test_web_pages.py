"""The theme of pages, and that every page stands in `web_addresses`."""

from __future__ import annotations

from importlib import import_module

import pytest
from fastapi.routing import APIRoute
from web_addresses import ADDRESSES
from web_kit import Look, Site

from corpusmith.api.access import scope_of
from corpusmith.web.nav import PAGES
from corpusmith.web.view import Theme

OPEN = {"/look", "/login", "/login/part", "/logout"}
"""What anybody may ask for."""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_comes_in_the_theme_that_was_chosen(site: Site, theme: Theme) -> None:
    page = site.open("/", Look(theme=theme))
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == theme


def routes() -> list[APIRoute]:
    """Of every group: an application's own list holds included routers, not their routes."""
    modules = [import_module(f"corpusmith.web.pages.{group.name}") for group in PAGES]
    found = [one for module in modules for one in module.router.routes]
    assert len(found) > 100
    return [one for one in found if isinstance(one, APIRoute)]


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
