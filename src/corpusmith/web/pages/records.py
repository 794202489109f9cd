"""Records: one record with where it came from, what people say of it and its versions; what is
done to many, and its way back.

Owns: routes and what their forms are taken for. Does not own: the table (`datasets.py`), review
mode (`review.py`), which records fit (`web/selected.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, cast, get_args

from fastapi import Query, Request
from pydantic import Field
from starlette.responses import Response

from corpusmith.api.access import Principal, needs
from corpusmith.api.asking import MOST_NUMBER
from corpusmith.api.cookies import own_path
from corpusmith.api.errors import message_of
from corpusmith.api.jobs import Job, JobsOf, Run
from corpusmith.api.paths import url_of
from corpusmith.api.routes.reviews import Reviewer
from corpusmith.errors import Conflict, CorpusmithError, NotFound, UsageError
from corpusmith.service.records import BulkAction, BulkResult, RecordDetail
from corpusmith.service.studio import Studio
from corpusmith.values import Record
from corpusmith.web.form import Form, FormOf
from corpusmith.web.pages.datasets import Undo
from corpusmith.web.render import at
from corpusmith.web.router import pages
from corpusmith.web.selected import FILTERS, back_to, chosen
from corpusmith.web.shown import editable, edited, shown
from corpusmith.web.view import View, ViewOf

router = pages("/records")

ACTIONS: tuple[BulkAction, ...] = get_args(BulkAction)
WAIT_S = 2.0
"""So long a page waits for a job before it shows how far it is."""
MOST_CALLS = 20

Number = Annotated[int, Field(ge=1, le=MOST_NUMBER)]
Version = Annotated[int | None, Query(ge=1, le=2**31 - 1)]


# ---------------------------------------------------------------- many at once


@router.post("/-/bulk", dependencies=[needs("edit")])
def bulk_records_by_page(view: ViewOf, form: FormOf, jobs: JobsOf, reviewer: Reviewer) -> Response:
    """Do it to the chosen ones, or to all that fit the filters."""
    back = back_to(form.text("back") or "/datasets", undo="")
    action = form.text("action")
    tags = [one for one in _tags(form.text("tags")) if one]
    if action not in ACTIONS or (action in ("tag", "untag") and not tags):
        return view.go(back, "web.records.no_tags", tone="warn")
    tags = tags if action in ("tag", "untag") else []
    try:
        ids = _chosen(view.studio, form)
    except Conflict as error:
        return view.go(
            back, "web.records.refused", tone="warn", why=message_of(error, view.language)
        )
    if not ids:
        return view.go(back, "web.records.none_chosen", tone="warn")

    def work(studio: Studio, run: Run) -> BulkResult:
        run.show(0, len(ids))
        return studio.records.bulk(action, ids, tags=tags, reviewer=reviewer, show=run.show)

    who = cast(Principal, view.who)
    number = jobs.start("records", work, studio=view.studio, by=who)
    job = jobs.get(number, who, view.language, WAIT_S)
    if job.ended_at is not None:
        return _told(view, job, back)
    return view.go(at(url_of("records", "-", "jobs", number), {}, back=back))


@router.get("/-/jobs/{job_id}", dependencies=[needs("edit")])
def bulk_job_page(view: ViewOf, jobs: JobsOf, job_id: str, back: str = "/datasets") -> Response:
    """How far it is; when it has ended, back to the list."""
    job = jobs.get(job_id, cast(Principal, view.who), view.language)
    if job.ended_at is not None:
        return _told(view, job, back_to(back))
    return view.page("records/job.html", job=job, back=own_path(back))


@router.post("/-/jobs/{job_id}/stop", dependencies=[needs("edit")])
def stop_bulk_by_page(view: ViewOf, jobs: JobsOf, job_id: str, form: FormOf) -> Response:
    """Stop between two portions; what was done stays done."""
    jobs.cancel(job_id, cast(Principal, view.who))
    back = own_path(form.text("back") or "/datasets")
    return view.go(at(url_of("records", "-", "jobs", job_id), {}, back=back))


def _chosen(studio: Studio, form: Form) -> list[int]:
    if form.text("all_matching"):
        given = {name: form.text(name) for name in FILTERS}
        which = chosen(form.text("dataset"), given)
        if which.ignored:
            return []
        expected = form.text("expected")
        number = int(expected) if expected.isdecimal() and len(expected) < 16 else None
        return studio.records.chosen(which.selection, None, expected=number)
    ids = [int(one) for one in form.texts("ids") if one.isdecimal() and len(one) < 16]
    return studio.records.chosen(None, ids)


def _tags(text: str) -> list[str]:
    return [one.strip() for one in text.replace("，", ",").split(",")]


def _told(view: View, job: Job, back: str) -> Response:
    """Back to the list, which says what became of them and how to take it back."""
    if job.status == "cancelled":
        return view.go(back, "web.records.stopped", tone="warn")
    if job.error is not None:
        return view.go(back, "web.records.refused", tone="bad", why=job.error.message)
    done: Mapping[str, Any] = job.result
    rest = {name: done[name] for name in ("unchanged", "gone", "left_out")}
    key = "web.records.done_partly" if any(rest.values()) else f"web.records.done.{done['action']}"
    undo = [f"r{one['number']}" for one in done["removals"]]
    undo += [f"a{done['action_id']}"] if done["action_id"] else []
    return view.go(back_to(back, undo=".".join(undo)), key, n=done["changed"], **rest)


@router.post("/-/undo", dependencies=[needs("review")])
def undo_records_by_page(view: ViewOf, form: FormOf, reviewer: Reviewer) -> Response:
    """Take back what was done last."""
    back = back_to(form.text("back") or "/datasets", undo="")
    taken = 0
    try:
        for one in form.text("undo").split("."):
            taken += _undone(view, one, reviewer)
    except CorpusmithError as error:
        why = message_of(error, view.language)
        return view.go(back, "web.records.refused", tone="warn", why=why)
    return view.go(back, "web.records.undone", n=taken)


def _undone(view: View, one: str, reviewer: str) -> int:
    number = int(one[1:]) if one[1:].isdecimal() and len(one) < 20 else 0
    if one[:1] == "r" and view.may("edit"):
        return view.studio.datasets.restore(number).count
    return view.studio.reviews.undo(reviewer=reviewer, action=number).undone


# ---------------------------------------------------------------- one record


@router.get("/{number:int}", dependencies=[needs("read")])
def record_page(
    request: Request,
    view: ViewOf,
    number: Number,
    reviewer: Reviewer,
    dataset: Annotated[str, Query(max_length=200)] = "",
    old: Version = None,
    new: Version = None,
    undo: Undo = "",
) -> Response:
    """What it says, where it came from, and the ones beside it in its list."""
    detail, asked = _detail(view.studio, number, dataset, request.query_params)
    diff = None
    if old is not None:
        diff = view.studio.reviews.diff(number, old, new)
    calls = view.studio.calls.of_record(number)
    return view.page(
        "records/record.html",
        detail=detail,
        record=detail.record,
        body=shown(detail.record.content),
        asked=asked,
        diff=diff,
        calls=calls[:MOST_CALLS],
        more_calls=max(0, len(calls) - MOST_CALLS),
        tokens=sum(one.call.prompt_tokens + one.call.completion_tokens for one in calls),
        cost=_cost(calls),
        mine=next((one for one in detail.reviews if one.reviewer == reviewer), None),
        undo=undo,
        may=view.may("review"),
    )


def _detail(
    studio: Studio, number: int, dataset: str, given: Mapping[str, str]
) -> tuple[RecordDetail, dict[str, str]]:
    """The record; with its neighbours where the address names a list that it is of."""
    if not dataset:
        return studio.records.get(number), {}
    which = chosen(dataset, given)
    asked = {**which.query, "dataset": dataset}
    try:
        return studio.records.get(number, which.selection, order=which.order), asked
    except NotFound:
        # The list may be gone while the record is still there, or the other way round.
        return studio.records.get(number), {}


def _cost(calls: Any) -> float | None:
    costs = [one.call.cost_usd for one in calls]
    return None if not costs or None in costs else sum(costs)


@router.post("/{number:int}/say", dependencies=[needs("review")])
def review_record_by_page(
    view: ViewOf, number: Number, form: FormOf, reviewer: Reviewer
) -> Response:
    """Say something of it: a verdict, a rating, tags, a comment."""
    back = back_to(form.text("back") or url_of("records", number), undo="")
    try:
        say_of(view.studio, number, form, reviewer)
    except UsageError as error:
        why = message_of(error, view.language)
        return view.go(back, "web.records.refused", tone="warn", why=why)
    action = view.studio.reviews.last_action(reviewer=reviewer)
    undo = f"a{action}" if action else ""
    return view.go(back_to(back, undo=undo), "web.records.said", draft=f"note-{number}")


def say_of(studio: Studio, number: int, form: Form, reviewer: str) -> None:
    """What a form says of a record: only the fields that it has. Raises UsageError, NotFound,
    Conflict when it was edited since."""
    version = form.text("version")
    seen = int(version) if version.isdecimal() and len(version) < 10 else None
    said: dict[str, Any] = {}
    if form.text("state"):
        said["state"] = form.text("state")
    if form.text("rating"):
        said["rating"] = form.text("rating")
    # An empty comment says something only where there was one.
    if form.text("note") or form.text("had_note"):
        said["note"] = form.text("note").replace("\r\n", "\n")
    if "tags" in form.data:
        tags = dict.fromkeys(one for one in _tags(form.text("tags")) if one)
        before = dict.fromkeys(one for one in _tags(form.text("tags_before")) if one)
        said["add_tags"] = [one for one in tags if one not in before]
        said["remove_tags"] = [one for one in before if one not in tags]
    studio.reviews.review(
        number,
        reviewer=reviewer,
        version=seen,
        expected=seen,
        settled=bool(form.text("settled")),
        **said,
    )


@router.get("/{number:int}/edit", dependencies=[needs("review")])
def edit_record_page(request: Request, view: ViewOf, number: Number, back: str = "") -> Response:
    """Its texts, to change."""
    own = at(url_of("records", number), dict(request.query_params))
    record = view.studio.reviews.get(number)
    return view.page(
        "records/edit.html",
        record=record,
        texts=editable(record.content),
        version=record.version,
        problem="",
        newer=False,
        back=own_path(back) if back else own,
    )


@router.post("/{number:int}/edit", dependencies=[needs("review")])
def edit_record_by_page(view: ViewOf, number: Number, form: FormOf, reviewer: Reviewer) -> Response:
    """Save it as the next version; when somebody was quicker, nothing typed is lost."""
    back = back_to(form.text("back") or url_of("records", number), undo="")
    record = view.studio.reviews.get(number)
    version = form.text("version")
    seen = int(version) if version.isdecimal() and len(version) < 10 else 0
    try:
        content = edited(_seen(view.studio, record, seen), form)
        view.studio.reviews.edit(number, content, reviewer=reviewer, version=seen)
    except UsageError as error:
        newer = record.version != seen
        return view.page(
            "records/edit.html",
            status=409 if newer else 422,
            record=record,
            texts=editable(record.content, form),
            version=record.version if newer else seen,
            problem=message_of(error, view.language),
            newer=newer,
            back=back,
        )
    draft = f"edit-{number}-{seen}"
    return view.go(back, "web.records.edit_saved", draft=draft)


def _seen(studio: Studio, record: Record, version: int) -> Any:
    """The content that the form was made of; of a version that there is not, what is there now."""
    known = {one.version: one.content for one in studio.reviews.versions(record.id)}
    return known.get(version, record.content)


@router.post("/{number:int}/restore", dependencies=[needs("review")])
def restore_record_by_page(
    view: ViewOf, number: Number, form: FormOf, reviewer: Reviewer
) -> Response:
    """Make an older version the newest one again."""
    back = back_to(form.text("back") or url_of("records", number), undo="", old="", new="")
    numbers = {name: form.text(name) for name in ("version", "expected")}
    if not all(one.isdecimal() and len(one) < 10 for one in numbers.values()):
        return view.go(back)
    try:
        view.studio.reviews.restore(
            number,
            int(numbers["version"]),
            reviewer=reviewer,
            expected=int(numbers["expected"]),
        )
    except Conflict as error:
        why = message_of(error, view.language)
        return view.go(back, "web.records.refused", tone="warn", why=why)
    return view.go(back, "web.records.restored", n=int(numbers["version"]))
