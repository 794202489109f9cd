"""Who asks, and what they may do.

Owns: finding out who a request is from, and refusing it. Does not own: users and tokens (service),
how a secret is judged (`door.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import APIKeyCookie, HTTPBearer

from corpusmith.api.cookies import SESSION
from corpusmith.api.door import address_of, door_of
from corpusmith.api.guard import SAFE
from corpusmith.errors import NotAllowed
from corpusmith.service.access import LOCAL, Principal
from corpusmith.store.access_values import Scope

__all__ = ["LOCAL", "Asker", "Principal", "Scope", "needs", "principal_of", "scope_of"]

SECURITY = (
    HTTPBearer(auto_error=False, scheme_name="token", description="A token: `csm_…`."),
    APIKeyCookie(
        name=SESSION, auto_error=False, scheme_name="session", description="Set by `POST /login`."
    ),
)
"""For the API's description (`documented.py`); `principal_of` reads both itself."""


async def principal_of(request: Request) -> Principal:
    """Who asks, found out once. Raises LoginNeeded, and TooOften for one who keeps sending what
    does not hold."""
    known: Principal | None = getattr(request.state, "principal", None)
    if known is not None:
        return known
    door, token = door_of(request), bearer(request)
    if token is None and door.is_open():
        found = LOCAL
    else:
        found = await run_in_threadpool(
            door.admit,
            token,
            request.cookies.get(SESSION),
            address_of(request),
            safe=request.method in SAFE,
        )
    request.state.principal = found
    return found


def bearer(request: Request) -> str | None:
    """The token that was sent; None: none."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def needs(scope: Scope) -> Any:
    """A route's dependency: refuse those who may not. Raises LoginNeeded, NotAllowed."""

    # It asks for nothing but the request: each dependency of a dependency takes the framework as
    # long as a small question takes the database, and nearly all routes have this one.
    async def check(request: Request) -> None:
        if not (await principal_of(request)).may(scope):
            raise NotAllowed(scope=scope)

    _SCOPES[check] = scope
    return Depends(check)


_SCOPES: dict[Callable[..., Any], Scope] = {}
"""What each dependency made by `needs` asks for: a test reads it off every route."""


def scope_of(dependency: Callable[..., Any]) -> Scope | None:
    """What a dependency of a route asks for; None: it is none of `needs`."""
    return _SCOPES.get(dependency)


Asker = Annotated[Principal, Depends(principal_of)]
