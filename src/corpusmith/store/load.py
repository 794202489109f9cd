"""Rows of a dump back into tables.

Owns: writing many rows of any table, its indexes left aside meanwhile, and the numbers that were
given. Does not own: reading a backup (`service/restoring.py`), making the tables (`open.py`).
All of it happens inside the caller's transaction: whole or not at all.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError
from sqlalchemy.types import Boolean, LargeBinary

from corpusmith.errors import SpecError
from corpusmith.store.schema import METADATA

Rows = Iterable[Sequence[list[Any]]]


def load_table(connection: Connection, name: str, columns: Sequence[str], rows: Rows) -> int:
    """The number of rows written. Raises SpecError `backup_columns`, StoreError."""
    mend = _mending(connection, name, columns)
    quoted = connection.dialect.identifier_preparer.quote
    into = f"{quoted(name)} ({', '.join(map(quoted, columns))})"
    write = _copied if connection.dialect.name == "postgresql" else _inserted
    return write(connection, into, len(columns), map(mend, rows))


@contextmanager
def without_indexes(connection: Connection) -> Iterator[None]:
    """Inside, the tables have no indexes but those of their keys: a million rows come in several
    times as fast. At the end they are made anew."""
    find = _SQLITE_INDEXES if connection.dialect.name == "sqlite" else _POSTGRES_INDEXES
    found = connection.execute(text(find)).all()
    quoted = connection.dialect.identifier_preparer.quote
    for name, _ in found:
        connection.exec_driver_sql(f"DROP INDEX {quoted(name)}")
    yield
    for _, statement in found:
        connection.exec_driver_sql(statement)


def clear(connection: Connection) -> None:
    """Every table is empty, those that mean nothing later too; but the index of texts is left to
    `RecordText.forget_all`."""
    there = set(inspect(connection).get_table_names())
    tables = [one.name for one in METADATA.sorted_tables if one.name in there]
    names = [name for name in tables if not name.startswith("record_text_")]
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"TRUNCATE {', '.join(names)}")
        return
    for name in reversed(names):
        connection.exec_driver_sql(f"DELETE FROM {name}")  # noqa: S608  names of our own schema


def set_sequences(connection: Connection, last: Mapping[str, int]) -> None:
    """From here on rows are numbered behind these: a number that was given once is never given
    again."""
    there = set(inspect(connection).get_table_names())
    for table, number in last.items():
        if table in there and isinstance(number, int) and 0 < number < 2**63:
            if connection.dialect.name == "sqlite":
                _set_sqlite(connection, table, number)
            else:
                query = text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :number)")
                connection.execute(query, {"table": table, "number": number})


def first_broken_key(connection: Connection) -> str | None:
    """A table with a row whose foreign key names nothing; None: all is well.

    Postgres has looked at each row as it came in.
    """
    if connection.dialect.name != "sqlite":
        return None
    found = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    return None if found is None else str(found[0])


# Those that belong to a key have no text of their own, or a constraint.
_SQLITE_INDEXES = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
_POSTGRES_INDEXES = (
    "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i"
    " JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = current_schema() AND NOT EXISTS"
    " (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)"
)


def _set_sqlite(connection: Connection, table: str, number: int) -> None:
    names = {"table": table, "number": number}
    change = text("UPDATE sqlite_sequence SET seq = max(seq, :number) WHERE name = :table")
    if connection.execute(change, names).rowcount == 0:
        new = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:table, :number)")
        connection.execute(new, names)


def _inserted(connection: Connection, into: str, width: int, rows: Rows) -> int:
    statement = f"INSERT INTO {into} VALUES ({', '.join('?' * width)})"  # noqa: S608
    count = 0
    try:
        for part in rows:
            connection.exec_driver_sql(statement, [tuple(row) for row in part])
            count += len(part)
    except (IntegrityError, InterfaceError) as error:  # a key twice or to nothing, a strange value
        raise SpecError("backup_damaged", file="", member=into.partition(" ")[0]) from error
    return count


def _copied(connection: Connection, into: str, width: int, rows: Rows) -> int:
    driver: Any = connection.connection.driver_connection
    foreign: Any = connection.dialect.loaded_dbapi
    count = 0
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for part in rows:
                for row in part:
                    copy.write_row(row)
                count += len(part)
    except (foreign.IntegrityError, foreign.DataError) as error:
        raise SpecError("backup_damaged", file="", member=into.partition(" ")[0]) from error
    except foreign.Error as error:
        # As SQLAlchemy would have it, which knows nothing of COPY.
        raise DBAPIError(into, None, error) from error
    return count


def _mending(
    connection: Connection, name: str, columns: Sequence[str]
) -> Callable[[Sequence[list[Any]]], Sequence[list[Any]]]:
    """What makes values as JSON has them into those of the columns: bytes, and Postgres's bool."""
    types = {one["name"]: one["type"] for one in inspect(connection).get_columns(name)}
    unknown = [column for column in columns if column not in types]
    if unknown or len(set(columns)) != len(columns):
        raise SpecError("backup_columns", table=name, columns=", ".join(unknown or columns)[:200])
    binary = [at for at, one in enumerate(columns) if isinstance(types[one], LargeBinary)]
    switches = [at for at, one in enumerate(columns) if isinstance(types[one], Boolean)]

    def mend(part: Sequence[list[Any]]) -> Sequence[list[Any]]:
        for row in part:
            if len(row) != len(columns):
                raise SpecError("backup_damaged", file="", member=name)
            for at in binary:
                if row[at] is not None:
                    row[at] = _bytes_of(row[at], name)
            for at in switches:
                if row[at] is not None:
                    row[at] = bool(row[at])
        return part

    return mend if binary or switches else _as_it_is(len(columns))


def _bytes_of(value: Any, table: str) -> bytes:
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (TypeError, KeyError, ValueError) as error:
        raise SpecError("backup_damaged", file="", member=table) from error


def _as_it_is(width: int) -> Callable[[Sequence[list[Any]]], Sequence[list[Any]]]:
    def same(part: Sequence[list[Any]]) -> Sequence[list[Any]]:
        if any(len(row) != width for row in part):
            raise SpecError("backup_damaged", file="", member="")
        return part

    return same
