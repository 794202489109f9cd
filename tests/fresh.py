"""Fresh databases for tests: the migrations make the first of a process, the others are its copy.

Forty tables through Alembic and SQLAlchemy take 0.1 s of CPU, and thousands of tests want an empty
store. The bytes of a SQLite file that the migrations made are kept, and written where a store is
to be that is not there; in a file that is there they are said again as statements. Postgres has
`fresh_postgres`. Tests of the migrations use neither: they take `migrated`.
"""

from __future__ import annotations

import os
import tempfile
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path

from sqlalchemy import URL, Connection

from corpusmith.store import open as opening
from corpusmith.store.database import Database

migrated = opening._migrate
"""The real one."""
prepared = opening._prepare_file
_statements: list[str] = []
_INDEX = "record_text"
"""A virtual table; those that it makes for itself begin with its name and `_`."""
_ITS_OWN = tuple(f"{_INDEX}_{one}" for one in ("data", "idx", "content", "docsize", "config"))


def copied(connection: Connection, revision: str = "head") -> None:
    """In place of the migrations: the same tables, rows and revision in an empty database."""
    if revision != "head" or connection.dialect.name != "sqlite" or _names(connection):
        migrated(connection, revision)
    elif _statements:
        for statement in _statements:
            connection.exec_driver_sql(statement)
    else:
        migrated(connection)
        _statements.extend(_schema(connection) + _rows(connection))


def placed(url: URL) -> None:
    """In place of what looks at the way to a SQLite file: then it is there as well."""
    prepared(url)
    path = Path(str(url.database))
    if opening._migrate is not copied or path.exists():
        return
    # Whole or not at all: another thread may open the same one.
    own = path.with_name(f"new-{os.getpid()}-{threading.get_ident()}")
    own.write_bytes(_ready())
    with suppress(FileExistsError):
        os.link(own, path)
    own.unlink()


@cache
def _ready() -> bytes:
    with tempfile.TemporaryDirectory(prefix="corpusmith-fresh-") as folder:
        path = Path(folder) / "ready.db"
        database = Database(opening.parse_url(f"sqlite:///{path}"))
        with database.write() as connection:
            migrated(connection)
        database.close()
        return path.read_bytes()


def _names(connection: Connection) -> list[str]:
    found = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
    return [str(one) for one in found.scalars()]


def _schema(connection: Connection) -> list[str]:
    found = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        " ORDER BY type DESC"
    )
    return [str(sql) for name, sql in found if name not in _ITS_OWN]


def _rows(connection: Connection) -> list[str]:
    """What migrations put into the tables: two rows."""
    said = []
    for name in set(_names(connection)) - {_INDEX, *_ITS_OWN, "sqlite_sequence"}:
        for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"'):
            values = ", ".join(f"'{one}'" if isinstance(one, str) else str(one) for one in row)
            said.append(f'INSERT INTO "{name}" VALUES ({values})')
    return said
