"""Evaluations: what the judges of an evaluate task found. Starting one is a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query

from corpusmith.api.access import needs
from corpusmith.api.asking import After, Limit, Page, StudioOf, cursor, place_in
from corpusmith.api.jobs import JOB, Job, Run, StartJob
from corpusmith.api.limits import costly
from corpusmith.api.router import rest
from corpusmith.service.evaluation_sides import EvaluationSides, sides_of
from corpusmith.service.evaluations import Evaluation
from corpusmith.service.review_input import cursor as place_text
from corpusmith.service.studio import Studio
from corpusmith.service.task_views import TaskView
from corpusmith.values import Json

router = rest("/evaluations", tags=["evaluations"])


MOST = 200


@router.get("", dependencies=[needs("read")])
def list_evaluations(
    studio: StudioOf,
    dataset: Annotated[str, Query(min_length=1, max_length=200)],
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> Page[TaskView]:
    """Tasks that judge records of a dataset: those of the whole dataset first, each newest first.
    All evaluations: `GET /tasks?recipe=evaluate`."""
    found = studio.evaluations.about(dataset, limit=limit)
    return Page(items=[studio.task_views.get(one) for one in found])


@router.get("/{number:int}", dependencies=[needs("read")])
def get_evaluation(studio: StudioOf, number: int) -> Evaluation:
    """Scores by dimension, agreement of the judges, the lowest rows; of a running task so far."""
    return studio.evaluations.of(number)


@router.get("/{number:int}/scores", dependencies=[needs("read")])
def evaluation_scores(
    studio: StudioOf, number: int, limit: Limit = 50, after: After = None
) -> Page[Mapping[str, Any]]:
    """Each row's scores, in the order of the rows; `id` is a record's number where records were
    judged."""
    begin = place_in(after, str)
    rows, end = studio.evaluations.page(number, limit=limit, after=begin)
    return Page(items=rows, next=None if end is None else cursor(place_text(end)))


@router.get("/{number:int}/sides", dependencies=[needs("read"), costly()])
def evaluation_sides(studio: StudioOf, number: int) -> EvaluationSides | None:
    """Scores by the model that wrote the records, and beside what people say of them; null: rows of
    a file were judged, of which neither is known."""
    return sides_of(studio, number)


@router.post("/{number:int}/take", responses=JOB, dependencies=[needs("edit")])
def take_scores(start: StartJob, studio: StudioOf, number: int) -> Job:
    """Give the records that were judged their scores, in place of earlier ones. Its result:
    `{"records": how many have one now}`."""
    studio.evaluations.refuse_other(number)

    def work(studio: Studio, run: Run) -> Json:
        return {"records": studio.reviews.take_scores(number)}

    return start("scores", work)
