"""Reports: what a dataset or a task's records are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from corpusmith.api.access import needs
from corpusmith.api.asking import MOST_NUMBER, StudioOf
from corpusmith.api.jobs import JOB, Job, Run, StartJob
from corpusmith.api.router import rest
from corpusmith.api.selecting import Where
from corpusmith.service.reports import Form
from corpusmith.service.studio import Studio
from corpusmith.values import Json, Selection

router = rest("/reports", tags=["reports"])

FILES: Mapping[str, Form] = {"report.html": "html", "report.json": "json", "report.md": "md"}
Seed = Annotated[int, Field(ge=0, le=MOST_NUMBER, description="What samples are drawn with.")]


class ReportBody(Where):
    """What the report is about."""

    seed: Seed = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """What stands out."""

    code: str
    weight: str
    """`bad`, `note` or `good`."""
    text: str
    data: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportResult:
    """The report in short; whole in the job's files `report.json`, `report.html`, `report.md`."""

    name: str
    records: int
    simulated: int
    flagged: int
    findings: Sequence[FindingLine]


@router.post("", responses=JOB, dependencies=[needs("read")])
def make_report(start: StartJob, studio: StudioOf, body: ReportBody) -> Job:
    """Make a report in one pass over the records. Its result: `ReportResult`; the files: `GET
    /jobs/{id}/files/report.html` (also `.json`, `.md`)."""
    selection = body.selection()
    studio.reviews.count(selection)

    def work(studio: Studio, run: Run) -> ReportResult:
        return _made(studio, run, body, selection)

    return start("report", work)


def _made(studio: Studio, run: Run, body: ReportBody, selection: Selection) -> ReportResult:
    from corpusmith.reports.words import Words

    made = studio.reports.of(
        dataset=selection.dataset,
        task=selection.task_id,
        only=body.only(),
        seed=body.seed,
        show=run.show,
    )
    for name, form in FILES.items():
        (run.folder() / name).write_bytes(studio.reports.text(made, form))
    words = Words(studio.language)
    return ReportResult(
        name=made.name,
        records=made.records,
        simulated=made.simulated,
        flagged=made.flagged,
        findings=[
            FindingLine(
                code=one.code, weight=one.weight, text=words.told(one.code, one.data), data=one.data
            )
            for one in made.findings
        ],
    )
