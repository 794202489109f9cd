"""Tokens of programs, by the digest of their secret.

Owns: statements. Does not own: who may make which (`service/tokens.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping, Select, exists, or_, select, update

from corpusmith.errors import NotFound
from corpusmith.store.access_values import Pass, Scope, Token
from corpusmith.store.codec import iso, plain
from corpusmith.store.database import Database
from corpusmith.store.schema import tokens, users


class Tokens:
    """The `tokens` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self._database.now()

    def any_usable(self) -> bool:
        """Whether somebody could come in with one."""
        alive = or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > self.now)
        owned = or_(tokens.c.user_id.is_(None), users.c.active)
        some = tokens.outerjoin(users, users.c.id == tokens.c.user_id)
        found = exists().select_from(some).where(tokens.c.revoked_at.is_(None), alive, owned)
        with self._database.read() as connection:
            return bool(connection.scalar(select(found)))

    def add(
        self,
        name: str,
        *,
        scope: Scope,
        digest: bytes,
        user_id: int | None,
        expires_at: float | None,
    ) -> Token:
        """A new one."""
        row = {
            "name": plain(name),
            "scope": scope,
            "digest": digest,
            "user_id": user_id,
            "created_at": self.now,
            "expires_at": expires_at,
        }
        new = self._database.insert(tokens).values(**row).returning(tokens.c.id)
        with self._database.write() as connection:
            number = connection.scalar(new)
            made = connection.execute(_QUERY.where(tokens.c.id == number)).mappings().one()
        return self._token(made)

    def find(self, digest: bytes) -> Pass | None:
        """Whose it is; None: there is no such token."""
        with self._database.read() as connection:
            row = connection.execute(_QUERY.where(tokens.c.digest == digest)).mappings().first()
        if row is None:
            return None
        return Pass(
            user_id=row["user_id"],
            user=row["user"],
            role=row["role"],
            active=row["user_id"] is None or row["active"],
            created_at=row["created_at"],
            used_at=row["used_at"],
            expires_at=row["expires_at"],
            token=self._token(row),
        )

    def get(self, number: int, *, user_id: int | None = None) -> Token:
        """`user_id`: it must be this user's. Raises NotFound."""
        # No column holds a larger number, and drivers complain of one each in their own way.
        query = _QUERY.where(tokens.c.id == min(number, _MOST_ID))
        if user_id is not None:
            query = query.where(tokens.c.user_id == user_id)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFound("unknown_token", kind="token", name=number)
        return self._token(row)

    def list(
        self, *, user_id: int | None = None, limit: int | None = None, after: int | None = None
    ) -> Sequence[Token]:
        """Newest first. `user_id`: this user's alone; `after`: the last of the page before."""
        query = _QUERY.order_by(tokens.c.id.desc()).limit(limit)
        if user_id is not None:
            query = query.where(tokens.c.user_id == user_id)
        if after is not None:
            query = query.where(tokens.c.id < after)
        with self._database.read() as connection:
            return [self._token(row) for row in connection.execute(query).mappings()]

    def used(self, number: int) -> None:
        """Note that it is in use."""
        with self._database.write() as connection:
            used = update(tokens).where(tokens.c.id == number)
            connection.execute(used.values(used_at=self.now))

    def revoke(self, number: int) -> Token:
        """For good; nothing happens when it was before. Raises NotFound."""
        with self._database.write() as connection:
            gone = update(tokens).where(tokens.c.id == number, tokens.c.revoked_at.is_(None))
            connection.execute(gone.values(revoked_at=self.now))
        return self.get(number)

    def _token(self, row: RowMapping) -> Token:
        over = row["expires_at"] is not None and row["expires_at"] <= self.now
        state = "revoked" if row["revoked_at"] is not None else "expired" if over else "active"
        return Token(
            id=row["id"],
            name=row["name"],
            scope=row["scope"],
            user=row["user"],
            state=state,  # type: ignore[arg-type]  # one of the three
            created_at=iso(row["created_at"]),
            expires_at=_time(row["expires_at"]),
            used_at=_time(row["used_at"]),
            revoked_at=_time(row["revoked_at"]),
        )


_QUERY: Select[tuple[object, ...]] = select(
    tokens, users.c.name.label("user"), users.c.role, users.c.active
).select_from(tokens.outerjoin(users, users.c.id == tokens.c.user_id))


_MOST_ID = 2**63 - 1


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else iso(seconds)
