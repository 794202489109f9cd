"""All rows of a database as they stood at one moment, while others write.

Owns: which tables are kept, and one consistent look at them. Does not own: what the rows become
(`service/backups.py`), putting them back (`load.py`).
Tables and columns are those that the database has, not those that this version knows: a database
that is still to be brought up to date is read like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, inspect, text

from corpusmith.store.database import Database
from corpusmith.store.schema import METADATA

NOT_KEPT = frozenset(
    {
        "live",  # what running tasks look like just now
        "workers",  # processes of this machine and this hour
        "sessions",  # who is logged in: a restored one would bring back what was logged out
        # Of the index of texts, which is made anew from the records.
        "record_text_state",
        "record_text_marks",
        "record_text_versions",
    }
)
"""Tables whose rows mean nothing elsewhere or later: after a restore they are as in a new
database."""

UNLISTED = ("alembic_version", "record_text")
"""Tables of ours that are not in `METADATA`."""

AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One table of the look."""

    name: str
    columns: tuple[str, ...]
    rows: int


class Look:
    """The database at one moment. Valid until the `with` of `looking` ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.revision = revision_of(connection)
        """None: an empty database."""
        self.tables = tuple(self._kept())
        """Each behind those that its foreign keys name."""

    def rows(self, table: Kept) -> Iterator[Sequence[tuple[Any, ...]]]:
        """Its rows in the order of its columns, some at a time: None, bool, int, float, str, bytes.
        (SQLite has no bool: 0 and 1.)"""
        quoted = self._connection.dialect.identifier_preparer.quote
        columns = ", ".join(map(quoted, table.columns))
        query = f"SELECT {columns} FROM {quoted(table.name)}"  # noqa: S608  names of our own schema
        streamed = self._connection.execution_options(stream_results=True, yield_per=AT_ONCE)
        for part in streamed.exec_driver_sql(query).partitions():
            yield [tuple(row) for row in part]

    def sequences(self) -> Mapping[str, int]:
        """For each table that numbers its rows, the last number that was ever given."""
        if self._connection.dialect.name == "sqlite":
            found = self._connection.execute(text("SELECT name, seq FROM sqlite_sequence"))
            return {name: int(last) for name, last in found if name in self._names()}
        return {name: last for name in self._names() if (last := self._last(name)) is not None}

    def _last(self, table: str) -> int | None:
        find = text("SELECT pg_get_serial_sequence(:name, column_name) FROM information_schema."
                    "columns WHERE table_schema = current_schema() AND table_name = :name"
                    " AND column_name = 'id'")  # fmt: skip
        sequence = self._connection.scalar(find, {"name": table})
        if sequence is None:
            return None
        last = text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}")  # noqa: S608
        return int(self._connection.execute(last).scalar_one())

    def _names(self) -> set[str]:
        return {table.name for table in self.tables}

    def _kept(self) -> Iterator[Kept]:
        seen = inspect(self._connection)
        there = set(seen.get_table_names())
        for table in METADATA.sorted_tables:
            if table.name in there and table.name not in NOT_KEPT:
                columns = tuple(str(one["name"]) for one in seen.get_columns(table.name))
                yield Kept(name=str(table.name), columns=columns, rows=self._count(table.name))

    def _count(self, table: str) -> int:
        quoted = self._connection.dialect.identifier_preparer.quote(table)
        return int(self._connection.scalar(text(f"SELECT count(*) FROM {quoted}")) or 0)  # noqa: S608


@contextmanager
def looking(database: Database) -> Iterator[Look]:
    """Everything inside sees the database as it was at the beginning. Raises StoreError.

    On SQLite the log grows as long as this is open; nobody waits.
    """
    with database.read() as connection:
        if not database.is_sqlite:
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        yield Look(connection)


def revision_of(connection: Connection) -> str | None:
    """The schema's revision; None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found
