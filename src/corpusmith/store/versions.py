"""Versions of records: edits and going back to an older one.

Owns: the `record_versions` rows. The record itself always holds the newest content, so that
whoever reads records needs to know nothing of this. Does not own: whether a content is fit to be
saved (the service asks the format check).

A version is never changed and never deleted: going back is a version more. So a number that
somebody has read stands for one content for ever, and a late edit is noticed by it.

What checks and the judge said, they said of one content. The score and the verdicts stay with the
version they speak of; going back brings them back. Only what flags a record goes along with an
edit, marked with its version: a warning ends when a check finds nothing, not when somebody types.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, cast

from sqlalchemy import (
    Connection,
    RowMapping,
    Table,
    bindparam,
    insert,
    or_,
    select,
    update,
)

from corpusmith.errors import NotFound
from corpusmith.store.codec import flags_of, from_json, iso, plain, to_json
from corpusmith.store.database import Database
from corpusmith.store.record_kinds import renamed
from corpusmith.store.record_text import mark_edited
from corpusmith.store.review_rules import disagreement
from corpusmith.store.review_values import ActionKind, Changed, Origin, RecordVersion
from corpusmith.store.reviews import (
    AT_ONCE,
    begin_action,
    edited_meanwhile,
    event_row,
    known_record,
    locked,
    write_rows,
)
from corpusmith.store.schema import record_versions, records, review_actions, review_events
from corpusmith.store.text_words import length_of
from corpusmith.values import Json

FLAGGING = ("flag", "reject")
"""Actions of a verdict that flag its record."""
_RECORD = select(records).where(records.c.id == bindparam("record_id"))
_VERSIONS = (
    select(record_versions)
    .where(record_versions.c.record_id == bindparam("record_id"))
    .order_by(record_versions.c.version)
)


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
                raise edited_meanwhile(connection, row)
            if text == row["content"]:
                return int(row["version"])
            version = write_version(
                connection, self._database, records, row, text, plain(author), now
            )
            action_id = begin_action(connection, plain(author), kind, now)
            before, after = {"version": row["version"]}, {"version": version}
            connection.execute(
                insert(review_events), [event_row(action_id, record_id, before, after)]
            )
            return version

    def edit_many(
        self, edits: Iterable[tuple[int, int, Json]], author: str, *, kind: ActionKind
    ) -> Changed:
        """Saves the next versions of many records: (record, version that was edited, content).

        All or none, and one action, which one undo takes back. A record that somebody has edited
        since stays as it is: `unchanged`.
        """
        now, name = self._database.now(), plain(author)
        changed = unchanged = gone = 0
        waiting = iter(edits)
        with self._database.write() as connection:
            action_id = begin_action(connection, name, kind, now)
            while some := {number: one for number, *one in islice(waiting, AT_ONCE)}:
                rows = locked(connection, records, some)
                fresh = [(row, to_json(some[row["id"]][1])) for row in rows if _fits(row, some)]
                _write_versions(connection, self._database, fresh, name, action_id, now)
                changed += len(fresh)
                unchanged += len(rows) - len(fresh)
                gone += len(some) - len(rows)
            if not changed:  # nothing to take back: no action
                connection.execute(review_actions.delete().where(review_actions.c.id == action_id))
        known = action_id if changed else None
        return Changed(action_id=known, changed=changed, unchanged=unchanged, gone=gone)

    def of(self, record_id: int) -> Sequence[RecordVersion]:
        """All versions of a record, oldest first. Raises NotFound."""
        with self._database.read() as connection:
            given = {"record_id": record_id}
            found = connection.execute(_RECORD, given).mappings().all()
            row = known_record(found, record_id)
            rows = connection.execute(_VERSIONS, given).mappings().all()
        return [_version(one, row) for one in rows] or [_original(row)]

    def get(self, record_id: int, version: int) -> RecordVersion:
        """One of them. Raises NotFound: the record or the version."""
        found = self.of(record_id)
        for one in found:
            if one.version == version:
                return one
        raise NotFound("unknown_version", kind="version", name=version, known=len(found))


def write_version(
    connection: Connection,
    database: Database,
    table: Table,
    row: RowMapping,
    text: str,
    author: str,
    now: float,
) -> int:
    """The next version of a record of `table`, and it is the newest; returns its number."""
    _write_contents(connection, database, table, [(row, text)], author, now)
    return int(row["version"]) + 1


def _write_contents(
    connection: Connection,
    database: Database,
    table: Table,
    fresh: Sequence[tuple[RowMapping, str]],
    author: str,
    now: float,
) -> None:
    """The next version of each record, and what is known of that content."""
    firsts = [row for row, _ in fresh if row["version"] == 1]
    versions = [_row(row["id"], 1, row["content"], "", row["created_at"]) for row in firsts]
    versions += [_row(row["id"], row["version"] + 1, text, author, now) for row, text in fresh]
    connection.execute(insert(record_versions), versions)
    _leave_with_version(connection, [row for row, _ in fresh])
    known = _known_of(connection, fresh)
    said = {row["id"]: known.get(row["id"]) or _unknown(row) for row, _ in fresh}
    kinds = renamed(
        connection,
        database,
        {row["id"]: row["kind"] for row, _ in fresh},
        {number: {"flags": one["flags"]} for number, one in said.items()},
    )
    changes = [
        {
            "b_id": row["id"],
            "content": text,
            "version": row["version"] + 1,
            "length": length_of(from_json(text)),
            "kind": kinds.get(row["id"], row["kind"]),
            **said[row["id"]],
        }
        for row, text in fresh
    ]
    write_rows(connection, table, changes)
    mark_edited(connection, {row["id"]: row["version"] + 1 for row, _ in fresh})


def _leave_with_version(connection: Connection, rows: Sequence[RowMapping]) -> None:
    """Verdicts and score stay with the version they speak of."""
    change = update(record_versions).where(
        record_versions.c.record_id == bindparam("b_record"),
        record_versions.c.version == bindparam("b_version"),
    )
    said = [
        {"b_record": row["id"], "b_version": row["version"], "b_verdicts": row["verdicts"],
         "b_score": row["score"]}
        for row in rows
        if row["verdicts"] is not None or row["score"] is not None
    ]  # fmt: skip
    if said:
        change = change.values(verdicts=bindparam("b_verdicts"), score=bindparam("b_score"))
        connection.execute(change, said)


def _known_of(
    connection: Connection, fresh: Sequence[tuple[RowMapping, str]]
) -> dict[int, dict[str, Any]]:
    """Record → what was said of a version with this very content, the newest such one."""
    texts = {row["id"]: text for row, text in fresh}
    states = {row["id"]: row for row, _ in fresh}
    query = (
        select(record_versions)
        .where(
            record_versions.c.record_id.in_(texts),
            or_(record_versions.c.verdicts.is_not(None), record_versions.c.score.is_not(None)),
        )
        .order_by(record_versions.c.record_id, record_versions.c.version)
    )
    found: dict[int, dict[str, Any]] = {}
    for one in connection.execute(query).mappings():
        if one["content"] == texts[one["record_id"]]:
            row = states[one["record_id"]]
            found[one["record_id"]] = _said(row, one["verdicts"], one["score"])
    return found


def _unknown(row: RowMapping) -> dict[str, Any]:
    """Of a content that nobody has looked at: the warnings of the one before."""
    verdicts = from_json(row["verdicts"]) or {}
    kept = {
        name: {"version": row["version"], **one}
        for name, one in verdicts.items()
        if one != "pass" and one["action"] in FLAGGING
    }
    return _said(row, to_json(kept) if kept else None, None)


def _said(row: RowMapping, verdicts: str | None, score: float | None) -> dict[str, Any]:
    flags = [
        name
        for name, one in (from_json(verdicts) or {}).items()
        if one != "pass" and one["action"] in FLAGGING
    ]
    return {
        "verdicts": verdicts,
        "flags": flags_of(sorted(flags)),
        "score": score,
        "disagreement": disagreement(row["state"], row["rating"], score),
    }


def _fits(row: RowMapping, edits: Mapping[int, Sequence[Any]]) -> bool:
    return bool(row["version"] == edits[row["id"]][0])


def _write_versions(
    connection: Connection,
    database: Database,
    fresh: Sequence[tuple[RowMapping, str]],
    author: str,
    action_id: int,
    now: float,
) -> None:
    """As `write_version`, of many records at once, with their events."""
    if not fresh:
        return
    _write_contents(connection, database, records, fresh, author, now)
    events = [
        event_row(
            action_id, row["id"], {"version": row["version"]}, {"version": row["version"] + 1}
        )
        for row, _ in fresh
    ]
    connection.execute(insert(review_events), events)


def text_of(connection: Connection, record_id: int, version: int) -> str:
    """A version's content as it is stored."""
    query = select(record_versions.c.content).where(
        record_versions.c.record_id == record_id, record_versions.c.version == version
    )
    return str(connection.execute(query).scalar_one())


def _row(record_id: int, version: int, text: str, author: str, now: float) -> dict[str, object]:
    return {
        "record_id": record_id,
        "version": version,
        "content": text,
        "author": author,
        "created_at": now,
    }


def _version(row: RowMapping, record: RowMapping) -> RecordVersion:
    """The newest one's verdicts and score are the record's."""
    said = record if row["version"] == record["version"] else row
    return RecordVersion(
        version=row["version"],
        author=row["author"],
        origin=_origin(record) if row["version"] == 1 else "edit",
        created_at=iso(row["created_at"]),
        content=from_json(row["content"]),
        verdicts=from_json(said["verdicts"]) or {},
        score=said["score"],
    )


def _original(record: RowMapping) -> RecordVersion:
    first = {name: record[name] for name in ("version", "created_at", "content")}
    return _version(cast(RowMapping, {**first, "author": ""}), record)


def _origin(record: RowMapping) -> Origin:
    """Who wrote a file's rows is not known here."""
    return "import" if from_json(record["provenance"]).get("recipe") == "import" else "model"
