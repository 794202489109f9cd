"""What every request must pass before it reaches a route, and what every answer carries.

Owns: whose page may ask (Host, Origin), and the headers that bind a browser. Does not own: who is
asking (`access.py`).
A page of another site can make a browser send requests here: its `Host` is ours only by name
(DNS rebinding), and its Origin is not. Both are refused, whoever is logged in.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from corpusmith.api.errors import Fault, answer
from corpusmith.api.serving import Serving
from corpusmith.api.speaking import language_of
from corpusmith.messages import say

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
RawHeader = tuple[bytes, bytes]
_OWN = frozenset({"same-origin", "none"})
"""`Sec-Fetch-Site` of our own pages, and of an address that a person typed."""

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
    (b"cache-control", b"no-store"),
)
"""Of every answer that does not say otherwise itself."""


Face = Callable[[Request, int, Fault], Response | None]
"""`app.state.refusal_face`, where there is one: what a person's browser sees of a refusal; None: it
is no person's."""


class Guard:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce

        unsaid = False

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with_ours(message["headers"], nonce)
            await send(message)

        async def in_our_shape(message: Message) -> None:
            # The framework refuses a body by its length in words of its own, before any route.
            nonlocal unsaid
            if message["type"] == "http.response.start" and _plain_refusal(message):
                unsaid = True
            if not unsaid:
                await with_headers(message)

        serving: Serving = scope["app"].state.serving
        refused = _refused(serving, Headers(scope=scope), scope["method"])
        if refused is None:
            await self._app(scope, receive, in_our_shape)
            if not unsaid:
                return
            refused = 413, "body_too_large"
        status, code = refused
        request = Request(scope)
        fault = Fault(code=code, message=say(f"error.{code}", language_of(request)))
        face: Face | None = getattr(scope["app"].state, "refusal_face", None)
        response = face(request, status, fault) if face is not None else None
        await (response or answer(status, fault))(scope, receive, with_headers)


def _refused(serving: Serving, headers: Headers, method: str) -> tuple[int, str] | None:
    host = headers.get("host", "").lower()
    if host_name(host) not in serving.hosts:
        return 400, "foreign_host"
    if method in SAFE:
        return None
    site = headers.get("sec-fetch-site")
    if site is not None and site not in _OWN:
        return 403, "foreign_origin"
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != host:
        return 403, "foreign_origin"
    return None


def _with_ours(headers: Iterable[RawHeader], nonce: str) -> list[RawHeader]:
    own = list(headers)
    there = {name.lower() for name, _ in own}
    bound = (b"content-security-policy", policy(nonce).encode())
    return own + [one for one in (*_HEADERS, bound) if one[0] not in there]


def _plain_refusal(start: Message) -> bool:
    kind = Headers(raw=start["headers"]).get("content-type", "")
    return start["status"] == 413 and kind.startswith("text/plain")


def policy(nonce: str) -> str:
    """The Content-Security-Policy of every answer: our own files, and scripts with this nonce."""
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    )


def host_name(host: str) -> str:
    """`host:port` without the port; an IPv6 address keeps its brackets."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
