"""Every operation of the API, asked by everybody: who may not is refused, and nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from access_kit import API, House, house
from fastapi import FastAPI
from fastapi.routing import APIRoute

from corpusmith.api.access import scope_of
from corpusmith.api.app import ROUTES
from corpusmith.api.rates import Rates
from corpusmith.service.access import ROLE_SCOPE, Principal

OPEN = {"health", "login"}
"""Operations that anybody may ask."""
ORDER = ("read", "review", "edit", "admin")
PEOPLE = {"review": "rosa", "edit": "emil", "admin": "anna"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    from corpusmith.store.open import open_store

    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("rights")
        patch.setenv("CORPUSMITH_HOME", str(folder / "home"))
        store = open_store(f"sqlite:///{folder / 'store.db'}")
        try:
            with house(store) as found:
                yield found
        finally:
            store.close()


def routes_of(app: FastAPI) -> dict[str, APIRoute]:
    """Every route of the modules of `ROUTES`, by its operation's id."""
    from importlib import import_module

    found = {}
    for name in ROUTES:
        for route in import_module(f"corpusmith.api.routes.{name}").router.routes:
            assert isinstance(route, APIRoute)
            assert route.name not in found, f"two operations are called {route.name}"
            found[route.name] = route
    described = {
        one["operationId"] for path in app.openapi()["paths"].values() for one in path.values()
    }
    assert described <= set(found)
    return found


def scope_needed(route: APIRoute) -> str | None:
    scopes = [scope_of(one.dependency) for one in route.dependencies if one.dependency]
    return next((one for one in scopes if one is not None), None)


def ask(home: House, who: httpx2.Client, route: APIRoute, headers: dict[str, str]) -> int:
    """The status alone: of a stream, nothing is read."""
    home.app.state.door.rates = Rates()
    path = re.sub(r"\{(\w+)(:\w+)?\}", "999999", route.path)
    method = min(route.methods)
    body: dict[str, Any] = {} if method in ("GET", "DELETE") else {"json": {"no such field": 1}}
    with who.stream(method, path, headers=headers, **body) as answer:
        return answer.status_code


def test_every_operation_says_what_it_needs(home: House) -> None:
    needed = {name: scope_needed(route) for name, route in routes_of(home.app).items()}
    assert {name for name, scope in needed.items() if scope is None} == OPEN


def test_every_operation_says_how_one_may_come_in(home: House) -> None:
    described = home.app.openapi()
    assert set(described["components"]["securitySchemes"]) == {"token", "session"}
    for path in described["paths"].values():
        for one in path.values():
            ways = None if one["operationId"] in OPEN else [{"token": []}, {"session": []}]
            assert one.get("security") == ways, one["operationId"]


def test_nobody_gets_in_without_a_right(home: House) -> None:
    seen = {name: ask(home, home.client, route, {}) for name, route in routes_of(home.app).items()}
    wrong = {name: status for name, status in seen.items() if (status == 401) == (name in OPEN)}
    # A login with a field that there is not is none at all.
    assert wrong == {} and seen["login"] == 422


def test_who_may_less_is_refused_and_who_may_as_much_is_not(home: House) -> None:
    tokens = {scope: home.token(scope) for scope in ORDER}
    people = {scope: home.log_in(name) for scope, name in PEOPLE.items()}
    wrong = {}
    for name, route in routes_of(home.app).items():
        need = scope_needed(route)
        if need is None or name == "logout":
            continue
        place = ORDER.index(need)
        allowed = ask(home, home.client, route, tokens[need])
        if allowed in (401, 403, 500) and name != "change_my_password":
            wrong[name, need] = allowed
        for less in ORDER[:place][-1:]:
            refused = [ask(home, home.client, route, tokens[less])]
            if less in people:
                refused.append(ask(home, people[less], route, {}))
            if refused != [403] * len(refused):
                wrong[name, less] = refused[0]
    assert wrong == {}


def test_each_scope_holds_those_before_it() -> None:
    for place, scope in enumerate(ORDER):
        who = Principal(name="a", scope=scope, via="token")  # type: ignore[arg-type]
        assert [who.may(one) for one in ORDER] == [n <= place for n in range(4)]  # type: ignore[arg-type]


def test_each_role_has_its_scope(home: House) -> None:
    for scope, name in PEOPLE.items():
        said = home.log_in(name).get(f"{API}/me").json()
        assert said == {"name": name, "scope": scope, "via": "session", "language": "en"}
    assert ROLE_SCOPE == {"admin": "admin", "editor": "edit", "reviewer": "review"}
