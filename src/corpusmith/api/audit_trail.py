"""Writes down who did what: one row for each request that changes something, in one place.

Owns: which requests are worth a row, and what stands in it. Does not own: the log (service).
A row has names and numbers of the address alone: no body, no query, no secret.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import State
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from corpusmith.api.door import address_of
from corpusmith.api.guard import SAFE
from corpusmith.api.serving import Serving
from corpusmith.errors import StoreError
from corpusmith.service.access import DAY_S
from corpusmith.service.audit import MOST_TARGET, shown_name
from corpusmith.service.studio import Studio
from corpusmith.store.access_values import Deed

log = logging.getLogger("corpusmith.api")

REFUSED = frozenset({401, 403})


class AuditTrail:
    """ASGI middleware, the innermost: routes and those who ask are known when it writes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE:
            await self._app(scope, receive, send)
            return

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start" and worth_a_row(message["status"]):
                deed = deed_of(scope, message["status"])
                await run_in_threadpool(_write, scope["app"].state, deed)
            await send(message)

        await self._app(scope, receive, noted)


def _write(state: State, deed: Deed) -> None:
    serving: Serving = state.serving
    try:
        audit = Studio.over(serving.store, serving.language).audit
        audit.add(deed)
        if time.monotonic() - state.audit_pruned > DAY_S:
            state.audit_pruned = time.monotonic()
            audit.prune()
    except StoreError as error:
        # It is done and cannot be undone: to answer that it failed would be false.
        log.error("no row in the audit log for %s: %s", deed, error)


def worth_a_row(status: int) -> bool:
    """Done, or refused for want of rights. What did not fit or was not there changed nothing."""
    return status < 400 or status in REFUSED


def deed_of(scope: Scope, status: int) -> Deed:
    """What a request did; of a route that calls `name_target` also what it made."""
    state: Mapping[str, Any] = scope.get("state", {})
    principal = state.get("principal")
    return Deed(
        who=principal.name if principal is not None else shown_name(state.get("tried", "")),
        via=principal.via if principal is not None else "none",
        token_id=None if principal is None else principal.token_id,
        action=getattr(scope.get("route"), "name", ""),
        target=_target(scope.get("path_params", {}), state.get("named")),
        status=status,
        address=address_of(Request(scope)),
    )


def name_target(request: Request, name: object) -> None:
    """What a request made, where its address does not say it."""
    request.state.named = str(name)


def name_tried(request: Request, name: str) -> None:
    """Who somebody says they are; after a login that failed, that is all we know."""
    request.state.tried = name


def _target(names: Mapping[str, object], named: str | None) -> str:
    parts = [*map(str, names.values()), *([named] if named is not None else [])]
    return shown_name("/".join(part.replace("/", "%2F") for part in parts), MOST_TARGET)
