"""Settings, backup and restore, and the page of a job of the settings.

Owns: the pages. Does not own: what a backup is and how it is put back (service). A backup that is
sent here lies in the folder of backups, as those that were made here do: a restore begins there.
"""

from __future__ import annotations

import re
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from corpusmith.api.access import Asker, needs
from corpusmith.api.audit_trail import name_target
from corpusmith.api.downloads import file_download
from corpusmith.api.errors import message_of, status_of
from corpusmith.api.jobs import ENDED, JobsOf, Run, StartJob
from corpusmith.api.limits import costly
from corpusmith.api.paths import url_of
from corpusmith.api.receiving import received
from corpusmith.errors import CorpusmithError, NotFound
from corpusmith.service.restoring import restore_here
from corpusmith.service.studio import Studio
from corpusmith.service.uploads import most_bytes
from corpusmith.web.form import FormOf
from corpusmith.web.router import pages
from corpusmith.web.view import View, ViewOf

router = pages("/settings")

KINDS = frozenset({"backup", "restore", "prune"})
_NO_LIMIT = 1 << 50
"""The setting `CORPUSMITH_MAX_UPLOAD_MB` is what counts (`service/uploads.py`)."""
_ADMIN = [needs("admin")]
_COSTLY = [needs("admin"), costly()]


@router.get("/backup", dependencies=_ADMIN)
def backups_page(view: ViewOf, jobs: JobsOf, asker: Asker) -> Response:
    """Those that are there, and what is going on."""
    return _page(view, jobs, asker)


@router.post("/backup", dependencies=_COSTLY)
def make_backup_by_page(view: ViewOf, start: StartJob) -> Response:
    """Begin a new one."""

    def work(studio: Studio, run: Run) -> Any:
        return studio.backups.make(show=lambda done, total: run.show(done, total, "save"))

    return view.go(f"/settings/jobs/{start('backup', work).id}")


@router.post("/backup/-/upload", dependencies=_COSTLY, max_body_size=_NO_LIMIT)
async def upload_backup_by_page(
    request: Request, view: ViewOf, jobs: JobsOf, asker: Asker
) -> Response:
    """Take one from outside; what is none is refused, and nothing of it stays."""
    try:
        sent = await received(request, view.studio.uploads)
        kept = await run_in_threadpool(view.studio.backups.take, sent.id)
    except CorpusmithError as error:
        said = message_of(error, view.language)
        return await run_in_threadpool(_page, view, jobs, asker, said, status_of(error))
    name_target(request, kept.name)
    return view.go(url_of("settings/backup", kept.name), "web.backup.uploaded")


@router.get("/backup/{name:noun}", dependencies=_ADMIN)
def backup_page(view: ViewOf, name: str) -> Response:
    """What it holds, beside what it would take the place of."""
    return _look(view, name)


@router.get("/backup/{name:noun}/download", dependencies=_COSTLY)
def download_kept_backup(view: ViewOf, name: str) -> Response:
    """The file itself."""
    return file_download(view.studio.backups.path(name), name, "application/zip")


@router.post("/backup/{name:noun}/restore", dependencies=_COSTLY)
def restore_backup_by_page(view: ViewOf, start: StartJob, name: str, form: FormOf) -> Response:
    """Put it back, once somebody has typed that they mean it."""
    word = view.say("web.backup.word")
    if form.text("word").casefold() != word.casefold():
        return _look(view, name, view.say("web.backup.word_wrong", word=word), 422)
    file = view.studio.backups.path(name)

    def work(studio: Studio, run: Run) -> Any:
        # Its last step is one transaction: whole, or as it was.
        done = restore_here(studio, file, show=lambda step, n, all: run.show(n, all, step))
        saved = str(done.aside).rpartition("/")[2]
        return {"rows": done.rows, "created_at": done.created_at, "saved": saved}

    return view.go(f"/settings/jobs/{start('restore', work).id}")


@router.post("/backup/{name:noun}/delete", dependencies=_ADMIN)
def delete_backup_by_page(view: ViewOf, name: str) -> Response:
    """Delete the file."""
    view.studio.backups.delete(name)
    return view.go("/settings/backup", "web.deleted", name=name)


@router.get("/jobs/{id}", dependencies=_ADMIN)
def settings_job_page(view: ViewOf, jobs: JobsOf, asker: Asker, id: str) -> Response:
    """How far it is, and what came of it."""
    found = jobs.get(id, asker, view.language)
    if found.kind not in KINDS:
        raise NotFound("unknown_job", kind="job", name=id[:60])
    return view.page("settings/job.html", job=found, over=found.status in ENDED)


@router.post("/jobs/{id}/cancel", dependencies=_ADMIN)
def cancel_settings_job(view: ViewOf, jobs: JobsOf, asker: Asker, id: str) -> Response:
    """Ask it to stop."""
    jobs.cancel(id, asker)
    return view.go(f"/settings/jobs/{id}")


def _page(view: View, jobs: Any, asker: Any, said: str = "", status: int = 200) -> Response:
    going = [
        one
        for one in jobs.seen_by(asker, view.language)
        if one.kind in KINDS and one.status not in ENDED
    ]
    found = view.studio.backups.list()
    most = re.sub(r"\.0$", "", f"{most_bytes() / (1 << 20):.1f}")
    data = {"backups": found, "going": going, "refused": said, "most_mb": most}
    return view.page("settings/backups.html", status=status, **data)


def _look(view: View, name: str, wrong: str = "", status: int = 200) -> Response:
    look, broken = None, ""
    file = view.studio.backups.get(name)
    try:
        look = view.studio.backups.look(name)
    except CorpusmithError as error:
        broken = message_of(error, view.language)
    obstacle = message_of(look.obstacle, view.language) if look and look.obstacle else ""
    data = {"file": file, "look": look, "broken": broken, "obstacle": obstacle, "wrong": wrong}
    return view.page(
        "settings/backup.html", status=status, word=view.say("web.backup.word"), **data
    )
