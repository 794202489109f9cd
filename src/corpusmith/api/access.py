"""Who asks, and what they may do.

Owns: finding out who a request is from, and refusing it. Does not own: users and tokens (service).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from fastapi import Depends, Request

from corpusmith.api.serving import serving_of
from corpusmith.errors import LoginNeeded, NotAllowed

Scope = Literal["read", "review", "edit", "admin"]
"""Each may do what those before it may: look; review records; make and change things; users,
settings, backups."""

_LADDER: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks."""

    name: str
    """Of a user or token; `local`: the one person of a server without users."""
    scope: Scope
    via: Literal["local", "session", "token"]

    def may(self, scope: Scope) -> bool:
        """Whether their scope holds this one."""
        return _LADDER.index(self.scope) >= _LADDER.index(scope)


LOCAL = Principal(name="local", scope="admin", via="local")


def principal_of(request: Request) -> Principal:
    """Who asks. Raises LoginNeeded."""
    if serving_of(request).login:
        raise LoginNeeded
    return LOCAL


def needs(scope: Scope) -> Any:
    """A route's dependency: refuse those who may not. Raises LoginNeeded, NotAllowed."""

    def check(principal: Annotated[Principal, Depends(principal_of)]) -> Principal:
        if not principal.may(scope):
            raise NotAllowed(scope=scope)
        return principal

    _SCOPES[check] = scope
    return Depends(check)


_SCOPES: dict[Callable[..., Any], Scope] = {}
"""What each dependency made by `needs` asks for: a test reads it off every route."""


def scope_of(dependency: Callable[..., Any]) -> Scope | None:
    """What a dependency of a route asks for; None: it is none of `needs`."""
    return _SCOPES.get(dependency)


Asker = Annotated[Principal, Depends(principal_of)]
