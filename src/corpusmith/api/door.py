"""The door of one server: whom it lets in, and how often somebody may knock.

Owns: whether a login is needed, what a secret is worth, tries of passwords. Does not own: what
people may do inside (`access.py`), sessions and tokens (service).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar, cast

from anyio import CapacityLimiter, to_thread
from fastapi import Request

from corpusmith.api.rates import Rates
from corpusmith.api.serving import LOOPBACK, Serving
from corpusmith.errors import AccessError, LoginNeeded
from corpusmith.service.access import LOCAL, Access, Principal
from corpusmith.service.passwords import AT_ONCE

T = TypeVar("T")

FRESH_S = 2.0
"""How long a server goes on believing that it has no users."""


class Door:
    """`app.state.door`"""

    def __init__(self, serving: Serving) -> None:
        self.rates = Rates()
        self._serving = serving
        self._access = Access(serving.store)
        self._strict = serving.login or not serving.hosts <= LOOPBACK
        self._open, self._until = False, 0.0
        # Whoever waits for a password to be checked holds no thread that answers requests.
        self._guessing = CapacityLimiter(AT_ONCE)

    def is_open(self) -> bool | None:
        """Whether who is on this machine needs no login; None: only the store knows (`look`)."""
        if self._strict:
            return False
        return self._open if time.monotonic() < self._until else None

    def look(self) -> bool:
        """The same, asked of the store."""
        self._open = not self._strict and not self._serving.store.users.any()
        self._until = time.monotonic() + FRESH_S
        return self._open

    def admit(
        self, token: str | None, session: str | None, address: str, *, safe: bool
    ) -> Principal:
        """Who sent these. A token counts before a session, and both before an open door.

        Raises LoginNeeded, and TooOften for one who keeps sending what is worth nothing.
        """
        try:
            return self._known(token, session)
        except LoginNeeded:
            # A page that is still open after its session's end asks again and again, and harms
            # nobody; what would change things leaves a row in the log each time.
            if token is not None or not safe:
                self.rates.stranger(address)
            raise

    def _known(self, token: str | None, session: str | None) -> Principal:
        if token is not None:
            return self._access.by_token(token)
        known = self.is_open()
        if self.look() if known is None else known:
            return LOCAL
        if session is not None:
            return self._access.by_session(session)
        raise LoginNeeded

    async def guess(self, address: str, name: str, work: Callable[[], T]) -> T:
        """What `work`, which checks a password, returns. An AccessError of it counts as a wrong
        password. At most two at once. Raises TooOften after too many."""
        self.rates.before_guess(address, name)
        return await to_thread.run_sync(self._guess, address, name, work, limiter=self._guessing)

    async def hashing(self, work: Callable[[], T]) -> T:
        """What `work`, which hashes a password, returns: at most two such at once."""
        return await to_thread.run_sync(work, limiter=self._guessing)

    def _guess(self, address: str, name: str, work: Callable[[], T]) -> T:
        # Again: many may have been wrong while this one waited.
        self.rates.before_guess(address, name)
        try:
            return work()
        except AccessError:
            self.rates.wrong_guess(address, name)
            raise


def door_of(request: Request) -> Door:
    """The door of the server that was asked."""
    return cast(Door, request.app.state.door)


def address_of(request: Request) -> str:
    """Where a request came from; empty: unknown."""
    return request.client.host if request.client is not None else ""
