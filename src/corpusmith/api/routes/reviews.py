"""Review: what people say of records, queues, edits, undo, agreement.

The reviewer is always who asks: nobody reviews in another's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from pydantic import Field

from corpusmith.api.access import Asker, needs
from corpusmith.api.asking import MOST_NUMBER, Body, StudioOf
from corpusmith.api.jobs import JOB, Job, Run, StartJob
from corpusmith.api.router import rest
from corpusmith.api.selecting import Number, Where, WhereAsked, WhereQuery
from corpusmith.errors import UsageError
from corpusmith.service.review_agreement import JudgeAgreement, ReviewAgreement
from corpusmith.service.review_diff import VersionDiff
from corpusmith.service.review_input import MOST_NOTE, MOST_TAG, MOST_TAGS, cursor, reviewer_of
from corpusmith.service.studio import Studio
from corpusmith.store.review_values import (
    Changed,
    Event,
    Kind,
    QueuePage,
    QueueProgress,
    RecordVersion,
    Review,
    ReviewStatistics,
    Undone,
)
from corpusmith.values import Json, Record, ReviewState

router = rest("/reviews", tags=["reviews"])

Tag = Annotated[str, Field(min_length=1, max_length=MOST_TAG)]
Tags = Annotated[Sequence[Tag], Field(max_length=MOST_TAGS)]
Place = Annotated[str | None, Query(max_length=200, pattern=r"^[0-9.,]+$")]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]


def _reviewer(asker: Asker) -> str:
    """Their name. The one person of a server without users is who they are on the command line."""
    if asker.via != "local":
        return reviewer_of(asker.name)
    try:
        return reviewer_of()
    except UsageError as error:
        if error.reason != "review_no_reviewer":
            raise
        return asker.name


Reviewer = Annotated[str, Depends(_reviewer)]


class Said(Body):
    """What is said; null: that part stays as it is."""

    state: ReviewState | None = None
    rating: Literal[1, 2, 3, 4, 5, "none"] | None = Field(
        default=None, description="1 to 5; `none` takes it away."
    )
    note: str | None = Field(default=None, max_length=MOST_NOTE, examples=["语气太生硬"])
    add_tags: Tags = ()
    remove_tags: Tags = ()

    def said(self) -> dict[str, Any]:
        """As the service takes it."""
        return {name: getattr(self, name) for name in Said.model_fields}


class RecordReview(Said):
    """What one person says of one record."""

    version: Version | None = Field(
        default=None,
        description="The version that you looked at: 409 when somebody has edited it since.",
    )
    settled: bool = Field(
        default=False,
        description="Said in sight of the judge's score: its queue is done with the record.",
    )


class BulkReview(Said):
    """What is said of many records: of those of `ids`, or all that `where` finds."""

    ids: Annotated[Sequence[Number], Field(max_length=10_000)] | None = None
    where: Where | None = None
    expected: int | None = Field(
        default=None, ge=0, description="How many you saw: 409 when it is another number by now."
    )


class Edit(Body):
    """A record's new content."""

    content: Any
    version: Version | None = Field(
        default=None, description="The version that was edited: 409 when there is a newer one."
    )


class Restoring(Body):
    """Which version is to be the newest one again."""

    version: Version
    expected: Version | None = Field(default=None, description="The newest one that you saw.")


class Undoing(Body):
    """What is to be taken back."""

    action: Number | None = Field(default=None, description="It must be this one; null: the last.")


class QueueQuery(WhereAsked):
    """Which records are to be looked at."""

    kind: Kind = "all"
    percent: float | None = Field(
        default=None, gt=0, le=100, description="Of `sample`: how many of a hundred."
    )
    seed: int | None = Field(default=None, ge=0, le=MOST_NUMBER, description="Of `sample`.")
    limit: int = Field(default=20, ge=1, le=200)
    after: str | None = Field(default=None, max_length=200, description="Past the page before.")
    before: str | None = Field(default=None, max_length=200, description="Back from a page.")
    blind: bool = Field(
        default=True,
        description="Without what others say: `state` and `rating` are your own.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A record to be reviewed."""

    record: Record
    own: Review | None
    """What you said of it."""
    others: Sequence[Review] | None
    """null: they are not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """Records that you have not done yet."""

    items: Sequence[Look]
    after: str | None
    """`after` of the next page; null: there is none."""
    before: str | None
    """`before` of the page before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHistory:
    """Everything that happened to a record."""

    events: Sequence[Event]
    versions: Sequence[RecordVersion]
    reviews: Sequence[Review]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementView:
    """How far people agree with each other and with the judge."""

    reviewers: ReviewAgreement
    judge: JudgeAgreement


@dataclass(frozen=True, slots=True, kw_only=True)
class LastAction:
    """What `undo` would take back; null: nothing."""

    action: int | None


# ---------------------------------------------------------------- queues


@router.get("/queue", dependencies=[needs("review")])
def review_queue(
    studio: StudioOf, reviewer: Reviewer, query: Annotated[QueueQuery, Query()]
) -> QueueView:
    """The next records of a queue that you have not done, in a stable order.

    Kinds: `all`, `pending` (nobody decided), `sample`, `lowest` (scores), `disagreement` (people
    and the judge), `flagged` (by a check)."""
    page: QueuePage = studio.reviews.queue(
        _queue(studio, reviewer, query), limit=query.limit, after=query.after, before=query.before
    )
    return QueueView(
        items=_looks(studio, page.ids, reviewer, blind=query.blind),
        after=cursor(page.after),
        before=cursor(page.before),
    )


@router.get("/progress", dependencies=[needs("review")])
def review_progress(
    studio: StudioOf, reviewer: Reviewer, query: Annotated[QueueQuery, Query()]
) -> QueueProgress:
    """How far you are with a queue."""
    return studio.reviews.progress(_queue(studio, reviewer, query))


@router.get("/statistics", dependencies=[needs("read")])
def review_statistics(studio: StudioOf, where: WhereQuery) -> ReviewStatistics:
    """States, ratings and reviewers of a dataset or a task."""
    return studio.reviews.statistics(where.selection())


@router.get("/agreement", dependencies=[needs("read")])
def review_agreement(studio: StudioOf, where: WhereQuery) -> AgreementView:
    """How far the reviewers agree with each other, and people with the judge."""
    selection = where.selection()
    return AgreementView(
        reviewers=studio.reviews.agreement(selection), judge=studio.reviews.judge(selection)
    )


# ---------------------------------------------------------------- one record


@router.get("/records/{number:int}", dependencies=[needs("review")])
def look_at_record(
    studio: StudioOf, reviewer: Reviewer, number: int, blind: Annotated[bool, Query()] = True
) -> Look:
    """A record with your own review of it; without `blind` also with what others say."""
    studio.reviews.get(number)
    return _looks(studio, [number], reviewer, blind=blind)[0]


@router.post("/records/{number:int}", dependencies=[needs("review")])
def review_record(studio: StudioOf, reviewer: Reviewer, number: int, body: RecordReview) -> Look:
    """Approve, reject, rate, tag or comment on a record; what is not given stays."""
    studio.reviews.review(
        number,
        reviewer=reviewer,
        version=body.version,
        expected=body.version,
        settled=body.settled,
        **body.said(),
    )
    return _looks(studio, [number], reviewer, blind=True)[0]


@router.put("/records/{number:int}/content", dependencies=[needs("review")])
def edit_content(studio: StudioOf, reviewer: Reviewer, number: int, body: Edit) -> Record:
    """Save an edited content as the record's next version. It keeps the record's shape."""
    content: Json = body.content
    return studio.reviews.edit(number, content, reviewer=reviewer, version=body.version)


@router.get("/records/{number:int}/history", dependencies=[needs("review")])
def record_history(studio: StudioOf, number: int) -> RecordHistory:
    """Who did what to it, all its versions, and what everybody says of it."""
    return RecordHistory(
        versions=studio.reviews.versions(number),
        events=studio.reviews.history(number),
        reviews=studio.reviews.of(number),
    )


@router.get("/records/{number:int}/diff", dependencies=[needs("review")])
def version_diff(
    studio: StudioOf,
    number: int,
    old: Annotated[int, Query(ge=1, le=2**31 - 1)],
    new: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> VersionDiff:
    """What differs between two versions of its content; `new` none: the newest."""
    return studio.reviews.diff(number, old, new)


@router.post("/records/{number:int}/restore", dependencies=[needs("review")])
def restore_version(studio: StudioOf, reviewer: Reviewer, number: int, body: Restoring) -> Record:
    """Make an older version's content the newest one."""
    return studio.reviews.restore(number, body.version, reviewer=reviewer, expected=body.expected)


# ---------------------------------------------------------------- many, and taking back


@router.post("/apply", responses=JOB, dependencies=[needs("review")])
def review_many(start: StartJob, studio: StudioOf, reviewer: Reviewer, body: BulkReview) -> Job:
    """Say the same of many records, as one action that one undo takes back. Its result:
    `Changed`."""
    if (body.ids is None) == (body.where is None):
        raise UsageError("review_ids_or_where")
    selection = None if body.where is None else body.where.selection()
    total = studio.reviews.ready_to_apply(
        selection, ids=body.ids, expected=body.expected, **body.said()
    )

    def work(studio: Studio, run: Run) -> Changed:
        run.show(0, total)
        return studio.reviews.apply(
            selection, ids=body.ids, reviewer=reviewer, show=run.show, **body.said()
        )

    return start("review", work)


@router.get("/last", dependencies=[needs("review")])
def last_action(studio: StudioOf, reviewer: Reviewer) -> LastAction:
    """The number of your last action that can be taken back."""
    return LastAction(action=studio.reviews.last_action(reviewer=reviewer))


@router.post("/undo", dependencies=[needs("review")])
def undo_review(studio: StudioOf, reviewer: Reviewer, body: Undoing) -> Undone:
    """Take back your last action; again: the one before. 409 when `action` is not the last."""
    return studio.reviews.undo(reviewer=reviewer, action=body.action)


def _queue(studio: Studio, reviewer: str, query: QueueQuery) -> Any:
    return studio.reviews.queue_of(
        selection=query.selection(),
        reviewer=reviewer,
        kind=query.kind,
        percent=query.percent,
        seed=query.seed,
    )


def _looks(studio: Studio, ids: Sequence[int], reviewer: str, *, blind: bool) -> list[Look]:
    own = studio.reviews.look(ids, reviewer=reviewer)
    if blind:
        return [Look(record=one.record, own=one.review, others=None) for one in own]
    return [
        Look(
            record=studio.reviews.get(one.record.id),
            own=one.review,
            others=[said for said in studio.reviews.of(one.record.id) if said.reviewer != reviewer],
        )
        for one in own
    ]
