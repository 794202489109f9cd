"""Backups that lie in the data folder of the server: made here or sent here, and put back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response

from corpusmith.api.access import needs
from corpusmith.api.asking import Page, StudioOf
from corpusmith.api.audit_trail import name_target
from corpusmith.api.downloads import file_download
from corpusmith.api.errors import Fault, fault_of
from corpusmith.api.jobs import JOB, Job, Run, StartJob
from corpusmith.api.limits import costly
from corpusmith.api.router import rest
from corpusmith.api.routes.backup import RestoreWish, restored
from corpusmith.service.backups import KeyPlace
from corpusmith.service.kept_backups import Beside, KeptBackup
from corpusmith.service.studio import Studio

router = rest("/backups", tags=["backup"])

ZIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {}}, "description": "The backup."}
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupLook:
    """What a backup holds, beside what it would take the place of."""

    file: KeptBackup
    version: str
    """Of the program that wrote it."""
    created_at: str
    database: str
    key: KeyPlace
    """Where the key was that opens stored API keys; it is never in a backup of this page."""
    uploads: int
    users: int
    tables: Sequence[Beside]
    obstacle: Fault | None
    """Why it cannot be put back here and now; null: it can."""


@router.get("", dependencies=[needs("admin")])
def list_backups(studio: StudioOf) -> Page[KeptBackup]:
    """All that lie on the server, the newest first; also those that a restore and an upgrade made
    before they began."""
    found = studio.backups.list()
    return Page(items=found, total=len(found))


@router.post("", responses=JOB, dependencies=[needs("admin"), costly()])
def make_backup(start: StartJob) -> Job:
    """Make a new one on the server. Its result: `KeptBackup`."""

    def work(studio: Studio, run: Run) -> KeptBackup:
        return studio.backups.make(show=lambda done, total: run.show(done, total, "save"))

    return start("backup", work)


@router.post("/take", status_code=201, dependencies=[needs("admin"), costly()])
def take_backup(request: Request, studio: StudioOf, body: RestoreWish) -> KeptBackup:
    """Keep an upload as a backup; the upload is none any more then. 422 when it is no backup."""
    kept = studio.backups.take(body.upload)
    name_target(request, kept.name)
    return kept


@router.get("/{name:noun}", dependencies=[needs("admin")])
def look_at_backup(studio: StudioOf, name: str) -> BackupLook:
    """What is in it, beside what is here now, and whether it can be put back."""
    found = studio.backups.look(name)
    obstacle = found.obstacle
    return BackupLook(
        file=found.file,
        version=found.version,
        created_at=found.created_at,
        database=found.database,
        key=found.key,
        uploads=found.uploads,
        users=found.users,
        tables=found.tables,
        obstacle=None if obstacle is None else fault_of(obstacle, studio.language),
    )


@router.get(
    "/{name:noun}/file",
    dependencies=[needs("admin"), costly()],
    response_class=Response,
    responses=ZIP,
)
def get_backup_file(studio: StudioOf, name: str) -> Response:
    """The file itself."""
    return file_download(studio.backups.path(name), name, "application/zip")


@router.post("/{name:noun}/restore", responses=JOB, dependencies=[needs("admin"), costly()])
def restore_kept_backup(start: StartJob, studio: StudioOf, name: str) -> Job:
    """Put it in the place of everything. What was there becomes a backup first. 409 while a task
    runs. Everybody has to log in again. Its result: `RestoreDone`."""
    return start("restore", restored(studio.backups.path(name)))


@router.delete("/{name:noun}", status_code=204, dependencies=[needs("admin")])
def delete_backup(studio: StudioOf, name: str) -> None:
    """Delete the file."""
    studio.backups.delete(name)
