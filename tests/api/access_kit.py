"""What the tests of logins and rights have in common: cheap passwords, and people of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from api_kit import furnished, served
from argon2 import Parameters, Type
from fastapi import FastAPI

from corpusmith.api.serving import Serving
from corpusmith.service.passwords import Passwords
from corpusmith.service.studio import Studio
from corpusmith.store.store import SqlStore

API = "/api/v1"
CHEAP = Parameters(
    type=Type.ID,
    version=19,
    salt_len=16,
    hash_len=16,
    time_cost=1,
    memory_cost=8,
    parallelism=1,
)
WORD = "correct horse battery"
ROLES = {"anna": "admin", "emil": "editor", "rosa": "reviewer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A server with its store, and a client that has not logged in."""

    app: FastAPI
    store: SqlStore
    passwords: Passwords
    client: httpx2.Client
    opened: ExitStack

    @property
    def studio(self) -> Studio:
        return Studio.over(self.store, "en", passwords=self.passwords)

    def fresh(self) -> httpx2.Client:
        """A client without cookies."""
        made = httpx2.Client(base_url=self.client.base_url, timeout=30, trust_env=False)
        return self.opened.enter_context(made)

    def token(self, scope: str, **more: Any) -> dict[str, str]:
        """Headers with a new token made on the machine."""
        made = self.studio.tokens.add(f"{scope} token", scope=scope, **more)
        return {"Authorization": f"Bearer {made.secret}"}

    def log_in(self, name: str, client: httpx2.Client | None = None) -> httpx2.Client:
        """A client that did."""
        client = client or self.fresh()
        answer = client.post(f"{API}/login", json={"name": name, "password": WORD})
        assert answer.status_code == 200, answer.text
        return client

    def audit(self, **filters: Any) -> list[tuple[str, str, str, str, int]]:
        """(who, via, action, target, status), oldest first."""
        found = self.studio.audit.list(**filters)
        return [(one.who, one.via, one.action, one.target, one.status) for one in reversed(found)]


@contextmanager
def house(store: SqlStore, *, people: bool = True, **serving: Any) -> Iterator[House]:
    """A running server; `people`: with a user of each role."""
    passwords = Passwords(CHEAP)
    rules = Serving(store=store, language="en", passwords=passwords, **serving)
    with furnished(rules) as app, served(app) as client, ExitStack() as opened:
        found = House(app=app, store=store, passwords=passwords, client=client, opened=opened)
        for name, role in ROLES.items() if people else ():
            found.studio.users.add(name, WORD, role)
        yield found
