"""Progress by server-sent events: one task, or all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import orjson
from fastapi import Header, Path, Request
from fastapi.responses import StreamingResponse
from pydantic_core import to_jsonable_python

from corpusmith.api.access import needs
from corpusmith.api.asking import MOST_NUMBER, StudioOf
from corpusmith.api.router import rest
from corpusmith.api.speaking import LanguageOf
from corpusmith.api.streams import Event, Hub
from corpusmith.service.task_views import view_of
from corpusmith.values import Language

router = rest(tags=["tasks"])

LastSeen = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        max_length=100,
        description="`id` of the last event that was seen: the same state is not told again.",
    ),
]
_EVENT = {
    "type": "object",
    "properties": {
        "event": {"enum": ["present", "progress", "ended", "gone"]},
        "id": {"type": "string"},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["event", "id", "data"],
}
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A stream of events; `data` is JSON.",
        "content": {"text/event-stream": {"itemSchema": _EVENT}},
    }
}
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get(
    "/tasks/{number:int}/events",
    dependencies=[needs("read")],
    response_class=StreamingResponse,
    responses=_STREAM,
)
def task_events(
    request: Request,
    studio: StudioOf,
    language: LanguageOf,
    number: Annotated[int, Path(ge=1, le=MOST_NUMBER)],
    last: LastSeen = None,
) -> StreamingResponse:
    """What a task looks like, as it changes: `progress` with its whole state, and at the end
    `ended` or `gone`, after which the stream closes. A task that has ended says so at once."""
    studio.task_views.get(number)
    hub: Hub = request.app.state.hub
    return _streamed(hub.task(number, last), language)


@router.get(
    "/events",
    dependencies=[needs("read")],
    response_class=StreamingResponse,
    responses=_STREAM,
)
def all_events(request: Request, language: LanguageOf, last: LastSeen = None) -> StreamingResponse:
    """All tasks that run, wait or are among the newest: `present` with their states first, then
    `progress`, `ended` or `gone` of each that changes."""
    hub: Hub = request.app.state.hub
    return _streamed(hub.all(last), language)


def _streamed(events: AsyncIterator[Event], language: Language) -> StreamingResponse:
    async def frames() -> AsyncIterator[bytes]:
        async for event in events:
            yield frame_of(event, language)

    return StreamingResponse(frames(), media_type="text/event-stream", headers=_HEADERS)


def frame_of(event: Event, language: Language) -> bytes:
    """The event as the wire has it."""
    if event.name == "heartbeat":
        return b": still here\n\n"
    views = [to_jsonable_python(view_of(one, language)) for one in event.states]
    data: Any = {"id": event.task_id}
    if event.name == "present":
        data = {"tasks": views}
    elif views:
        data = views[0]
    head = f"event: {event.name}\nid: {event.id}\n".encode()
    return head + b"data: " + orjson.dumps(data) + b"\n\n"
