"""Tasks: making, running, watching and ending them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Header, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from corpusmith.api.access import Asker, needs
from corpusmith.api.asking import (
    MOST_NUMBER,
    After,
    Body,
    Limit,
    Page,
    Search,
    StudioOf,
    page_of,
    place_in,
)
from corpusmith.api.router import rest
from corpusmith.contracts import Quota
from corpusmith.service.task_lists import BulkAction, BulkTasks, TaskFilter
from corpusmith.service.task_previews import PreviewView
from corpusmith.service.task_views import TaskDetail, TaskView
from corpusmith.service.workers import WorkersView
from corpusmith.values import Status

router = rest("/tasks", tags=["tasks"])

Number = Annotated[int, Path(ge=1, le=MOST_NUMBER, description="The task's number.")]
TaskStatus = Annotated[Literal[Status, "queued"] | None, Query(description="Only these.")]
_EXAMPLE: Any = {
    "recipe": "dialogue",
    "connection": "local",
    "characters": ["林小雨"],
    "scenarios": {"日常对话": 2, "情感交流": 1},
    "count": 100,
    "turns": 3,
    "dataset": "深夜对话",
}


class TaskFields(BaseModel):
    """The fields of a task, as a task file has them (`GET /recipes` tells those of each recipe)."""

    model_config = ConfigDict(extra="allow", frozen=True, json_schema_extra={"example": _EXAMPLE})

    recipe: str | None = Field(default=None, max_length=100, examples=["dialogue"])

    def fields(self) -> dict[str, Any]:
        """What was given of them."""
        named = {} if self.recipe is None else {"recipe": self.recipe}
        return {**named, **(self.model_extra or {})}


class NewTask(TaskFields):
    """A task to be."""

    start: bool = Field(default=True, description="false: it waits until it is told to run.")


class TaskTrial(TaskFields):
    """A task to look at before it is made."""

    items: int = Field(default=1, ge=1, le=20, description="Items whose prompts are shown.")


class TaskChange(Body):
    """What is given changes, null included; the rest stays. A running task takes it over within
    two seconds."""

    max_cost: float | None = Field(default=None, ge=0, allow_inf_nan=False, examples=[2.5])
    max_total_tokens: int | None = Field(default=None, ge=0)
    max_calls: int | None = Field(default=None, ge=0)
    max_attempts_multiplier: float = Field(default=3.0, ge=1, le=1000, allow_inf_nan=False)
    concurrency: int | Literal["auto"] = Field(default="auto", examples=[20])
    rpm: int | None = Field(default=None, ge=1)
    tpm: int | None = Field(default=None, ge=1)
    commit: bool = True


class Retrying(Body):
    """Which missed samples are tried again."""

    kinds: Sequence[Literal["failed", "rejected"]] = Field(default=("failed",), min_length=1)
    start: bool = True


class Extension(Body):
    """More records."""

    count: int = Field(ge=1, le=100_000_000, description="Records wanted in all.", examples=[200])
    start: bool = True


class Commit(Body):
    """Where the records go."""

    dataset: str | None = Field(
        default=None, min_length=1, max_length=200, description="Without: the task's own."
    )


class TaskSelection(Body):
    """Tasks that fit all of what is given."""

    status: Literal[Status, "queued"] | None = None
    recipe: str | None = Field(default=None, max_length=100)
    dataset: str | None = Field(default=None, max_length=200)
    search: str | None = Field(default=None, max_length=200)


class TaskBulk(Body):
    """An action on several tasks: these, or all that fit."""

    action: BulkAction
    ids: Sequence[Annotated[int, Field(ge=1, le=MOST_NUMBER)]] | None = Field(
        default=None, min_length=1, max_length=1000
    )
    filter: TaskSelection | None = None

    @model_validator(mode="after")
    def _one_of(self) -> TaskBulk:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("ids or filter")
        return self


class PutBack(BaseModel):
    """What a retry found."""

    put_back: int = Field(description="Items that will run again.")
    task: TaskView


class Committed(BaseModel):
    """What came into the dataset."""

    committed: int
    dataset: str


class Discarded(BaseModel):
    """What was thrown away."""

    discarded: int


RequestKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Your own name of this request: sent again with it, there is still one task.",
    ),
]


@router.get("", dependencies=[needs("read")])
def list_tasks(
    studio: StudioOf,
    status: TaskStatus = None,
    recipe: Annotated[str | None, Query(max_length=100)] = None,
    dataset: Annotated[str | None, Query(max_length=200)] = None,
    search: Search = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[TaskView]:
    """Tasks, newest first, each with its state and, while it runs, its pace."""
    which = TaskFilter(status=status, recipe=recipe, dataset=dataset, search=search)
    found = studio.task_views.list(which, limit=limit + 1, after=place_in(after, int))
    return page_of(found, limit, lambda one: one.id)


@router.post("", status_code=201, dependencies=[needs("edit")])
def add_task(
    studio: StudioOf, asker: Asker, body: NewTask, response: Response, key: RequestKey = None
) -> TaskView:
    """Make a task and have it run. With an `Idempotency-Key` that was sent before, the answer is
    the task that was made then, with 200 and `Idempotent-Replay: true`."""
    own_key = None if key is None else f"{asker.via}:{asker.name}:{key}"
    task, replayed = studio.tasks.submit(body.fields(), start=body.start, key=own_key)
    if replayed:
        response.status_code = 200
        response.headers["Idempotent-Replay"] = "true"
    return studio.task_views.get(task.id)


@router.post("/preview", dependencies=[needs("read")])
def preview_task(studio: StudioOf, body: TaskTrial) -> PreviewView:
    """The exact prompts, the estimate, and all that is still missing, each beside its field.
    Nothing is made."""
    return studio.task_previews.of(body.fields(), items=body.items)


@router.post("/bulk", dependencies=[needs("edit")])
def bulk_tasks(studio: StudioOf, body: TaskBulk) -> BulkTasks:
    """Run, pause, cancel or delete several tasks. What refuses is told, and stops no other."""
    which = None if body.filter is None else TaskFilter(**body.filter.model_dump())
    return studio.task_views.bulk(body.action, ids=body.ids or (), which=which)


@router.get("/workers", dependencies=[needs("read")])
def get_workers(studio: StudioOf) -> WorkersView:
    """The processes that run tasks. 0 workers: what is queued waits until one is started."""
    return studio.workers.alive()


@router.get("/{number:int}", dependencies=[needs("read")])
def get_task(studio: StudioOf, number: Number) -> TaskDetail:
    """Everything about one task: its state, its categories, its parameters, what is missing and
    why, and what can be done with it now."""
    return studio.task_views.detail(number)


@router.patch("/{number:int}", dependencies=[needs("edit")])
def change_task(studio: StudioOf, number: Number, body: TaskChange) -> TaskView:
    """Change its budget, its attempts or its pace, also while it runs."""
    given = body.model_dump(include=body.model_fields_set)
    if given:
        studio.tasks.change(number, **given)
    return studio.task_views.get(number)


@router.delete("/{number:int}", status_code=204, dependencies=[needs("edit")])
def delete_task(studio: StudioOf, number: Number) -> None:
    """Forget it, with what it did not commit. Committed records stay, and so do paid calls. 409
    while it runs."""
    studio.tasks.delete(number)


@router.post("/{number:int}/run", dependencies=[needs("edit")])
def run_task(studio: StudioOf, number: Number) -> TaskView:
    """Run it, or go on with it: only what is missing is made and paid."""
    studio.tasks.queue(number)
    return studio.task_views.get(number)


@router.post("/{number:int}/pause", dependencies=[needs("edit")])
def pause_task(studio: StudioOf, number: Number) -> TaskView:
    """Pause it wherever it runs: calls in flight end, nothing new starts."""
    studio.tasks.ask(number, "pause")
    return studio.task_views.get(number)


@router.post("/{number:int}/cancel", dependencies=[needs("edit")])
def cancel_task(studio: StudioOf, number: Number) -> TaskView:
    """Like a pause, but for good."""
    studio.tasks.ask(number, "cancel")
    return studio.task_views.get(number)


@router.post("/{number:int}/retry", dependencies=[needs("edit")])
def retry_task(studio: StudioOf, number: Number, body: Retrying) -> PutBack:
    """Put missed samples back, as many as the task still lacks, and run them."""
    count = studio.tasks.retry(number, tuple(body.kinds))
    if count and body.start:
        studio.tasks.queue(number)
    return PutBack(put_back=count, task=studio.task_views.get(number))


@router.post("/{number:int}/extend", dependencies=[needs("edit")])
def extend_task(studio: StudioOf, number: Number, body: Extension) -> TaskView:
    """Ask it for more records in all: only the new ones are made and paid."""
    studio.tasks.extend(number, body.count)
    if body.start:
        studio.tasks.queue(number)
    return studio.task_views.get(number)


@router.post("/{number:int}/commit", dependencies=[needs("edit")])
def commit_task(studio: StudioOf, number: Number, body: Commit) -> Committed:
    """确认入库: put its records into a dataset, all or none."""
    count = studio.tasks.commit(number, body.dataset)
    name = body.dataset or studio.tasks.get(number).dataset
    return Committed(committed=count, dataset=name or "")


@router.post("/{number:int}/discard", dependencies=[needs("edit")])
def discard_task(studio: StudioOf, number: Number) -> Discarded:
    """Throw away its records that are in no dataset."""
    return Discarded(discarded=studio.tasks.discard(number))


@router.get("/{number:int}/quotas", dependencies=[needs("read")])
def task_quotas(studio: StudioOf, number: Number) -> Page[Quota]:
    """Its categories with what each wants and has."""
    studio.tasks.get(number)
    return Page(items=studio.tasks.quotas(number))
