"""Connections, and their keys as ciphertext.

Owns: the rows. Does not own: encryption, or a key in clear text (`service/keys.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import RowMapping, update

from corpusmith.errors import NotFound
from corpusmith.hidden import revived
from corpusmith.store.codec import from_json, plain, to_json
from corpusmith.store.database import Database
from corpusmith.store.named import NamedRows
from corpusmith.store.schema import connections
from corpusmith.values import Connection, Json, Limits, Price, Timeouts


class Connections:
    """The `connections` table. A connection's `key_stored` says whether a ciphertext is here."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = NamedRows(database, connections, "connection")

    def add(self, connection: Connection) -> None:
        """Raises Conflict when the name is taken."""
        self._rows.add(_row(connection))

    def get(self, name: str) -> Connection:
        """Raises NotFound."""
        return _connection(self._rows.get(name))

    def list(
        self, search: str | None = None, *, limit: int | None = None, after: str | None = None
    ) -> Sequence[Connection]:
        """By name; `search`: text in the name; `after`: the last name of the page before; `limit`
        None: all."""
        return [_connection(row) for row in self._rows.page(search, ("name",), limit, after)]

    def update(self, connection: Connection, *, old_name: str | None = None) -> None:
        """In place of the one of this name, or of `old_name`; its key stays.

        Raises NotFound, Conflict.
        """
        self._rows.update(old_name or connection.name, _row(connection))

    def delete(self, name: str) -> None:
        """With its key. Tasks keep their own copy of what it was. Raises NotFound."""
        with self._database.write() as transaction:
            self._rows.remove(transaction, self._rows.row(transaction, name)["id"])

    def id_of(self, name: str) -> int:
        """Never used again for another connection: what a ciphertext is bound to.

        Raises NotFound.
        """
        return int(self._rows.get(name)["id"])

    def set_key(self, name: str, ciphertext: bytes) -> None:
        """Raises NotFound."""
        self._put_key(name, ciphertext)

    def get_key(self, name: str) -> bytes | None:
        """The ciphertext; None: no key is stored. Raises NotFound."""
        found = self._rows.get(name)["key_cipher"]
        return None if found is None else bytes(found)

    def delete_key(self, name: str) -> None:
        """Raises NotFound."""
        self._put_key(name, None)

    def _put_key(self, name: str, ciphertext: bytes | None) -> None:
        with self._database.write() as transaction:
            changed = transaction.execute(
                update(connections)
                .where(connections.c.name == plain(name))
                .values(key_cipher=ciphertext, updated_at=self._database.now())
            )
            if changed.rowcount == 0:
                raise NotFound("unknown_connection", kind="connection", name=name)


def connection_of(body: Mapping[str, Json]) -> Connection:
    """The Connection that was written as JSON, such as in `Task.connections`."""
    parts: dict[str, Any] = dict(body)
    parts["limits"] = Limits(**parts["limits"])
    parts["timeouts"] = Timeouts(**parts["timeouts"])
    parts["price"] = None if parts["price"] is None else Price(**parts["price"])
    parts["modes"] = tuple(parts["modes"])
    parts["headers"], parts["extra"] = revived(parts["headers"]), revived(parts["extra"])
    return Connection(**parts)


def _row(connection: Connection) -> dict[str, Any]:
    return {"name": plain(connection.name), "body": to_json(connection)}


def _connection(row: RowMapping) -> Connection:
    found = connection_of(from_json(row["body"]))
    return replace(found, name=row["name"], key_stored=row["key_cipher"] is not None)
