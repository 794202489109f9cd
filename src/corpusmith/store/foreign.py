"""Translates the databases' own errors into ours, once, at the edge.

Owns: which driver error means what. The driver's text is shown, never searched.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from corpusmith.errors import (
    DiskFull,
    SpecError,
    StoreCorrupt,
    StoreError,
    StoreReadOnly,
    StoreUnavailable,
)

_SQLITE: dict[int, tuple[type[StoreError], str | None]] = {
    sqlite3.SQLITE_BUSY: (StoreUnavailable, "store_busy"),
    sqlite3.SQLITE_LOCKED: (StoreUnavailable, "store_busy"),
    sqlite3.SQLITE_READONLY: (StoreReadOnly, None),
    sqlite3.SQLITE_IOERR: (StoreUnavailable, None),
    sqlite3.SQLITE_CORRUPT: (StoreCorrupt, None),
    sqlite3.SQLITE_NOTADB: (StoreCorrupt, None),
    sqlite3.SQLITE_FULL: (DiskFull, None),
    sqlite3.SQLITE_CANTOPEN: (StoreUnavailable, None),
    sqlite3.SQLITE_PERM: (StoreUnavailable, None),
}

_POSTGRES: dict[str, tuple[type[StoreError], str | None]] = {
    "53100": (DiskFull, None),
    "25006": (StoreReadOnly, None),
    "25P03": (StoreUnavailable, None),  # the server ended a transaction that stood still
    "42501": (StoreUnavailable, None),  # no right to use the schema or a table
    "55P03": (StoreUnavailable, "store_busy"),
    "40P01": (StoreUnavailable, "store_busy"),
    "XX001": (StoreCorrupt, None),
    "XX002": (StoreCorrupt, None),
}
_OUT_OF_RANGE = "22003"
_POSTGRES_CLASS: dict[str, tuple[type[StoreError], str | None]] = {
    "08": (StoreUnavailable, None),  # connection
    "28": (StoreUnavailable, None),  # authorisation
    "3D": (StoreUnavailable, None),  # no such database
    "53": (StoreUnavailable, None),  # too many connections, out of memory
    "57": (StoreUnavailable, None),  # shut down
    "58": (StoreUnavailable, None),  # the server's own disk
}


def shown(url: URL) -> str:
    """The URL for people, without its password and without its options, which may hold one."""
    plain = url.set(drivername=url.get_backend_name(), query={})
    return plain.render_as_string(hide_password=True)


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """Raises our StoreError instead of any error of the driver, the pool or the file system."""
    try:
        yield
    except OverflowError as error:
        # A number that no row can have: SQLite's driver says so before it asks.
        raise SpecError("number_too_large") from error
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _OUT_OF_RANGE:
            raise SpecError("number_too_large") from error
        kind, code = _meaning(error)
        raise kind(code, url=shown(url), cause=_cause(error, url)) from error
    except PoolTimeout as error:
        raise StoreUnavailable("store_busy", url=shown(url), cause=str(error)) from error
    except SQLAlchemyError as error:
        raise StoreError(url=shown(url), cause=_hidden(str(error), url)) from error
    except OSError as error:
        kind = DiskFull if error.errno == errno.ENOSPC else StoreUnavailable
        raise kind(url=shown(url), cause=error.strerror or str(error)) from error


def _meaning(error: DBAPIError) -> tuple[type[StoreError], str | None]:
    driver = error.orig
    if isinstance(driver, sqlite3.Error):
        # The low byte is the primary code; the rest says where it happened.
        code = getattr(driver, "sqlite_errorcode", None) or 0
        return _SQLITE.get(code & 0xFF, (StoreError, None))
    state = getattr(driver, "sqlstate", None)
    if state is None:
        # psycopg has no state for a connection that was never made (no statement) or that broke.
        away = error.statement is None or isinstance(error, OperationalError | InterfaceError)
        return (StoreUnavailable if away else StoreError), None
    return _POSTGRES.get(state) or _POSTGRES_CLASS.get(state[:2], (StoreError, None))


def _cause(error: DBAPIError, url: URL) -> str:
    # `orig`, not `error`: SQLAlchemy's text adds the statement.
    return _hidden(" ".join(str(error.orig).split()), url)


def _hidden(text: str, url: URL) -> str:
    for secret in (url.password, url.query.get("password"), url.query.get("sslpassword")):
        if secret:
            text = text.replace(str(secret), "***")
    return text
