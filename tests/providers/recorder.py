"""A server that writes down what it is sent and answers like each of the three protocols."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

ANSWER = '{"turns": ["你好", "hi"]}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it came over the wire."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any

    def meaningful(self, names: tuple[str, ...]) -> dict[str, str | None]:
        return {name: self.headers.get(name) for name in names}


@dataclass(slots=True)
class Recorder:
    """The server's address and everything it saw."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        raw = await request.read()
        self.seen.append(
            Seen(
                method=request.method,
                path=request.path,
                query=dict(request.query),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=json.loads(raw) if raw else None,
            )
        )
        return web.json_response(_answer(request))


@asynccontextmanager
async def recording() -> AsyncIterator[Recorder]:
    recorder = Recorder()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", recorder.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    recorder.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield recorder
    finally:
        await runner.cleanup()


def _answer(request: web.Request) -> Any:
    if request.path.endswith("/models"):
        return _models(request)
    if request.path.endswith("/messages"):
        return _message(request)
    if request.path.endswith(":generateContent"):
        return GEMINI
    return OPENAI


def _models(request: web.Request) -> Any:
    if "anthropic-version" in request.headers:
        last = request.query.get("after_id") == "claude-a"
        name = "claude-b" if last else "claude-a"
        row = {
            "id": name,
            "type": "model",
            "display_name": name,
            "created_at": "2026-01-01T00:00:00Z",
        }
        return {"data": [row], "has_more": not last, "first_id": name, "last_id": name}
    if "x-goog-api-key" in request.headers:
        if request.query.get("pageToken") == "p2/":
            return {"models": [{"name": "models/gemini-b"}]}
        methods = {"supportedGenerationMethods": ["embedContent"]}
        return {
            "models": [{"name": "models/gemini-a"}, {"name": "models/embed", **methods}],
            "nextPageToken": "p2/",
        }
    rows = [{"id": name, "object": "model", "created": 1, "owned_by": "x"} for name in ("b", "a")]
    return {"object": "list", "data": rows}


OPENAI = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m-1",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": ANSWER},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12},
}
GEMINI = {
    "candidates": [
        {
            "content": {"role": "model", "parts": [{"text": ANSWER}]},
            "finishReason": "STOP",
            "index": 0,
        }
    ],
    "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 5, "totalTokenCount": 12},
    "modelVersion": "m-1",
    "responseId": "r-1",
}


def _message(request: web.Request) -> Any:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m-1",
        "content": [{"type": "text", "text": ANSWER}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 7, "output_tokens": 5},
    }
