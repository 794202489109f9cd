"""Records: lists with filters and words, one record, what is done to many, and its way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Query
from pydantic import Field

from corpusmith.api.access import needs
from corpusmith.api.asking import After, Body, Limit, Page, StudioOf, cursor, place_in
from corpusmith.api.jobs import JOB, Job, Run, StartJob
from corpusmith.api.router import rest
from corpusmith.api.routes.reviews import Reviewer, Tags
from corpusmith.api.selecting import Number, Where, WhereAsked
from corpusmith.errors import UsageError
from corpusmith.service.broken_records import BrokenRecord, BrokenSum
from corpusmith.service.records import BulkAction, BulkResult, RecordDetail, RecordRow
from corpusmith.service.studio import Studio
from corpusmith.store.finding_values import CappedCount, Facets
from corpusmith.store.record_walk import Place, RecordOrder
from corpusmith.store.review_values import Undone
from corpusmith.store.values import Removal
from corpusmith.values import Record

router = rest(tags=["records"])

_ORDER = (
    "`own`: the dataset's; `newest`; `best`, `worst`: by score; `liked`, `disliked`: by rating;"
    " `longest`, `shortest`."
)
Order = Annotated[RecordOrder, Query(description=_ORDER)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]


class ListQuery(WhereAsked):
    """Which records, in which order, and which page of them."""

    order: RecordOrder = Field(default="own", description=_ORDER)
    limit: int = Field(default=50, ge=1, le=500, description="Items of a page at most.")
    after: str | None = Field(default=None, max_length=2000, description="`next` of a page.")
    before: str | None = Field(default=None, max_length=2000, description="`previous` of a page.")


class CountQuery(WhereAsked):
    """Which records are counted."""

    exact: bool = Field(default=False, description="Count all of them, however many.")


class NeighbourQuery(WhereAsked):
    """The list whose neighbours are asked for; none: no neighbours."""

    order: RecordOrder = Field(default="own", description=_ORDER)


class RecordEdit(Body):
    """A record's new content."""

    content: Any = Field(examples=[{"dialogues": [{"role": "user", "content": "你好"}]}])
    version: Version = Field(
        description="The version that was edited: 409 when there is a newer one by now."
    )


class BulkBody(Body):
    """What is done, and to which records: those of `ids`, or all that `where` finds."""

    action: BulkAction
    ids: Annotated[Sequence[Number], Field(max_length=10_000)] | None = None
    where: Where | None = Field(
        default=None, examples=[{"dataset": "客服对话", "state": "pending"}]
    )
    tags: Tags = Field(default=(), description="Of `tag` and `untag`.", examples=[["待修改"]])
    expected: int | None = Field(
        default=None,
        ge=0,
        description="How many you saw: 409 with the new number when they are others by now.",
    )
    force: bool = Field(default=False, description="Do it however many they are.")
    dry_run: bool = Field(default=False, description="Only count.")


class UndoBody(Body):
    """What is taken back: a removal, or your last action."""

    removal: Number | None = None
    action: Number | None = Field(default=None, description="It must be this one; null: the last.")


class BrokenBody(Body):
    """Whether broken records are taken out of their dataset."""

    dry_run: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPageView:
    """Some of the records that fit."""

    items: Sequence[RecordRow]
    next: str | None
    """`after` of the page that follows; null: there is none."""
    previous: str | None
    """`before` of the page before; null: this is the first."""
    indexed: bool
    """false: the search does not know every record yet, so some may be missing."""
    missing: int
    """How many; above 2,000 no more are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoView:
    """What was taken back: one of the two."""

    removal: Removal | None
    reviews: Undone | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenPage:
    """Broken ones among the records that were looked at."""

    items: Sequence[BrokenRecord]
    looked: int
    next: str | None
    """`after` to go on looking; null: all have been looked at."""


# ---------------------------------------------------------------- lists


@router.get("/records", dependencies=[needs("read")])
def list_records(studio: StudioOf, query: Annotated[ListQuery, Query()]) -> RecordPageView:
    """Records of a dataset or a task that fit all filters. `text`: words that their texts hold, in
    any order; words in quotes stand together; Chinese needs no blanks."""
    found = studio.records.page(
        query.selection(),
        order=query.order,
        limit=query.limit,
        after=_place(query.after),
        before=_place(query.before),
    )
    return RecordPageView(
        items=found.items,
        next=_cursor(found.after),
        previous=_cursor(found.before),
        indexed=not found.missing,
        missing=found.missing,
    )


@router.get("/records/count", dependencies=[needs("read")])
def count_records(studio: StudioOf, query: Annotated[CountQuery, Query()]) -> CappedCount:
    """How many fit. Above 10,000 they are not counted, and those that hold words only for a moment:
    `more` is true then. `exact` counts all."""
    if query.exact:
        return CappedCount(count=studio.exports.count(query.selection()), more=False)
    return studio.records.count(query.selection())


@router.get("/records/facets", dependencies=[needs("read")])
def record_facets(
    studio: StudioOf, dataset: Annotated[str, Query(min_length=1, max_length=200)]
) -> Facets:
    """States, categories, scenarios, characters, models, tags and flags of a dataset's records,
    with how many have each."""
    return studio.records.facets(dataset)


@router.get("/records/{number:int}", dependencies=[needs("read")])
def get_record(
    studio: StudioOf, number: int, query: Annotated[NeighbourQuery, Query()]
) -> RecordDetail:
    """A record with its labels, verdicts, provenance, versions and reviews; with the filters of a
    list also the records before and after it there."""
    listed = query.dataset is not None or query.task is not None
    selection = query.selection() if listed else None
    return studio.records.get(number, selection, order=query.order)


@router.patch("/records/{number:int}", dependencies=[needs("review")])
def edit_record(studio: StudioOf, reviewer: Reviewer, number: int, body: RecordEdit) -> Record:
    """Save an edited content as the record's next version. 409 when somebody was quicker."""
    return studio.reviews.edit(number, body.content, reviewer=reviewer, version=body.version)


# ---------------------------------------------------------------- many at once


@router.post("/records/bulk", responses=JOB, dependencies=[needs("edit")])
def change_records(start: StartJob, studio: StudioOf, reviewer: Reviewer, body: BulkBody) -> Job:
    """Approve, reject, reset, tag, untag or delete many records. All that fit when it begins are
    taken, and no others. Its result: `BulkResult`; `POST /records/undo` takes it back."""
    if (body.action in ("tag", "untag")) != bool(body.tags):
        raise UsageError("bulk_tags")
    selection = None if body.where is None else body.where.selection()
    ids = studio.records.chosen(selection, body.ids, expected=body.expected, force=body.force)

    def work(studio: Studio, run: Run) -> BulkResult:
        if body.dry_run:
            return BulkResult(action=body.action, dry_run=True, count=len(ids))
        run.show(0, len(ids))
        return studio.records.bulk(
            body.action, ids, tags=body.tags, reviewer=reviewer, show=run.show
        )

    return start("records", work)


@router.post("/records/undo", dependencies=[needs("edit")])
def undo_records(studio: StudioOf, reviewer: Reviewer, body: UndoBody) -> UndoView:
    """Put a removal back, or take back your last action on records."""
    if body.removal is not None:
        if body.action is not None:
            raise UsageError("undo_one")
        return UndoView(removal=studio.datasets.restore(body.removal), reviews=None)
    undone = studio.reviews.undo(reviewer=reviewer, action=body.action)
    return UndoView(removal=None, reviews=undone)


# ---------------------------------------------------------------- removals and broken ones


@router.get("/removals", dependencies=[needs("read")])
def list_removals(
    studio: StudioOf,
    dataset: Annotated[str | None, Query(max_length=200)] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[Removal]:
    """What was taken out of a dataset, or of all, newest first."""
    last = place_in(after, int)
    found = [one for one in studio.datasets.removals(dataset) if last is None or one.number < last]
    more = len(found) > limit
    found = found[:limit]
    return Page(items=found, next=cursor(found[-1].number) if more else None)


@router.post("/removals/{number:int}/restore", dependencies=[needs("edit")])
def restore_removal(studio: StudioOf, number: int) -> Removal:
    """Put back what was taken out, each record with its number, reviews and versions."""
    return studio.datasets.restore(number)


@router.get("/datasets/{name:noun}/broken", dependencies=[needs("read")])
def broken_records(
    studio: StudioOf, name: str, limit: Limit = 50, after: After = None
) -> BrokenPage:
    """Records that break their format, among some thousands of the dataset: `next` goes on."""
    found = studio.records.broken(name, limit=limit, after=_place(after))
    return BrokenPage(items=found.items, looked=found.looked, next=_cursor(found.after))


@router.post("/datasets/{name:noun}/broken", responses=JOB, dependencies=[needs("edit")])
def clean_records(start: StartJob, studio: StudioOf, name: str, body: BrokenBody) -> Job:
    """Look at all records of a dataset for those that break their format; without `dry_run` they
    are taken out, and can be put back. Its result: `BrokenSum`."""
    studio.datasets.get(name)

    def work(studio: Studio, run: Run) -> BrokenSum:
        return studio.records.clean(name, apply=not body.dry_run, show=run.show)

    return start("broken", work)


def _place(after: str | None) -> Place | None:
    found = place_in(after, list)
    return None if found is None else tuple(found)


def _cursor(place: Place | None) -> str | None:
    return None if place is None else cursor(list(place))
