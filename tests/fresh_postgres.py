"""Fresh Postgres databases for tests: one that a test has given back is emptied for the next.

To copy a template takes the server 0.13 s of CPU, to delete what a test wrote a tenth of that.
A database is used again only while it is surely as new: nobody is connected, no table, column,
index or setting was changed, and it did not grow. Each use has a name of its own, so that who
comes late to an older one finds none.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from corpusmith.store.open import open_store

_GROWN = 4_000_000
"""Bytes more than a new one: deleted rows would slow the next test."""
PARTING_S = 0.3
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
_SHAPE = """
SELECT (SELECT md5(string_agg(oid || relname || relnatts || relchecks || relkind::text, ','
                              ORDER BY oid)) FROM pg_class WHERE oid >= 16384),
       (SELECT md5(string_agg(attrelid || attname || atttypid || attnotnull, ','
                              ORDER BY attrelid, attnum))
        FROM pg_attribute WHERE attrelid >= 16384),
       (SELECT count(*) FROM pg_constraint), (SELECT count(*) FROM pg_proc),
       (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM pg_db_role_setting),
       (SELECT count(*) FROM pg_namespace WHERE nspname NOT LIKE 'pg_%'),
       (SELECT count(*) FROM pg_extension)
"""
# What the server last guessed: a look at how much there is asks no more than this.
_GUESSES = """
SELECT relname, greatest(reltuples, 0) FROM pg_class WHERE relkind = 'r' AND oid >= 16384
ORDER BY relname
"""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
_COUNTERS = """
SELECT setval(format('%I.%I', schemaname, sequencename), start_value, false)
FROM pg_sequences WHERE last_value IS NOT NULL
"""


@dataclass(slots=True)
class _Database:
    name: str
    shape: object
    guesses: list[tuple[object, ...]]
    size: int
    tables: tuple[str, ...]
    rows: dict[str, list[tuple[object, ...]]]
    """What migrations put there."""


class Databases:
    """All of one server."""

    def __init__(self, server: str, prefix: str = "test") -> None:
        self._server, self._prefix = server, prefix
        self._numbers = itertools.count()
        self._back: list[_Database] = []
        self._ready = ""
        """Has our tables, to be copied and never opened."""
        self.made = 0
        """Copies of it."""
        self._control = psycopg.connect(server, autocommit=True)

    def close(self) -> None:
        self._control.close()

    def url(self, name: str) -> str:
        return make_url(self._server).set(database=name).render_as_string(hide_password=False)

    def bare(self) -> str:
        """URL of a database without any table."""
        return self.url(self._made(like="template1"))

    @contextmanager
    def lent(self) -> Iterator[str]:
        """URL of one with our tables, and nothing in them."""
        database = self._used_before() or self._copied()
        name = self._name()
        self._run("ALTER DATABASE {} RENAME TO {}", database.name, name)
        database.name = name
        yield self.url(name)
        # Emptied when the next one asks: who is still connected now may be gone by then.
        self._back.append(database)

    def _used_before(self) -> _Database | None:
        while self._back:
            database = self._back.pop()
            if self._emptied(database):
                return database
        return None

    def _name(self) -> str:
        return f"{self._prefix}_{next(self._numbers)}"

    def _made(self, like: str) -> str:
        name = self._name()
        self._run("CREATE DATABASE {} TEMPLATE {}", name, like)
        return name

    def _run(self, statement: str, *names: str) -> None:
        self._control.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _copied(self) -> _Database:
        if not self._ready:
            self._ready = self._made(like="template1")
            open_store(self.url(self._ready)).close()
        name = self._made(like=self._ready)
        self.made += 1
        with psycopg.connect(self.url(name)) as connection:
            tables = tuple(one for (one,) in connection.execute(_TABLES))
            rows = {table: _rows(connection, table) for table in tables}
            return _Database(
                name=name,
                shape=connection.execute(_SHAPE).fetchone(),
                guesses=connection.execute(_GUESSES).fetchall(),
                size=_size(connection),
                tables=tables,
                rows={table: found for table, found in rows.items() if found},
            )

    def _emptied(self, database: _Database) -> bool:
        """Whether it is as new again."""
        if not self._alone(database.name):
            return False
        try:
            connection = psycopg.connect(self.url(database.name))
        except psycopg.OperationalError:
            return False
        with connection:
            if connection.execute(_SHAPE).fetchone() != database.shape:
                return False
            if connection.execute(_GUESSES).fetchall() != database.guesses:
                return False
            if _size(connection) > database.size + _GROWN:
                return False
            _empty(connection, database)
        return True

    def _alone(self, name: str) -> bool:
        """Whether nobody is connected; who has just gone may take a moment."""
        until = time.monotonic() + PARTING_S
        while self._control.execute(_OTHERS, [name]).fetchone() != (0,):
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        return True


def _empty(connection: psycopg.Connection, database: _Database) -> None:
    # Rows go in any order: no foreign key is looked at.
    connection.execute("SET session_replication_role = replica")
    asked = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(table, sql.Identifier(table))
        for table in database.tables
    )
    for (table,) in connection.execute(asked).fetchall():
        wanted = database.rows.get(table, [])
        if not wanted or _rows(connection, table) != wanted:
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    for table, wanted in database.rows.items():
        if _rows(connection, table) != wanted:
            places = sql.SQL(", ").join([sql.Placeholder()] * len(wanted[0]))
            insert = sql.SQL("INSERT INTO {} VALUES ({})").format(sql.Identifier(table), places)
            connection.cursor().executemany(insert, wanted)
    connection.execute(_COUNTERS)


def _rows(connection: psycopg.Connection, table: str) -> list[tuple[object, ...]]:
    return connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))).fetchall()


def _size(connection: psycopg.Connection) -> int:
    found = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert found is not None
    return int(found[0])
