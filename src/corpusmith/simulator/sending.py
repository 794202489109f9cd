"""What is sent: a whole response, as bytes.

Owns: answers and refusals as responses, and chunks. Does not own: when they go out (`server.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import orjson

from corpusmith.simulator import faults
from corpusmith.simulator.asks import Answer, Ask, Problem
from corpusmith.simulator.http import head
from corpusmith.simulator.routes import Chat


@dataclass(slots=True, kw_only=True)
class Sending:
    """What is to be sent, and how."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: list[tuple[str, str]]
    chunked: bool = False
    fault: str | None = None
    digest: bytes = b""
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def bytes(self, keep_alive: bool) -> bytes:
        """The whole response."""
        start = head(
            self.status,
            content_type=self.content_type,
            length=None if self.chunked else len(self.body),
            headers=self.headers,
            keep_alive=keep_alive,
        )
        return start + self.body


def failure(
    wire: ModuleType, problem: Problem, number: int, *, fault: str | None = None
) -> Sending:
    """`problem` as `wire`'s vendor says it, to the `number`th request."""
    request_id = f"{number:024x}"
    return Sending(
        status=problem.status,
        body=orjson.dumps(wire.error(problem, request_id)),
        headers=wire.error_headers(problem, request_id),
        fault=fault,
    )


def written(chat: Chat, ask: Ask, answer: Answer, fault: str | None, digest: bytes) -> Sending:
    """A good answer, or one that `fault` has spoiled."""
    if ask.stream:
        body = b"".join(chat.wire.chunks(ask, answer))
    else:
        body = orjson.dumps(chat.wire.good(ask, answer))
    if fault is not None:
        body = faults.spoil_body(fault, body, answer.structured and not answer.tool)
    return Sending(
        status=200,
        body=_as_chunks(body) if ask.stream else body,
        content_type="text/event-stream" if ask.stream else "application/json",
        headers=chat.wire.good_headers(answer),
        chunked=ask.stream,
        fault=fault,
        digest=digest,
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
    )


def _as_chunks(body: bytes) -> bytes:
    """HTTP chunks, one an event."""
    events = [event + b"\n\n" for event in body.split(b"\n\n") if event]
    framed = [b"%x\r\n%s\r\n" % (len(event), event) for event in events]
    return b"".join(framed) + b"0\r\n\r\n"
