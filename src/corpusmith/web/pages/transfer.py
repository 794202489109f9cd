"""Data into and out of datasets: import of a file with a look at it first, export with a look at
what a trainer will get.

Owns: routes. Does not own: what an address asks for (`web/exporting.py`, `web/importing.py`), the
work (`service/imports.py`, `service/exports.py`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, BinaryIO, cast

from fastapi import Request
from starlette.datastructures import FormData
from starlette.responses import Response

from corpusmith.api.access import Asker, needs
from corpusmith.api.cookies import own_path
from corpusmith.api.downloads import Streamed
from corpusmith.api.errors import fault_of
from corpusmith.api.jobs import ENDED, Job, JobsOf, StartJob
from corpusmith.api.limits import costly
from corpusmith.api.paths import url_of
from corpusmith.api.routes import exports as rest_exports
from corpusmith.api.routes import imports as rest
from corpusmith.api.routes.tasks import Number
from corpusmith.errors import CorpusmithError, NotFound, UsageError
from corpusmith.exports.table import no_formula
from corpusmith.service.export_rows import reason_text
from corpusmith.service.exports import ExportPreview, Head
from corpusmith.service.studio import Studio
from corpusmith.service.task_views import MissView, TaskView
from corpusmith.web import exporting, importing
from corpusmith.web.exporting import Wanted, Whose
from corpusmith.web.form import Filled, Form, FormOf
from corpusmith.web.render import at
from corpusmith.web.router import pages
from corpusmith.web.view import View, ViewOf

router = pages()

WAIT_S = 1.0
"""So long a page waits for a job before it shows how far it is."""
COUNTED_MOST = 20_000
"""Records that are all walked through for a look at an export; of more, when that is asked for."""
NEW = "/datasets/-/import"
MOST_UPLOADS = 8
LISTED = 20
AT_ONCE = 500


# ---------------------------------------------------------------- import


@router.get(NEW, dependencies=[needs("edit")])
def import_page(request: Request, view: ViewOf, upload: str = "") -> Response:
    """Choose a file; of one that came: what it holds, and how it is to be taken."""
    form = Form(data=FormData(list[tuple[str, Any]](request.query_params.multi_items())))
    if not upload:
        sent = view.studio.uploads.list()[:MOST_UPLOADS]
        return view.page("transfer/file.html", sent=sent, dataset=form.text("dataset"))
    return _import_form(view, form, {})


def _import_form(view: View, form: Form, wrong: Mapping[str, str], status: int = 200) -> Response:
    try:
        upload = view.studio.uploads.get(form.text("upload"))
    except NotFound:
        return view.go(NEW, "web.transfer.upload_gone", tone="warn")
    values = importing.filled(form, upload.name.rpartition(".")[0] or upload.name)
    look, values = importing.look(view.studio, upload, form, values)
    values = replace(values, problems={**values.problems, **wrong})
    return view.page(
        "transfer/import.html",
        status=status,
        look=look,
        found=look.found,
        refusals=[] if look.found is None else importing.refusals(look.found, view.language),
        first=[] if look.found is None else importing.contents(look.found),
        form=values,
        formats=importing.FORMATS,
        datasets=[one.name for one in view.studio.datasets.list()],
    )


@router.post(NEW, dependencies=[needs("edit"), costly()])
def import_by_page(view: ViewOf, start: StartJob, form: FormOf) -> Response:
    """Begin."""
    upload = f"upload:{form.text('upload')}"
    skip = (form.text("duplicates") or importing.CHOICES[0]) == importing.CHOICES[0]
    mapping = importing.mapping_of(form)
    try:
        body = form.checked(rest.ImportBody, upload=upload, map=mapping, skip_duplicates=skip)
    except UsageError as error:
        wrong = form.refused(error, view.language).problems
        return _import_form(view, form, wrong, status=422)
    job = rest.import_upload(replace(start, wait_s=WAIT_S), body)
    asked = {one: form.text(one) for one in form.data}
    return view.go(at(url_of("datasets", "-", "import", job.id), {}, back=at(NEW, asked)))


@router.get(NEW + "/{job}", dependencies=[needs("edit")])
def import_job_page(
    view: ViewOf, jobs: JobsOf, asker: Asker, job: str, back: str = NEW
) -> Response:
    """How far it is; when it has ended, on to what came of it."""
    found = jobs.get(job, asker, view.language)
    if found.status == "done":
        return _told(view, found, back)
    return view.page(
        "transfer/job.html", job=found, over=found.status in ENDED, back=own_path(back)
    )


def _told(view: View, job: Job, back: str) -> Response:
    if job.kind == "import":
        key = "web.transfer.imported" if job.result["imported"] else "web.transfer.imported_none"
        path = url_of("datasets", "-", "imports", job.result["task"])
        return view.go(path, key, n=job.result["imported"], name=job.result["dataset"])
    return view.go(own_path(back), "web.transfer.undone", n=job.result["records"])


@router.post(NEW + "/{job}/stop", dependencies=[needs("edit")])
def stop_import_by_page(
    view: ViewOf, jobs: JobsOf, asker: Asker, job: str, form: FormOf
) -> Response:
    """Stop it: nothing of it stays."""
    jobs.cancel(job, asker)
    jobs.get(job, asker, view.language, WAIT_S)
    back = own_path(form.text("back") or NEW)
    return view.go(at(url_of("datasets", "-", "import", job), {}, back=back))


@router.get("/datasets/-/imports/{number:int}", dependencies=[needs("read")])
def imported_page(view: ViewOf, number: Number) -> Response:
    """What became of every row, and the way back."""
    task = _import(view.studio, number)
    missing = {reason: n for (_, reason), n in view.studio.tasks.miss_counts(number).items()}
    there = missing.pop("row_there", 0)
    return view.page(
        "transfer/imported.html",
        task=task,
        there=there,
        refused=sum(missing.values()),
        lines=_first_refused(view.studio, number, list(missing)),
        may=view.may("edit"),
    )


def _first_refused(studio: Studio, number: int, reasons: list[str]) -> list[MissView]:
    """The first rows that could not be taken, by their lines; duplicates are none."""
    found = [
        one
        for reason in reasons
        for one in studio.task_views.misses(number, reason=reason, limit=LISTED)
    ]
    return sorted(found, key=lambda one: cast(int, one.detail.get("line", 0)))[:LISTED]


@router.get("/datasets/-/imports/{number:int}/refused.csv", dependencies=[needs("read")])
def refused_rows_by_page(view: ViewOf, number: Number) -> Response:
    """All rows that were not imported, each with its line and the reason."""
    task = _import(view.studio, number)

    def write(out: BinaryIO) -> None:
        out.write(b"\xef\xbb\xbf")  # so that Excel shows Chinese
        out.write(_lines([view.say(f"web.transfer.{one}") for one in ("line", "code", "why")]))
        after: tuple[int, int, int] | None = None
        while found := view.studio.task_views.misses(number, limit=AT_ONCE, after=after):
            for one in found:
                out.write(_lines([str(one.detail.get("line", "")), one.reason, one.text]))
            after = found[-1].place

    return Streamed(write, name=f"{task.name}-{number}.csv", media_type="text/csv; charset=utf-8")


def _lines(cells: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow([no_formula(one) for one in cells])
    return text.getvalue().encode()


@router.post("/datasets/-/imports/{number:int}/undo", dependencies=[needs("edit")])
def undo_import_by_page(view: ViewOf, start: StartJob, number: Number) -> Response:
    """Take it back: its records and its task."""
    task = _import(view.studio, number)
    job = rest.undo_import(replace(start, wait_s=WAIT_S), view.studio, number)
    back = url_of("datasets", task.dataset) if task.dataset else "/datasets"
    return view.go(at(url_of("datasets", "-", "import", job.id), {}, back=back))


def _import(studio: Studio, number: int) -> TaskView:
    found = studio.task_views.get(number)
    if found.recipe != "import":
        raise UsageError("import_not_one", task=number, recipe=found.recipe)
    return found


# ---------------------------------------------------------------- export


@router.get("/datasets/{name:noun}/export", dependencies=[needs("read")])
def export_dataset_page(request: Request, view: ViewOf, name: str) -> Response:
    """Which records, in which format."""
    view.studio.datasets.get(name)
    return _export_form(request, view, Whose(dataset=name), url_of("datasets", name), name)


@router.get("/tasks/{number:int}/export", dependencies=[needs("read")])
def export_task_page(request: Request, view: ViewOf, number: Number) -> Response:
    """The same of a task, whether its records are in a dataset or not."""
    task = view.studio.task_views.get(number)
    return _export_form(request, view, Whose(task=number), url_of("tasks", number), task.name)


def _export_form(request: Request, view: View, whose: Whose, home: str, called: str) -> Response:
    asked = exporting.wanted(view.studio, whose, request.query_params)
    problems = exporting.problems(asked.error, view.language)
    facets = view.studio.records.facets(whose.dataset) if whose.dataset else None
    return view.page(
        "transfer/export.html",
        whose=whose,
        home=home,
        called=called,
        asked=asked,
        form=Filled(values=asked.values, problems=problems),
        groups=exporting.grouped(),
        states=None if facets is None else facets.states.values,
        total=None if facets is None else facets.total,
        kept={name: one for name, one in asked.which.query.items() if name not in SHOWN_FILTERS},
        most_share=exporting.SHARE_MOST,
    )


SHOWN_FILTERS = ("state", "min_rating", "min_score", "unflagged", "order")
"""Filters that the page has a field for; it carries all others along."""


@router.get("/datasets/{name:noun}/export/look", dependencies=[needs("read"), costly()])
def look_at_dataset_export(request: Request, view: ViewOf, name: str) -> Response:
    """How the file begins, what is in it, and what a trainer would refuse."""
    return _look(request, view, Whose(dataset=name), url_of("datasets", name))


@router.get("/tasks/{number:int}/export/look", dependencies=[needs("read"), costly()])
def look_at_task_export(request: Request, view: ViewOf, number: Number) -> Response:
    """The same of a task."""
    view.studio.task_views.get(number)
    return _look(request, view, Whose(task=number), url_of("tasks", number))


BESIDE = {"export_system_text": "system_text", "export_field_names": "answer_field"}
"""Error → the option that it speaks of."""


def _look(request: Request, view: View, whose: Whose, home: str) -> Response:
    asked = exporting.wanted(view.studio, whose, request.query_params)
    error: CorpusmithError | None = asked.error
    head: Head | None = None
    counts: ExportPreview | None = None
    there = view.studio.records.count(asked.selection)
    every = bool(request.query_params.get("every"))
    whole = every or not (there.more or there.count > COUNTED_MOST)
    try:
        if asked.body is not None and there.count:
            head = view.studio.exports.head(path=asked.body.path, **asked.body.rows())
            if whole:
                counts = view.studio.exports.preview(
                    path=asked.body.path, first=0, **asked.body.rows()
                )
    except CorpusmithError as found:
        error = found
    query = {name: one for name, one in request.query_params.items() if name != "every"}
    said = "" if error is None or asked.error else fault_of(error, view.language).message
    place = BESIDE.get(error.reason, "") if error else ""
    return view.part(
        "transfer/look.html",
        asked=asked,
        whose=whose,
        home=home,
        query=query,
        there=there,
        head=head,
        counts=counts,
        refused=[] if counts is None else _refused(counts, asked, view),
        notes=[] if counts is None else _notes(counts, view),
        size=_size(head, counts, there.count),
        problem=said,
        problems=exporting.problems(asked.error, view.language),
        beside={place: said} if place else {},
        may=view.may("edit"),
    )


MENDS = {
    "export_greeting": {"greeting": "opener"},
    "export_no_chat": {"format": "json"},
    "export_no_pair": {"format": "messages"},
    "export_no_label": {"format": "messages"},
    "export_tools": {"format": "sharegpt"},
    "export_history": {"container": "jsonl"},
    "export_turn_order": {"mend": "on"},
    "export_turn_empty": {"mend": "on"},
    "export_last_turn": {"mend": "on"},
    "export_system_several": {"mend": "on"},
}
"""Why records make no row → what can be asked for instead."""


def _refused(counts: ExportPreview, asked: Wanted, view: View) -> list[dict[str, Any]]:
    """Why records make no row: how many, the first of them, and a way out where there is one."""
    found = []
    for reason, n in counts.refused.items():
        mend = MENDS.get(reason, {})
        if any(asked.values.get(name) == value for name, value in mend.items()):
            mend = {}
        why = reason_text(reason, view.language)
        ids = counts.refused_records[reason][:5]
        found.append({"reason": reason, "why": why, "n": n, "ids": ids, "mend": mend})
    return found


def _notes(counts: ExportPreview, view: View) -> list[tuple[str, str]]:
    """What must not be overlooked, each with the filter that shows those records."""
    rest_of = replace(counts, refused={}, nothing=None, rejected=0, low_rated=0)
    notes = [(text, "") for text in rest_exports.warnings_of(rest_of, view.language)]
    for what, n, query in (
        ("rejected", counts.rejected, {"state": "rejected"}),
        ("low_rated", counts.low_rated, {"max_rating": "2"}),
    ):
        if n:
            text = view.say(f"page.export.{what}", n=f"{n:,}")
            notes.append((text, at("", query)))
    return notes


def _size(head: Head | None, counts: ExportPreview | None, there: int) -> float | None:
    """Bytes of the data; exact where all of it was written."""
    if head is None or not head.rows:
        return None
    rows = counts.rows if counts else there * head.rows / head.records
    return head.bytes * max(rows, head.rows) / head.rows


@router.get("/datasets/{name:noun}/export/file", dependencies=[needs("read"), costly()])
def download_dataset_export(request: Request, view: ViewOf, name: str) -> Response:
    """The file; a zip where there are several."""
    return _file(request, view, Whose(dataset=name))


@router.get("/tasks/{number:int}/export/file", dependencies=[needs("read"), costly()])
def download_task_export(request: Request, view: ViewOf, number: Number) -> Response:
    """The same of a task."""
    return _file(request, view, Whose(task=number))


def _file(request: Request, view: View, whose: Whose) -> Response:
    asked = exporting.wanted(view.studio, whose, request.query_params)
    if asked.body is None:
        raise cast(CorpusmithError, asked.error)
    return rest_exports.export(view.studio, asked.body)
