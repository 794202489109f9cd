"""Writes an export as a whole file or not at all.

Owns: the temporary file, its size and digest, what the disk answers. A file that stood there before
stays as it was until the new one is complete.
Does not own: formats; which rows.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from corpusmith.contracts import Container
from corpusmith.disk import mode_of, sync_folder
from corpusmith.errors import CorpusmithError, DiskFull, UsageError
from corpusmith.places import given_output
from corpusmith.values import Json

_BUFFER_BYTES = 1 << 20
_STALE_S = 24 * 3600
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_CODES = {
    errno.EACCES: "export_no_permission",
    errno.EPERM: "export_no_permission",
    errno.EROFS: "export_read_only",
    errno.EISDIR: "export_is_folder",
    errno.ENOTDIR: "export_parent_is_file",
    errno.EEXIST: "export_parent_is_file",
    errno.ENAMETOOLONG: "export_name_too_long",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """What was written. `path` is None for a stream; `sha256` is of all its bytes, in hex."""

    path: Path | None
    rows: int
    bytes: int
    sha256: str


class Tally:
    """Passes bytes on, counting and digesting them."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.size = 0
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self.digest.update(data)
        return self._out.write(data)


def write_file(path: str | Path, container: Container, rows: Iterable[Json]) -> ExportResult:
    """Write all rows to `path`, complete or not at all; `-` is standard output.

    Parent folders are created; a link is followed; a pipe or device is written to directly.
    Raises UsageError for a path that cannot be written and a row that does not fit; DiskFull.
    """
    if str(path) == "-":
        return write_stream(sys.stdout.buffer, container, rows)
    asked = Path(path)
    with named_errors(asked):
        target = Path(os.path.realpath(asked))
        mode = mode_of(target)
        if mode is not None and stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if mode is None or stat.S_ISREG(mode):
            size, count, digest = _replace(target, mode, container, rows)
        else:
            with target.open("wb") as out:
                size, count, digest = _write(out, container, rows)
    return ExportResult(path=asked, rows=count, bytes=size, sha256=digest)


def write_stream(out: BinaryIO, container: Container, rows: Iterable[Json]) -> ExportResult:
    """Write all rows to an open stream, such as standard output, and flush it.

    Raises UsageError, DiskFull; a reader that went away stays a BrokenPipeError.
    """
    with named_errors(Path("-")):
        size, count, digest = _write(out, container, rows)
    return ExportResult(path=None, rows=count, bytes=size, sha256=digest)


def _write(out: BinaryIO, container: Container, rows: Iterable[Json]) -> tuple[int, int, str]:
    """(bytes, rows, digest)"""
    tally = Tally(out)
    count = container.write(rows, cast(BinaryIO, tally))
    out.flush()
    return tally.size, count, tally.digest.hexdigest()


def _replace(
    target: Path, mode: int | None, container: Container, rows: Iterable[Json]
) -> tuple[int, int, str]:
    """Write beside the target, make it last, then take its place."""
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep(target.parent)
    draft = target.with_name(f".corpusmith-{secrets.token_hex(8)}.part")
    try:
        with draft.open("xb", buffering=_BUFFER_BYTES) as out:
            result = _write(out, container, rows)
            os.fsync(out.fileno())
        if mode is not None:
            draft.chmod(stat.S_IMODE(mode))
        draft.replace(target)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)
    return result


def sweep(folder: Path) -> None:
    """Takes away drafts that killed processes left in `folder`. Those that may still be written,
    by whomever, are younger than a day."""
    with suppress(OSError):
        for draft in folder.glob(".corpusmith-*.part"):
            if time.time() - draft.stat().st_mtime > _STALE_S:
                draft.unlink(missing_ok=True)


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Inside, what the disk answers is an error of ours about `path`; a reader that went away stays
    a BrokenPipeError."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise translated(error, path) from error


def refuse_place(path: Path) -> None:
    """Raises UsageError when a file or folder surely cannot be put at `path`: better now than after
    paying for what is in it. A pipe or a device that is there is taken as it is."""
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        return
    for folder in path.absolute().parents:
        if os.path.isdir(folder):
            if not os.access(folder, os.W_OK):
                raise translated(OSError(errno.EACCES, os.strerror(errno.EACCES)), path)
            return
        if os.path.lexists(folder):
            raise translated(OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)), path)


def refuse_output(wish: str | Path) -> None:
    """`refuse_place` of an output as it is asked for; `-` is standard output. In a request every
    one that is a text is refused."""
    place = given_output(wish)
    if str(wish) != "-":
        refuse_place(place)


def translated(error: OSError, path: Path) -> CorpusmithError:
    """The disk's answer as an error of ours, with a message that says what to do."""
    cause = error.strerror or str(error)
    if error.errno in _FULL:
        return DiskFull("export_disk_full", path=str(path), cause=cause)
    code = _CODES.get(error.errno or 0, "export_failed")
    return UsageError(code, path=str(path), cause=cause)
