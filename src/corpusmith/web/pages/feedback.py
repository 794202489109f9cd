"""Training files from feedback: the form, and the work as it goes on.

Owns: routes. Does not own: the work and its options (`api/routes/feedback.py`), files
(`api/routes/jobs.py`). No task: no model is asked.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.responses import Response

from corpusmith.api.access import Asker, needs
from corpusmith.api.jobs import ENDED, JobsOf, StartJob
from corpusmith.api.routes import feedback as rest
from corpusmith.errors import UsageError
from corpusmith.feedback.samples import WRITERS
from corpusmith.web.form import Filled, Form, FormOf
from corpusmith.web.router import pages
from corpusmith.web.view import View, ViewOf

router = pages("/generate/feedback")

DRAFT = "generate-feedback"
MAPPED = ("id", "user_input", "model_response", "rating", "model_name")


@router.get("", dependencies=[needs("edit")])
def feedback_page(view: ViewOf) -> Response:
    """Where the ratings are, and what is to be made of them."""
    return _form(view, Filled(values={"min_rating": "4", "formats": list(WRITERS)}))


@router.post("", dependencies=[needs("edit")])
def start_feedback_by_page(view: ViewOf, start: StartJob, form: FormOf) -> Response:
    """Begin."""
    if not form.text("source"):
        filled = form.refused(UsageError("feedback_no_source"), view.language)
        problems = {"source": view.say("web.feedback.no_source")}
        return _form(view, replace(filled, problems=problems), status=422)
    try:
        body = form.checked(rest.FeedbackBody, **_given(form))
        job = rest.make_feedback(start, body)
    except UsageError as error:
        return _form(view, form.refused(error, view.language), status=422)
    return view.go(f"/generate/feedback/{job.id}", "", draft=DRAFT)


@router.get("/{job}", dependencies=[needs("edit")])
def feedback_job_page(view: ViewOf, jobs: JobsOf, asker: Asker, job: str) -> Response:
    """How far it is, and its files."""
    found = jobs.get(job, asker, view.language)
    return view.page("feedback/job.html", job=found, over=found.status in ENDED)


def _form(view: View, form: Filled, *, status: int = 200) -> Response:
    return view.page(
        "feedback/form.html",
        status=status,
        form=form,
        datasets=[one.name for one in view.studio.datasets.list()],
        uploads=view.studio.uploads.list(),
        formats=list(WRITERS),
        mapped=MAPPED,
    )


def _given(form: Form) -> dict[str, Any]:
    """What the form says of the source and the columns' names."""
    kind, _, name = form.text("source").partition(":")
    found = {one: form.text(f"map.{one}") for one in MAPPED}
    number = form.text("min_rating")
    return {
        "upload": f"upload:{name}" if kind == "upload" else None,
        "dataset": name if kind == "dataset" else None,
        "map": {ours: theirs for ours, theirs in found.items() if theirs},
        "min_rating": float(number) if number.replace(".", "", 1).isdecimal() else number,
    }
