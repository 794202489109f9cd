"""Use-cases of backups: everything in one file, as it stood at one moment.

Owns: what a backup holds and how it is written. Does not own: which rows (`store/dump.py`), reading
one (`archive.py`), putting it back (`restoring.py`).
A backup is a zip: each table as JSON lines (bytes as `{"b64": …}`), uploads, with `--with-key` the
key file, and last of all `manifest.json` with counts and digests. It knows neither SQLite nor
Postgres: either takes what the other gave.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import secrets
import shutil
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol, cast

import orjson

from corpusmith import __version__
from corpusmith.config import home, setting
from corpusmith.disk import sync_folder
from corpusmith.errors import DiskFull, UsageError
from corpusmith.exports.files import sweep
from corpusmith.places import uploads_folder
from corpusmith.store.database import Database
from corpusmith.store.dump import Kept, Look, looking

FORMAT = "corpusmith-backup"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
KEY_FILE = "secret.key"
LEVEL = 1
"""Of compression. Measured on records: level 6 takes three times as long for 15% less."""
_PIECE = 1 << 20

KeyPlace = Literal["inside", "left_out", "environment", "none"]
"""Where the key that opens stored API keys is: in the backup, in the data folder alone, in
CORPUSMITH_SECRET_KEY, or there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file inside a backup, besides the manifest."""

    name: str
    kind: Literal["table", "upload", "key"]
    about: str = ""
    """Of a table its name; of an upload `<id>/<name>`, or `<id>.json` for its facts."""
    rows: int = 0
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What is in a backup."""

    format: str = FORMAT
    format_version: int = FORMAT_VERSION
    version: str = __version__
    """Of the Corpusmith that wrote it."""
    revision: str
    """Of the schema."""
    database: str
    """`sqlite` or `postgresql`: where it came from."""
    created_at: str
    key: KeyPlace
    sequences: dict[str, int] = field(default_factory=dict)
    members: tuple[Member, ...] = ()

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.members)

    @property
    def uploads(self) -> int:
        return sum(one.kind == "upload" and not one.about.endswith(".json") for one in self.members)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup that was written."""

    file: Path
    bytes: int
    seconds: float
    manifest: Manifest


Show = Callable[[int, int], None]
"""Told of rows done and rows in all."""


def nothing(done: int, total: int) -> None:
    """Nobody looks."""


def backup(
    database: Database, file: Path, *, with_key: bool = False, show: Show = nothing
) -> Backup:
    """Writes `file`, whole or not at all, readable by its owner alone.

    Raises UsageError (`backup_exists`, `backup_no_key`, what the disk says), DiskFull, StoreError.
    """
    _find_key(with_key=with_key)
    began_s = time.monotonic()
    with _new_file(file) as out:
        manifest = write(database, Named(out, file), with_key=with_key, show=show)
    seconds = time.monotonic() - began_s
    return Backup(file=file, bytes=file.stat().st_size, seconds=seconds, manifest=manifest)


def bring(chunks: Iterable[bytes], file: Path) -> Path:
    """A backup that is there already, as `file`, like `backup` does. What is refused before the
    first bytes come touches no disk. Raises UsageError, DiskFull, and what `chunks` raises."""
    rest = iter(chunks)
    begun = next(rest, b"")
    with _new_file(file) as out:
        for chunk in chain([begun], rest):
            out.write(chunk)
    return file


@contextmanager
def _new_file(file: Path) -> Iterator[BinaryIO]:
    """What is written stands in `file` at the end, or nothing does."""
    if os.path.lexists(file):
        raise UsageError("backup_exists", file=str(file))
    part = file.with_name(f".corpusmith-{secrets.token_hex(8)}.part")
    sweep(part.parent)
    try:
        with disk_errors(file):
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb", buffering=_PIECE) as out:
                yield out
                out.flush()
                os.fsync(out.fileno())
            os.rename(part, file)
            sync_folder(file.absolute().parent)
    finally:
        with suppress(OSError):
            part.unlink()


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Inside, what the disk answers is of `path`. Raises DiskFull `backup_disk_full`, UsageError
    `backup_disk`."""
    try:
        yield
    except OSError as error:
        cause = error.strerror or str(error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull("backup_disk_full", path=str(path), cause=cause) from error
        raise UsageError("backup_disk", path=str(path), cause=cause) from error


class Named:
    """A file whose errors name it: those of the database's own disk would be taken for them."""

    def __init__(self, out: BinaryIO, path: Path) -> None:
        self._out, self._path = out, path

    def write(self, data: bytes) -> int:
        with disk_errors(self._path):
            return self._out.write(data)

    def flush(self) -> None:
        with disk_errors(self._path):
            self._out.flush()


class Sink(Protocol):
    """Where a backup goes."""

    def write(self, data: bytes, /) -> int: ...

    def flush(self) -> None: ...


def write(
    database: Database, out: Sink, *, with_key: bool = False, show: Show = nothing
) -> Manifest:
    """The backup into `out`, which need not be able to seek. Raises as `backup` does, OSError."""
    key = _find_key(with_key=with_key)
    with (
        looking(database) as look,
        zipfile.ZipFile(cast(BinaryIO, out), "w", zipfile.ZIP_DEFLATED, True, LEVEL) as z,
    ):
        if look.revision is None:
            raise UsageError("backup_nothing", url=database.shown_url)
        members = [*_tables(z, look, show), *_uploads(z)]
        if key == "inside":
            members.append(_file(z, KEY_FILE, home() / KEY_FILE, kind="key"))
        manifest = Manifest(
            revision=look.revision,
            database=database.url.get_backend_name(),
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            key=key,
            sequences=dict(look.sequences()),
            members=tuple(members),
        )
        z.writestr(MANIFEST, orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
    return manifest


# ---------------------------------------------------------------- members


def _tables(archive: zipfile.ZipFile, look: Look, show: Show) -> Iterator[Member]:
    total = sum(table.rows for table in look.tables)
    done = 0
    for table in look.tables:
        before = done

        def told(rows: int, before: int = before) -> None:
            show(before + rows, total)

        member = _table(archive, look, table, told)
        done += member.rows
        yield member
    show(total, total)


def _table(
    archive: zipfile.ZipFile, look: Look, table: Kept, told: Callable[[int], None]
) -> Member:
    counted = 0

    def lines() -> Iterator[bytes]:
        nonlocal counted
        yield orjson.dumps(table.columns) + b"\n"
        for part in look.rows(table):
            yield b"".join(orjson.dumps(row, _bytes, orjson.OPT_APPEND_NEWLINE) for row in part)
            counted += len(part)
            told(counted)

    name = f"tables/{table.name}.jsonl"
    size, digest = _put(archive, name, lines())
    return Member(
        name=name, kind="table", about=table.name, rows=counted, bytes=size, sha256=digest
    )


def _bytes(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return {"b64": base64.b64encode(value).decode("ascii")}
    raise TypeError(f"{type(value).__name__} in a table")


def _uploads(archive: zipfile.ZipFile) -> Iterator[Member]:
    """Those that are whole: their facts are there. Their names are not names in the archive."""
    folder = uploads_folder()
    facts = sorted(folder.glob("*.json")) if folder.is_dir() else []
    for number, fact in enumerate(facts):
        files = sorted((folder / fact.stem).glob("*"))
        # It may be swept under our hands: then it is as if it had been a moment ago.
        with suppress(FileNotFoundError):
            for place, path in enumerate((*files[:1], fact)):
                about = path.relative_to(folder).as_posix()
                yield _file(archive, f"uploads/{number}.{place}", path, kind="upload", about=about)


def _file(
    archive: zipfile.ZipFile,
    name: str,
    path: Path,
    *,
    kind: Literal["upload", "key"],
    about: str = "",
) -> Member:
    with open(path, "rb") as source:
        size, digest = _put(archive, name, iter(lambda: source.read(_PIECE), b""))
    return Member(name=name, kind=kind, about=about, bytes=size, sha256=digest)


def _put(archive: zipfile.ZipFile, name: str, pieces: Iterable[bytes]) -> tuple[int, str]:
    info = zipfile.ZipInfo(name, time.localtime()[:6])
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
    info._compresslevel = LEVEL  # type: ignore[attr-defined]  # public only from Python 3.13 on
    size, digest = 0, hashlib.sha256()
    with archive.open(info, "w", force_zip64=True) as member:
        for piece in pieces:
            member.write(piece)
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def _find_key(*, with_key: bool) -> KeyPlace:
    """Raises UsageError `backup_no_key` when it is wanted and there is no such file."""
    if setting("secret_key"):
        if with_key:
            raise UsageError("backup_key_in_environment")
        return "environment"
    there = (home() / KEY_FILE).exists()
    if with_key and not there:
        raise UsageError("backup_no_key", path=str(home() / KEY_FILE))
    return "none" if not there else "inside" if with_key else "left_out"


def free_bytes(folder: Path) -> int:
    """What the disk of `folder`, or of the nearest one above that is there, has left."""
    nearest = next((one for one in (folder, *folder.parents) if one.is_dir()), Path("/"))
    return shutil.disk_usage(nearest).free
