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
from corpusmith.api.cookies import SESSION
from corpusmith.api.errors import Fault
from corpusmith.api.guard import SAFE, policy
from corpusmith.api.router import PREFIX
from corpusmith.api.speaking import language_of
from corpusmith.errors import CorpusmithError
from corpusmith.messages import say_page
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


def face_of_refusal(request: Request, status: int, fault: Fault) -> Response | None:
    """What the guard refuses, as a page. It asks nobody who they are: whoever was led here by
    another site sees nothing of this server."""
    if not wants_page(request):
        return None
    said = {**fault.model_dump(), "message": say_page(f"error.{fault.code}", language_of(request))}
    who: Principal | None = getattr(request.state, "principal", None)
    if fault.code == "foreign_host":
        nonce = request.scope.get("state", {}).get("nonce", "")
        html = rendered("refused.html", language_of(request), fault=said, nonce=nonce)
        return HTMLResponse(html, status)
    return _shown(request, status, said, who)


def _with_pages(handler: Any) -> Handler:
    async def handle(request: Request, error: Any) -> Response:
        answer: Response = await handler(request, error)
        if not wants_page(request):
            return answer
        fault = json.loads(bytes(answer.body))["error"]
        if answer.status_code == 401 and isinstance(error, CorpusmithError):
            made = _to_login(request, fault)
        else:
            made = _shown(request, answer.status_code, fault, await _who(request))
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


def _shown(request: Request, status: int, fault: dict[str, Any], who: Principal | None) -> Response:
    if by_htmx(request):
        return _part(request, status, fault)
    face = _FACES.get(status, "500" if status >= 500 else "400")
    data = {"fault": fault, "face": face, "status": status, "sent": request.method not in SAFE}
    made = page_of(request, "error.html", language_of(request), who, status, data)
    # The outermost handler stands before the guard: its answer passes nobody who adds them.
    nonce = request.scope.get("state", {}).get("nonce", "")
    made.headers.setdefault("Content-Security-Policy", policy(nonce))
    made.headers.setdefault("Cache-Control", "no-store")
    made.headers.setdefault("X-Content-Type-Options", "nosniff")
    return made


def _part(request: Request, status: int, fault: dict[str, Any]) -> Response:
    html = rendered("parts/fault.html", language_of(request), fault=fault)
    headers = {"HX-Retarget": "#said", "HX-Reswap": "innerHTML", "HX-Reselect": ".said"}
    return HTMLResponse(html, status, headers=headers)


def _to_login(request: Request, fault: dict[str, Any]) -> Response:
    """On to the login page. What a script asked for is refused as it is: the page that is there
    asks for a login by itself (`app.js`), and keeps what stands on it."""
    if by_htmx(request) or request.headers.get("sec-fetch-mode", "navigate") != "navigate":
        return _part(request, 401, fault)
    sent = request.method not in SAFE
    path = login_path(here_of(request), sent=sent, over=SESSION in request.cookies)
    return RedirectResponse(path, 303)


def by_htmx(request: Request) -> bool:
    """Whether a piece of a page is asked for."""
    return bool(request.headers.get("hx-request"))
