"""Everything in one file, and back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from corpusmith.api.access import needs
from corpusmith.api.asking import Body, StudioOf
from corpusmith.api.downloads import Streamed
from corpusmith.api.jobs import JOB, Job, Run, StartJob
from corpusmith.api.limits import costly
from corpusmith.places import upload_path
from corpusmith.service.backups import write
from corpusmith.service.restoring import restore_here
from corpusmith.service.studio import Studio

router = APIRouter(tags=["backup"])


class RestoreWish(Body):
    """Which backup is to be put back."""

    upload: str = Field(
        pattern=r"^[0-9a-f]{32}$",
        description="The number of an upload.",
        examples=["0123456789abcdef0123456789abcdef"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreDone:
    """A backup that was put back."""

    rows: int
    uploads: int
    from_version: str
    created_at: str
    saved: str
    """The file in the folder `backups` of the server's data that holds what was there before."""


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
    file = upload_path(body.upload)

    def work(studio: Studio, run: Run) -> Any:
        # Its last step is one transaction: whole, or as it was.
        done = restore_here(studio, file, show=lambda step, n, all: run.show(n, all, step))
        return RestoreDone(
            rows=done.rows,
            uploads=done.uploads,
            from_version=done.from_version,
            created_at=done.created_at,
            saved=str(done.aside).rpartition("/")[2],
        )

    return start("restore", work)
