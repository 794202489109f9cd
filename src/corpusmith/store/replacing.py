"""A whole database in the place of another: what was there is moved aside, never deleted.

Owns: making the new one beside the old, and the one step that changes them. Does not own: what is
in it (the caller loads it).
Until that step the old one is as it was, whatever happens; after it the new one is whole. On SQLite
the step is the renaming of a file, on Postgres the end of a transaction.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.engine import URL

from corpusmith.disk import sync_folder
from corpusmith.errors import Conflict, StoreCorrupt, StoreUnavailable
from corpusmith.store.database import Database
from corpusmith.store.dump import NOT_KEPT, UNLISTED
from corpusmith.store.foreign import shown, translated
from corpusmith.store.lease import human, surely_dead
from corpusmith.store.open import lock_migrations, make_schema, open_store, parse_url
from corpusmith.store.schema import METADATA, tasks

EMPTY_ALL_THE_SAME = frozenset({"settings", "modes", "audit"})
"""Tables that fill by themselves: a database with rows in these alone has nothing to lose."""
BUSY_S = 5.0

Fill = Callable[[Connection], None]
"""Loads the rows, in the transaction in which the tables were made."""


def replace_database(url: str, revision: str, fill: Fill, *, force: bool) -> str | None:
    """Makes the database at `url` what `fill` puts into the tables of `revision`, brought up to
    date. Returns where the old one is now: a file or a schema; None: there was nothing.

    Raises Conflict (`restore_not_empty` without `force`, `restore_running`), StoreUnavailable
    `restore_in_use`, StoreError.
    """
    place = parse_url(url)
    if place.get_backend_name() == "sqlite":
        return _replace_file(place, revision, fill, force=force)
    return _replace_schema(place, revision, fill, force=force)


def refuse_running(connection: Connection, now: float) -> None:
    """Raises Conflict `restore_running` while a process runs a task."""
    found = connection.execute(
        select(tasks.c.id, tasks.c.lease_owner).where(
            tasks.c.lease_owner.is_not(None), tasks.c.lease_until > now
        )
    )
    for task_id, owner in found:
        if not surely_dead(owner):
            raise Conflict("restore_running", task=task_id, owner=human(owner))


def lock_tasks(connection: Connection) -> None:
    """Until the transaction ends no process takes a task up. (SQLite's one writer is alone.)"""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE")


def is_empty(connection: Connection) -> bool:
    """Whether nothing would be lost with it."""
    there = set(inspect(connection).get_table_names())
    kept = [one for one in METADATA.tables.values() if one.name in there]
    return not any(
        connection.scalar(text(f"SELECT 1 FROM {one.name} LIMIT 1"))  # noqa: S608
        for one in kept
        if one.name not in NOT_KEPT | EMPTY_ALL_THE_SAME
    )


# ---------------------------------------------------------------- SQLite


def _replace_file(url: URL, revision: str, fill: Fill, *, force: bool) -> str | None:
    target = Path(str(url.database))
    with translated(url):
        target.parent.mkdir(parents=True, exist_ok=True)
    _refuse_old(url, target, force=force)
    _sweep(target)
    draft = target.with_name(f"{target.name}.restoring-{secrets.token_hex(4)}")
    try:
        _make_file(url.set(database=str(draft)), revision, fill)
        with translated(url):
            return _swap(url, draft, target)
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            with suppress(OSError):
                Path(f"{draft}{suffix}").unlink()


def _refuse_old(url: URL, target: Path, *, force: bool) -> None:
    if not target.exists():
        return
    database = Database(url)
    try:
        with database.read() as connection:
            known = inspect(connection).has_table("tasks")
            if known:
                refuse_running(connection, time.time())
            if not force and not (known and is_empty(connection)):
                raise Conflict("restore_not_empty", url=shown(url))
    except StoreCorrupt:
        # That is what backups are for; but a person says so.
        if not force:
            raise
    finally:
        database.close()


def _sweep(target: Path) -> None:
    """What a restore left that was killed: its draft, and the second name of the one in use."""
    for draft in target.parent.glob(f"{target.name}.restoring-*"):
        draft.unlink(missing_ok=True)
    for aside in target.parent.glob(f"{target.name}.before-*"):
        if target.exists() and aside.samefile(target):
            aside.unlink()


def _make_file(url: URL, revision: str, fill: Fill) -> None:
    database = Database(url)
    try:
        with database.write() as connection:
            make_schema(connection, revision)
            fill(connection)
    finally:
        database.close()
    # An older one is brought up to date before anybody sees it. Closing it empties its log.
    open_store(url.render_as_string(hide_password=False)).close()
    with closing(sqlite3.connect(str(url.database))) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode=DELETE")
    with open(str(url.database), "rb") as file:
        os.fsync(file.fileno())


def _swap(url: URL, draft: Path, target: Path) -> str | None:
    if not target.exists():
        os.rename(draft, target)
        sync_folder(target.parent)
        return None
    with closing(sqlite3.connect(str(target), timeout=BUSY_S, isolation_level=None)) as old:
        # Its log goes into the file and away: left behind, it would be taken for the new one's.
        # That can be done by the only one who has it open, so it tells whether somebody else has.
        aside = target.with_name(f"{target.name}.{_stamp()}")
        try:
            mode = old.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
            old.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise StoreUnavailable("restore_in_use", url=shown(url), cause=str(error)) from error
        except sqlite3.DatabaseError:  # it is damaged: it goes as it is, with what belongs to it
            return _swap_damaged(draft, target, aside)
        if mode != "delete":
            raise StoreUnavailable("restore_in_use", url=shown(url), cause=mode)
        try:
            os.link(target, aside)
        except OSError:  # a file system without links
            shutil.copy2(target, aside)
        sync_folder(target.parent)
        os.replace(draft, target)
        sync_folder(target.parent)
    return str(aside)


def _swap_damaged(draft: Path, target: Path, aside: Path) -> str:
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            os.rename(f"{target}{suffix}", f"{aside}{suffix}")
    os.rename(draft, target)
    sync_folder(target.parent)
    return str(aside)


# ---------------------------------------------------------------- Postgres


def _replace_schema(url: URL, revision: str, fill: Fill, *, force: bool) -> str | None:
    database = Database(url)
    try:
        with database.write() as connection:
            lock_migrations(connection)
            aside = _move_aside(connection, url, force=force)
            make_schema(connection, revision)
            fill(connection)
            make_schema(connection)
    finally:
        database.close()
    return aside


def _move_aside(connection: Connection, url: URL, *, force: bool) -> str | None:
    """Our tables into a schema of their own: indexes and sequences go with them."""
    there = set(inspect(connection).get_table_names())
    ours = sorted(there & {*METADATA.tables, *UNLISTED})
    if not ours:
        return None
    if "tasks" in ours:
        lock_tasks(connection)
        refuse_running(connection, time.time())
    if not force and not is_empty(connection):
        raise Conflict("restore_not_empty", url=shown(url))
    aside = f"corpusmith_{_stamp().replace('-', '_')}"
    connection.exec_driver_sql(f"CREATE SCHEMA {aside}")
    for name in ours:
        connection.exec_driver_sql(f"ALTER TABLE {name} SET SCHEMA {aside}")
    return aside


def _stamp() -> str:
    return f"before-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
