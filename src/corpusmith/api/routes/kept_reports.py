"""Reports of a dataset that are kept: what was said then can be read again."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Response

from corpusmith.api.access import needs
from corpusmith.api.asking import Page, StudioOf
from corpusmith.api.downloads import disposition
from corpusmith.api.jobs import JOB, Job, Run, StartJob
from corpusmith.api.limits import costly
from corpusmith.api.router import rest
from corpusmith.api.routes.jobs import TYPES
from corpusmith.api.routes.reports import Seed
from corpusmith.api.selecting import Only
from corpusmith.service.kept_reports import KeptReport
from corpusmith.service.reports import Form
from corpusmith.service.studio import Studio

router = rest("/datasets/{name:noun}/reports", tags=["reports"])

FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {TYPES[f".{form}"]: {} for form in ("json", "html", "md")},
        "description": "The report.",
    }
}


class KeptBody(Only):
    """Which records of the dataset the report is about."""

    seed: Seed = 0


@router.get("", dependencies=[needs("read")])
def list_kept_reports(studio: StudioOf, name: str) -> Page[KeptReport]:
    """Those that are kept, the newest first: twenty at most."""
    found = studio.kept_reports.list(name)
    return Page(items=found, total=len(found))


@router.post("", responses=JOB, dependencies=[needs("read"), costly()])
def keep_report(start: StartJob, studio: StudioOf, name: str, body: KeptBody) -> Job:
    """Make a report and keep it; of more than twenty the oldest goes. Its result: `KeptReport`."""
    studio.datasets.get(name)
    only = body.only()

    def work(studio: Studio, run: Run) -> KeptReport:
        return studio.kept_reports.make(name, only=only, seed=body.seed, show=run.show)

    return start("keep_report", work)


@router.get("/{kept}", dependencies=[needs("read")], response_class=Response, responses=FILE)
def get_kept_report(
    studio: StudioOf,
    name: str,
    kept: str,
    form: Annotated[Form, Query(description="`json`: all figures; the others: to be read.")] = (
        "json"
    ),
) -> Response:
    """A report as a file, in the language of the request."""
    report = studio.kept_reports.get(name, kept)
    body = studio.reports.text(report, form, studio.language)
    headers = {"Content-Disposition": disposition(f"{name}-{kept[:8]}.{form}")}
    return Response(body, media_type=TYPES[f".{form}"], headers=headers)


@router.delete("/{kept}", status_code=204, dependencies=[needs("edit")])
def delete_kept_report(studio: StudioOf, name: str, kept: str) -> None:
    """Forget a report."""
    studio.kept_reports.delete(name, kept)
