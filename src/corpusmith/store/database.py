"""One database: how it is reached, read and written.

Owns: engines, pragmas, the one writer and its lock. Does not own: any table.
Nothing here is bound to a thread: a transaction may begin, run and commit in three of them.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, Dialect, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL

from corpusmith.errors import StoreUnavailable
from corpusmith.store.foreign import shown, translated

BUSY_TIMEOUT_S = 15.0
"""How long a writer waits for another process's."""

IDLE_TIMEOUT_S = 120.0
"""How long Postgres lets a transaction stand still (a stopped process) before it ends it."""

LOCK_TIMEOUT_S = 60.0
"""How long a writer waits for this process's own: longer than a stuck disk usually takes."""

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000:.0f}",
    # 16 MB, so that a group commit does not spill; a checkpoint every 16 MB of log instead of 4,
    # because each one costs two more waits for the disk.
    "PRAGMA cache_size=-16384",
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA journal_size_limit=67108864",
)


class Database:
    """One writer connection behind a lock, and a few readers."""

    def __init__(self, url: URL, now: Callable[[], float] = time.time) -> None:
        self.url = url
        self.now = now
        """Seconds since 1970, for `*_at` columns."""
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self._writer = _engine(url, size=1, begin="BEGIN IMMEDIATE")
        self._reader = _engine(url, size=4, begin="BEGIN")
        self._lock = threading.Lock()
        self.writes = 0
        """Transactions that this process has committed here."""

    @property
    def dialect(self) -> Dialect:
        """For compiling a statement by hand."""
        return self._writer.dialect

    @property
    def shown_url(self) -> str:
        return shown(self.url)

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows ON CONFLICT, which both have under two names."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def begin(self) -> Connection:
        """The writer in a new transaction, ours alone until `end`. Waits for other writers."""
        if not self._lock.acquire(timeout=LOCK_TIMEOUT_S):
            raise StoreUnavailable(
                "store_busy", url=self.shown_url, cause=f"own writer, {LOCK_TIMEOUT_S:.0f} s"
            )
        try:
            with translated(self.url):
                connection = self._writer.connect()
                try:
                    connection.begin()
                except BaseException:
                    connection.close()
                    raise
                return connection
        except BaseException:
            self._lock.release()
            raise

    def end(self, connection: Connection, *, commit: bool) -> None:
        """Commit or roll back, and let the next writer in. A failed commit is rolled back."""
        try:
            with translated(self.url):
                try:
                    if commit:
                        connection.commit()
                        self.writes += 1
                finally:
                    connection.close()
        finally:
            self._lock.release()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A short write: committed at the end, rolled back on any exception."""
        connection = self.begin()
        try:
            with translated(self.url):
                yield connection
        except BaseException:
            self.end(connection, commit=False)
            raise
        self.end(connection, commit=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view. Short: an open view keeps SQLite's log from shrinking."""
        with translated(self.url), self._reader.connect() as connection:
            yield connection

    def outside_transaction(self, statement: str) -> None:
        """Run a statement of the database's upkeep, which no transaction may hold."""
        with translated(self.url), self._reader.connect() as connection:
            driver: Any = connection.connection.driver_connection
            if self.is_sqlite:
                driver.execute(statement)
                return
            driver.autocommit = True
            try:
                driver.execute(statement)
            finally:
                driver.autocommit = False

    def close(self) -> None:
        """Give back all connections. May be called twice."""
        self._writer.dispose()
        self._reader.dispose()


def _engine(url: URL, *, size: int, begin: str) -> Engine:
    local = url.get_backend_name() == "sqlite"
    arguments: dict[str, Any] = (
        {"check_same_thread": False, "timeout": BUSY_TIMEOUT_S, "factory": _File}
        if local
        else {"connect_timeout": 10, "client_encoding": "utf8"}
    )
    engine = create_engine(
        url,
        pool_size=size,
        max_overflow=0 if size == 1 else 8,
        pool_pre_ping=not local,
        connect_args=arguments,
        hide_parameters=True,
    )
    if local:
        _prepare_sqlite(engine, begin)
    else:
        _prepare_postgres(engine)
    return engine


class _File(sqlite3.Connection):
    """Python's own, but a transaction that ends takes its statements with it.

    Since Python 3.11 a statement that nobody read to its end outlives the transaction, and with it
    what it saw: whoever was lent the connection next saw the database as it had been. A kept
    exception, which keeps the frames that it came through, was enough for that.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._cursors: WeakSet[sqlite3.Cursor] = WeakSet()

    def cursor(self, *args: Any, **options: Any) -> Any:
        made = super().cursor(*args, **options)
        self._cursors.add(made)
        return made

    def commit(self) -> None:
        self._settle()
        super().commit()

    def rollback(self) -> None:
        self._settle()
        super().rollback()

    def _settle(self) -> None:
        for one in tuple(self._cursors):
            one.close()


def _prepare_sqlite(engine: Engine, begin: str) -> None:
    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        # None: the driver starts no transaction by itself; we say BEGIN.
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        if begin == "BEGIN":
            # Asks nothing of the file and cannot fail: no need for all that a statement costs.
            driver: Any = connection.connection.driver_connection
            driver.execute(begin)
        else:
            connection.exec_driver_sql(begin)


def _prepare_postgres(engine: Engine) -> None:
    # Before SQLAlchemy's own first look, which fails on text that comes as bytes.
    @event.listens_for(engine, "connect", insert=True)
    def set_up(connection: Any, _record: Any) -> None:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise StoreUnavailable("store_not_utf8", url=shown(engine.url), encoding=encoding)
        # A process that was stopped in the middle must not hold up the others for ever.
        connection.execute(f"SET lock_timeout = {BUSY_TIMEOUT_S * 1000:.0f}")
        idle_ms = IDLE_TIMEOUT_S * 1000
        connection.execute(f"SET idle_in_transaction_session_timeout = {idle_ms:.0f}")
        connection.commit()
