"""Imports: an upload's rows as records of a dataset, looked at first, and taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from corpusmith.api.access import needs
from corpusmith.api.asking import MOST_NUMBER, Body, StudioOf
from corpusmith.api.jobs import JOB, Job, Run, StartJob
from corpusmith.api.limits import costly
from corpusmith.api.router import rest
from corpusmith.api.routes.checks_runs import Upload
from corpusmith.api.selecting import Name
from corpusmith.messages import catalog, say
from corpusmith.readers.shapes import Detected
from corpusmith.service.import_ratings import RowsRated
from corpusmith.service.import_rows import Refused
from corpusmith.service.studio import Studio
from corpusmith.values import Json, Language

router = rest("/imports", tags=["imports"])

LOOKED_AT = 2_000


class ImportLook(Body):
    """What is to be looked at."""

    upload: Upload
    dataset: Name | None = Field(default=None, description="To tell what is there already.")
    format: Name = Field(default="auto", description="`auto`, or the shape of the rows.")
    map: Annotated[Mapping[Name, Name], Field(max_length=100)] = Field(
        default_factory=dict,
        description="Our field → the file's.",
        examples=[{"instruction": "问题"}],
    )
    limit: int = Field(default=LOOKED_AT, ge=1, le=100_000, description="Rows that are looked at.")
    first: int = Field(default=3, ge=0, le=50, description="Rows that are shown.")


class ImportBody(Body):
    """What is to be imported."""

    upload: Upload
    dataset: Name = Field(description="Made if it is not there.", examples=["客服对话"])
    format: Name = "auto"
    map: Annotated[Mapping[Name, Name], Field(max_length=100)] = Field(default_factory=dict)
    limit: int | None = Field(default=None, ge=1, le=MOST_NUMBER)
    skip_duplicates: bool = False
    name: Name | None = Field(default=None, description="Of the task that stands for it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A row that is not imported."""

    line: int
    reason: str
    text: str
    """The reason in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPreviewView:
    """What an import would do with the rows that were looked at."""

    detected: Detected
    columns: Sequence[str]
    """The file's own fields."""
    rows: int
    whole: bool
    """Whether these are all rows of the file."""
    refused: int
    refusals: Sequence[RefusedRow]
    already_there: int | None
    first: Sequence[Json]
    """As they would be stored."""
    ratings: RowsRated


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What an import did. read == imported + refused + skipped."""

    task: int
    dataset: str
    detected: Detected
    read: int
    imported: int
    refused: int
    refusals: Sequence[RefusedRow]
    """The first of them; `GET /tasks/{task}/misses` has all."""
    already_there: int
    skipped: int
    ratings: RowsRated


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoneImport:
    """How many records an import had made."""

    task: int
    records: int


@router.post("/preview", dependencies=[needs("edit"), costly()])
def preview_import(studio: StudioOf, body: ImportLook) -> ImportPreviewView:
    """The shape of an upload's rows, the first ones as they would be stored, and what is refused
    and why. Nothing is stored."""
    found = studio.imports.preview(
        body.upload,
        body.dataset,
        format=body.format,
        map=body.map,
        limit=body.limit,
        first=body.first,
    )
    return ImportPreviewView(
        detected=found.detected,
        columns=found.columns,
        rows=found.rows,
        whole=found.rows < body.limit,
        refused=found.refused,
        refusals=_refusals(found.refusals, studio.language),
        already_there=found.already_there,
        first=found.first,
        ratings=found.ratings,
    )


@router.post("", responses=JOB, dependencies=[needs("edit"), costly()])
def import_upload(start: StartJob, body: ImportBody) -> Job:
    """Import all rows of an upload, or none of them. Its result: `ImportResult`."""

    def work(studio: Studio, run: Run) -> ImportResult:
        return _imported(studio, run, body)

    return start("import", work)


@router.post("/{number:int}/undo", responses=JOB, dependencies=[needs("edit")])
def undo_import(start: StartJob, studio: StudioOf, number: int) -> Job:
    """Take an import or a sample back: its records and its task. Its result: `UndoneImport`."""
    studio.tasks.get(number)

    def work(studio: Studio, run: Run) -> UndoneImport:
        return UndoneImport(task=number, records=studio.imports.undo(number))

    return start("undo_import", work)


def _imported(studio: Studio, run: Run, body: ImportBody) -> ImportResult:
    done = studio.imports.run(
        body.upload,
        body.dataset,
        format=body.format,
        map=body.map,
        limit=body.limit,
        skip_duplicates=body.skip_duplicates,
        name=body.name,
        show=lambda rows: run.show(rows, None, "rows"),
    )
    return ImportResult(
        task=done.task_id,
        dataset=done.dataset,
        detected=done.detected,
        read=done.read,
        imported=done.imported,
        refused=done.refused,
        refusals=_refusals(done.refusals, studio.language),
        already_there=done.already_there,
        skipped=done.skipped,
        ratings=done.ratings,
    )


def _refusals(refused: Sequence[Refused], language: Language) -> list[RefusedRow]:
    return [
        RefusedRow(line=one.line, reason=one.reason, text=_why(one, language)) for one in refused
    ]


def _why(one: Refused, language: Language) -> str:
    key = f"reason.{one.reason}"
    return say(key, language, **one.detail) if key in catalog(language) else one.reason
