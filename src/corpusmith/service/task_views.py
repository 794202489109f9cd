"""What of a task people and programs are shown: its state, its pace now, what can be done.

Owns: these values and how they are made of what is stored; leaving out what must not leave (values
of headers, folders of this machine, whose process runs it). Does not own: which tasks are looked at
(`task_lists.py`), reading rows (store).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Literal
from urllib.parse import urlsplit

from corpusmith import hidden
from corpusmith.contracts import Quota
from corpusmith.messages import catalog, say_page
from corpusmith.service.bulk import RECIPES as READY_MADE
from corpusmith.store.codec import iso
from corpusmith.store.values import MissRow, Task, TaskState
from corpusmith.values import Counts, Json, Language, Spend, Status

FRESH_S = 10.0
"""A running task's word that is older says nothing of now: its process is stuck, or gone."""

State = Literal[
    "created", "queued", "running", "interrupted", "paused", "finished", "failed", "cancelled"
]
Action = Literal[
    "run", "pause", "cancel", "change", "retry", "extend", "commit", "discard", "delete"
]
OVER: frozenset[State] = frozenset(("finished", "failed", "cancelled"))
"""Nothing more comes of them by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceView:
    """One endpoint's pace, and what holds it back now."""

    endpoint: str
    model: str
    in_flight: int
    limit: int
    waiting: int
    reason: str
    """Its code, as in `engine.limits.Reason`."""
    wait_s: float
    text: str
    """The reason in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveView:
    """What a running task looks like, beyond its counters. Times are ISO 8601, UTC."""

    at: str
    elapsed_s: float
    records_per_s: float
    remaining_s: float | None
    """None: no speed yet."""
    paces: Sequence[PaceView]
    replayed: int
    """Calls of this execution that the journal had already: they cost nothing."""
    misses: Mapping[str, int]
    """Rejected and failed samples of this execution, by reason."""
    retries: Mapping[str, int]
    """Attempts that were made again, by the error's code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A task as lists and live pages show it. Times are ISO 8601, UTC."""

    id: int
    name: str
    recipe: str
    dataset: str | None
    state: State
    request: str | None
    """What is asked of the running task: `pause`, `cancel` or None."""
    queued_at: str | None
    counts: Counts
    shortfall: int
    spend: Spend
    cause: Mapping[str, Json] | None
    """Why it stands as it does: `code` and its data."""
    cause_text: str | None
    can: Sequence[Action]
    """What can be done with it now."""
    created_at: str
    updated_at: str
    live: LiveView | None
    """None: nobody runs it, or its process has been silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingView:
    """Samples that are missing for one reason."""

    kind: str
    """`failed` or `rejected`."""
    reason: str
    count: int
    text: str
    """The reason in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissView:
    """A sample that did not become a record."""

    item: str
    kind: Literal["failed", "rejected"]
    reason: str
    text: str
    """What happened, in words."""
    detail: Mapping[str, Json]
    raw: str
    """The model's own text, if there was any."""
    saved_at: str
    place: tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One start of a task, with what it added. Times are ISO 8601, UTC."""

    number: int
    """1, 2, 3, … within the task."""
    started_at: str
    ended_at: str | None
    status: str
    cause: Mapping[str, Json] | None
    cause_text: str | None
    counts: Counts
    spend: Spend


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDetail:
    """Everything about one task."""

    task: TaskView
    status: Status
    """As it is stored: a queued one was `created`, `paused`, …"""
    revision: int
    """Grows with each change of its parameters."""
    description: str | None
    seed: int
    categories: Sequence[Quota]
    missing: Sequence[MissingView]
    spec: Mapping[str, Json] = field(default_factory=dict)
    """Its parameters; folders of the server are left out."""
    connections: Mapping[str, Json] = field(default_factory=dict)
    """Role → the endpoint as it was when the task was made; of headers the names alone."""


def view_of(state: TaskState, language: Language, now: float | None = None) -> TaskView:
    """A task's state as it is shown."""
    shown = state_in(state)
    return TaskView(
        id=state.id,
        name=state.name,
        recipe=state.recipe,
        dataset=state.dataset,
        state=shown,
        request=state.request if state.alive else None,
        queued_at=state.queued_at,
        counts=state.counts,
        shortfall=state.counts.shortfall,
        spend=state.spend,
        cause=state.cause,
        cause_text=cause_text(state.cause, language),
        can=actions(state, shown),
        created_at=state.created_at,
        updated_at=state.updated_at,
        live=_live_of(state, language, time.time() if now is None else now),
    )


def state_in(state: TaskState) -> State:
    """The state in one word. A finished task whose records still are on their way to where they
    were asked for is running; one that is to make more waits like any other."""
    if state.alive:
        return "running"
    if state.queued_at is not None:
        made = state.counts.shortfall == 0 or state.cause is not None
        return "running" if state.status == "finished" and made else "queued"
    if state.status != "running":
        return state.status
    # Killed before it came to do what was asked of it: it is not run again either.
    return "cancelled" if state.request == "cancel" else "interrupted"


def actions(state: TaskState, shown: State) -> Sequence[Action]:
    """What can be done with it now."""
    possible = _CAN[shown]
    if state.recipe in READY_MADE:
        possible = tuple(one for one in possible if one in ("commit", "discard", "delete"))
    counts = state.counts
    missing = {"retry": counts.rejected + counts.failed, "commit": counts.accepted}
    missing["discard"] = counts.accepted
    missing["retry"] *= counts.shortfall
    return tuple(one for one in possible if missing.get(one, 1))


_AT_REST: tuple[Action, ...] = ("change", "retry", "extend", "commit", "discard", "delete")
_CAN: dict[State, tuple[Action, ...]] = {
    "created": ("run", "cancel", "change", "extend", "delete"),
    "queued": ("pause", "cancel", "change"),
    "running": ("pause", "cancel", "change"),
    "interrupted": ("run", "cancel", *_AT_REST),
    "paused": ("run", "cancel", *_AT_REST),
    "failed": ("run", "cancel", *_AT_REST),
    "finished": _AT_REST,
    "cancelled": ("commit", "discard", "delete"),
}


def cause_text(cause: Mapping[str, Json] | None, language: Language) -> str | None:
    """Why a task ended as it did, in words."""
    if cause is None:
        return None
    data = {name: value for name, value in cause.items() if name != "code"}
    return say_page(f"error.{cause['code']}", language, **data)


def reason_text(reason: str, language: Language) -> str:
    """A few words for why a sample is missing; the code itself where there are none."""
    return catalog(language).get(f"short.{reason}", reason)


def miss_view(miss: MissRow, language: Language) -> MissView:
    """A missed sample as it is shown."""
    known = catalog(language)
    keys = (f"error.{miss.reason}", f"reason.{miss.reason}")
    key = next((key for key in keys if key in known), None)
    return MissView(
        item=miss.item,
        kind=miss.kind,
        reason=miss.reason,
        text=say_page(key, language, **miss.detail) if key else reason_text(miss.reason, language),
        detail=miss.detail,
        raw=miss.raw,
        saved_at=miss.saved_at,
        place=miss.place,
    )


def _live_of(state: TaskState, language: Language, now: float) -> LiveView | None:
    if not state.alive or state.live is None or state.live_at is None:
        return None
    if now - state.live_at > FRESH_S:
        return None
    body = dict(state.live)
    paces = [PaceView(**pace, text=_pace_text(pace, language)) for pace in body.pop("paces")]
    return LiveView(at=iso(state.live_at), paces=paces, **body)


def _pace_text(pace: Mapping[str, Json], language: Language) -> str:
    return say_page(f"pace.{pace['reason']}", language, wait=f"{pace['wait_s']:.0f}")


# ---------------------------------------------------------------- parameters


def detail_of(
    task: Task,
    view: TaskView,
    categories: Sequence[Quota],
    missing: Mapping[tuple[str, str], int],
    language: Language,
) -> TaskDetail:
    """Everything about a task, without what must not leave."""
    return TaskDetail(
        task=view,
        status=task.status,
        revision=task.revision,
        description=task.spec.get("description"),
        seed=task.seed,
        categories=categories,
        missing=[
            MissingView(kind=kind, reason=reason, count=count, text=reason_text(reason, language))
            for (kind, reason), count in missing.items()
        ],
        spec=_without_folders({**task.spec, **_own_fields(task.spec)}),
        connections={role: _shown(one) for role, one in task.connections.items()},
    )


def _shown(connection: Json) -> Json:
    """A connection without what may be secret, or tells of this machine."""
    proxy = connection.get("proxy")
    return {
        **{name: value for name, value in connection.items() if name != "ca_file"},
        "headers": sorted(connection.get("headers") or ()),
        **_own_fields(connection),
        "proxy": proxy and (urlsplit(proxy).hostname or ""),
    }


def _own_fields(given: Mapping[str, Json]) -> dict[str, Json]:
    """Its body fields without what looks secret."""
    return {"extra": hidden.shown(given["extra"])} if given.get("extra") else {}


_FOLDERS = ("output", "output_dir", "output_file", "folder")


def _without_folders(spec: Mapping[str, Json]) -> dict[str, Json]:
    """Of places on the server's disk, the last part alone."""
    return {
        name: _place(name, _without_folders(value) if isinstance(value, Mapping) else value)
        for name, value in spec.items()
    }


def _place(name: str, value: Json) -> Json:
    return PurePath(value).name if name in _FOLDERS and isinstance(value, str) else value
