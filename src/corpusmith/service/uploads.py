"""Use-cases of uploads: files that came with a request, until something is made of them.

Owns: where they lie, their names, their size, for how long they stay. Does not own: which text
names one (`places.py`), what is in them (the readers find that out).
An upload is two names in `home()/uploads`: `<id>/<name>`, its bytes, and `<id>.json`, its facts,
which are written last: without them it is not there.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import orjson

from corpusmith.config import setting
from corpusmith.disk import sync_folder
from corpusmith.errors import DiskFull, NotFound, UsageError
from corpusmith.exports.files import translated
from corpusmith.places import PREFIX, upload_path, uploads_folder

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

KEPT_S = 7 * 24 * 3600
"""An upload that nobody used for so long is swept."""
SPARE_BYTES = 64 << 20
"""What an upload leaves free on the disk: the database and its log need it."""
MOST_NAME_BYTES = 120
_ODD = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that came in. `upload:<id>` names it wherever a file is asked for."""

    id: str
    name: str
    """As it was called where it came from, without folders; a label, never a place."""
    bytes: int
    sha256: str
    created_at: str
    """ISO 8601, UTC."""

    @property
    def wish(self) -> str:
        """What stands for it in a field."""
        return PREFIX + self.id


class Uploads:
    """`studio.uploads`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def begin(self, name: str, *, now_s: float | None = None) -> Arriving:
        """A file to write into; `finish` makes it an upload. Old ones are swept on the way.

        Raises DiskFull, UsageError.
        """
        sweep(time.time() if now_s is None else now_s)
        return Arriving(name)

    def list(self) -> Sequence[Upload]:
        """All, the newest first."""
        try:
            facts = [one for one in uploads_folder().iterdir() if one.suffix == ".json"]
        except FileNotFoundError:
            return []
        found = [one for path in facts if (one := _read(path.stem)) is not None]
        return sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)

    def get(self, upload: str) -> Upload:
        """Raises NotFound."""
        upload_path(upload)
        if (found := _read(upload)) is None:
            raise NotFound("unknown_upload", kind="upload", name=upload[:80])
        return found

    def delete(self, upload: str) -> None:
        """What was made of it stays. Raises NotFound."""
        _remove(self.get(upload).id)


def forget(upload: str) -> None:
    """Nothing of it stays, also where its file has gone elsewhere."""
    _remove(upload)


class Arriving:
    """An upload on its way. Exactly one of `finish` and `drop` ends it."""

    def __init__(self, name: str) -> None:
        self.id = secrets.token_hex(16)
        self.name = safe_name(name)
        self._most = most_bytes()
        self._size = 0
        self._digest = hashlib.sha256()
        self._folder = uploads_folder() / self.id
        with _Named(self._folder):
            self._folder.mkdir(parents=True, mode=0o700)
            self._file = _new(self._folder / self.name)

    def write(self, data: bytes) -> None:
        """Raises UsageError `upload_too_large`, DiskFull."""
        self._size += len(data)
        if self._size > self._most:
            raise UsageError("upload_too_large", name=self.name, most=f"{self._most >> 20} MB")
        with _Named(self._folder):
            if shutil.disk_usage(self._folder).free < SPARE_BYTES + len(data):
                raise DiskFull("upload_disk_full", name=self.name)
            self._file.write(data)
        self._digest.update(data)

    def finish(self) -> Upload:
        """It is there, and stays through a power cut. Raises UsageError for one without bytes."""
        if not self._size:
            raise UsageError("upload_empty", name=self.name)
        found = Upload(
            id=self.id,
            name=self.name,
            bytes=self._size,
            sha256=self._digest.hexdigest(),
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        with _Named(self._folder):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            with _new(_facts(self.id)) as facts:
                facts.write(orjson.dumps(asdict(found)))
                os.fsync(facts.fileno())
            sync_folder(uploads_folder())
        return found

    def drop(self) -> None:
        """Nothing of it stays."""
        self._file.close()
        _remove(self.id)


def most_bytes() -> int:
    """The largest upload that is taken. Raises UsageError for a setting that is no number."""
    given = setting("max_upload_mb") or "1024"
    if not given.isascii() or not given.isdigit() or int(given) < 1:
        raise UsageError("setting_number", name="CORPUSMITH_MAX_UPLOAD_MB", value=given[:20])
    return int(given) << 20


def safe_name(name: str) -> str:
    """A file name out of any text: the last part, without signs that some disk does not take."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(one for one in _ODD.sub("_", last) if one.isprintable()).strip(" .")
    stem, dot, suffix = kept.rpartition(".")
    if not dot or len(suffix.encode(errors="replace")) > 20:
        stem, suffix = kept, ""
    room = MOST_NAME_BYTES - len(suffix.encode(errors="replace"))
    stem = stem.encode(errors="replace")[:room].decode(errors="ignore").strip(" .") or "upload"
    return f"{stem}.{suffix}" if suffix else stem


def sweep(now_s: float) -> int:
    """Takes away what nobody used for a week, and what never came whole; returns how many.

    A task or an import copies what it needs, so nothing that goes on loses anything.
    """
    gone = 0
    with suppress(FileNotFoundError):
        for one in {path.name.partition(".")[0] for path in uploads_folder().iterdir()}:
            if now_s - _used_s(one) > KEPT_S:
                _remove(one)
                gone += 1
    return gone


def _used_s(upload: str) -> float:
    """When it came or was last named (`places.given_path` marks its folder)."""
    for path in (uploads_folder() / upload, _facts(upload)):
        with suppress(OSError):
            return path.stat().st_mtime
    return 0.0


def _read(upload: str) -> Upload | None:
    try:
        return Upload(**orjson.loads(_facts(upload).read_bytes()))
    except (OSError, orjson.JSONDecodeError, TypeError):
        return None


def _facts(upload: str) -> Path:
    return uploads_folder() / f"{upload}.json"


def _remove(upload: str) -> None:
    with suppress(FileNotFoundError):
        _facts(upload).unlink()
    shutil.rmtree(uploads_folder() / upload, ignore_errors=True)


def _new(path: Path) -> BinaryIO:
    """Nobody else on this machine may read it."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


class _Named:
    """Inside, what the disk answers is an error of ours."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise translated(error, self._place) from error
