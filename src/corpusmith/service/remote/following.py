"""A task at a server, watched until it rests.

Owns: progress by server-sent events, taken up again where they broke off. Does not own: starting
and stopping (`tasks.py`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import orjson

from corpusmith.engine.progress import CategoryProgress, Pace, Snapshot
from corpusmith.errors import NotFound, StoreUnavailable
from corpusmith.service.remote.wire import Wire, adapter
from corpusmith.service.task_views import TaskView
from corpusmith.values import Counts, Status

GIVE_UP_S = 120.0
"""A server that is away for so long stays away: a restart takes seconds."""
UNHEARD_S = 60.0
"""A queued task of a server without any worker is not waited for longer."""
_MOVING = ("queued", "running")
_STATUS: dict[str, Status] = {"queued": "running", "interrupted": "running"}


def status_of(view: TaskView) -> Status:
    """Its state in the words of a task's row."""
    found: Any = _STATUS.get(view.state, view.state)
    status: Status = found
    return status


def until_rest(wire: Wire, task_id: int) -> Iterator[TaskView]:
    """What it looks like, as that changes; the last one rests: finished, paused, failed, …

    Raises StoreUnavailable when the server is away for too long, or nobody there runs tasks.
    """
    last: str | None = None
    seen_s = time.monotonic()
    queued_s: float | None = None
    while True:
        try:
            for name, mark, data in _events(wire, task_id, last):
                seen_s = time.monotonic()
                if name == "":
                    queued_s = _heard(wire, queued_s)
                    continue
                if name == "gone":
                    raise NotFound("unknown_task", kind="task", name=task_id)
                last = mark
                view: TaskView = adapter(TaskView).validate_python(data)
                queued_s = (queued_s or seen_s) if view.state == "queued" else None
                yield view
                if view.state not in _MOVING:
                    return
        except StoreUnavailable as error:
            if error.reason != "server_away" or time.monotonic() - seen_s > GIVE_UP_S:
                raise
            time.sleep(0.5)


def _heard(wire: Wire, queued_s: float | None) -> float | None:
    """Nothing has changed for a while: is there anybody who could run it?"""
    waiting = queued_s is not None and time.monotonic() - queued_s > UNHEARD_S
    if waiting and not wire.ask("GET", "tasks", "workers")["workers"]:
        raise StoreUnavailable("server_no_worker", url=wire.url)
    return queued_s


def _events(wire: Wire, task_id: int, last: str | None) -> Iterator[tuple[str, str, Any]]:
    """(name, mark, data) of each event; name "": only a sign of life."""
    headers = {} if last is None else {"Last-Event-ID": last}
    rest = b""
    for chunk in wire.read("GET", "tasks", task_id, "events", headers=headers):
        *frames, rest = (rest + chunk).split(b"\n\n")
        for frame in frames:
            lines = [line.partition(": ") for line in frame.decode().splitlines()]
            event = {name: text for name, _, text in lines if name}
            if "data" in event:
                yield event["event"], event.get("id", ""), orjson.loads(event["data"])
            else:
                yield "", "", None


def snapshot_of(view: TaskView, categories: list[CategoryProgress]) -> Snapshot:
    """As `show` is told it of a task that runs here. `categories`: as they were last looked at."""
    live = view.live
    return Snapshot(
        task_id=view.id,
        status=status_of(view),
        counts=view.counts,
        categories=categories,
        spend=view.spend,
        records_per_s=live.records_per_s if live else 0.0,
        remaining_s=live.remaining_s if live else None,
        paces=[
            Pace(
                endpoint=one.endpoint,
                model=one.model,
                in_flight=one.in_flight,
                limit=one.limit,
                waiting=one.waiting,
                reason=one.reason,
                wait_s=one.wait_s,
            )
            for one in (live.paces if live else ())
        ],
        replayed=live.replayed if live else 0,
        misses=live.misses if live else {},
        retries=live.retries if live else {},
        cause=view.cause,
        elapsed_s=live.elapsed_s if live else 0.0,
    )


def categories_of(quotas: Any) -> list[CategoryProgress]:
    """A task's categories with their counts."""
    return [
        CategoryProgress(
            name=one.name,
            labels=one.labels,
            counts=Counts(
                requested=one.count,
                attempted=one.attempted,
                accepted=one.accepted,
                rejected=one.rejected,
                failed=one.failed,
            ),
        )
        for one in quotas
    ]
