"""Long work of a request: it goes on in a thread when the request has been answered.

Owns: threads, progress, stopping, the answer, and for how long it is kept. Does not own: any work;
tasks, which workers run and which outlive this process.
A job lives in the memory of this server: a restart forgets it. Its work is whole or not at all, as
on the command line.
"""

from __future__ import annotations

import logging
import queue
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field
from pydantic_core import to_jsonable_python

from corpusmith.api.access import Asker, Principal
from corpusmith.api.errors import ErrorBody, Fault, fault_of
from corpusmith.api.serving import serving_of
from corpusmith.api.speaking import LanguageOf
from corpusmith.errors import CorpusmithError, NotFound, Stopped, TooOften
from corpusmith.messages import say
from corpusmith.service.studio import Studio
from corpusmith.values import Json, Language

log = logging.getLogger("corpusmith.api")

THREADS = 2
KEPT_S = 3600
MOST = 200
"""Jobs that are known at a time; the oldest that has ended makes room."""
MOST_WAITING = 8
"""Requests that wait for a job at a time: each holds a thread that answers requests."""
CLOSING_S = 10
"""For how long a server that stops waits for jobs to come to a stop."""

JobStatus = Literal["waiting", "running", "done", "failed", "cancelled"]
ENDED = frozenset[JobStatus]({"done", "failed", "cancelled"})


class JobProgress(BaseModel):
    """How far a job is."""

    done: int = 0
    total: int | None = Field(default=None, description="null: it is not known yet.")
    text: str = Field(description="What is counted, in the language that was asked for.")


class Job(BaseModel):
    """A piece of long work."""

    id: str = Field(examples=["b3a91c5d2e4f60718293"])
    kind: str = Field(examples=["import"])
    status: JobStatus
    by: str = Field(description="Who started it.")
    created_at: datetime
    ended_at: datetime | None = None
    progress: JobProgress | None = None
    result: Any = Field(default=None, description="Of a job that is done; its form goes by kind.")
    files: list[str] = Field(
        default_factory=list, description="Files that it made: see `GET /jobs/{id}/files`."
    )
    error: Fault | None = Field(default=None, description="Of a job that failed: why.")


class Run:
    """What a piece of work is handed: where to tell how far it is, and to put files."""

    def __init__(self) -> None:
        self.done = 0
        self.total: int | None = None
        self.counted = "records"
        self._stop = threading.Event()
        self._folder: Path | None = None

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for."""
        return self._stop.is_set()

    def show(self, done: int, total: int | None = None, counted: str | None = None) -> None:
        """Tell how far it is; call it between batches. `counted`: `api.job.<counted>` says of what.

        Raises Stopped when a stop was asked for: whatever is open is to be rolled back.
        """
        self.done = done
        self.total = self.total if total is None else total
        self.counted = counted or self.counted
        if self._stop.is_set():
            raise Stopped

    def folder(self) -> Path:
        """A folder of its own for files, which go when the job is forgotten."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="corpusmith-job-"))
        return self._folder

    def files(self) -> list[Path]:
        """The files in its folder, by name."""
        return [] if self._folder is None else sorted(self._folder.rglob("*"))

    def stop(self) -> None:
        """Ask for it."""
        self._stop.set()

    def clear(self) -> None:
        """Take its files away."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


Work = Callable[[Studio, Run], Any]
"""Does it; returns what can be written as JSON (dataclasses too), without a path of the server."""


@dataclass(slots=True, kw_only=True)
class _Entry:
    id: str
    kind: str
    by: str
    owner: str
    work: Work
    studio: Studio
    context: Context
    created_at: datetime
    run: Run = field(default_factory=Run)
    status: JobStatus = "waiting"
    result: Json = None
    error: Fault | CorpusmithError | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    ended_at: datetime | None = None
    ended_s: float = 0.0


class Jobs:
    """The jobs of one server. Usable from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, _Entry] = {}
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._waits = threading.BoundedSemaphore(MOST_WAITING)

    def start(self, kind: str, work: Work, *, studio: Studio, by: Principal) -> str:
        """Has it done, with `studio`; returns its id. Raises TooOften when too many are waiting.

        What holds for the request (context variables) holds for the work.
        """
        entry = _Entry(
            id=secrets.token_hex(10),
            kind=kind,
            by=by.name,
            owner=owner_of(by),
            work=work,
            studio=studio,
            context=copy_context(),
            created_at=datetime.now(UTC),
        )
        with self._lock:
            self._sweep(room_for=1)
            self._known[entry.id] = entry
            self._queue.put(entry)
            if len(self._threads) < THREADS:
                self._threads.append(threading.Thread(target=self._serve, daemon=True))
                self._threads[-1].start()
        return entry.id

    def seen_by(self, asker: Principal, language: Language) -> list[Job]:
        """Those that they may see, the newest first."""
        with self._lock:
            self._sweep()
            found = [one for one in self._known.values() if _sees(asker, one)]
        return [_view(one, language) for one in reversed(found)]

    def get(self, job_id: str, asker: Principal, language: Language, wait_s: float = 0) -> Job:
        """A job, as soon as it has ended or `wait_s` are over. Raises NotFound."""
        entry = self._entry(job_id, asker)
        if wait_s and not entry.ended.is_set() and self._waits.acquire(blocking=False):
            try:
                entry.ended.wait(wait_s)
            finally:
                self._waits.release()
        return _view(entry, language)

    def files(self, job_id: str, asker: Principal) -> tuple[Path, list[Path]]:
        """Of a job that is done: the folder and its files. Raises NotFound."""
        entry = self._entry(job_id, asker)
        found = entry.run.files() if entry.status == "done" else []
        if not found:
            raise NotFound("job_no_files", kind="job", name=job_id)
        return entry.run.folder(), [one for one in found if one.is_file()]

    def cancel(self, job_id: str, asker: Principal) -> None:
        """Asks it to stop: it does between two batches. One that has ended stays. NotFound."""
        self._entry(job_id, asker).run.stop()

    def close(self, wait_s: float = CLOSING_S) -> None:
        """All stop between two batches; one that cannot within `wait_s` ends with the process."""
        with self._lock:
            for entry in self._known.values():
                entry.run.stop()
            threads = tuple(self._threads)
            for _ in threads:
                self._queue.put(None)
        until = time.monotonic() + wait_s
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        with self._lock:
            for entry in self._known.values():
                entry.run.clear()

    def _entry(self, job_id: str, asker: Principal) -> _Entry:
        with self._lock:
            self._sweep()
            entry = self._known.get(job_id)
        # One of somebody else is as if it were not there.
        if entry is None or not _sees(asker, entry):
            raise NotFound("unknown_job", kind="job", name=job_id[:60])
        return entry

    def _sweep(self, room_for: int = 0) -> None:
        """Forgets what ended long ago, and more where room is needed. Raises TooOften."""
        ended = [one for one in self._known.values() if one.status in ENDED]
        over = len(self._known) + room_for - MOST
        for place, one in enumerate(sorted(ended, key=lambda one: one.ended_s)):
            if place < over or self._clock() - one.ended_s > KEPT_S:
                del self._known[one.id]
                one.run.clear()
        if len(self._known) + room_for > MOST:
            raise TooOften("jobs_full", seconds=30, most=MOST)

    def _serve(self) -> None:
        while (entry := self._queue.get()) is not None:
            entry.context.run(self._do, entry)

    def _do(self, entry: _Entry) -> None:
        entry.status = "running"
        status: JobStatus = "done"
        try:
            entry.run.show(0)
            entry.result = to_jsonable_python(entry.work(entry.studio, entry.run))
        except Stopped:
            status = "cancelled"
        except CorpusmithError as error:
            status, entry.error = "failed", error
        except Exception:  # noqa: BLE001  a fault is the job's, and not the thread's
            status, entry.error = "failed", _unknown(entry)
        if status != "done":
            entry.run.clear()
        with self._lock:
            entry.status, entry.ended_s = status, self._clock()
            entry.ended_at = datetime.now(UTC)
        entry.ended.set()


def owner_of(asker: Principal) -> str:
    """Whose something is: a user's, whichever way they came; names alone may be alike."""
    if asker.user_id is not None:
        return f"user {asker.user_id}"
    return f"token {asker.token_id}" if asker.token_id is not None else f"name {asker.name}"


def _unknown(entry: _Entry) -> Fault:
    number = secrets.token_hex(4)
    log.exception("fault %s in job %s %s", number, entry.kind, entry.id)
    message = say("error.internal_number", entry.studio.language, number=number)
    return Fault(code="internal", message=message, details={"number": number})


def _sees(asker: Principal, entry: _Entry) -> bool:
    return asker.may("admin") or owner_of(asker) == entry.owner


def _view(entry: _Entry, language: Language) -> Job:
    run, error = entry.run, entry.error
    return Job(
        id=entry.id,
        kind=entry.kind,
        status=entry.status,
        by=entry.by,
        created_at=entry.created_at,
        ended_at=entry.ended_at,
        progress=JobProgress(
            done=run.done, total=run.total, text=say(f"api.job.{run.counted}", language)
        ),
        result=entry.result,
        files=_names(run) if entry.status == "done" else [],
        error=fault_of(error, language) if isinstance(error, CorpusmithError) else error,
    )


def _names(run: Run) -> list[str]:
    return [one.relative_to(run.folder()).as_posix() for one in run.files() if one.is_file()]


# ---------------------------------------------------------------- for routes


async def jobs_of(request: Request) -> Jobs:
    """The jobs of the server that was asked."""
    return cast(Jobs, request.app.state.jobs)


JobsOf = Annotated[Jobs, Depends(jobs_of)]
Wait = Annotated[
    float,
    Query(ge=0, le=60, description="Seconds to wait for its end before the answer comes."),
]
JOB: dict[int | str, dict[str, Any]] = {
    202: {"model": Job, "description": "It goes on: look at `GET /jobs/{id}`."},
    429: {"model": ErrorBody, "description": "Too many jobs are waiting."},
}
"""`responses` of a route that starts a job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """Starts a job for the one who asks, waits a little, and says 200 (it has ended) or 202."""

    jobs: Jobs
    asker: Principal
    studio: Studio
    response: Response
    wait_s: float

    def __call__(self, kind: str, work: Work) -> Job:
        job_id = self.jobs.start(kind, work, studio=self.studio, by=self.asker)
        job = self.jobs.get(job_id, self.asker, self.studio.language, self.wait_s)
        if job.status not in ENDED:
            self.response.status_code = 202
        return job


async def _starter(
    request: Request,
    response: Response,
    jobs: JobsOf,
    asker: Asker,
    language: LanguageOf,
    wait: Wait = 10,
) -> Starter:
    # A Studio of its own: the work outlives the request.
    studio = Studio.over(serving_of(request).store, language)
    return Starter(jobs=jobs, asker=asker, studio=studio, response=response, wait_s=wait)


StartJob = Annotated[Starter, Depends(_starter)]
"""`start("import", lambda studio, run: …)` in a route with `responses=JOB`."""
