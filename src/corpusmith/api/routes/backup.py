"""Everything in one file, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from fastapi import Response
from pydantic import Field

from corpusmith.api.access import needs
from corpusmith.api.asking import Body, StudioOf
from corpusmith.api.downloads import Streamed
from corpusmith.api.jobs import JOB, Job, Run, StartJob, Work
from corpusmith.api.limits import costly
from corpusmith.api.router import rest
from corpusmith.places import upload_path
from corpusmith.service.backups import write
from corpusmith.service.restoring import RestoreDone, put_back
from corpusmith.service.studio import Studio

router = rest(tags=["backup"])


class RestoreWish(Body):
    """Which backup is to be put back."""

    upload: str = Field(
        pattern=r"^[0-9a-f]{32}$",
        description="The number of an upload.",
        examples=["0123456789abcdef0123456789abcdef"],
    )


@router.get(
    "/backup",
    dependencies=[needs("admin"), costly()],
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}, "description": "The backup."}},
)
def download_backup(studio: StudioOf) -> Response:
    """Everything as it stands now, also while tasks run: the database and the uploads, without the
    key that opens stored API keys. A download that breaks off is no backup: it cannot be read."""
    database = studio.store.database
    name = f"corpusmith-{datetime.now(UTC):%Y%m%d-%H%M%S}.zip"
    return Streamed(lambda out: write(database, out), name=name, media_type="application/zip")


@router.post("/restore", dependencies=[needs("admin"), costly()], responses=JOB)
def restore_backup(start: StartJob, body: RestoreWish) -> Job:
    """Put a backup that was uploaded in the place of everything. What was there becomes a backup on
    the server first. 409 while a task runs. Everybody has to log in again."""
    return start("restore", restored(upload_path(body.upload)))


def restored(file: Path) -> Work:
    """Puts the backup of this file back."""

    def work(studio: Studio, run: Run) -> RestoreDone:
        return put_back(studio, file, show=lambda step, n, all: run.show(n, all, step))

    return work
