"""How a server is run, as its parts need to know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from fastapi import Request

from corpusmith.service.passwords import PASSWORDS, Passwords
from corpusmith.store.store import SqlStore
from corpusmith.values import Language

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""What `Host` says of a server that only this machine reaches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """One server: its store and its rules. `app.state.serving` holds it."""

    store: SqlStore
    language: Language
    """Spoken to those who ask for none."""
    hosts: frozenset[str] = LOOPBACK
    """Names that the server answers to, without a port, small letters."""
    login: bool = False
    """True: everybody says who they are, always (a server that others reach); False: as soon as
    there is a user, or it answers to other names than this machine's own."""
    metrics: bool = False
    """Whether `/metrics` is there."""
    passwords: Passwords = PASSWORDS
    """How passwords are hashed."""


def serving_of(request: Request) -> Serving:
    """The server that was asked."""
    return cast(Serving, request.app.state.serving)
