"""Review mode: one record after another, by keyboard alone.

Owns: routes, and what a card shows. Does not own: queues and what is said (`service/reviews.py`),
which key does what (`static/review.js`).
A page brings the next records with it, so that the next one is there at once; what is said goes to
the server behind the person's back, in order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, get_args

from fastapi import Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from corpusmith.api.access import needs
from corpusmith.api.asking import MOST_NUMBER
from corpusmith.api.errors import message_of, status_of
from corpusmith.api.routes.reviews import Reviewer
from corpusmith.errors import CorpusmithError, UsageError
from corpusmith.service.review_input import cursor
from corpusmith.store.review_values import Kind, Queue
from corpusmith.web.form import Filled, FormOf
from corpusmith.web.pages.records import say_of
from corpusmith.web.render import at
from corpusmith.web.router import pages
from corpusmith.web.selected import Chosen, chosen
from corpusmith.web.shown import shown
from corpusmith.web.view import View, ViewOf

router = pages("/review")

KINDS: tuple[Kind, ...] = get_args(Kind)
BATCH = 20
"""Records that a page brings with it."""
PERCENT = "10"

Number = Annotated[int, Field(ge=1, le=MOST_NUMBER)]
Place = Annotated[str | None, Query(max_length=200, pattern=r"^[0-9.,]+$")]
Wish = Annotated[int | None, Query(ge=1, le=MOST_NUMBER)]


@router.get("", dependencies=[needs("review")])
def review_page(
    request: Request, view: ViewOf, reviewer: Reviewer, record: Wish = None
) -> Response:
    """The queue that the address names; without one, a choice."""
    query = request.query_params
    dataset = query.get("dataset", "")
    if not dataset:
        return _start(view, Filled(values={"kind": "pending", "percent": PERCENT, "blind": "on"}))
    which = chosen(dataset, query)
    try:
        queue = _queue(view, which, query, reviewer)
    except UsageError as error:
        if error.reason in ("unknown_dataset", "not_found"):
            raise
        problems = {"percent": message_of(error, view.language)}
        return _start(view, Filled(values=dict(query), problems=problems), status=422)
    page = view.studio.reviews.queue(queue, limit=BATCH)
    ids = list(page.ids)
    if record is not None:
        ids = [record, *(one for one in ids if one != record)]
    kept = _kept(query)
    return view.page(
        "review/review.html",
        dataset=dataset,
        kind=queue.kind,
        blind=_blind(query),
        narrowed=which.narrowed,
        cards=_cards(view, ids, reviewer, blind=_blind(query)),
        following=_next(kept, cursor(page.after)),
        progress=view.studio.reviews.progress(queue),
        kept=kept,
        here_path=at("/review", kept),
    )


@router.get("/part", dependencies=[needs("review")])
def review_part(
    request: Request,
    view: ViewOf,
    reviewer: Reviewer,
    after: Place = None,
    record: Wish = None,
) -> Response:
    """The cards that follow, or one of a record."""
    query = request.query_params
    kept, blind = _kept(query), _blind(query)
    if record is not None:
        cards = _cards(view, [record], reviewer, blind=blind)
        return view.part("review/cards.html", cards=cards, following="", kept=kept, blind=blind)
    which = chosen(query.get("dataset", ""), query)
    queue = _queue(view, which, query, reviewer)
    page = view.studio.reviews.queue(queue, limit=BATCH, after=after)
    return view.part(
        "review/cards.html",
        cards=_cards(view, page.ids, reviewer, blind=blind),
        following=_next(kept, cursor(page.after)),
        kept=kept,
        blind=blind,
    )


@router.post("/{number:int}/say", dependencies=[needs("review")])
def say_in_review(
    request: Request, view: ViewOf, number: Number, form: FormOf, reviewer: Reviewer
) -> Response:
    """Say something of a record; answers with its card as it is now, or with why not."""
    query = request.query_params
    try:
        say_of(view.studio, number, form, reviewer)
    except UsageError as error:
        return _fault(view, error)
    cards = _cards(view, [number], reviewer, blind=_blind(query))
    return view.part(
        "review/cards.html", cards=cards, following="", kept=_kept(query), blind=_blind(query)
    )


@router.post("/-/undo", dependencies=[needs("review")])
def undo_in_review(view: ViewOf, reviewer: Reviewer) -> Response:
    """Take back what the person did last; answers with the record that it was about."""
    try:
        done = view.studio.reviews.undo(reviewer=reviewer)
    except UsageError as error:
        return _fault(view, error)
    text = view.say("web.reviewing.undone", n=done.undone)
    return JSONResponse({"record": done.first, "message": text, "many": done.undone > 1})


def _fault(view: View, error: CorpusmithError) -> Response:
    body = {"code": error.reason, "message": message_of(error, view.language)}
    return JSONResponse(body, status_of(error))


# ---------------------------------------------------------------- values


def _start(view: View, form: Filled, status: int = 200) -> Response:
    names = [one.name for one in view.studio.datasets.list()]
    counts = view.studio.datasets.counts(names)
    full = [one for one in names if counts.get(one)]
    return view.page(
        "review/start.html",
        status=status,
        form=form,
        datasets=[
            (one, view.say("web.reviewing.dataset_option", name=one, n=counts[one])) for one in full
        ],
        kinds=[(one, view.say(f"web.reviewing.kind.{one}")) for one in KINDS],
    )


def _queue(view: View, which: Chosen, query: Mapping[str, str], reviewer: str) -> Queue:
    kind = query.get("kind") or "pending"
    if kind not in KINDS:
        kind = "pending"
    percent, seed = query.get("percent", ""), query.get("seed", "")
    return view.studio.reviews.queue_of(
        selection=which.selection,
        reviewer=reviewer,
        kind=kind,
        percent=_percent(percent) if kind == "sample" else None,
        seed=int(seed) if seed.isdecimal() and len(seed) < 15 else None,
    )


def _percent(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError("review_percent", value=text[:20]) from None


def _blind(query: Mapping[str, str]) -> bool:
    # Whom a judge's score is to be settled with must see it.
    return query.get("blind") != "off" and query.get("kind") != "disagreement"


def _kept(query: Mapping[str, str]) -> dict[str, str]:
    """The queue's own part of an address."""
    return {name: one for name, one in query.items() if name not in ("record", "after") and one}


def _next(kept: Mapping[str, str], after: str | None) -> str:
    return at("/review/part", kept, after=after) if after else ""


def _cards(view: View, ids: Sequence[int], reviewer: str, *, blind: bool) -> list[dict[str, Any]]:
    made = []
    settles = view.request.query_params.get("kind") == "disagreement"
    for one in view.studio.reviews.look(ids, reviewer=reviewer):
        said = [] if blind else view.studio.reviews.of(one.record.id)
        made.append(
            {
                "record": one.record,
                "body": shown(one.record.content),
                "own": one.review,
                "others": [other for other in said if other.reviewer != reviewer],
                # What is asked again counts as done once it was said in sight of the score.
                "done": one.review is not None and (blind or not settles or one.review.settled),
            }
        )
    return made
