"""What came of a task: its executions, first records, missing samples, and calls."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import BaseModel, Field

from corpusmith.api.access import needs
from corpusmith.api.asking import MOST_NUMBER, After, Limit, Page, StudioOf, page_of, place_in
from corpusmith.api.router import rest
from corpusmith.api.routes.tasks import Number
from corpusmith.errors import SpecError
from corpusmith.service.task_views import MissingView, MissView, RunView
from corpusmith.store.values import CallRow, WholeCall
from corpusmith.values import Json, Record

router = rest(tags=["tasks"])


class Items(BaseModel):
    """How far the items of a task are, in samples."""

    attempted: int
    accepted: int
    rejected: int
    failed: int
    pending: int = Field(description="In progress.")
    uncommitted: int = Field(description="Records that are in no dataset.")


@router.get("/tasks/{number:int}/executions", dependencies=[needs("read")])
def task_executions(studio: StudioOf, number: Number) -> Page[RunView]:
    """Every start of the task, oldest first, with what each added."""
    return Page(items=studio.task_views.executions(number))


@router.get("/tasks/{number:int}/records", dependencies=[needs("read")])
def task_records(
    studio: StudioOf, number: Number, count: Annotated[int, Query(ge=1, le=500)] = 10
) -> Page[Record]:
    """The first records that it made, in the order of its plan. All of them: `GET /records`."""
    studio.tasks.get(number)
    return Page(items=studio.tasks.first(number, count))


@router.get("/tasks/{number:int}/missing", dependencies=[needs("read")])
def task_missing(studio: StudioOf, number: Number) -> Page[MissingView]:
    """Why samples are missing, most frequent first."""
    return Page(items=studio.task_views.detail(number).missing)


@router.get("/tasks/{number:int}/misses", dependencies=[needs("read")])
def task_misses(
    studio: StudioOf,
    number: Number,
    kind: Annotated[Literal["failed", "rejected"] | None, Query()] = None,
    reason: Annotated[str | None, Query(max_length=100)] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[MissView]:
    """Samples that did not become records, each with its reason and the model's own words."""
    place = _three(place_in(after, list))
    found = studio.task_views.misses(number, kind, reason, limit=limit + 1, after=place)
    return page_of(found, limit, lambda one: list(one.place))


@router.get("/tasks/{number:int}/items", dependencies=[needs("read")])
def task_items(studio: StudioOf, number: Number) -> Items:
    """How many samples were tried, and what became of them."""
    counts = studio.task_views.get(number).counts
    return Items(
        attempted=counts.attempted,
        accepted=counts.accepted,
        rejected=counts.rejected,
        failed=counts.failed,
        pending=counts.pending,
        uncommitted=studio.tasks.uncommitted(number),
    )


@router.get("/tasks/{number:int}/calls", dependencies=[needs("read")])
def task_calls(
    studio: StudioOf,
    number: Number,
    item: Annotated[str | None, Query(max_length=500, examples=["日常对话#12"])] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[CallRow]:
    """The calls that it paid, item by item; `item`: of that one alone."""
    place = _two(place_in(after, list))
    found = studio.calls.list(number, item=item, limit=limit + 1, after=place)
    return page_of(found, limit, lambda one: [one.item, one.id])


@router.get("/tasks/{number:int}/calls/{call:int}", dependencies=[needs("read")])
def get_call(
    studio: StudioOf, number: Number, call: Annotated[int, Path(ge=1, le=MOST_NUMBER)]
) -> WholeCall:
    """One call with all that was asked and said. No key was ever in it."""
    return studio.calls.get(number, call)


@router.get("/records/{number:int}/calls", dependencies=[needs("read")])
def record_calls(
    studio: StudioOf, number: Annotated[int, Path(ge=1, le=MOST_NUMBER)]
) -> Page[WholeCall]:
    """The calls that a record was made from, in the order they were made: prompts and raw replies.
    Empty for one that was imported, or whose calls were pruned."""
    return Page(items=studio.calls.of_record(number))


def _three(place: list[Json] | None) -> tuple[int, int, int] | None:
    if place is None:
        return None
    if len(place) != 3 or not all(type(one) is int and abs(one) < 2**53 for one in place):
        raise SpecError("bad_cursor")
    return place[0], place[1], place[2]


def _two(place: list[Json] | None) -> tuple[str, int] | None:
    if place is None:
        return None
    if len(place) != 2 or not isinstance(place[0], str) or type(place[1]) is not int:
        raise SpecError("bad_cursor")
    return place[0], min(place[1], 2**53)
