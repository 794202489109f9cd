"""Opens a database: checks the URL, makes the folder, brings the schema up to date.

Owns: what a URL may be, and migration. Does not own: the default URL (`config.py`).
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from corpusmith.errors import StoreReadOnly, StoreTooNew, StoreUnavailable
from corpusmith.store.database import Database
from corpusmith.store.dump import revision_of
from corpusmith.store.foreign import shown, translated
from corpusmith.store.schema import REVISIONS
from corpusmith.store.store import SqlStore

_POSTGRES_NAMES = ("postgresql", "postgres", "postgresql+psycopg")
_SQLITE_NAMES = ("sqlite", "sqlite+pysqlite")
# Any number will do, as long as every version takes the same one.
_MIGRATION_LOCK = 0x636F7270


def open_store(url: str) -> SqlStore:
    """The store at `url` (`sqlite:///file` or `postgresql://…`), created or migrated if need be.

    Raises StoreUnavailable, StoreReadOnly, StoreTooNew, StoreCorrupt, DiskFull.
    """
    place = parse_url(url)
    if place.get_backend_name() == "sqlite":
        _prepare_file(place)
    database = Database(place)
    try:
        _bring_up_to_date(database)
    except BaseException:
        database.close()
        raise
    return SqlStore(database)


def parse_url(url: str) -> URL:
    """`url` with a driver, and for SQLite an absolute path. Raises StoreUnavailable."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The text may hold a password in a place that we cannot find: it is not shown.
        raise StoreUnavailable("store_url", url=url.partition(":")[0] + ":…") from None
    if parsed.drivername in _POSTGRES_NAMES:
        if importlib.util.find_spec("psycopg") is None:
            raise StoreUnavailable("store_driver", url=shown(parsed))
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in _SQLITE_NAMES:
        raise StoreUnavailable("store_url", url=shown(parsed))
    if parsed.database in (None, "", ":memory:") or parsed.host:
        raise StoreUnavailable("store_url", url=shown(parsed))
    path = Path(str(parsed.database)).expanduser().absolute()
    return parsed.set(drivername="sqlite", database=str(path))


def _prepare_file(url: URL) -> None:
    path = Path(str(url.database))
    with translated(url):
        path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not os.access(path, os.W_OK):
        raise StoreReadOnly(url=shown(url), cause="no right to write the file")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        kind = StoreReadOnly if path.exists() else StoreUnavailable
        raise kind(url=shown(url), cause="no right to write the folder")


def open_as_it_is(url: str) -> Database:
    """The database at `url` with whatever schema it has: not migrated, and not made if it is not
    there. Raises StoreUnavailable, StoreReadOnly, StoreTooNew, StoreCorrupt."""
    place = parse_url(url)
    if place.get_backend_name() == "sqlite" and not Path(str(place.database)).exists():
        raise StoreUnavailable(url=shown(place), cause="No such file or directory")
    database = Database(place)
    try:
        with database.read() as connection:
            _refuse_unknown(database, revision_of(connection))
    except BaseException:
        database.close()
        raise
    return database


def make_schema(connection: Connection, revision: str = "head") -> None:
    """The tables as they were at `revision`, inside the caller's transaction. Raises StoreError."""
    _migrate(connection, revision)


def lock_migrations(connection: Connection) -> None:
    """Until the transaction ends no other process changes the schema."""
    if connection.dialect.name != "sqlite":
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MIGRATION_LOCK}
        )


def _bring_up_to_date(database: Database) -> None:
    with database.read() as connection:
        revision = revision_of(connection)
    if revision == REVISIONS[-1]:
        return
    _refuse_unknown(database, revision)
    with database.write() as connection:
        lock_migrations(connection)
        # Again, under the lock: another process may have done it meanwhile.
        revision = revision_of(connection)
        _refuse_unknown(database, revision)
        if revision != REVISIONS[-1]:
            _migrate(connection)


def _refuse_unknown(database: Database, revision: str | None) -> None:
    if revision is not None and revision not in REVISIONS:
        raise StoreTooNew(url=database.shown_url, cause=f"schema {revision}")


def _migrate(connection: Connection, revision: str = "head") -> None:
    # Imported here: most starts find the schema up to date and need no Alembic.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
