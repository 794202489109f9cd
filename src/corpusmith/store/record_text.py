"""The index of texts: which records hold which words.

Owns: feeding it, and asking it. Does not own: what a word is (`text_words.py`), which records are
shown (`record_pages.py`).

It is fed by number, a batch at a time, outside the engine's write path: `done` says how far. What
is removed is in it too, and what is deleted stays: whoever asks joins the records, and the rest is
not there. A content changes only by an edit, which leaves a mark beside it. So the index is what
the marks say, and nothing else has to remember it.

A batch reads first, works out the words, and only then takes the write lock for as long as the
rows take; a batch that somebody else has made meanwhile is thrown away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    bindparam,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    text,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import BigInteger, Boolean

from corpusmith.store.codec import from_json
from corpusmith.store.database import Database
from corpusmith.store.schema import (
    record_text_marks,
    record_text_state,
    record_text_versions,
    record_versions,
    records,
    removed,
)
from corpusmith.store.text_words import Query, terms_of

BATCH = 200
"""Records at once: on SQLite all other writers wait for them, some 0.1 s."""
FEW_MISSING = 2000
"""Records that a search puts into the index before it answers."""
PATIENCE_S = 3.0
"""How long to wait for other processes' transactions."""
PART_BYTES = 500_000
"""Of words in one row on Postgres, whose limit is a megabyte."""
MANY = "_many"
"""An entry of each row of a record that has several; no word is like it."""


class Batch(NamedTuple):
    """What a batch came to."""

    records: int
    """How many are in the index now that were not, or not as they are."""
    more: bool
    """Whether more is waiting that can be done now."""


@dataclass(frozen=True, slots=True)
class _Text:
    id: int
    version: int
    terms: set[str]


class RecordText:
    """The index, and how far it is."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows: _Rows = _SqliteRows() if database.is_sqlite else _PostgresRows()

    # ------------------------------------------------------------ feeding

    def index(self, most: int = BATCH) -> Batch:
        """The next `most` records that are not in it, or not as they are now."""
        with self._database.read() as connection:
            state = _state(connection)
            marked = _marked(connection, state["done"], most)
            upto = 0 if marked else self._rows.bound(connection, state)
            known = _known(connection, marked)
            found = (
                list(_texts(connection, ids=marked))
                if marked
                else list(_texts(connection, span=(state["done"], upto), most=most))
            )
            old = self._rows.old(connection, known)
        if marked:
            return self._write(state, found, {}, gone=marked, old=old)
        if upto > state["done"]:
            last = found[-1].id if len(found) == most else upto
            return self._write(state, found, {"done": last}, gone=(), old=())
        if bound := self._rows.new_bound(self._database, state):
            self._write(state, (), bound, gone=(), old=())
            return self.index(most)  # once: a bound that does not hold yet is not moved
        return Batch(0, False)

    def _write(
        self,
        state: Mapping[str, int],
        found: Sequence[_Text],
        change: Mapping[str, int],
        *,
        gone: Sequence[int],
        old: Sequence[tuple[int, str]],
    ) -> Batch:
        """`gone`: records whose marks are dealt with, also where there is no such record."""
        with self._database.write() as connection:
            turn = record_text_state.c.turn == state["turn"]
            fresh = {**change, "turn": state["turn"] + 1}
            if connection.execute(update(record_text_state).where(turn).values(fresh)).rowcount:
                self._rows.forget(connection, gone, old)
                self._rows.add(connection, found)
                _forget_marks(connection, found, gone)
                return Batch(len(found), True)
        return Batch(0, True)

    def catch_up(self, show: Callable[[int], None] = lambda done: None) -> bool:
        """Everything that is there now is in it, and True; False: a transaction that does not end
        keeps some of it back. `show`: told now and then how many records are done."""
        done, until_s = 0, time.monotonic() + PATIENCE_S
        while True:
            batch = self.index()
            if batch.records:
                done += batch.records
                until_s = time.monotonic() + PATIENCE_S
                show(done)
            elif not batch.more:
                if not self.missing(1):
                    return True
                if time.monotonic() > until_s:
                    return False
                time.sleep(0.02)

    def catch_up_a_little(self) -> int:
        """The same where few are missing, as while somebody waits; returns how many are missing
        then, `FEW_MISSING` + 1 at most."""
        missing = self.missing(FEW_MISSING + 1)
        if not 0 < missing <= FEW_MISSING:
            return missing
        self.catch_up()
        return self.missing(FEW_MISSING + 1)

    def missing(self, most: int) -> int:
        """How many records are not in it as they are; `most` at most are counted."""
        with self._database.read() as connection:
            done = _state(connection)["done"]
            later = select(records.c.id).where(records.c.id > done).limit(most)
            marks = select(record_text_marks.c.record_id).distinct()
            marks = marks.where(record_text_marks.c.record_id <= done).limit(most)
            count = sum(
                connection.scalar(select(func.count()).select_from(one.subquery())) or 0
                for one in (later, marks)
            )
        return min(count, most)

    def start_anew(self) -> None:
        """Nothing is in it until it is fed again."""
        with self._database.write() as connection:
            self.forget_all(connection)

    def forget_all(self, connection: Connection) -> None:
        """The same inside the caller's transaction, such as one that puts all rows back."""
        self._rows.clear(connection)
        connection.execute(delete(record_text_marks))
        connection.execute(delete(record_text_versions))
        nothing = {"done": 0, "bound": 0, "horizon": 0, "turn": record_text_state.c.turn + 1}
        if not connection.execute(update(record_text_state).values(nothing)).rowcount:
            connection.execute(insert(record_text_state).values(id=1))

    # ------------------------------------------------------------ asking

    def few(self, connection: Connection, query: Query, most: int) -> list[int] | None:
        """The numbers of all records that hold its terms, deleted ones too; None: there are more
        than `most`."""
        wanted = text(f"{self._rows.ASKED} LIMIT :most")
        given = {"query": self._rows.written(query), "most": most + 1}
        found = list(connection.scalars(wanted, given))
        return None if len(found) > most else found

    def among(self, connection: Connection, query: Query, ids: Sequence[int]) -> set[int]:
        """Those of `ids` that hold its terms."""
        return self._rows.among(connection, self._rows.written(query), ids)


def mark_edited(connection: Connection, versions: Mapping[int, int]) -> None:
    """These records have another content since this version."""
    rows = [{"record_id": one, "version": version} for one, version in versions.items()]
    connection.execute(insert(record_text_marks), rows)


def holds(record_id: ColumnElement[Any], query: Query) -> ColumnElement[bool]:
    """Whether the index has all terms of the query for the record: where the query is `loose`, the
    record's content has the last word."""
    if not query.phrases:
        return literal(False)
    return _Holds(record_id, _SqliteRows.written(query), _PostgresRows.written(query))


class _Holds(ColumnElement[bool]):
    """`record IN (what the index finds)`, in the words of each database."""

    inherit_cache = False
    type = Boolean()

    def __init__(self, record_id: ColumnElement[Any], sqlite: str, postgres: str) -> None:
        self.record_id = record_id
        self.sqlite: BindParameter[str] = bindparam("text_query", sqlite, unique=True)
        self.postgres: BindParameter[str] = bindparam("text_query", postgres, unique=True)

    @property
    def _from_objects(self) -> list[Any]:
        return list(self.record_id._from_objects)


@compiles(_Holds, "sqlite")
def _holds_sqlite(element: _Holds, compiler: Any, **given: Any) -> str:
    column, query = compiler.process(element.record_id), compiler.process(element.sqlite)
    return f"{column} IN ({_SqliteRows.ASKED.replace(':query', query)})"


@compiles(_Holds, "postgresql")
def _holds_postgres(element: _Holds, compiler: Any, **given: Any) -> str:
    column, query = compiler.process(element.record_id), compiler.process(element.postgres)
    return f"{column} IN ({_PostgresRows.ASKED.replace(':query', query)})"


# ---------------------------------------------------------------- the two databases


class _SqliteRows:
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

    def add(self, connection: Connection, found: Sequence[_Text]) -> None:
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


class _PostgresRows:
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

    def add(self, connection: Connection, found: Sequence[_Text]) -> None:
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


_Rows = _SqliteRows | _PostgresRows
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


# ---------------------------------------------------------------- rows of both


def _state(connection: Connection) -> Mapping[str, int]:
    found = connection.execute(select(record_text_state)).mappings().one()
    return dict(found)


def _newest_number() -> ColumnElement[Any]:
    one, other = (select(func.max(table.c.id)).scalar_subquery() for table in (records, removed))
    both = union_all(select(one.label("id")), select(other.label("id"))).subquery()
    return select(func.max(both.c.id)).scalar_subquery()


def _newest(connection: Connection) -> int:
    return connection.scalar(select(_newest_number())) or 0


def _marked(connection: Connection, done: int, most: int) -> list[int]:
    """Records that the index knows otherwise than they are."""
    own = record_text_marks.c.record_id
    query = select(own).distinct().where(own <= done).order_by(own).limit(most)
    return list(connection.scalars(query))


def _known(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    """Record → the version that the index knows."""
    query = select(record_text_versions).where(record_text_versions.c.record_id.in_(ids))
    later = {row[0]: row[1] for row in connection.execute(query)}
    return {one: later.get(one, 1) for one in ids}


def _texts(
    connection: Connection,
    *,
    ids: Sequence[int] | None = None,
    span: tuple[int, int] = (0, 0),
    most: int = 0,
) -> Iterator[_Text]:
    """Records by number, also those that are taken out, in one view: so one that is moved
    meanwhile is seen once."""
    parts = []
    for table in (records, removed):
        query = select(table.c.id, table.c.version, table.c.content)
        if ids is not None:
            parts.append(query.where(table.c.id.in_(ids)))
        else:
            part = query.where(table.c.id > span[0], table.c.id <= span[1])
            parts.append(select(part.order_by(table.c.id).limit(most).subquery()))
    both = union_all(*parts).subquery()
    rows = select(both).order_by(both.c.id)
    for number, version, content in connection.execute(rows.limit(most) if most else rows):
        yield _Text(number, version, terms_of(from_json(content)))


def _note_versions(connection: Connection, found: Sequence[_Text]) -> None:
    ids = [one.id for one in found]
    own = record_text_versions.c.record_id
    connection.execute(delete(record_text_versions).where(own.in_(ids)))
    rows = [{"record_id": one.id, "version": one.version} for one in found if one.version > 1]
    if rows:
        connection.execute(insert(record_text_versions), rows)


def _forget_marks(connection: Connection, found: Sequence[_Text], gone: Sequence[int]) -> None:
    """Marks up to what was read; one that came since stays."""
    own, version = record_text_marks.c.record_id, record_text_marks.c.version
    rows = [{"b_id": one.id, "b_version": one.version} for one in found]
    if rows:
        seen = (own == bindparam("b_id"), version <= bindparam("b_version"))
        connection.execute(delete(record_text_marks).where(*seen), rows)
    if nowhere := set(gone) - {one.id for one in found}:
        connection.execute(delete(record_text_marks).where(own.in_(sorted(nowhere))))
