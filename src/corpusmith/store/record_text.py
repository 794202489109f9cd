"""The index of texts: which records hold which words.

Owns: feeding it, and asking it. Does not own: its rows (`record_text_rows.py`), what a word is
(`text_words.py`), which records are shown (`record_pages.py`).

It is fed by number, a batch at a time, outside the engine's write path: `done` says how far. What
is removed is in it too, and what is deleted stays: whoever asks joins the records, and the rest is
not there. A content changes only by an edit, which leaves a mark beside it. So the index is what
the marks say, and nothing else has to remember it.

A batch reads first, works out the words, and only then takes the write lock for as long as the
rows take; a batch that somebody else has made meanwhile is thrown away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import Boolean

from corpusmith.store.codec import from_json
from corpusmith.store.database import Database
from corpusmith.store.record_text_rows import PostgresRows, Rows, SqliteRows, Text
from corpusmith.store.schema import (
    record_text_marks,
    record_text_state,
    record_text_versions,
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


class Batch(NamedTuple):
    """What a batch came to."""

    records: int
    """How many are in the index now that were not, or not as they are."""
    more: bool
    """Whether more is waiting that can be done now."""


class RecordText:
    """The index, and how far it is."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows: Rows = SqliteRows() if database.is_sqlite else PostgresRows()

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
        found: Sequence[Text],
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
    return _Holds(record_id, SqliteRows.written(query), PostgresRows.written(query))


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
    return f"{column} IN ({SqliteRows.ASKED.replace(':query', query)})"


@compiles(_Holds, "postgresql")
def _holds_postgres(element: _Holds, compiler: Any, **given: Any) -> str:
    column, query = compiler.process(element.record_id), compiler.process(element.postgres)
    return f"{column} IN ({PostgresRows.ASKED.replace(':query', query)})"


# ---------------------------------------------------------------- rows of both


def _state(connection: Connection) -> Mapping[str, int]:
    found = connection.execute(select(record_text_state)).mappings().one()
    return dict(found)


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
) -> Iterator[Text]:
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
        yield Text(number, version, terms_of(from_json(content)))


def _forget_marks(connection: Connection, found: Sequence[Text], gone: Sequence[int]) -> None:
    """Marks up to what was read; one that came since stays."""
    own, version = record_text_marks.c.record_id, record_text_marks.c.version
    rows = [{"b_id": one.id, "b_version": one.version} for one in found]
    if rows:
        seen = (own == bindparam("b_id"), version <= bindparam("b_version"))
        connection.execute(delete(record_text_marks).where(*seen), rows)
    if nowhere := set(gone) - {one.id for one in found}:
        connection.execute(delete(record_text_marks).where(own.in_(sorted(nowhere))))
