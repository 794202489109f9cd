"""What the store gives back about users, their sessions and tokens, and the log of who did what."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["admin", "editor", "reviewer"]
Scope = Literal["read", "review", "edit", "admin"]
"""Each may do what those before it may: look; review records; make and change things; users,
settings, backups."""
Via = Literal["local", "session", "token", "cli", "none"]
"""How somebody was known: as the one person of a server without users; by a session; by a token;
as who may use the machine; not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who may log in. Times are ISO 8601, UTC."""

    name: str
    role: Role
    active: bool
    created_at: str
    login_at: str | None
    """The last time; None: never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """A user, and what their password is checked against."""

    id: int
    user: User
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a program sends instead of a password; never the secret itself."""

    id: int
    name: str
    scope: Scope
    user: str | None
    """Whose it is; null: made on the server's own machine."""
    state: Literal["active", "expired", "revoked"]
    created_at: str
    expires_at: str | None
    """null: never."""
    used_at: str | None
    """The last time, to the minute; null: never."""
    revoked_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What is stored of a secret that somebody sent. Times are seconds since 1970."""

    user_id: int | None
    user: str | None
    role: Role | None
    active: bool
    """Whether its user is; True where it has none."""
    created_at: float
    used_at: float | None
    expires_at: float | None = None
    """None: never by itself."""
    token: Token | None = None
    """None: it is a session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSession:
    """A session, as its user may see it. Times are ISO 8601, UTC."""

    digest: bytes = field(repr=False)
    created_at: str
    used_at: str
    """The last time, to the minute."""

    @property
    def key(self) -> str:
        """What names it on a page: made of the digest, and worth nothing anywhere."""
        return hashlib.blake2b(self.digest, digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What somebody did, or was refused."""

    who: str
    """The name; of a login that failed, the name that was tried; empty: nobody said."""
    via: Via
    action: str
    """The operation's id in the API's description."""
    target: str = ""
    """The names in the address, `/` between them; a `/` within one is `%2F`."""
    status: int = 200
    """The HTTP status of the answer."""
    address: str = ""
    """Where the request came from."""
    token_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry(Deed):
    """A deed in the log."""

    id: int
    at: str
    """ISO 8601, UTC."""
