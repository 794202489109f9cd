"""The log of who did what: rows are added, and those too old go. None is ever changed.

Owns: statements. Does not own: what is worth a row (`api/audit_trail.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import RowMapping, delete, select

from corpusmith.store.access_values import AuditEntry, Deed
from corpusmith.store.codec import iso, plain
from corpusmith.store.database import Database
from corpusmith.store.schema import audit

AT_ONCE = 5000
"""Rows that one transaction of `prune` deletes: others write in between."""


class Audit:
    """The `audit` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, deed: Deed) -> None:
        """One row, one insert."""
        row = {key: _storable(one) for key, one in asdict(deed).items()}
        with self._database.write() as connection:
            connection.execute(audit.insert().values(**row, at=self._database.now()))

    def list(
        self,
        equal: Mapping[str, str | Sequence[str]],
        *,
        since: float | None = None,
        until: float | None = None,
        limit: int | None = None,
        after: int | None = None,
    ) -> Sequence[AuditEntry]:
        """Newest first. `equal`: columns and what they hold, or one of several; `since` ≤ time <
        `until`, in seconds since 1970; `after`: the last of the page before."""
        query = select(audit).order_by(audit.c.id.desc()).limit(limit)
        for name, value in equal.items():
            wanted = [value] if isinstance(value, str) else value
            query = query.where(audit.c[name].in_([plain(one) for one in wanted]))
        if since is not None:
            query = query.where(audit.c.at >= since)
        if until is not None:
            query = query.where(audit.c.at < until)
        if after is not None:
            query = query.where(audit.c.id < after)
        with self._database.read() as connection:
            return [_entry(row) for row in connection.execute(query).mappings()]

    def prune(self, older_than_s: float) -> int:
        """Delete what is older; returns how many rows."""
        before = self._database.now() - older_than_s
        old = select(audit.c.id).where(audit.c.at < before).limit(AT_ONCE)
        total = 0
        while True:
            with self._database.write() as connection:
                done = connection.execute(delete(audit).where(audit.c.id.in_(old)))
            total += done.rowcount
            if done.rowcount < AT_ONCE:
                return total


def _storable(value: Any) -> Any:
    return plain(value) if isinstance(value, str) else value


def _entry(row: RowMapping) -> AuditEntry:
    names = {one.name for one in fields(Deed)}
    return AuditEntry(id=row["id"], at=iso(row["at"]), **{name: row[name] for name in names})
