"""The rows of the index of texts, in each of the two databases.

Owns: what a word's row is there, what a query is written as, up to which record the index may go.
Does not own: when it is fed, and who asks (`record_text.py`), what a word is (`text_words.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    text,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger

from corpusmith.store.codec import from_json
from corpusmith.store.database import Database
from corpusmith.store.schema import record_text_versions, record_versions, records, removed
from corpusmith.store.text_words import Query, terms_of

PART_BYTES = 500_000
"""Of words in one row on Postgres, whose limit is a megabyte."""
MANY = "_many"
"""An entry of each row of a record that has several; no word is like it."""


@dataclass(frozen=True, slots=True)
class Text:
    """A record's words, at one version."""

    id: int
    version: int
    terms: set[str]


class SqliteRows:
    """FTS5 without the texts: it keeps which records hold a word, and forgets a text only when it
    is told it again."""

    ASKED = "SELECT rowid FROM record_text WHERE record_text MATCH :query"
    PROBE_COST = 300
    """Numbers of a stretch that are passed in the time of one look-up."""

    @staticmethod
    def written(query: Query) -> str:
        """The query as FTS5 takes it: words between quotes hold no sign of its own."""
        return " AND ".join(f'"{term}"{"*" * beginning}' for term, beginning in query.terms())

    def bound(self, connection: Connection, state: Mapping[str, int]) -> int:
        """Up to which number nothing can come any more: there is one writer, numbers only grow."""
        return _newest(connection)

    def new_bound(self, database: Database, state: Mapping[str, int]) -> dict[str, int]:
        return {}

    def old(self, connection: Connection, known: Mapping[int, int]) -> Sequence[tuple[int, str]]:
        """(record, words) of the versions that the index knows."""
        pairs = list(known.items())
        key = tuple_(record_versions.c.record_id, record_versions.c.version)
        query = select(record_versions.c.record_id, record_versions.c.content)
        rows = connection.execute(query.where(key.in_(pairs))) if pairs else ()
        return [(one, " ".join(sorted(terms_of(from_json(content))))) for one, content in rows]

    def forget(
        self, connection: Connection, gone: Sequence[int], old: Sequence[tuple[int, str]]
    ) -> None:
        if old:
            statement = text(
                "INSERT INTO record_text (record_text, rowid, terms) VALUES ('delete', :id, :terms)"
            )
            connection.execute(statement, [{"id": one, "terms": terms} for one, terms in old])

    def add(self, connection: Connection, found: Sequence[Text]) -> None:
        if not found:
            return
        statement = text("INSERT INTO record_text (rowid, terms) VALUES (:id, :terms)")
        rows = [{"id": one.id, "terms": " ".join(sorted(one.terms))} for one in found]
        connection.execute(statement, rows)
        _note_versions(connection, found)

    def clear(self, connection: Connection) -> None:
        connection.execute(text("INSERT INTO record_text (record_text) VALUES ('delete-all')"))

    def among(self, connection: Connection, query: str, ids: Sequence[int]) -> set[int]:
        if not ids:
            return set()
        first, last = min(ids), max(ids)
        if (last - first) > self.PROBE_COST * len(ids):
            one = text(f"{self.ASKED} AND rowid = :id")
            looked = (connection.scalar(one, {"query": query, "id": number}) for number in ids)
            return {number for number in looked if number is not None}
        stretch = text(f"{self.ASKED} AND rowid BETWEEN :first AND :last")
        given = {"query": query, "first": first, "last": last}
        return set(connection.scalars(stretch, given)) & set(ids)


# The types are named: Postgres takes a value that stands in two places for the first one's.
_QUERY = "CAST(CAST(:query AS text) AS tsquery)"
_ALL_PARTS = (
    "NOT EXISTS (SELECT 1 FROM"
    " unnest(CAST(string_to_array(CAST(:query AS text), ' & ') AS tsquery[])) AS q(term)"
    " WHERE NOT EXISTS (SELECT 1 FROM record_text p"
    " WHERE p.record_id = m.record_id AND p.terms @@ q.term))"
)
"""Each of the words is in one of the rows of record `m`."""


class PostgresRows:
    """A text search vector without places: words and pairs under a GIN index. A very long text has
    several rows, each with the entry `MANY`."""

    ASKED = (
        f"SELECT record_id FROM record_text WHERE part = 0 AND terms @@ {_QUERY} UNION ALL"  # noqa: S608
        f" SELECT m.record_id FROM (SELECT DISTINCT record_id FROM record_text"
        f" WHERE terms @@ '{MANY}') m WHERE {_ALL_PARTS}"
    )
    AMONG = text(
        f"SELECT record_id FROM record_text WHERE record_id = ANY(:ids) AND part = 0"  # noqa: S608
        f" AND terms @@ {_QUERY} UNION ALL"
        f" SELECT m.record_id FROM (SELECT DISTINCT record_id FROM record_text"
        f" WHERE record_id = ANY(:ids) AND part > 0) m WHERE {_ALL_PARTS}"
    )

    @staticmethod
    def written(query: Query) -> str:
        """The query as a `tsquery`: words between quotes hold no sign of its own."""
        return " & ".join(
            f"'{term}'{':*' if beginning else ''}" for term, beginning in query.terms()
        )

    def bound(self, connection: Connection, state: Mapping[str, int]) -> int:
        """Up to which number nothing can come any more."""
        if state["bound"] <= state["done"] or _oldest(connection) < state["horizon"]:
            return state["done"]
        return state["bound"]

    def new_bound(self, database: Database, state: Mapping[str, int]) -> dict[str, int]:
        """The next bound and from when on it holds; empty: the last one does not hold yet, or
        nothing is above it."""
        with database.read() as connection:
            # In one statement, so in one view: whoever took a lower number had begun by then.
            query = select(_newest_number(), _XMAX)
            newest, next_one = connection.execute(query).one()
            # After a restore into another server its transactions count from elsewhere.
            waits = state["bound"] > state["done"] and state["horizon"] <= next_one
        if waits or (newest or 0) <= state["done"]:
            return {}
        return {"bound": newest, "horizon": next_one}

    def old(self, connection: Connection, known: Mapping[int, int]) -> Sequence[tuple[int, str]]:
        return ()

    def forget(
        self, connection: Connection, gone: Sequence[int], old: Sequence[tuple[int, str]]
    ) -> None:
        if gone:
            statement = text("DELETE FROM record_text WHERE record_id = ANY(:ids)")
            connection.execute(statement.bindparams(_ids("ids", gone)))

    def add(self, connection: Connection, found: Sequence[Text]) -> None:
        rows = [
            {"id": one.id, "part": part, "terms": terms}
            for one in found
            for part, terms in _parts(one.terms)
        ]
        if rows:
            statement = text(
                "INSERT INTO record_text (record_id, part, terms)"
                " VALUES (:id, :part, array_to_tsvector(CAST(:terms AS text[])))"
            )
            connection.execute(statement, rows)

    def clear(self, connection: Connection) -> None:
        connection.execute(text("TRUNCATE record_text"))

    def among(self, connection: Connection, query: str, ids: Sequence[int]) -> set[int]:
        if not ids:
            return set()
        # Each record's own words are looked at: for a common word that is far less than all its
        # records.
        bound = self.AMONG.bindparams(_ids("ids", ids), bindparam("query", query))
        return set(connection.scalars(bound))


Rows = SqliteRows | PostgresRows
_XMIN: ColumnElement[int] = literal_column(
    "CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)"
)
_XMAX: ColumnElement[int] = literal_column(
    "CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)"
)


def _ids(name: str, ids: Iterable[int]) -> BindParameter[Any]:
    return bindparam(name, list(ids), type_=ARRAY(BigInteger))


def _oldest(connection: Connection) -> int:
    """The oldest transaction that may still be going on."""
    return int(connection.scalar(select(_XMIN)) or 0)


def _parts(terms: set[str]) -> Iterator[tuple[int, list[str]]]:
    """The words of a record as rows that Postgres takes: nearly always one, number 0."""
    whole = sorted(terms)
    if sum(len(one.encode()) + 4 for one in whole) <= PART_BYTES:
        yield 0, whole
        return
    part, some, size = 1, [MANY], 0
    for one in whole:
        size += len(one.encode()) + 4
        if size > PART_BYTES:
            yield part, some
            part, some, size = part + 1, [MANY], 0
        some.append(one)
    yield part, some


# ---------------------------------------------------------------- of both


def _newest_number() -> ColumnElement[Any]:
    one, other = (select(func.max(table.c.id)).scalar_subquery() for table in (records, removed))
    both = union_all(select(one.label("id")), select(other.label("id"))).subquery()
    return select(func.max(both.c.id)).scalar_subquery()


def _newest(connection: Connection) -> int:
    return connection.scalar(select(_newest_number())) or 0


def _note_versions(connection: Connection, found: Sequence[Text]) -> None:
    ids = [one.id for one in found]
    own = record_text_versions.c.record_id
    connection.execute(delete(record_text_versions).where(own.in_(ids)))
    rows = [{"record_id": one.id, "version": one.version} for one in found if one.version > 1]
    if rows:
        connection.execute(insert(record_text_versions), rows)
