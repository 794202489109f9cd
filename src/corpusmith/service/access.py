"""Who asks: whose session or token a secret is, and what they may do.

Owns: rights, and how long secrets last. Does not own: making them (`logins.py`, `tokens.py`), rows
(store).
Secrets are 256 random bits: nobody guesses one, so a plain digest keeps them as well as a slow
hash would, and every request can afford it. Passwords are what people can think of: those need it.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

from corpusmith.errors import LoginNeeded, StoreError
from corpusmith.store.access_values import Pass, Role, Scope
from corpusmith.store.store import SqlStore

DAY_S = 86_400.0
IDLE_S = 7 * DAY_S
"""A session that nobody used for so long has ended."""
AGE_S = 30 * DAY_S
"""No session lasts longer."""
NOTED_S = 60.0
"""How exactly it is known when a session or token was last used: one write a minute."""
MOST_SECRET = 200

ROLE_SCOPE: dict[Role, Scope] = {"admin": "admin", "editor": "edit", "reviewer": "review"}
_LADDER: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks."""

    name: str
    """Of a user or token; `local`: the one person of a server without users."""
    scope: Scope
    via: Literal["local", "session", "token"]
    user_id: int | None = None
    """None: no user stands behind it."""
    token_id: int | None = None
    until: float | None = None
    """When their token expires, in seconds since 1970."""
    session: bytes | None = field(default=None, repr=False)
    """Digest of the session's secret."""

    def may(self, scope: Scope) -> bool:
        """Whether their scope holds this one."""
        return least(self.scope, scope) == scope


LOCAL = Principal(name="local", scope="admin", via="local")


def least(one: Scope, other: Scope) -> Scope:
    """The smaller of two scopes."""
    return min(one, other, key=_LADDER.index)


def new_secret(prefix: str = "") -> tuple[str, bytes]:
    """256 random bits as text, and their digest."""
    secret = prefix + secrets.token_urlsafe(32)
    return secret, digest_of(secret)


def digest_of(secret: str) -> bytes:
    """What is stored of a secret."""
    return hashlib.blake2b(secret.encode("utf-8", "replace"), digest_size=32).digest()


class Access:
    """Finds out who sent a secret."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def by_session(self, secret: str) -> Principal:
        """Raises LoginNeeded."""
        if len(secret) > MOST_SECRET:
            raise LoginNeeded("session_over")
        digest = digest_of(secret)
        found = self._store.sessions.find(digest)
        if found is None or not found.active or self._over(found):
            raise LoginNeeded("session_over")
        self._note(found, lambda: self._store.sessions.used(digest))
        return Principal(
            name=str(found.user),
            scope=_scope(found, "admin"),
            via="session",
            user_id=found.user_id,
            session=digest,
        )

    def by_token(self, secret: str) -> Principal:
        """Raises LoginNeeded."""
        found = None
        if len(secret) <= MOST_SECRET:
            found = self._store.tokens.find(digest_of(secret))
        if found is None or found.token is None:
            raise LoginNeeded("token_unknown")
        token = found.token
        if token.state != "active":
            raise LoginNeeded(_OVER[token.state])
        if not found.active:
            raise LoginNeeded("token_owner_off")
        self._note(found, lambda: self._store.tokens.used(token.id))
        return Principal(
            name=found.user or token.name,
            scope=_scope(found, token.scope),
            via="token",
            user_id=found.user_id,
            token_id=token.id,
            until=found.expires_at,
        )

    def _over(self, found: Pass) -> bool:
        now = self._store.sessions.now
        used_at = found.created_at if found.used_at is None else found.used_at
        return now - used_at > IDLE_S or now - found.created_at > AGE_S

    def _note(self, found: Pass, write: Callable[[], None]) -> None:
        if found.used_at is not None and self._store.sessions.now - found.used_at < NOTED_S:
            return
        # A full or busy disk must not lock out those who come to free it.
        with contextlib.suppress(StoreError):
            write()


_OVER = {"expired": "token_expired", "revoked": "token_revoked"}


def _scope(found: Pass, most: Scope) -> Scope:
    """A token has no more rights than its user has today."""
    return most if found.role is None else least(most, ROLE_SCOPE[found.role])
