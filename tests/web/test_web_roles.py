"""Whoever may only read or review is led nowhere that the server would refuse them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from typing import get_args
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest
from fastapi.routing import APIRoute
from hostile_store import NAME, TEMPLATE, cheap, fill, here
from starlette.routing import Match
from web_addresses import ADDRESSES
from web_kit import furnished, listening

from corpusmith.api.access import Scope, scope_of
from corpusmith.api.app import ROUTES
from corpusmith.api.paths import decoded, url_of
from corpusmith.api.serving import Serving
from corpusmith.service.access import least
from corpusmith.service.studio import Studio
from corpusmith.store.open import open_store
from corpusmith.web.nav import PAGES

House = tuple[str, dict[str, str], list[str]]
GETS = ("href", "src", "hx-get", "data-next", "data-watch", "data-asks", "data-part", "data-edit")
POSTS = ("hx-post", "data-undo", "data-check", "data-test")


@dataclass(kw_only=True)
class Leads(HTMLParser):
    """Where the links, forms and scripts of a page lead: method and address."""

    page: str
    found: set[tuple[str, str]] = field(default_factory=set)
    orphans: set[str] = field(default_factory=set)
    """Forms that buttons and fields name, and that are not there."""

    def __post_init__(self) -> None:
        super().__init__()
        self._forms: set[str] = set()
        self._method = "GET"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._method = given.get("method", "get").upper()
            self._lead(self._method, given.get("action", ""))
            self._forms.add(given.get("id", ""))
        if form := given.get("form"):
            self.orphans.add(form)
        if "formaction" in given:
            self._lead(given.get("formmethod", self._method).upper(), given["formaction"])
        for method, names in (("GET", GETS), ("POST", POSTS)):
            for name in names:
                if given.get(name, "").startswith("/"):
                    self._lead(method, given[name])

    def _lead(self, method: str, address: str) -> None:
        self.found.add((method, urljoin(self.page, address)))

    def end(self) -> None:
        self.close()
        self.orphans -= self._forms


@cache
def routes() -> list[APIRoute]:
    """Of pages and of REST."""
    pages = [import_module(f"corpusmith.web.pages.{group.name}").router for group in PAGES]
    rest = [import_module(f"corpusmith.api.routes.{name}").router for name in ROUTES]
    return [one for router in (*pages, *rest) for one in router.routes]


@cache
def needed(method: str, address: str) -> Scope | None:
    """The scope that the server asks for there; None: anybody's, or no page of ours."""
    path = decoded(urlsplit(address).path.encode())
    wish = {"type": "http", "method": method, "path": path}
    for route in routes():
        if route.matches(wish)[0] is Match.FULL:
            found = [scope_of(one.dependency) for one in route.dependencies if one.dependency]
            return next((one for one in found if one), None)
    return None


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    """A server, a token for each scope, and addresses of pages."""
    folder: Path = tmp_path_factory.mktemp("roles")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CORPUSMITH_HOME", str(folder / "home"))
        store = open_store(f"sqlite:///{folder / 'roles.db'}")
        more = fill(store, folder)
        studio = Studio.over(store, "en", passwords=cheap())
        tokens = {scope: studio.tokens.add(scope, scope=scope).secret for scope in get_args(Scope)}
        serving = Serving(store=store, language="en", passwords=cheap(), login=True)
        with furnished(serving) as app, listening(app) as url:
            yield url, tokens, [*map(here, ADDRESSES), *more]
        store.close()


def walk(url: str, token: str, addresses: list[str]) -> tuple[dict[str, int], dict[str, Leads]]:
    """The status of every page that was asked for, and where those lead that came."""
    statuses: dict[str, int] = {}
    leads: dict[str, Leads] = {}
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
    with httpx2.Client(base_url=url, headers=headers, trust_env=False, timeout=60) as client:
        for address in dict.fromkeys(addresses):
            answer = client.get(address)
            statuses[address] = answer.status_code
            if answer.status_code == 200 and "html" in answer.headers["content-type"]:
                found = leads[address] = Leads(page=address)
                found.feed(answer.text)
                found.end()
    return statuses, leads


def refusals(scope: Scope, leads: dict[str, Leads]) -> list[str]:
    """Where pages lead that would be refused."""
    found = {
        f"{address}: {method} {lead}"
        for address, page in leads.items()
        for method, lead in page.found
        if (wish := needed(method, lead)) and least(scope, wish) != wish
    }
    return sorted(found)


@pytest.mark.parametrize("scope", ["read", "review"])
def test_nobody_is_led_where_they_are_refused(house: House, scope: Scope) -> None:
    url, tokens, addresses = house
    statuses, leads = walk(url, tokens[scope], addresses)
    assert set(statuses.values()) <= {200, 303, 403, 404}
    assert len(leads) > 40
    assert refusals(scope, leads) == []
    assert {address: page.orphans for address, page in leads.items() if page.orphans} == {}


def test_the_walk_sees_what_an_editor_is_led_to(
    house: House,
) -> None:
    url, tokens, addresses = house
    _, leads = walk(url, tokens["admin"], addresses)
    wishes = {needed(method, lead) for page in leads.values() for method, lead in page.found}
    assert wishes >= set(get_args(Scope))
    edits = {
        lead
        for page in leads.values()
        for method, lead in page.found
        if method == "POST" and needed(method, lead) == "edit"
    }
    assert len(edits) > 60
    assert all(page.orphans == set() for page in leads.values())


@pytest.mark.parametrize("scope", ["read", "review"])
def test_an_empty_studio_offers_nobody_what_they_may_not_do(tmp_path: Path, scope: Scope) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'empty.db'}")
    secret = Studio.over(store, "en").tokens.add("t", scope=scope).secret
    serving = Serving(store=store, language="en", login=True)
    with furnished(serving) as app, listening(app) as url:
        _, leads = walk(url, secret, [one for one in ADDRESSES if "%" not in one])
    store.close()
    assert len(leads) > 20
    assert refusals(scope, leads) == []


def test_what_a_reviewer_reads_stands_in_fields_that_do_not_change(
    house: House,
) -> None:
    url, tokens, _ = house
    headers = {"Authorization": f"Bearer {tokens['review']}"}
    with httpx2.Client(base_url=url, headers=headers, trust_env=False, timeout=60) as client:
        for kind in ("scenarios", "characters", "connections", "templates"):
            name = TEMPLATE if kind == "templates" else NAME
            page = client.get(url_of(kind, name)).text
            main = page.partition("<main")[2]
            fields = re.findall(r"<(?:input|textarea|select)\b[^>]*>", main)
            open_ones = [one for one in fields if "hidden" not in one and "password" not in one]
            open_ones = [one for one in open_ones if " readonly" not in one]
            assert [one for one in open_ones if " disabled" not in one] == [], kind
            assert len(fields) > 1
