"""Undo: a reviewer's last action is taken back, whole.

Owns: taking back. Does not own: doing (`reviews.py`, `versions.py`).

An action of many records is taken back a batch at a time, each event marked with its batch: an
undo that was cut short goes on where it was. Records that were taken out of their dataset
meanwhile are taken back where they lie, so that they come back right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal, cast

from sqlalchemy import Connection, RowMapping, Table, delete, select, update

from corpusmith.errors import Conflict, NotFound
from corpusmith.store.codec import from_json, plain
from corpusmith.store.database import Database
from corpusmith.store.review_rules import undone_tags
from corpusmith.store.review_values import ActionKind, Undone
from corpusmith.store.reviews import (
    AT_ONCE,
    locked,
    record_row,
    reviews_of,
    write_reviews,
    write_sums,
)
from corpusmith.store.schema import (
    records,
    removed,
    review_actions,
    review_events,
    reviews,
)
from corpusmith.store.versions import text_of, write_version

Row = dict[str, Any]
Fate = Literal["undone", "kept", "gone"]


class ReviewUndo:
    """Takes back what reviewers did."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def undo(self, reviewer: str, action: int | None = None) -> Undone:
        """Takes back the reviewer's last action that is not undone.

        `action`: it must be this one. Raises NotFound `nothing_to_undo`, Conflict `undo_not_last`.
        """
        name = plain(reviewer)
        fates: Counter[Fate] = Counter()
        first: int | None = None
        while True:
            with self._database.write() as connection:
                last = _last(connection, name, action)
                events = _events(connection, last["id"])
                batch = _Back(connection, self._database, name)
                for event, fate in batch.take_back(events):
                    fates[fate] += 1
                    first = event["record_id"] if first is None and fate == "undone" else first
                if len(events) < AT_ONCE:
                    self._close(connection, last["id"])
                    break
            action = last["id"]
        return Undone(
            action_id=last["id"],
            action=cast(ActionKind, last["action"]),
            undone=fates["undone"],
            kept=fates["kept"],
            gone=fates["gone"],
            first=first,
        )

    def last(self, reviewer: str) -> int | None:
        """The action that `undo` would take back; None: there is none."""
        with self._database.read() as connection:
            found = connection.execute(_lasts(plain(reviewer))).mappings().first()
        return None if found is None else int(found["id"])

    def _close(self, connection: Connection, action_id: int) -> None:
        own = review_actions.c.id == action_id
        now = self._database.now()
        connection.execute(update(review_actions).where(own).values(undone_at=now))


class _Back:
    """Some events of one action on their way back."""

    def __init__(self, connection: Connection, database: Database, reviewer: str) -> None:
        self._connection = connection
        self._database = database
        self._reviewer = reviewer
        self._sums: dict[Table, list[Row]] = {}

    def take_back(self, events: Sequence[RowMapping]) -> list[tuple[RowMapping, Fate]]:
        """Each event with what became of it."""
        ids = [event["record_id"] for event in events]
        places = self._places(ids)
        there = reviews_of(self._connection, ids)
        found: list[tuple[RowMapping, Fate]] = []
        for event in events:
            place = places.get(event["record_id"])
            fate: Fate = "gone"
            if place is not None:
                back = self._one(*place, there.get(event["record_id"], {}), event)
                fate = "undone" if back else "kept"
            found.append((event, fate))
        if events:
            seen = review_events.c.record_id.in_(ids)
            own = review_events.c.action_id == events[0]["action_id"]
            self._connection.execute(update(review_events).where(own, seen).values(undone=True))
        for table, rows in self._sums.items():
            write_sums(self._connection, self._database, table, rows)
        return found

    def _places(self, ids: Sequence[int]) -> dict[int, tuple[Table, RowMapping]]:
        """Where each record lies: in a dataset or task, or with what was taken out."""
        return {
            row["id"]: (table, row)
            for table in (removed, records)
            for row in locked(self._connection, table, ids)
        }

    def _one(self, table: Table, row: RowMapping, there: dict[str, Row], event: RowMapping) -> bool:
        """False: the record has been changed since, and stays."""
        before, after = from_json(event["before"]), from_json(event["after"])
        if "version" in after:
            return self._content(table, row, before["version"], after["version"])
        if "review" in after:
            if there.get(self._reviewer) != after["review"]:
                return False
            self._review(row["id"], before["review"], there)
        tags = from_json(row["tags"]) or []
        if "tags" in after:
            tags = undone_tags(tags, before["tags"], after["tags"])
        self._sums.setdefault(table, []).append(record_row(row, there, tags))
        return True

    def _review(self, record_id: int, before: Row | None, there: dict[str, Row]) -> None:
        if before is not None:
            there[self._reviewer] = before
            row = {"record_id": record_id, "reviewer": self._reviewer, **before}
            write_reviews(self._connection, self._database, [row])
            return
        del there[self._reviewer]
        own = (reviews.c.record_id == record_id, reviews.c.reviewer == self._reviewer)
        self._connection.execute(delete(reviews).where(*own))

    def _content(self, table: Table, row: RowMapping, before: int, after: int) -> bool:
        if row["content"] != text_of(self._connection, row["id"], after):
            return False
        text = text_of(self._connection, row["id"], before)
        now = self._database.now()
        write_version(self._connection, self._database, table, row, text, self._reviewer, now)
        return True


def _lasts(reviewer: str) -> Any:
    open_ones = (review_actions.c.reviewer == reviewer, review_actions.c.undone_at.is_(None))
    query = select(review_actions).where(*open_ones)
    return query.order_by(review_actions.c.id.desc()).limit(1)


def _last(connection: Connection, reviewer: str, action: int | None) -> RowMapping:
    found = connection.execute(_lasts(reviewer).with_for_update()).mappings().first()
    if found is None:
        raise NotFound("nothing_to_undo", kind="reviewer", name=reviewer)
    if action is not None and found["id"] != action:
        raise Conflict("undo_not_last", reviewer=reviewer)
    return found


def _events(connection: Connection, action_id: int) -> Sequence[RowMapping]:
    """The next ones to take back."""
    query = (
        select(review_events)
        .where(review_events.c.action_id == action_id, review_events.c.undone.is_(False))
        .order_by(review_events.c.record_id)
        .limit(AT_ONCE)
    )
    return connection.execute(query).mappings().all()
