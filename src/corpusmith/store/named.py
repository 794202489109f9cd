"""Rows with a unique name: what connections, characters, scenarios and datasets have in common.

Owns: the statements. Does not own: what a row means, and what uses it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Table,
    bindparam,
    delete,
    or_,
    select,
    update,
)

from corpusmith.errors import Conflict, NotFound
from corpusmith.store.codec import plain
from corpusmith.store.database import Database

Row = Mapping[str, Any]


class NamedRows:
    """One table whose rows have a `name`. `kind` is the noun that messages use."""

    def __init__(self, database: Database, table: Table, kind: str) -> None:
        self.database = database
        self.table = table
        self.kind = kind
        self._named = select(table).where(table.c.name == bindparam("name"))

    def add(self, row: Row) -> None:
        """Raises Conflict when the name is taken."""
        now = self.database.now()
        new = self.database.insert(self.table).values(**row, created_at=now, updated_at=now)
        new = new.on_conflict_do_nothing(index_elements=["name"])
        with self.database.write() as connection:
            if connection.scalar(new.returning(self.table.c.id)) is None:
                raise Conflict(f"{self.kind}_exists", kind=self.kind, name=row["name"])

    def get(self, name: str) -> RowMapping:
        """Raises NotFound."""
        with self.database.read() as connection:
            return self.row(connection, name)

    def row(self, connection: Connection, name: str) -> RowMapping:
        """The same within a transaction. Raises NotFound."""
        found = connection.execute(self._named, {"name": plain(name)}).mappings().first()
        if found is None:
            raise NotFound(f"unknown_{self.kind}", kind=self.kind, name=name)
        return found

    def page(
        self,
        search: str | None,
        fields: Sequence[str],
        limit: int | None,
        after: str | None,
        *,
        columns: Sequence[ColumnElement[Any]] = (),
    ) -> Sequence[RowMapping]:
        """By name, in code point order; `search`: text in any of `fields`, ASCII case ignored;
        `columns`: only these."""
        query = _page(self.table, tuple(columns), limit is not None, after is not None)
        given = {"limit": limit, "after": None if after is None else plain(after)}
        if search:
            hits = (
                self.table.c[field].icontains(plain(search), autoescape=True) for field in fields
            )
            query = query.where(or_(*hits))
        with self.database.read() as connection:
            return connection.execute(query, given).mappings().all()

    def update(self, name: str, row: Row) -> None:
        """`row` instead of what `name` was; its name may be new. Raises NotFound, Conflict."""
        with self.database.write() as connection:
            self.change(connection, name, row)

    def change(self, connection: Connection, name: str, row: Row) -> None:
        """The same within a transaction."""
        old = self.row(connection, name)
        if row["name"] != old["name"]:
            self._refuse_taken(connection, row["name"])
        connection.execute(
            update(self.table)
            .where(self.table.c.id == old["id"])
            .values(**row, updated_at=self.database.now())
        )

    def remove(self, connection: Connection, row_id: int) -> None:
        """Within a transaction, after the noun has made sure that nothing uses it."""
        connection.execute(delete(self.table).where(self.table.c.id == row_id))

    def _refuse_taken(self, connection: Connection, name: str) -> None:
        query = select(self.table.c.id).where(self.table.c.name == name)
        if connection.scalar(query) is not None:
            raise Conflict(f"{self.kind}_exists", kind=self.kind, name=name)


@cache
def _page(
    table: Table, columns: Sequence[ColumnElement[Any]], limited: bool, behind: bool
) -> Select[Any]:
    query = select(*(columns or table.c)).order_by(table.c.name)
    if limited:
        query = query.limit(bindparam("limit"))
    return query.where(table.c.name > bindparam("after")) if behind else query
