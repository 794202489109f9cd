"""An admin who makes users and tokens, changes and ends them in any order, against a model of what
each of them may then do: their very next request is answered by the rights of now.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from access_kit import WORD, House, house
from api_kit import code_of
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from machine_kit import API, PATIENCE, fresh_name, pages, run_machine

from corpusmith.api.rates import Rates
from corpusmith.store.store import SqlStore

ORDER = ("read", "review", "edit", "admin")
RIGHTS = {"reviewer": "review", "editor": "edit", "admin": "admin"}
ROLES = st.sampled_from(list(RIGHTS))
WHICH = st.integers(0, 9)
OTHER_WORD = "another horse battery"
ASKED: dict[str, tuple[str, str]] = {
    "read": ("GET", "/scenarios"),
    "review": ("GET", "/reviews/last"),
    "edit": ("DELETE", "/scenarios/没有"),
    "admin": ("GET", "/users"),
}
"""Scope → what asks for it, and changes nothing."""


class Person:
    """A user as they must be."""

    def __init__(self, name: str, role: str) -> None:
        self.name, self.role, self.word, self.active = name, role, WORD, True
        self.sessions: list[httpx2.Client] = []
        self.ended: list[httpx2.Client] = []


class Pass:
    """A token as it must be."""

    def __init__(self, made: Any, owner: Person) -> None:
        self.secret, self.number = made["secret"], made["token"]["id"]
        self.scope: str = made["token"]["scope"]
        self.owner: Person | None = owner
        self.revoked = False


class Machine(RuleBasedStateMachine):
    """Users whose names are of this example alone; `anna` is always there."""

    home: House
    boss: httpx2.Client

    @initialize()
    def begin(self) -> None:
        self.name = fresh_name()
        self.people: dict[str, Person] = {}
        self.passes: list[Pass] = []
        self.gone: list[Person] = []

    def teardown(self) -> None:
        for name in list(getattr(self, "people", ())):
            self.boss.delete(f"{API}/users/{name}")

    def pick(self, which: int) -> Person:
        return self.people[sorted(self.people)[which % len(self.people)]]

    def log_in(self, name: str, word: str) -> httpx2.Response:
        """By a client of its own: its session is in its cookies."""
        self.home.app.state.door.rates = Rates()
        self.client = self.home.fresh()
        return self.client.post(f"{API}/login", json={"name": name, "password": word})

    # ------------------------------------------------------------ users

    @rule(word=st.sampled_from(["甲", "b", "B"]), role=ROLES)
    def add(self, word: str, role: str) -> None:
        name = f"{self.name}{word}"
        body = {"name": name, "password": WORD, "role": role}
        answer = self.boss.post(f"{API}/users", json=body)
        if name.lower() in {one.lower() for one in self.people}:
            assert code_of(answer, 409) == "user_exists"
            return
        assert answer.status_code == 201, answer.text
        self.people[name] = Person(name, role)

    @rule(
        which=WHICH,
        change=st.sampled_from(
            [{"role": one} for one in RIGHTS]
            + [{"active": True}, {"active": False}, {"password": WORD}, {"password": OTHER_WORD}]
        ),
    )
    @precondition(lambda self: self.people)
    def change(self, which: int, change: dict[str, Any]) -> None:
        one = self.pick(which)
        answer = self.boss.patch(f"{API}/users/{one.name}", json=change)
        assert answer.status_code == 200, answer.text
        one.role = change.get("role", one.role)
        one.active = change.get("active", one.active)
        one.word = change.get("password", one.word)
        self.out(one)

    @rule(which=WHICH)
    @precondition(lambda self: self.people)
    def end_sessions(self, which: int) -> None:
        one = self.pick(which)
        assert self.boss.post(f"{API}/users/{one.name}/logout").status_code == 204
        self.out(one)

    @rule(which=WHICH)
    @precondition(lambda self: self.people)
    def delete(self, which: int) -> None:
        one = self.pick(which)
        assert self.boss.delete(f"{API}/users/{one.name}").status_code == 204
        self.out(one)
        self.gone.append(self.people.pop(one.name))
        for token in self.passes:
            token.owner = None if token.owner is one else token.owner

    def out(self, one: Person) -> None:
        one.ended += one.sessions
        one.sessions = []

    @rule(which=WHICH, right=st.booleans())
    @precondition(lambda self: self.people)
    def come_in(self, which: int, right: bool) -> None:
        one = self.pick(which)
        answer = self.log_in(one.name, one.word if right else f"{one.word}!")
        if not (right and one.active):
            assert code_of(answer, 401) == "wrong_login"
            return
        assert answer.status_code == 200, answer.text
        one.sessions.append(self.client)

    @rule(which=WHICH)
    @precondition(lambda self: any(one.sessions for one in self.people.values()))
    def go_out(self, which: int) -> None:
        inside = [one for one in self.people.values() if one.sessions]
        one = inside[which % len(inside)]
        left = one.sessions.pop(0)
        assert left.post(f"{API}/logout").status_code == 204
        one.ended.append(left)

    @rule(which=WHICH)
    @precondition(lambda self: self.people)
    def nobody_is_without_an_admin(self, which: int) -> None:
        """The last admin stays one, whatever is asked."""
        if any(one.role == "admin" and one.active for one in self.people.values()):
            return
        for change in ({"role": "editor"}, {"active": False}):
            assert code_of(self.boss.patch(f"{API}/users/anna", json=change), 409) == "last_admin"
        assert code_of(self.boss.delete(f"{API}/users/anna"), 409) == "last_admin"

    # ------------------------------------------------------------ tokens

    @rule(which=WHICH, scope=st.sampled_from(ORDER))
    @precondition(lambda self: any(one.sessions for one in self.people.values()))
    def make_token(self, which: int, scope: str) -> None:
        inside = [one for one in self.people.values() if one.sessions]
        one = inside[which % len(inside)]
        body = {"name": self.name, "scope": scope, "days": 1}
        answer = one.sessions[0].post(f"{API}/tokens", json=body)
        if ORDER.index(scope) > ORDER.index(RIGHTS[one.role]):
            assert code_of(answer, 403) == "not_allowed"
            return
        assert answer.status_code == 201, answer.text
        self.passes.append(Pass(answer.json(), one))

    @rule(which=WHICH)
    @precondition(lambda self: self.passes)
    def revoke(self, which: int) -> None:
        token = self.passes[which % len(self.passes)]
        answer = self.boss.delete(f"{API}/tokens/{token.number}")
        if token.owner is None:
            assert code_of(answer, 404) == "unknown_token"
        else:
            assert answer.json()["state"] == "revoked"
            token.revoked = True

    # ------------------------------------------------------------ what must hold

    @invariant()
    def users_are_those(self) -> None:
        listed = list(pages(self.boss, "/users", {"search": self.name}))
        assert {one["name"]: (one["role"], one["active"]) for one in listed} == {
            one.name: (one.role, one.active) for one in self.people.values()
        }
        assert "password" not in str(listed)

    @invariant()
    def sessions_may_what_their_user_may(self) -> None:
        self.home.app.state.door.rates = Rates()
        for one in self.people.values():
            for session in one.sessions[-1:]:
                self.may(session, {}, RIGHTS[one.role])
        for one in [*self.people.values(), *self.gone]:
            for session in one.ended[-1:]:
                assert session.get(f"{API}/me").status_code == 401

    @invariant()
    def tokens_may_no_more_than_their_owner(self) -> None:
        self.home.app.state.door.rates = Rates()
        for token in self.passes:
            headers = {"Authorization": f"Bearer {token.secret}"}
            if token.owner is None or token.revoked or not token.owner.active:
                code = code_of(self.home.client.get(f"{API}/me", headers=headers), 401)
                assert code == (
                    "token_unknown"
                    if token.owner is None
                    else "token_revoked"
                    if token.revoked
                    else "token_owner_off"
                )
            else:
                least = min(token.scope, RIGHTS[token.owner.role], key=ORDER.index)
                self.may(self.home.client, headers, least)

    def may(self, client: httpx2.Client, headers: dict[str, str], scope: str) -> None:
        """Just this much: the highest is let through, and the next is refused."""
        assert client.get(f"{API}/me", headers=headers).json()["scope"] == scope
        place = ORDER.index(scope)
        for need in ORDER[place : place + 2]:
            method, path = ASKED[need]
            answer = client.request(method, f"{API}{path}", headers=headers)
            assert (answer.status_code == 403) == (need != scope), (need, scope, answer.text)


@pytest.fixture
def home(store: SqlStore) -> Iterator[House]:
    with house(store) as found:
        yield found


@PATIENCE
def test_whoever_is_changed_may_at_once_what_they_may(home: House) -> None:
    class Here(Machine):
        pass

    Here.home, Here.boss = home, home.log_in("anna")
    run_machine(Here, examples=5, steps=20)
