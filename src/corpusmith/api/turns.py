"""Answers are worked out a few at a time; who comes meanwhile waits for a turn.

Owns: that. Does not own: who may ask how often (`rates.py`), what is dear (`limits.py`).
Python runs one thread at a time: forty that all work on an answer each take it from each other, and
from the loop that sends what is done. Four at a time answer a fifth more requests a second than
forty (docs/design/web.md), and none of them waits for the slowest of forty.
"""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from corpusmith.api.guard import SAFE

AT_ONCE = 4
LONG_S = 0.25
"""Who takes longer waits for a disk or for another server, and goes on beside the turns."""


class Turns:
    """ASGI middleware, for what brings no body: with one that comes byte by byte, somebody would
    hold turns at no cost, and all others wait. A turn ends where the answer begins."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in SAFE:
            await self._app(scope, receive, send)
            return
        turns: asyncio.Semaphore = scope["app"].state.turns
        await turns.acquire()
        held = True

        def over() -> None:
            nonlocal held
            if held:
                held = False
                turns.release()

        async def begun(message: Message) -> None:
            over()
            await send(message)

        late = asyncio.get_running_loop().call_later(LONG_S, over)
        try:
            await self._app(scope, receive, begun)
        finally:
            late.cancel()
            over()
