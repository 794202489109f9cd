"""Use-cases of putting a backup back, and of bringing a database up to date with one made before.

Owns: the order of the steps. Does not own: what a backup may look like (`archive.py`), how one
database takes another's place (`store/replacing.py`).
The backup is read to its end before anything is written. Uploads come first (they only add), then
the database in one step, then the key.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect

from corpusmith.config import database_url, home
from corpusmith.disk import sync_folder
from corpusmith.errors import DiskFull, SpecError
from corpusmith.places import uploads_folder
from corpusmith.service.archive import Archive, Listed, opened, refuse_missing
from corpusmith.service.backups import KEY_FILE, Backup, KeyPlace, backup, disk_errors, free_bytes
from corpusmith.service.sealing import seal_old
from corpusmith.service.server_settings import adopt
from corpusmith.store.dump import revision_of
from corpusmith.store.load import (
    clear,
    first_broken_key,
    load_table,
    set_sequences,
    without_indexes,
)
from corpusmith.store.open import open_as_it_is, open_store, parse_url
from corpusmith.store.replacing import lock_tasks, refuse_running, replace_database
from corpusmith.store.schema import REVISIONS

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

Show = Callable[[str, int, int], None]
"""Told of a step (`check`, `load`), and how much of it is done, of how much: bytes, rows."""

_TIMES_THE_ROWS = 3
"""A database needs about so many times the bytes of its rows while it is made: its pages, its
indexes, its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A backup that was put back."""

    file: Path
    rows: int
    uploads: int
    from_version: str
    created_at: str
    aside: str | None
    """Where the old database is now; None: there was nothing."""
    key: KeyPlace
    key_there: bool
    """Whether stored API keys can be opened here, as far as the key file goes."""
    key_aside: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreDone:
    """A backup that was put back."""

    rows: int
    uploads: int
    from_version: str
    created_at: str
    saved: str
    """The file in the folder of backups that holds what was there before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """What bringing a database up to date meant, or would mean."""

    before: str | None
    """None: an empty database."""
    after: str
    done: bool
    backup: Backup | None = None

    @property
    def waiting(self) -> int:
        """How many steps there were to do."""
        return len(REVISIONS) - (0 if self.before is None else REVISIONS.index(self.before) + 1)


def nobody(step: str, done: int, total: int) -> None:
    """Nobody looks."""


def restore(db: str | None, file: Path, *, force: bool = False, show: Show = nobody) -> Restored:
    """Puts the backup `file` in the place of the database: all of it or nothing.

    Raises UsageError (`backup_missing`, `restore_not_empty` without `force`, `restore_running`),
    SpecError (`backup_not_one`, `backup_damaged`, `backup_too_new`, `backup_suspicious`), DiskFull,
    StoreError.
    """
    url = database_url(db)
    refuse_missing(file)
    with opened(file) as archive:
        contents = archive.contents
        _refuse_full(url, contents.bytes)
        archive.check(lambda done, total: show("check", done, total))
        _put_uploads(archive)
        aside = replace_database(
            url, contents.revision, lambda into: _fill(archive, into, show), force=force
        )
        key_aside = _put_key(archive)
    return _told(archive, aside, key_aside)


def restore_here(studio: Studio, file: Path, *, show: Show = nobody) -> Restored:
    """`restore` for a server that goes on running: the rows change places in one transaction, and
    what was there is a backup in the data folder before.

    The backup's key file stays in it. Raises as `restore` does; SpecError `restore_older` for a
    backup of an older version, Conflict `restore_running` while a task runs.
    """
    database = studio.store.database
    refuse_missing(file)
    with opened(file) as archive:
        contents = archive.contents
        if contents.revision != REVISIONS[-1]:
            raise SpecError("restore_older", version=contents.version)
        with database.read() as connection:
            refuse_running(connection, time.time())
        _refuse_full(str(database.url), contents.bytes)
        archive.check(lambda done, total: show("check", done, total))
        aside = _saved("restore")
        backup(database, aside, show=lambda done, total: show("save", done, total))
        _put_uploads(archive)
        with database.write() as connection:
            lock_tasks(connection)
            refuse_running(connection, time.time())
            clear(connection)
            studio.store.record_text.forget_all(connection)
            _fill(archive, connection, show)
    adopt(studio.store)
    seal_old(studio.store)
    return _told(archive, str(aside), None)


def put_back(studio: Studio, file: Path, *, show: Show) -> RestoreDone:
    """Puts a backup in the place of everything; it may lie elsewhere. Raises as `restore_here`."""
    # Its last step is one transaction: whole, or as it was.
    done = restore_here(studio, file, show=show)
    return RestoreDone(
        rows=done.rows,
        uploads=done.uploads,
        from_version=done.from_version,
        created_at=done.created_at,
        saved=Path(done.aside or "").name,
    )


def upgrade(
    db: str | None,
    *,
    check: bool = False,
    save: bool = True,
    file: Path | None = None,
    show: Show = nobody,
) -> Upgrade:
    """Brings the database up to date, after a backup (`save`) into `file`, else into `backups` in
    the data folder. With `check` nothing is done. Raises UsageError, DiskFull, StoreError."""
    url = database_url(db)
    database = open_as_it_is(url)
    made = None
    try:
        with database.read() as connection:
            before = revision_of(connection)
        if check or before == REVISIONS[-1]:
            return Upgrade(before=before, after=REVISIONS[-1], done=False)
        if save and before is not None:
            target = file or _saved(f"upgrade-from-{before}")
            made = backup(database, target, show=lambda done, all: show("save", done, all))
    finally:
        database.close()
    with closing(open_store(url)) as store:
        seal_old(store)
    return Upgrade(before=before, after=REVISIONS[-1], done=True, backup=made)


def _told(archive: Archive, aside: str | None, key_aside: str | None) -> Restored:
    contents = archive.contents
    return Restored(
        file=archive.path,
        rows=contents.rows,
        uploads=sum(one.kind == "upload" and "/" in one.about for one in contents.members),
        from_version=contents.version,
        created_at=contents.created_at,
        aside=aside,
        key=contents.key,
        key_there=(home() / KEY_FILE).exists(),
        key_aside=key_aside,
    )


def _saved(what: str) -> Path:
    """Where a backup goes that nobody asked for."""
    folder = home() / "backups"
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder / f"before-{what}-{_stamp()}.zip"


def _stamp() -> str:
    # With microseconds: two restores in one second must not share a name.
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"


# ---------------------------------------------------------------- steps of a restore


def _refuse_full(url: str, size: int) -> None:
    place = parse_url(url)
    if place.get_backend_name() != "sqlite":
        return
    folder = Path(str(place.database)).parent
    needed = size * _TIMES_THE_ROWS
    if free_bytes(folder) < needed:
        cause = f"{needed >> 20} MB"
        raise DiskFull("restore_no_room", path=str(folder), cause=cause)


def _fill(archive: Archive, into: Connection, show: Show) -> None:
    there = set(inspect(into).get_table_names()) - {"alembic_version"}
    total, done = archive.contents.rows, 0
    with without_indexes(into):
        for one in archive.contents.tables:
            if one.about not in there:
                raise SpecError("backup_columns", table=one.about[:80], columns="")
            done += _load(archive, one, into)
            show("load", done, total)
    set_sequences(into, archive.contents.sequences)
    broken = first_broken_key(into)
    if broken is not None:
        raise SpecError("backup_damaged", file=str(archive.path), member=broken)


def _load(archive: Archive, one: Listed, into: Connection) -> int:
    with archive.table(one) as (columns, rows):
        count = load_table(into, one.about, columns, rows)
    if count != one.rows:
        raise SpecError("backup_damaged", file=str(archive.path), member=one.name)
    return count


def _put_uploads(archive: Archive) -> None:
    """Those that are not there. Facts come behind their file: without them it is no upload."""
    folder = uploads_folder()
    listed = [one for one in archive.contents.members if one.kind == "upload"]
    for one in sorted(listed, key=lambda one: one.about.endswith(".json")):
        target = folder / one.about
        with disk_errors(target):
            if target.exists():
                continue
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _put(archive, one, target)


def _put_key(archive: Archive) -> str | None:
    """The backup's key file in its place; another one that was there is moved aside."""
    found = next((one for one in archive.contents.members if one.kind == "key"), None)
    if found is None:
        return None
    target, aside = home() / KEY_FILE, None
    with archive.member(found) as pieces:
        fresh = b"".join(pieces)
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            if target.read_bytes() == fresh:
                return None
            aside = target.with_name(f"{KEY_FILE}.before-{_stamp()}")
            os.link(target, aside)
        _put(archive, found, target)
    return None if aside is None else str(aside)


def _put(archive: Archive, one: Listed, target: Path) -> None:
    draft = target.with_name(f".corpusmith-{secrets.token_hex(8)}.part")
    try:
        # The target's inside the archive's: what the disk says here is of the target.
        with archive.member(one) as pieces, disk_errors(target):
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                for piece in pieces:
                    out.write(piece)
                out.flush()
                os.fsync(out.fileno())
            os.replace(draft, target)
            sync_folder(target.parent)
    finally:
        with suppress(OSError):
            draft.unlink()
