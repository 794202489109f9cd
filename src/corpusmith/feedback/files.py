"""Several files that change together: all of them, or none.

Owns: drafts beside the places where they belong, and moving them there so that a kill at any moment
leaves either the old files or the new ones (a half-done move is finished by the next run, which
deletes what a killed one left behind too).
Does not own: what is in them.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import orjson

from corpusmith.disk import sync_folder

_BUFFER_BYTES = 1 << 20
_PLAN = ".corpusmith-moves.json"
# Not the name of an export's draft: that one may be growing beside us, and is not ours to delete.
_DRAFT = re.compile(r"\.corpusmith-feedback-[0-9a-f]{16}\.part")


class Drafts:
    """Files of one folder, written and then put in place together by `commit`.

    Used in a `with`: without a commit nothing is changed and nothing left behind. Raises OSError.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: dict[str, tuple[BinaryIO, Path]] = {}
        self._left: list[Path] = []
        """What is deleted at the end. Named before it is made: Ctrl-C may come in between."""
        self._gone: list[str] = []
        self._held: int | None = None

    def __enter__(self) -> Drafts:
        self.folder.mkdir(parents=True, exist_ok=True)
        finish_moves(self.folder)
        self._held = _hold(self.folder)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for out, _ in self._open.values():
            with suppress(OSError):
                out.close()
        # Ctrl-C may come when the plan is written already: then the next run needs the drafts.
        if not (self.folder / _PLAN).exists():
            for draft in self._left:
                with suppress(OSError):
                    draft.unlink(missing_ok=True)
        if self._held is not None:
            os.close(self._held)

    def file(self, name: str) -> BinaryIO:
        """A new draft for `name`, open for writing and reading."""
        draft = self.scratch()
        out = draft.open("x+b", buffering=_BUFFER_BYTES)
        self._open[name] = (out, draft)
        return out

    def scratch(self) -> Path:
        """A free name on the same disk."""
        draft = self.folder / f".corpusmith-feedback-{secrets.token_hex(8)}.part"
        self._left.append(draft)
        return draft

    def remove(self, name: str) -> None:
        """Let a file of an earlier run go, when the new ones come."""
        self._gone.append(name)

    def commit(self) -> None:
        """Put all in place."""
        for name, (out, draft) in self._open.items():
            out.flush()
            os.fsync(out.fileno())
            out.close()
            with suppress(FileNotFoundError):
                draft.chmod(stat.S_IMODE((self.folder / name).stat().st_mode))
        moves = [[draft.name, name] for name, (_, draft) in self._open.items()]
        self._write_plan({"moves": moves, "removes": self._gone})
        self._open, self._left = {}, []
        finish_moves(self.folder)

    def _write_plan(self, plan: dict[str, list[list[str]] | list[str]]) -> None:
        draft = self.scratch()
        with draft.open("xb") as out:
            out.write(orjson.dumps(plan))
            out.flush()
            os.fsync(out.fileno())
        draft.replace(self.folder / _PLAN)
        sync_folder(self.folder)


def finish_moves(folder: Path) -> None:
    """Do what a plan says that is still there. Its names stay inside the folder."""
    path = folder / _PLAN
    try:
        plan = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return
    for draft, name in plan["moves"]:
        # The plan is a file that anybody can write: it moves drafts, and inside the folder only.
        if _DRAFT.fullmatch(draft) and _plain(name):
            with suppress(FileNotFoundError):  # moved already, maybe just now by another run
                (folder / draft).replace(folder / name)
    for name in filter(_plain, plan["removes"]):
        (folder / name).unlink(missing_ok=True)
    sync_folder(folder)
    path.unlink(missing_ok=True)


def _hold(folder: Path) -> int | None:
    """A handle by which other runs see, until it is closed, that one is at work in `folder`.

    If none is, what killed runs left there is deleted. None: there are no such locks here (Windows,
    some network disks); then nothing is deleted, for it may be growing.
    """
    if os.name != "posix":
        return None
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for one in folder.iterdir():
                if _DRAFT.fullmatch(one.name):
                    one.unlink()
        fcntl.flock(handle, fcntl.LOCK_SH)
    except OSError:
        os.close(handle)
        return None
    return handle


def _plain(name: str) -> bool:
    return Path(name).name == name and name not in ("", ".", "..")


# ---------------------------------------------------------------- going on with a file


class NotAnArray(Exception):
    """A file that does not end as a JSON array does."""


def copy_lines(old: Path, out: BinaryIO) -> None:
    """What stands in `old`, ended by a line end; nothing when it is not there."""
    _copy(old, out)
    if out.tell():
        out.seek(-1, os.SEEK_END)
        ended = out.read(1) == b"\n"
        out.seek(0, os.SEEK_END)
        out.write(b"" if ended else b"\n")


def copy_array(old: Path, out: BinaryIO) -> bool:
    """The array of `old` without its last bracket; False: it has no rows. Raises NotAnArray."""
    _copy(old, out)
    size = out.tell()
    if not size:
        return False
    start = max(0, size - (1 << 16))
    out.seek(start)
    tail = out.read().rstrip()
    out.seek(0)
    head = out.read(1 << 10).removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head.startswith(b"[") or not tail.endswith(b"]"):
        raise NotAnArray
    rows = tail[:-1].rstrip()
    if start == 0 and rows.removeprefix(b"\xef\xbb\xbf").strip() == b"[":
        out.seek(0)
        out.truncate()
        return False
    out.seek(start + len(rows))
    out.truncate()
    return True


def _copy(old: Path, out: BinaryIO) -> None:
    with suppress(FileNotFoundError), old.open("rb") as before:
        shutil.copyfileobj(before, out, _BUFFER_BYTES)
