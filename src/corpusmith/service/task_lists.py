"""Use-cases of looking at tasks: lists, one, its starts and misses; what is done to many at once.

Owns: which tasks. Does not own: what of a task is shown (`task_views.py`), what is done to one
(`tasks.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from corpusmith.errors import CorpusmithError, NotFound
from corpusmith.messages import for_pages
from corpusmith.service.task_views import (
    MissView,
    RunView,
    TaskDetail,
    TaskView,
    cause_text,
    detail_of,
    miss_view,
    view_of,
)
from corpusmith.values import Status

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio


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
        found = self._studio.store.task_states.get(task_id)
        if found is None:
            raise NotFound("unknown_task", kind="task", name=task_id)
        return view_of(found, self._studio.language)

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
        return [miss_view(one, language) for one in found]

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
