"""Versions of records: edits and going back to an older one.

Owns: the `record_versions` rows. The record itself always holds the newest content, so that
whoever reads records needs to know nothing of this. Does not own: whether a content is fit to be
saved (the service asks the format check).

A version is never changed and never deleted: going back is a version more. So a number that
somebody has read stands for one content for ever, and a late edit is noticed by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Table, insert, select

from corpusmith.errors import Conflict, NotFound
from corpusmith.store.codec import from_json, iso, plain, to_json
from corpusmith.store.database import Database
from corpusmith.store.review_values import ActionKind, RecordVersion
from corpusmith.store.reviews import begin_action, event_row, known_record, locked, write_rows
from corpusmith.store.schema import record_versions, records, review_events
from corpusmith.values import Json


class Versions:
    """The `record_versions` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def edit(
        self,
        record_id: int,
        content: Json,
        author: str,
        *,
        expected: int | None = None,
        kind: ActionKind = "edit",
    ) -> int:
        """Saves a content as the next version; returns its number. The same content: nothing.

        `expected`: the version that was edited; None: whatever it is. Raises NotFound, Conflict
        `record_edited` when it is not the newest any more.
        """
        now = self._database.now()
        text = to_json(content)
        with self._database.write() as connection:
            row = known_record(locked(connection, records, [record_id]), record_id)
            if expected is not None and expected != row["version"]:
                raise _edited_since(connection, row)
            if text == row["content"]:
                return int(row["version"])
            version = write_version(connection, records, row, text, plain(author), now)
            action_id = begin_action(connection, plain(author), kind, now)
            before, after = {"version": row["version"]}, {"version": version}
            connection.execute(
                insert(review_events), [event_row(action_id, record_id, before, after)]
            )
            return version

    def of(self, record_id: int) -> Sequence[RecordVersion]:
        """All versions of a record, oldest first. Raises NotFound."""
        with self._database.read() as connection:
            query = select(records).where(records.c.id == record_id)
            row = known_record(connection.execute(query).mappings().all(), record_id)
            rows = connection.execute(_of(record_id)).mappings().all()
        return [_version(one) for one in rows] or [_original(row)]

    def get(self, record_id: int, version: int) -> RecordVersion:
        """One of them. Raises NotFound: the record or the version."""
        found = self.of(record_id)
        for one in found:
            if one.version == version:
                return one
        raise NotFound("unknown_version", kind="version", name=version, known=len(found))


def write_version(
    connection: Connection, table: Table, row: RowMapping, text: str, author: str, now: float
) -> int:
    """The next version of a record of `table`, and it is the newest; returns its number."""
    version = int(row["version"]) + 1
    new = [_row(row["id"], version, text, author, now)]
    if row["version"] == 1:
        new.insert(0, _row(row["id"], 1, row["content"], "", row["created_at"]))
    connection.execute(insert(record_versions), new)
    write_rows(connection, table, [{"b_id": row["id"], "content": text, "version": version}])
    return version


def text_of(connection: Connection, record_id: int, version: int) -> str:
    """A version's content as it is stored."""
    query = select(record_versions.c.content).where(
        record_versions.c.record_id == record_id, record_versions.c.version == version
    )
    return str(connection.execute(query).scalar_one())


def _of(record_id: int) -> Select[Any]:
    return (
        select(record_versions)
        .where(record_versions.c.record_id == record_id)
        .order_by(record_versions.c.version)
    )


def _row(record_id: int, version: int, text: str, author: str, now: float) -> dict[str, object]:
    return {
        "record_id": record_id,
        "version": version,
        "content": text,
        "author": author,
        "created_at": now,
    }


def _edited_since(connection: Connection, row: RowMapping) -> Conflict:
    newest = connection.execute(_of(row["id"])).mappings().all()[-1:]
    by = newest[0]["author"] if newest else ""
    return Conflict("record_edited", record=row["id"], version=row["version"], by=by)


def _version(row: RowMapping) -> RecordVersion:
    return RecordVersion(
        version=row["version"],
        author=row["author"],
        created_at=iso(row["created_at"]),
        content=from_json(row["content"]),
    )


def _original(row: RowMapping) -> RecordVersion:
    return RecordVersion(
        version=1, author="", created_at=iso(row["created_at"]), content=from_json(row["content"])
    )
