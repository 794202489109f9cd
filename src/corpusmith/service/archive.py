"""Reads a backup that may be damaged, or made to do harm.

Owns: what a backup may look like, and that it is whole. Does not own: writing one (`backups.py`),
putting it back (`restoring.py`).
Names inside are only compared with the manifest's, never used as paths. Sizes are bounded before
anything is unpacked, and again while it is.
"""

from __future__ import annotations

import errno
import hashlib
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from corpusmith.errors import SpecError, UsageError
from corpusmith.service.backups import (
    FORMAT,
    FORMAT_VERSION,
    KEY_FILE,
    MANIFEST,
    KeyPlace,
    disk_errors,
)
from corpusmith.store.schema import REVISIONS

MOST_MEMBERS = 200_000
MOST_MANIFEST_BYTES = 64 << 20
MOST_BYTES = 1 << 40
MOST_RATIO = 250
"""Unpacked bytes for each packed one, where it is much at all: our own are below 60."""
MUCH_BYTES = 64 << 20
MOST_LINE_BYTES = 1 << 28
AT_ONCE = 1000
_PIECE = 1 << 20
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What `zipfile` says of bytes that are no zip, are cut, or are packed in ways it does not know."""
_UPLOAD = re.compile(r"[0-9a-f]{32}(\.json|/[^/\x00]{1,200})")
_HEX = r"^[0-9a-f]{64}$"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Listed(_Part):
    """A member, as the manifest says."""

    name: str = Field(max_length=200)
    kind: Literal["table", "upload", "key"]
    about: str = Field(max_length=300)
    rows: int = Field(ge=0)
    bytes: int = Field(ge=0, le=MOST_BYTES)
    sha256: str = Field(pattern=_HEX)


class Contents(_Part):
    """The manifest of a backup."""

    format: Literal["corpusmith-backup"]
    format_version: int
    version: str = Field(max_length=100)
    revision: str = Field(max_length=50)
    database: str = Field(max_length=50)
    created_at: str = Field(max_length=50)
    key: KeyPlace
    sequences: dict[str, Annotated[int, Field(ge=0, lt=2**63)]]
    members: Annotated[Sequence[Listed], Field(max_length=MOST_MEMBERS)]

    @property
    def tables(self) -> list[Listed]:
        return [one for one in self.members if one.kind == "table"]

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.members)

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in self.members)


Show = Callable[[int, int], None]


class Archive:
    """An open backup whose manifest fits what is in it. Its members are not looked at yet."""

    def __init__(self, opened: zipfile.ZipFile, path: Path) -> None:
        """Raises SpecError `backup_damaged`, `backup_too_new`, `backup_suspicious`, UsageError."""
        self._zip, self.path = opened, path
        self.contents = self._contents()
        self._fit()

    def check(self, show: Show) -> None:
        """Reads every member to its end. `show` is told of bytes. Raises SpecError
        `backup_damaged`."""
        seen = 0
        for one in self.contents.members:
            digest = hashlib.sha256()
            size = lines = 0
            with self._open(one) as member:
                while piece := member.read(_PIECE):
                    digest.update(piece)
                    size, lines = size + len(piece), lines + piece.count(b"\n")
                    show(seen + size, self.contents.bytes)
            rows = max(0, lines - 1) if one.kind == "table" else 0
            if (size, rows, digest.hexdigest()) != (one.bytes, one.rows, one.sha256):
                raise self._damaged(one.name)
            seen += size

    @contextmanager
    def table(self, one: Listed) -> Iterator[tuple[list[str], Iterator[list[list[Any]]]]]:
        """Its columns, and its rows some at a time."""
        with self._open(one) as member:
            columns = self._line(member.readline(MOST_LINE_BYTES), one)
            if not all(isinstance(name, str) for name in columns):
                raise self._damaged(one.name)
            yield columns, self._rows(member, one)

    @contextmanager
    def member(self, one: Listed) -> Iterator[Iterator[bytes]]:
        """Its bytes, some at a time."""
        with self._open(one) as opened:
            yield iter(lambda: opened.read(_PIECE), b"")

    def _rows(self, member: IO[bytes], one: Listed) -> Iterator[list[list[Any]]]:
        part: list[list[Any]] = []
        while line := member.readline(MOST_LINE_BYTES):
            part.append(self._line(line, one))
            if len(part) >= AT_ONCE:
                yield part
                part = []
        if part:
            yield part

    def _line(self, line: bytes, one: Listed) -> list[Any]:
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, list):
            raise self._damaged(one.name)
        return found

    @contextmanager
    def _open(self, one: Listed) -> Iterator[IO[bytes]]:
        with self._reading(one.name), self._zip.open(one.name) as member:
            yield member

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        """Inside, a member is read: what its bytes or the disk do not give is an error of ours."""
        try:
            with disk_errors(self.path):
                try:
                    yield
                except OSError as error:
                    if error.errno != errno.EINVAL:
                        raise
                    # It would lie before the file's first byte.
                    raise self._damaged(name) from error
        except _BROKEN as error:
            raise self._damaged(name) from error

    def _contents(self) -> Contents:
        found = [one for one in self._zip.infolist() if one.filename == MANIFEST]
        if len(found) != 1 or found[0].file_size > MOST_MANIFEST_BYTES:
            raise SpecError("backup_not_one", file=str(self.path))
        try:
            with self._reading(MANIFEST):
                body = orjson.loads(self._zip.read(MANIFEST))
        except orjson.JSONDecodeError as error:
            raise self._damaged(MANIFEST) from error
        if not isinstance(body, dict) or body.get("format") != FORMAT:
            raise SpecError("backup_not_one", file=str(self.path))
        known = body.get("format_version") == FORMAT_VERSION and body.get("revision") in REVISIONS
        if not known:
            version = str(body.get("version"))[:40]
            raise SpecError("backup_too_new", file=str(self.path), version=version)
        try:
            return Contents.model_validate(body)
        except ValidationError as error:
            raise self._damaged(MANIFEST) from error

    def _fit(self) -> None:
        """The manifest and the archive list the same files, of the same sizes, and not too much."""
        there = {one.filename: one for one in self._zip.infolist()}
        listed = {one.name: one for one in self.contents.members}
        doubled = len(there) != len(self._zip.infolist()) or len(listed) != len(
            self.contents.members
        )
        if doubled or set(there) != {MANIFEST, *listed}:
            raise self._damaged(MANIFEST)
        for name, one in listed.items():
            if there[name].file_size != one.bytes or not _may_be(one):
                raise self._damaged(name)
        packed = sum(one.compress_size for one in there.values())
        total = self.contents.bytes
        if total > MOST_BYTES or (total > MUCH_BYTES and total > MOST_RATIO * max(1, packed)):
            raise SpecError("backup_suspicious", file=str(self.path))

    def _damaged(self, member: str) -> SpecError:
        return SpecError("backup_damaged", file=str(self.path), member=member[:80])


def _may_be(one: Listed) -> bool:
    if one.kind == "upload":
        name = one.about.partition("/")[2]
        return _UPLOAD.fullmatch(one.about) is not None and name not in (".", "..")
    return one.kind == "table" or (one.name == KEY_FILE and one.bytes < 1000)


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """The backup at `path`. Raises UsageError, and SpecError as `Archive` does."""
    try:
        with disk_errors(path):
            archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        raise SpecError("backup_not_one", file=str(path)) from None
    with archive:
        if len(archive.infolist()) > MOST_MEMBERS:
            raise SpecError("backup_suspicious", file=str(path))
        yield Archive(archive, path)


def refuse_missing(path: Path) -> None:
    """Raises UsageError `backup_missing`."""
    if not path.is_file():
        raise UsageError("backup_missing", file=str(path))
