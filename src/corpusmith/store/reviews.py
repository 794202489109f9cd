"""Reviews: what people say of records, and what that makes of the records.

Owns: the `reviews`, `review_actions` and `review_events` rows, and the columns of a record that
sum them up: all of them change in one transaction. Does not own: edits (`versions.py`), taking
back (`review_undo.py`), which records come next (`review_queue.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, RowMapping, Table, bindparam, insert, select, update

from corpusmith.errors import Conflict, NotFound
from corpusmith.store.codec import from_json, iso, plain, to_json
from corpusmith.store.database import Database
from corpusmith.store.record_kinds import renamed
from corpusmith.store.review_groups import group_numbers, members_text
from corpusmith.store.review_rules import (
    changed_review,
    changed_tags,
    disagreement,
    given_rating,
    summary,
)
from corpusmith.store.review_values import ActionKind, Change, Changed, Event, Review
from corpusmith.store.schema import (
    record_versions,
    records,
    review_actions,
    review_events,
    reviews,
)

Row = dict[str, Any]
AT_ONCE = 1000
"""Records of a transaction: a million in one would keep all other writers waiting."""
PARTS = ("state", "rating", "note", "version", "decided", "settled", "updated_at")
"""What a review holds besides whose it is."""
_REVIEWS = select(reviews).where(reviews.c.record_id.in_(bindparam("ids")))


class Reviews:
    """What people say of records."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def change(
        self,
        ids: Sequence[int],
        reviewer: str,
        change: Change,
        *,
        version: int | None = None,
        expected: int | None = None,
        kind: ActionKind = "review",
        action: int | None = None,
    ) -> Changed:
        """Says `change` of at most `AT_ONCE` records, in one transaction.

        `version`: which one was looked at; None: the newest. `expected`: which one they must be at.
        `action`: one that is gone on with. Raises Conflict for one that was edited meanwhile.
        """
        now = self._database.now()
        name, change = plain(reviewer), _plain(change)
        with self._database.write() as connection:
            rows = locked(connection, records, ids)
            for row in rows:
                if expected not in (None, row["version"]):
                    raise edited_meanwhile(connection, row)
            action_id = action or begin_action(connection, name, kind, now)
            batch = _Batch(action_id, name, change, version, now)
            there = reviews_of(connection, [row["id"] for row in rows])
            for row in rows:
                batch.take(row, there.get(row["id"], {}))
            if not batch.events and action is None:
                # Nothing to take back: no action.
                connection.execute(review_actions.delete().where(review_actions.c.id == action_id))
            batch.write(connection, self._database)
        done = len(batch.events)
        known = action_id if done or action is not None else None
        return Changed(
            action_id=known,
            changed=done,
            unchanged=len(rows) - done,
            gone=len(set(ids)) - len(rows),
        )

    def of(self, ids: Sequence[int]) -> Mapping[int, Sequence[Review]]:
        """Record → its reviews, by reviewer's name; records without any are not in it."""
        with self._database.read() as connection:
            found = reviews_of(connection, ids)
        return {
            record_id: [_review(record_id, name, row) for name, row in sorted(own.items())]
            for record_id, own in found.items()
        }

    def history(self, record_id: int) -> Sequence[Event]:
        """Everything that was done to a record, oldest first."""
        query = (
            select(review_events, review_actions)
            .join(review_actions, review_actions.c.id == review_events.c.action_id)
            .where(review_events.c.record_id == record_id)
            .order_by(review_events.c.action_id)
        )
        with self._database.read() as connection:
            return [_event(row) for row in connection.execute(query).mappings()]

    def set_scores(self, scores: Mapping[int, float], judged_at: str | None = None) -> int:
        """A judge's scores, by record, in place of earlier ones; returns how many have theirs now.

        `judged_at`: ISO 8601, when the contents were read. A record that has been edited since
        keeps what it has: its score goes to the version that was read. None: they are the newest.
        """
        with self._database.write() as connection:
            rows = locked(connection, records, sorted(scores))
            if judged_at is not None:
                late = _edited_since(connection, rows, judged_at)
                _score_versions(connection, {late[one]: scores[one] for one in late})
                rows = [row for row in rows if row["id"] not in late]
            changes = [
                {
                    "b_id": row["id"],
                    "score": scores[row["id"]],
                    "disagreement": disagreement(row["state"], row["rating"], scores[row["id"]]),
                }
                for row in rows
            ]
            write_rows(connection, records, changes)
        return len(rows)


class _Batch:
    """The rows that one change makes of some records."""

    def __init__(
        self, action_id: int, reviewer: str, change: Change, version: int | None, now: float
    ) -> None:
        self._action_id = action_id
        self._reviewer = reviewer
        self._change = change
        self._version = version
        self._now = now
        self._reviews: list[Row] = []
        self._records: list[Row] = []
        self.events: list[Row] = []

    def take(self, row: RowMapping, there: Mapping[str, Row]) -> None:
        """A record with all its reviews."""
        before: Row = {}
        after: Row = {}
        if self._change.is_review:
            before["review"], after["review"] = self._reviewed(row, there)
            there = {**there, self._reviewer: after["review"]}
        tags = from_json(row["tags"]) or []
        if (fresh := changed_tags(tags, self._change)) != tags:
            before["tags"], after["tags"] = tags, fresh
        if not after:
            return
        self.events.append(event_row(self._action_id, row["id"], before, after))
        self._records.append(record_row(row, there, after.get("tags", tags)))

    def _reviewed(self, row: RowMapping, there: Mapping[str, Row]) -> tuple[Row | None, Row]:
        old = there.get(self._reviewer)
        version = min(self._version or row["version"], row["version"])
        new = changed_review(
            old, self._change, version=version, action=self._action_id, now=self._now
        )
        self._reviews.append({"record_id": row["id"], "reviewer": self._reviewer, **new})
        return old, new

    def write(self, connection: Connection, database: Database) -> None:
        if self._reviews:
            write_reviews(connection, database, self._reviews)
        if self.events:
            connection.execute(insert(review_events), self.events)
            write_sums(connection, database, records, self._records)


def _plain(change: Change) -> Change:
    """`change` with texts that any database takes."""
    return replace(
        change,
        note=None if change.note is None else plain(change.note),
        add_tags=tuple(map(plain, change.add_tags)),
        remove_tags=tuple(map(plain, change.remove_tags)),
    )


# ---------------------------------------------------------------- shared with edits and undo


def begin_action(connection: Connection, reviewer: str, kind: ActionKind, now: float) -> int:
    """A new action; returns its number."""
    row = {"reviewer": reviewer, "action": kind, "created_at": now}
    new = insert(review_actions).returning(review_actions.c.id)
    return int(connection.execute(new, row).scalar_one())


def edited_meanwhile(connection: Connection, row: RowMapping) -> Conflict:
    """The record is at another version by now: who made it so."""
    query = (
        select(record_versions.c.author)
        .where(record_versions.c.record_id == row["id"])
        .order_by(record_versions.c.version.desc())
        .limit(1)
    )
    by = connection.scalar(query) or ""
    return Conflict("record_edited", record=row["id"], version=row["version"], by=by)


def event_row(action_id: int, record_id: int, before: Row, after: Row) -> Row:
    """A row of `review_events`."""
    return {
        "action_id": action_id,
        "record_id": record_id,
        "before": to_json(before),
        "after": to_json(after),
        "undone": False,
    }


def record_row(row: RowMapping, there: Mapping[str, Row], tags: Sequence[str]) -> Row:
    """The columns of a record that its reviews and tags decide, for `write_sums`."""
    text = row["provenance"]
    given = given_rating(from_json(text)) if '"rating"' in text else None
    found = summary(there.values(), row["score"], given)
    return {
        "b_id": row["id"],
        "state": found.state,
        "rating": found.rating,
        "disagreement": found.disagreement,
        "tags": to_json(list(tags)) if tags else None,
        "members": members_text(there),
        "kind": row["kind"],
    }


def locked(connection: Connection, table: Table, ids: Iterable[int]) -> Sequence[RowMapping]:
    """The rows that there are, by number, and nobody else changes them until the end."""
    wanted = (
        *("id", "content", "provenance", "version", "state", "rating", "score", "tags"),
        *("verdicts", "created_at", "kind"),
    )
    # FOR UPDATE (nothing on SQLite, whose writer is alone): what two people say of one record at
    # the same time is summed up in turn.
    query = (
        select(*(table.c[name] for name in wanted))
        .where(table.c.id.in_(set(ids)))
        .order_by(table.c.id)
        .with_for_update()
    )
    return connection.execute(query).mappings().all()


def reviews_of(connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, Row]]:
    """Record → reviewer → review."""
    found: dict[int, dict[str, Row]] = {}
    for start in range(0, len(ids), AT_ONCE):
        given = {"ids": ids[start : start + AT_ONCE]}
        for row in connection.execute(_REVIEWS, given).mappings():
            own = {name: row[name] for name in PARTS}
            found.setdefault(row["record_id"], {})[row["reviewer"]] = own
    return found


def write_reviews(connection: Connection, database: Database, rows: Sequence[Row]) -> None:
    """Adds reviews, or puts them in place of those that were there."""
    new = database.insert(reviews)
    fresh = {name: new.excluded[name] for name in PARTS}
    new = new.on_conflict_do_update(index_elements=["record_id", "reviewer"], set_=fresh)
    connection.execute(new, list(rows))


def write_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Changes the columns that `rows` name, all the same ones, of the records `b_id`."""
    if not rows:
        return
    columns: dict[str, Any] = {name: bindparam(f"b_{name}") for name in rows[0] if name != "b_id"}
    change = update(table).where(table.c.id == bindparam("b_id")).values(columns)
    named = [
        {name if name == "b_id" else f"b_{name}": value for name, value in row.items()}
        for row in rows
    ]
    connection.execute(change, named)


def write_sums(
    connection: Connection, database: Database, table: Table, rows: Sequence[Row]
) -> None:
    """Changes records of `table` as `record_row` says."""
    groups = group_numbers(connection, database, {row["members"] for row in rows})
    kinds = renamed(
        connection,
        database,
        {row["b_id"]: row["kind"] for row in rows},
        {row["b_id"]: {"tags": row["tags"]} for row in rows},
    )
    named = [
        {
            **row,
            "review_group": groups[row["members"]],
            "kind": kinds.get(row["b_id"], row["kind"]),
        }
        for row in rows
    ]
    for row in named:
        del row["members"]
    write_rows(connection, table, named)


def _edited_since(
    connection: Connection, rows: Sequence[RowMapping], judged_at: str
) -> dict[int, tuple[int, int]]:
    """Record → (record, version) that was there at `judged_at`, of those that say more by now."""
    edited = {row["id"]: row["content"] for row in rows if row["version"] > 1}
    # To the millisecond, as times are told: what was saved within the same one was there.
    moment = datetime.fromisoformat(judged_at).timestamp() + 0.001
    query = (
        select(record_versions)
        .where(record_versions.c.record_id.in_(edited), record_versions.c.created_at < moment)
        .order_by(record_versions.c.record_id, record_versions.c.version)
    )
    read = {row["record_id"]: row for row in connection.execute(query).mappings()}
    return {
        one: (one, row["version"]) for one, row in read.items() if row["content"] != edited[one]
    }


def _score_versions(connection: Connection, scores: Mapping[tuple[int, int], float]) -> None:
    if not scores:
        return
    own = (
        record_versions.c.record_id == bindparam("b_record"),
        record_versions.c.version == bindparam("b_version"),
    )
    rows = [
        {"b_record": record_id, "b_version": version, "b_score": score}
        for (record_id, version), score in scores.items()
    ]
    connection.execute(update(record_versions).where(*own).values(score=bindparam("b_score")), rows)


def known_record(rows: Sequence[RowMapping], record_id: int) -> RowMapping:
    """The only one of `rows`. Raises NotFound."""
    if not rows:
        raise NotFound("unknown_record", kind="record", name=record_id)
    return rows[0]


def _review(record_id: int, reviewer: str, row: Row) -> Review:
    return Review(
        record_id=record_id,
        reviewer=reviewer,
        state=row["state"],
        rating=row["rating"],
        note=row["note"],
        version=row["version"],
        settled=row["settled"],
        updated_at=iso(row["updated_at"]),
    )


def _event(row: RowMapping) -> Event:
    return Event(
        action_id=row["action_id"],
        action=cast(ActionKind, row["action"]),
        reviewer=row["reviewer"],
        created_at=iso(row["created_at"]),
        before=from_json(row["before"]),
        after=from_json(row["after"]),
        undone=row["undone"],
    )
