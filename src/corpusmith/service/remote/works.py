"""Long work at a server: started, waited for, its files fetched.

Owns: waiting for a job, its files as files here, whole or not at all. Does not own: what a job is
(`api/jobs.py`), what it brings (each noun).
"""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, ClassVar

from corpusmith.errors import Stopped, StoreUnavailable
from corpusmith.exports.files import ExportResult, write_file
from corpusmith.places import given_output
from corpusmith.service.remote.faults import fault
from corpusmith.service.remote.wire import Wire

WAIT_S = 20
"""For how long one request waits for a job's end."""
SHOWN_S = 1
"""The same, where somebody wants to be told how far it is."""
_ENDED = ("done", "failed", "cancelled")

Told = Callable[[int, int | None], None]


def work(wire: Wire, *path: object, body: Any, show: Told | None = None) -> dict[str, Any]:
    """The job that `POST path` starts, when it is done. Raises what it failed with."""
    wait = SHOWN_S if show else WAIT_S
    job = wire.ask("POST", *path, query={"wait": wait}, body=body or {})
    try:
        while job["status"] not in _ENDED:
            _tell(job, show)
            asked_s = time.monotonic()
            job = wire.ask("GET", "jobs", job["id"], query={"wait": wait})
            if time.monotonic() - asked_s < SHOWN_S:  # the server has too many that wait
                time.sleep(0.2)
    except BaseException as error:
        # Who waits no longer does not want it any more: but for an answer that was lost.
        if not isinstance(error, StoreUnavailable):
            wire.ask("POST", "jobs", job["id"], "cancel")
        raise
    _tell(job, show)
    if job["status"] == "cancelled":
        raise Stopped
    if job["error"] is not None:
        raise fault(job["error"], wire.language)
    found: dict[str, Any] = job
    return found


def _tell(job: dict[str, Any], show: Told | None) -> None:
    if show is not None and job["progress"] is not None:
        show(job["progress"]["done"], job["progress"]["total"])


def job_file(wire: Wire, job: dict[str, Any], name: str) -> bytes:
    """One file that a job made."""
    return wire.whole("GET", "jobs", job["id"], "files", name)


def job_files(wire: Wire, job: dict[str, Any], folder: str | Path) -> dict[str, Path]:
    """All its files in `folder`, by their names there. Those that stand there are replaced."""
    place = given_output(folder).expanduser()
    found = {}
    for name in job["files"]:
        target = inside(place, name)
        save(wire.read("GET", "jobs", job["id"], "files", name), target)
        found[name] = target
    return found


def inside(folder: Path, name: str) -> Path:
    """A place in `folder`, whatever the name is. Raises StoreUnavailable for one that leads out."""
    parts = PurePosixPath(name).parts
    if not parts or any(one in ("..", "/") or "\\" in one or ":" in one for one in parts):
        raise StoreUnavailable("server_odd", status=200)
    return folder.joinpath(*parts)


def save(chunks: Iterable[bytes], target: str | Path) -> ExportResult:
    """The bytes as a file, whole or not at all; `-` is standard output. Raises UsageError,
    DiskFull, and what `chunks` raises: then what stood there stands there still."""
    rest = iter(chunks)
    begun = next(rest, b"")  # what is refused touches no disk
    return write_file(given_output(target), _Bytes(chain([begun], rest)), ())


class _Bytes:
    """Bytes as they come, as `write_file` takes them."""

    name: ClassVar[str] = "download"
    suffix: ClassVar[str] = ""
    nested: ClassVar[bool] = True

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks

    def write(self, records: Any, out: BinaryIO) -> int:
        for chunk in self._chunks:
            out.write(chunk)
        return 0


@contextmanager
def unpacked(chunks: Iterable[bytes]) -> Iterator[dict[str, Path]]:
    """The files of a zip, by name, until the end. Raises StoreUnavailable when it is none."""
    with TemporaryDirectory(prefix="corpusmith-") as room:
        folder = Path(room)
        packed = folder / "packed.zip"
        save(chunks, packed)
        try:
            with zipfile.ZipFile(packed) as pack:
                found = {}
                for one in pack.infolist():
                    target = inside(folder / "files", one.filename)
                    with pack.open(one) as source:
                        save(iter(lambda: source.read(1 << 18), b""), target)
                    found[one.filename] = target
        except zipfile.BadZipFile:
            raise StoreUnavailable("server_odd", status=200) from None
        yield found
