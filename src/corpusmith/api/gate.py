"""No request opens or writes a file of this machine by its path.

Owns: that every request runs inside `places.uploads_only`. Does not own: what that means.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from corpusmith.places import uploads_only


class UploadsOnly:
    """ASGI middleware: a route's thread, and a job that it starts, inherit the context."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        with uploads_only():
            await self._app(scope, receive, send)
