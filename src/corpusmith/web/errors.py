"""What went wrong, as a page; for REST it stays as it is.

Owns: the choice of the face, the way to the login page. Does not own: codes and statuses
(`api/errors.py`).
A request of htmx gets a message for the page that is already there: replacing that page would lose
what was typed into it.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import WebSocketRequestValidationError
from starlette.responses import HTMLResponse, RedirectResponse, Response

from corpusmith.api.access import Principal, principal_of
from corpusmith.api.app import PREFIX
from corpusmith.api.guard import policy
from corpusmith.api.speaking import language_of
from corpusmith.errors import CorpusmithError
from corpusmith.web import assets
from corpusmith.web.login import login_path
from corpusmith.web.render import rendered
from corpusmith.web.view import here_of, page_of

Handler = Callable[[Request, Any], Awaitable[Response]]

_FACES = {401: "401", 403: "403", 404: "404", 413: "413", 429: "429", 507: "507"}
"""Statuses with a heading of their own; the others share one for each hundred."""


def add_page_handlers(app: FastAPI) -> None:
    """Every handler that is there answers with a page where a page was asked for."""
    for kind, handler in list(app.exception_handlers.items()):
        if kind is not WebSocketRequestValidationError:
            app.add_exception_handler(kind, _with_pages(handler))


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks, not a program."""
    path = request.url.path
    return not (path == PREFIX or path.startswith((f"{PREFIX}/", assets.PREFIX, "/metrics")))


def _with_pages(handler: Any) -> Handler:
    async def handle(request: Request, error: Any) -> Response:
        answer: Response = await handler(request, error)
        if not wants_page(request):
            return answer
        fault = json.loads(bytes(answer.body))["error"]
        who = await _who(request)
        made = _page(request, error, answer.status_code, fault, who)
        for name in ("retry-after", "allow"):
            if name in answer.headers:
                made.headers[name] = answer.headers[name]
        return made

    return handle


async def _who(request: Request) -> Principal | None:
    """Who asks, for the navigation; None where that cannot be said."""
    known: Principal | None = getattr(request.state, "principal", None)
    try:
        return known or await principal_of(request)
    except CorpusmithError:
        return None


def _page(
    request: Request, error: Any, status: int, fault: dict[str, Any], who: Principal | None
) -> Response:
    by_htmx = bool(request.headers.get("hx-request"))
    if status == 401 and isinstance(error, CorpusmithError):
        return _to_login(request, by_htmx)
    language = language_of(request)
    if by_htmx:
        html = rendered("parts/fault.html", language, fault=fault)
        headers = {"HX-Retarget": "#said", "HX-Reswap": "innerHTML", "HX-Reselect": ".said"}
        return HTMLResponse(html, status, headers=headers)
    face = _FACES.get(status, "500" if status >= 500 else "400")
    data = {"fault": fault, "face": face, "status": status}
    made = page_of(request, "error.html", language, who, status, data)
    # The outermost handler stands before the guard: its answer passes nobody who adds them.
    nonce = request.scope.get("state", {}).get("nonce", "")
    made.headers.setdefault("Content-Security-Policy", policy(nonce))
    made.headers.setdefault("Cache-Control", "no-store")
    made.headers.setdefault("X-Content-Type-Options", "nosniff")
    return made


def _to_login(request: Request, by_htmx: bool) -> Response:
    path = login_path(here_of(request))
    if by_htmx:
        return Response(status_code=401, headers={"HX-Redirect": path})
    return RedirectResponse(path, 303)
