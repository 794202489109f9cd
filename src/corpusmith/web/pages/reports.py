"""Reports of a dataset: making one as a job, reading it, an old one, its files.

Owns: routes, and how the report's own page is shown inside a page of ours. Does not own: what a
report says and looks like (`reports/`), keeping it (`service/kept_reports.py`).
A report is a document of its own, with a style sheet of its own: it stands in a frame, which the
policy of that page alone allows, and nothing in it can run.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import cast, get_args

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from corpusmith.api.access import Principal, needs
from corpusmith.api.downloads import disposition
from corpusmith.api.guard import policy
from corpusmith.api.jobs import ENDED, JobsOf, Run
from corpusmith.api.limits import costly
from corpusmith.api.paths import url_of
from corpusmith.api.routes.jobs import TYPES
from corpusmith.errors import NotFound
from corpusmith.service.reports import FORMS
from corpusmith.service.studio import Studio
from corpusmith.values import Json, ReviewState, Selection
from corpusmith.web.form import FormOf
from corpusmith.web.router import pages
from corpusmith.web.view import ViewOf

router = pages("/datasets")

KIND = "kept_report"
WAIT_S = 2.0
STATES: tuple[ReviewState, ...] = get_args(ReviewState)
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_DARK = "screen and (prefers-color-scheme: dark)"
_INSTEAD = {"dark": "screen", "light": "not all"}
"""Theme → when the report's dark colours hold; of any other the system says it."""


@router.get("/{name:noun}/reports", dependencies=[needs("read")])
def reports_page(view: ViewOf, name: str) -> Response:
    """Those that were made, and making another."""
    view.studio.datasets.get(name)
    return view.page(
        "quality/reports.html",
        name=name,
        kept=view.studio.kept_reports.list(name),
        total=view.studio.datasets.counts([name]).get(name, 0),
        may=view.may("edit"),
    )


@router.post("/{name:noun}/reports", dependencies=[needs("read"), costly()])
def make_report_by_page(view: ViewOf, jobs: JobsOf, name: str, form: FormOf) -> Response:
    """Make one, of all records or of those in a state."""
    view.studio.datasets.get(name)
    state = form.text("state")
    only = Selection(state=state) if state in STATES else None

    def work(studio: Studio, run: Run) -> dict[str, Json]:
        return {"report": studio.kept_reports.make(name, only=only, show=run.show).id}

    who = cast(Principal, view.who)
    number = jobs.start(KIND, work, studio=view.studio, by=who)
    jobs.get(number, who, view.language, WAIT_S)
    return view.go(url_of("datasets", name, "reports", "-", "jobs", number))


@router.get("/{name:noun}/reports/-/jobs/{job}", dependencies=[needs("read")])
def report_job_page(view: ViewOf, jobs: JobsOf, name: str, job: str) -> Response:
    """How far it is; when it is made, on to it."""
    try:
        found = jobs.get(job, cast(Principal, view.who), view.language)
    except NotFound:
        return view.go(_list(name), "web.quality.forgotten", tone="warn")
    if found.status == "done" and found.kind == KIND:
        return view.go(url_of("datasets", name, "reports", found.result["report"]))
    return view.page("quality/report_job.html", name=name, job=found, over=found.status in ENDED)


@router.post("/{name:noun}/reports/-/jobs/{job}/stop", dependencies=[needs("read")])
def stop_report_by_page(view: ViewOf, jobs: JobsOf, name: str, job: str) -> Response:
    """Stop; nothing is kept of it."""
    jobs.cancel(job, cast(Principal, view.who))
    return view.go(url_of("datasets", name, "reports", "-", "jobs", job))


@router.get("/{name:noun}/reports/{kept}", dependencies=[needs("read")])
def report_page(view: ViewOf, name: str, kept: str) -> Response:
    """A report in the studio, with its files."""
    report = view.studio.kept_reports.get(name, kept)
    answer = view.page(
        "quality/report.html",
        name=name,
        kept=kept,
        report=report,
        forms=FORMS,
        may=view.may("edit"),
    )
    nonce = view.request.scope.get("state", {}).get("nonce", "")
    answer.headers["Content-Security-Policy"] = policy(nonce) + "; frame-src 'self'"
    return answer


@router.get("/{name:noun}/reports/{kept}/page", dependencies=[needs("read")])
def report_document(view: ViewOf, name: str, kept: str, theme: str = "") -> Response:
    """The report itself, for the frame: its own style sheet and nothing else."""
    report = view.studio.kept_reports.get(name, kept)
    body = view.studio.reports.page(report, view.language)
    body = body.replace(_DARK, _INSTEAD.get(theme, _DARK), 1)
    found = _STYLE.search(body)
    digest = hashlib.sha256((found[1] if found else "").encode()).digest()
    style = base64.b64encode(digest).decode()
    answer = HTMLResponse(body.encode("utf-8", "replace"))
    answer.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'sha256-{style}'; img-src data:; "
        "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
    )
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer


@router.get("/{name:noun}/reports/{kept}/file/{form}", dependencies=[needs("read")])
def report_file(view: ViewOf, name: str, kept: str, form: str) -> Response:
    """The report as a file."""
    report = view.studio.kept_reports.get(name, kept)
    if form not in FORMS:
        raise HTTPException(404)
    body = view.studio.reports.text(report, form, view.language)
    headers = {"Content-Disposition": disposition(f"{name}-{kept[:8]}.{form}")}
    return Response(body, media_type=TYPES[f".{form}"], headers=headers)


@router.post("/{name:noun}/reports/{kept}/delete", dependencies=[needs("edit")])
def delete_report_by_page(view: ViewOf, name: str, kept: str) -> Response:
    """Forget it."""
    view.studio.kept_reports.delete(name, kept)
    return view.go(_list(name), "web.quality.report_deleted")


def _list(name: str) -> str:
    return url_of("datasets", name, "reports")
