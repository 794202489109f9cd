"""Sessions of people who logged in, by the digest of their secret.

Owns: statements. Does not own: how long one lasts (`service/access.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, or_, select, update

from corpusmith.store.access_values import OwnSession, Pass
from corpusmith.store.codec import iso
from corpusmith.store.database import Database
from corpusmith.store.schema import sessions, users


class Sessions:
    """The `sessions` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self._database.now()

    def add(self, user_id: int, digest: bytes) -> None:
        """A new one."""
        now = self.now
        row = {"digest": digest, "user_id": user_id, "created_at": now, "used_at": now}
        with self._database.write() as connection:
            connection.execute(self._database.insert(sessions).values(**row))

    def find(self, digest: bytes) -> Pass | None:
        """Whose it is; None: there is no such session."""
        query = (
            select(sessions, users.c.name, users.c.role, users.c.active)
            .join(users, users.c.id == sessions.c.user_id)
            .where(sessions.c.digest == digest)
        )
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        return Pass(
            user_id=row["user_id"],
            user=row["name"],
            role=row["role"],
            active=row["active"],
            created_at=row["created_at"],
            used_at=row["used_at"],
        )

    def of(self, user_id: int) -> Sequence[OwnSession]:
        """All of a user, the one used last first."""
        query = select(sessions).where(sessions.c.user_id == user_id)
        query = query.order_by(sessions.c.used_at.desc())
        with self._database.read() as connection:
            return [
                OwnSession(
                    digest=bytes(row["digest"]),
                    created_at=iso(row["created_at"]),
                    used_at=iso(row["used_at"]),
                )
                for row in connection.execute(query).mappings()
            ]

    def used(self, digest: bytes) -> None:
        """Note that it is in use."""
        with self._database.write() as connection:
            used = update(sessions).where(sessions.c.digest == digest)
            connection.execute(used.values(used_at=self.now))

    def end(self, digest: bytes) -> None:
        """Nothing happens when it has ended already."""
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.digest == digest))

    def end_all(self, user_id: int) -> int:
        """All of a user; returns how many."""
        with self._database.write() as connection:
            done = connection.execute(delete(sessions).where(sessions.c.user_id == user_id))
        return done.rowcount

    def sweep(self, *, idle_s: float, age_s: float) -> None:
        """Forget those that nobody used for so long, or that are so old."""
        now = self.now
        over = or_(sessions.c.used_at < now - idle_s, sessions.c.created_at < now - age_s)
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(over))
