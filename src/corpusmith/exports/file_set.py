"""Several files that take their places together, or none of them does.

Owns: drafts beside their places, digests, putting back what stood there when one cannot be placed.
Does not own: bytes (containers), a single file or stream (`files.py`).
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

from corpusmith.disk import mode_of, sync_folder
from corpusmith.exports.files import Tally, named_errors, sweep

Fill = Callable[[BinaryIO], int]
"""Writes bytes; returns how many rows they are."""

_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFile:
    """A file of an export. `sha256` is of all its bytes, in hex."""

    path: Path
    rows: int
    bytes: int
    sha256: str


@dataclass(slots=True, kw_only=True)
class _Staged:
    """A complete file that waits beside its place."""

    asked: Path
    target: Path
    draft: Path
    mode: int | None
    """Of what stands there; None: nothing does."""
    before: Path | None = None
    """What stood there, while others may still fail."""
    placed: bool = False


class FileSet:
    """A context: what is not placed at its end is gone."""

    def __init__(self) -> None:
        self._staged: list[_Staged] = []

    def stage(self, path: Path, fill: Fill) -> WrittenFile:
        """A complete file beside its place. Raises UsageError, DiskFull, and what `fill` raises.

        Parent folders are created; a link is followed.
        """
        with named_errors(path):
            target = Path(os.path.realpath(path))
            mode = mode_of(target)
            if mode is not None and not stat.S_ISREG(mode):
                raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
            target.parent.mkdir(parents=True, exist_ok=True)
            sweep(target.parent)
            draft = _hidden(target, "part")
            self._staged.append(_Staged(asked=path, target=target, draft=draft, mode=mode))
            with draft.open("xb", buffering=_BUFFER_BYTES) as out:
                tally = Tally(out)
                rows = fill(cast(BinaryIO, tally))
                out.flush()
                os.fsync(out.fileno())
            if mode is not None:
                draft.chmod(stat.S_IMODE(mode))
        return WrittenFile(path=path, rows=rows, bytes=tally.size, sha256=tally.digest.hexdigest())

    def stage_bytes(self, path: Path, data: bytes) -> WrittenFile:
        """A small file of no rows."""

        def fill(out: BinaryIO) -> int:
            out.write(data)
            return 0

        return self.stage(path, fill)

    def place(self) -> None:
        """All files are where they were wanted. Raises UsageError; then all is as it was."""
        try:
            for one in self._staged:
                with named_errors(one.asked):
                    _place(one, alone=len(self._staged) == 1)
        except BaseException:
            for one in reversed(self._staged):
                _put_back(one)
            raise
        for one in self._staged:
            if one.before is not None:
                with suppress(OSError):
                    one.before.unlink(missing_ok=True)
        for folder in {one.target.parent for one in self._staged}:
            sync_folder(folder)

    def __enter__(self) -> FileSet:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one in self._staged:
            with suppress(OSError):
                one.draft.unlink(missing_ok=True)


def _place(one: _Staged, *, alone: bool) -> None:
    if one.mode is not None and not alone:
        before = _hidden(one.target, "old")
        try:
            os.link(one.target, before)
        except OSError:  # a file system without links: it is away for a moment
            one.target.replace(before)
        one.before = before
    one.draft.replace(one.target)
    one.placed = True


def _put_back(one: _Staged) -> None:
    with suppress(OSError):
        if one.before is not None:
            one.before.replace(one.target)
        elif one.placed:
            one.target.unlink(missing_ok=True)


def _hidden(target: Path, suffix: str) -> Path:
    return target.with_name(f".corpusmith-{secrets.token_hex(8)}.{suffix}")
