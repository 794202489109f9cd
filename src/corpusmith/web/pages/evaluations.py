"""What judges found: scores by dimension and by model, beside people, and the lowest.

Owns: routes, and when the figures are worked out at once or by a job. Does not own: the figures
(`service/evaluations.py`, `service/evaluation_sides.py`), starting one (`generate.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, cast

from pydantic import Field
from pydantic_core import to_jsonable_python
from starlette.responses import Response

from corpusmith.api.access import Principal, needs
from corpusmith.api.asking import MOST_NUMBER
from corpusmith.api.jobs import ENDED, JobsOf, Run
from corpusmith.api.paths import url_of
from corpusmith.errors import NotFound
from corpusmith.service.evaluation_sides import sides_of
from corpusmith.service.studio import Studio
from corpusmith.service.task_lists import TaskFilter
from corpusmith.values import Json
from corpusmith.web.charts import Bar, Chart
from corpusmith.web.router import pages
from corpusmith.web.view import View, ViewOf

router = pages()

KIND = "evaluation"
TAKE = "scores"
AT_ONCE = 5000
"""Rows of which the page is made at once; more are a job."""
MOST_LISTED = 50
Number = Annotated[int, Field(ge=1, le=MOST_NUMBER)]


@router.get("/datasets/{name:noun}/evaluations", dependencies=[needs("read")])
def dataset_evaluations_page(view: ViewOf, name: str) -> Response:
    """The evaluations of its records, newest first."""
    view.studio.datasets.get(name)
    found = view.studio.evaluations.about(name, limit=MOST_LISTED)
    tasks = [view.studio.task_views.get(one) for one in found]
    return view.page("quality/evaluations.html", name=name, tasks=tasks, may=view.may("edit"))


@router.get("/evaluations", dependencies=[needs("read")])
def evaluations_page(view: ViewOf) -> Response:
    """All evaluations, newest first."""
    tasks = view.studio.task_views.list(TaskFilter(recipe="evaluate"), limit=MOST_LISTED)
    return view.page("quality/evaluations.html", name="", tasks=tasks, may=view.may("edit"))


@router.get("/evaluations/{number:int}", dependencies=[needs("read")])
def evaluation_page(view: ViewOf, jobs: JobsOf, number: Number, job: str = "") -> Response:
    """What it found so far."""
    view.studio.evaluations.refuse_other(number)
    task = view.studio.task_views.get(number)
    figures, running = None, None
    if job:
        running, figures = _worked_out(view, jobs, job, number)
    elif task.counts.accepted <= AT_ONCE:
        figures = to_jsonable_python(_figures(view.studio, number))
    of = str(view.studio.tasks.get(number).spec["recipe_spec"]["of"])
    return view.page(
        "quality/evaluation.html",
        task=task,
        of=of,
        dataset=of.partition(":")[2] if of.startswith("dataset:") else "",
        figures=figures,
        charts=_charts(view, figures["evaluation"]) if figures else [],
        job=running,
        over=running is None or running.status in ENDED,
        may=view.may("edit"),
    )


@router.post("/evaluations/{number:int}/figures", dependencies=[needs("read")])
def work_out_evaluation_by_page(view: ViewOf, jobs: JobsOf, number: Number) -> Response:
    """Work out the figures of many rows."""
    view.studio.evaluations.refuse_other(number)

    def work(studio: Studio, run: Run) -> dict[str, Any]:
        run.show(0)
        return {**_figures(studio, number), "task": number}

    return _on(view, number, jobs.start(KIND, work, studio=view.studio, by=_who(view)))


@router.post("/evaluations/{number:int}/take", dependencies=[needs("edit")])
def take_scores_by_page(view: ViewOf, jobs: JobsOf, number: Number) -> Response:
    """Give the records their scores."""
    view.studio.evaluations.refuse_other(number)

    def work(studio: Studio, run: Run) -> Json:
        return {"records": studio.reviews.take_scores(number), "task": number}

    job = jobs.start(TAKE, work, studio=view.studio, by=_who(view))
    found = jobs.get(job, _who(view), view.language, 2.0)
    if found.status == "done":
        path = url_of("evaluations", number)
        return view.go(path, "web.quality.scores_taken", n=found.result["records"])
    return _on(view, number, job)


def _who(view: View) -> Principal:
    return cast(Principal, view.who)


def _on(view: View, number: int, job: str) -> Response:
    return view.go(f"{url_of('evaluations', number)}?job={job}")


def _worked_out(view: View, jobs: JobsOf, job: str, number: int) -> tuple[Any, Any]:
    """The job, and its figures when they are there; of a job that is gone nothing."""
    try:
        found = jobs.get(job, _who(view), view.language)
    except NotFound:
        return None, None
    fits = found.status == "done" and found.kind == KIND and found.result["task"] == number
    return found, found.result if fits else None


def _figures(studio: Studio, number: int) -> dict[str, Any]:
    return {"evaluation": studio.evaluations.of(number), "sides": sides_of(studio, number)}


def _charts(view: View, found: Any) -> Sequence[Chart]:
    """The means by dimension, and how often each score was given."""
    if not found["scored"]:
        return []
    means = [
        Bar(name=one["label"] or one["name"], count=round(one["mean"], 2))
        for one in found["dimensions"]
        if one["mean"] is not None
    ]
    given = [
        Bar(name=str(score), count=count) for score, count in enumerate(found["distribution"], 1)
    ]
    say = view.say
    return [
        Chart(
            id="dimension",
            title=say("web.quality.mean_by_dimension"),
            head=say("web.tasks.dimension"),
            counts=say("web.quality.mean"),
            kind="rows",
            bars=means,
            others=say("web.datasets.others"),
        ),
        Chart(
            id="given",
            title=say("web.quality.given"),
            head=say("web.datasets.score"),
            counts=say("web.quality.times"),
            kind="columns",
            bars=given,
        ),
    ]
