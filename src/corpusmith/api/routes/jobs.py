"""Jobs: long work that was started here, and the files that it made."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from corpusmith.api.access import Asker, needs
from corpusmith.api.asking import Page
from corpusmith.api.downloads import Streamed, file_download, zip_download
from corpusmith.api.jobs import Job, JobsOf, Wait
from corpusmith.api.router import rest
from corpusmith.api.speaking import LanguageOf
from corpusmith.errors import NotFound

router = rest("/jobs", tags=["jobs"])

FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "The file."}
}
TYPES = {
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".html": "text/html; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
}


@router.get("", dependencies=[needs("read")])
def list_jobs(jobs: JobsOf, asker: Asker, language: LanguageOf) -> Page[Job]:
    """Your jobs of the last hour, the newest first; an admin sees everybody's."""
    found = jobs.seen_by(asker, language)
    return Page(items=found, total=len(found))


@router.get("/{id}", dependencies=[needs("read")])
def get_job(jobs: JobsOf, asker: Asker, language: LanguageOf, id: str, wait: Wait = 0) -> Job:
    """How far a job is, and what came of it. It is kept for an hour after its end."""
    return jobs.get(id, asker, language, wait)


@router.post("/{id}/cancel", dependencies=[needs("read")])
def cancel_job(jobs: JobsOf, asker: Asker, language: LanguageOf, id: str) -> Job:
    """Ask it to stop: it does between two batches, and takes back what it had begun."""
    jobs.cancel(id, asker)
    return jobs.get(id, asker, language, 1)


@router.get(
    "/{id}/files",
    dependencies=[needs("read")],
    response_class=Streamed,
    status_code=200,
    responses=FILE,
)
def job_files(jobs: JobsOf, asker: Asker, language: LanguageOf, id: str) -> Streamed:
    """All files that a job made, as one zip."""
    folder, files = jobs.files(id, asker)
    kind = jobs.get(id, asker, language).kind
    return zip_download(folder, files, f"{kind}-{id[:8]}.zip")


@router.get(
    "/{id}/files/{name:noun}",
    dependencies=[needs("read")],
    response_class=Streamed,
    status_code=200,
    responses=FILE,
)
def job_file(jobs: JobsOf, asker: Asker, id: str, name: str) -> Streamed:
    """One file that a job made."""
    folder, files = jobs.files(id, asker)
    known = {one.relative_to(folder).as_posix(): one for one in files}
    if name not in known:
        raise NotFound("job_no_file", kind="file", name=name[:200])
    kind = TYPES.get(PurePath(name).suffix, "application/octet-stream")
    return file_download(known[name], PurePath(name).name, kind)
