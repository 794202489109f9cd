"""What of a task people and programs are shown: its state, its pace now, what can be done.

Owns: these values and how they are made of what is stored; leaving out what must not leave (values
of headers, folders of this machine, whose process runs it). Does not own: reading rows (store).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from corpusmith.contracts import Quota
from corpusmith.errors import CorpusmithError, NotFound
from corpusmith.messages import catalog, for_pages, say_page
from corpusmith.service.bulk import RECIPES as READY_MADE
from corpusmith.store.codec import iso
from corpusmith.store.values import MissRow, Task, TaskState
from corpusmith.values import Counts, Json, Language, Spend, Status

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

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
    were asked for is running."""
    if state.alive:
        return "running"
    if state.queued_at is not None:
        return "running" if state.status == "finished" else "queued"
    return "interrupted" if state.status == "running" else state.status


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


def _miss_view(miss: MissRow, language: Language) -> MissView:
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
        description=task.spec.get("description"),
        seed=task.seed,
        categories=categories,
        missing=[
            MissingView(kind=kind, reason=reason, count=count, text=reason_text(reason, language))
            for (kind, reason), count in missing.items()
        ],
        spec=_without_folders(task.spec),
        connections={role: _shown(one) for role, one in task.connections.items()},
    )


def _shown(connection: Json) -> Json:
    """A connection without what may be secret, or tells of this machine."""
    proxy = connection.get("proxy")
    return {
        **{name: value for name, value in connection.items() if name != "ca_file"},
        "headers": sorted(connection.get("headers") or ()),
        "proxy": proxy and (urlsplit(proxy).hostname or ""),
    }


_FOLDERS = ("output", "output_dir", "output_file", "folder")


def _without_folders(spec: Mapping[str, Json]) -> dict[str, Json]:
    """Of places on the server's disk, the last part alone."""
    return {
        name: _place(name, _without_folders(value) if isinstance(value, Mapping) else value)
        for name, value in spec.items()
    }


def _place(name: str, value: Json) -> Json:
    return PurePath(value).name if name in _FOLDERS and isinstance(value, str) else value


# ---------------------------------------------------------------- the use-cases


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks: those that fit all of what is given."""

    status: Literal[Status, "queued"] | None = None
    recipe: str | None = None
    dataset: str | None = None
    search: str | None = None
    """Text that the name holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedTask:
    """A task that a bulk action left as it was, and why."""

    id: int
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkTasks:
    """What a bulk action did: every task is in one of the two."""

    done: Sequence[int]
    refused: Sequence[RefusedTask]


BulkAction = Literal["run", "pause", "cancel", "delete"]


class TaskViews:
    """`studio.task_views`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def list(
        self, which: TaskFilter | None = None, *, limit: int = 50, after: int | None = None
    ) -> Sequence[TaskView]:
        """Newest first; `after`: the number of the last one of the page before."""
        wish = which or TaskFilter()
        found = self._studio.store.task_states.list(
            status=wish.status,
            recipe=wish.recipe,
            dataset=wish.dataset,
            search=wish.search,
            limit=limit,
            after=after,
        )
        return [view_of(one, self._studio.language) for one in found]

    def get(self, task_id: int) -> TaskView:
        """Raises NotFound."""
        found = self._studio.store.task_states.of([task_id])
        if task_id not in found:
            raise NotFound("unknown_task", kind="task", name=task_id)
        return view_of(found[task_id], self._studio.language)

    def detail(self, task_id: int) -> TaskDetail:
        """Raises NotFound."""
        tasks = self._studio.tasks
        task = tasks.get(task_id)
        return detail_of(
            task,
            self.get(task_id),
            tasks.quotas(task),
            tasks.miss_counts(task),
            self._studio.language,
        )

    def executions(self, task_id: int) -> Sequence[RunView]:
        """Every start, oldest first. Raises NotFound."""
        self._studio.tasks.get(task_id)
        return [
            RunView(
                number=number,
                started_at=one.started_at,
                ended_at=one.ended_at,
                status=one.status,
                cause=one.cause,
                cause_text=cause_text(one.cause, self._studio.language),
                counts=one.counts,
                spend=one.spend,
            )
            for number, one in enumerate(self._studio.tasks.executions(task_id), 1)
        ]

    def misses(
        self,
        task_id: int,
        kind: Literal["failed", "rejected"] | None = None,
        reason: str | None = None,
        *,
        limit: int = 50,
        after: tuple[int, int, int] | None = None,
    ) -> Sequence[MissView]:
        """Samples that did not become records, in the order of the plan. Raises NotFound."""
        self._studio.tasks.get(task_id)
        language = self._studio.language
        found = self._studio.store.tasks.misses(
            task_id, kind, reason=reason, limit=limit, after=after
        )
        return [_miss_view(one, language) for one in found]

    def bulk(
        self, action: BulkAction, *, ids: Sequence[int] = (), which: TaskFilter | None = None
    ) -> BulkTasks:
        """Do it to these, or to all that fit; what refuses is told, and stops no other."""
        chosen = ids if which is None else self._numbers(which)
        done, refused = [], []
        for task_id in dict.fromkeys(chosen):
            try:
                self._do(action, task_id)
            except CorpusmithError as error:
                with for_pages():
                    text = error.message(self._studio.language)
                refused.append(RefusedTask(id=task_id, code=error.reason, message=text))
            else:
                done.append(task_id)
        return BulkTasks(done=done, refused=refused)

    def _do(self, action: BulkAction, task_id: int) -> None:
        tasks = self._studio.tasks
        match action:
            case "run":
                tasks.queue(task_id)
            case "delete":
                tasks.delete(task_id)
            case "pause" | "cancel":
                tasks.ask(task_id, action)

    def _numbers(self, which: TaskFilter) -> Sequence[int]:
        """All that fit, as they are now: what is done to them changes which fit."""
        found: list[int] = []
        while some := self.list(which, limit=500, after=found[-1] if found else None):
            found += [one.id for one in some]
        return found
