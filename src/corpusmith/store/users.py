"""Users: rows, and that one of them can always let others in.

Owns: statements. Does not own: what a password is (`service/passwords.py`), who is asking
(`service/access.py`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, delete, exists, select, update

from corpusmith.errors import Conflict, NotFound
from corpusmith.store.access_values import Keyed, Role, User
from corpusmith.store.codec import iso, plain
from corpusmith.store.database import Database
from corpusmith.store.schema import sessions, users


class Users:
    """The `users` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def any(self) -> bool:
        """Whether there is a user, active or not."""
        with self._database.read() as connection:
            return bool(connection.scalar(select(exists().select_from(users))))

    def any_admin(self) -> bool:
        """Whether there is an active admin."""
        with self._database.read() as connection:
            return bool(connection.scalar(select(exists().where(*_ADMIN))))

    def add(self, name: str, role: Role, password: str) -> User:
        """`password`: its hash. Raises Conflict when the name, in any case, is taken."""
        now = self._database.now()
        row = {"name": plain(name), "folded": folded(name), "role": role, "password": password}
        new = self._database.insert(users).values(**row, created_at=now, updated_at=now)
        new = new.on_conflict_do_nothing(index_elements=["folded"])
        with self._database.write() as connection:
            if connection.scalar(new.returning(users.c.id)) is None:
                raise Conflict("user_exists", kind="user", name=name)
            return _user(_row(connection, name))

    def get(self, name: str) -> User:
        """Raises NotFound."""
        return self.keyed(name).user

    def keyed(self, name: str) -> Keyed:
        """With the password's hash. Raises NotFound."""
        with self._database.read() as connection:
            row = _row(connection, name)
        return Keyed(id=row["id"], user=_user(row), password=row["password"])

    def list(
        self, search: str | None = None, *, limit: int | None = None, after: str | None = None
    ) -> Sequence[User]:
        """By name; `after`: the last name of the page before; `limit` None: all."""
        query = select(users).order_by(users.c.name).limit(limit)
        if after is not None:
            query = query.where(users.c.name > plain(after))
        if search:
            query = query.where(users.c.folded.contains(folded(search), autoescape=True))
        with self._database.read() as connection:
            return [_user(row) for row in connection.execute(query).mappings()]

    def change(
        self,
        name: str,
        *,
        role: Role | None = None,
        active: bool | None = None,
        password: str | None = None,
        keep: bytes | None = None,
    ) -> User:
        """Change what is given. A change of any of it ends the user's sessions, but for `keep`.

        Raises NotFound, and Conflict `last_admin`.
        """
        with self._database.write() as connection:
            old = _row(connection, name)
            given = {"role": role, "active": active, "password": password}
            new = {key: one for key, one in given.items() if one is not None and one != old[key]}
            if not new:
                return _user(old)
            if new.get("role", "admin") != "admin" or new.get("active") is False:
                _keep_an_admin(connection, old)
            query = update(users).where(users.c.id == old["id"])
            connection.execute(query.values(**new, updated_at=self._database.now()))
            ended = delete(sessions).where(sessions.c.user_id == old["id"])
            connection.execute(ended if keep is None else ended.where(sessions.c.digest != keep))
            return _user(_row(connection, name))

    def logged_in(self, user_id: int, *, rehashed: str | None = None) -> None:
        """Note a login; `rehashed`: the same password, hashed anew."""
        new: dict[str, object] = {"login_at": self._database.now()}
        if rehashed is not None:
            new["password"] = rehashed
        with self._database.write() as connection:
            connection.execute(update(users).where(users.c.id == user_id).values(**new))

    def delete(self, name: str) -> None:
        """With their sessions and tokens. Raises NotFound, and Conflict `last_admin`."""
        with self._database.write() as connection:
            row = _row(connection, name)
            _keep_an_admin(connection, row)
            connection.execute(delete(users).where(users.c.id == row["id"]))


def folded(name: str) -> str:
    """What two spellings of one name have in common: case and Unicode's forms do not count."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", plain(name)).casefold())


_ADMIN = (users.c.role == "admin", users.c.active)


def _keep_an_admin(connection: Connection, row: RowMapping) -> None:
    # Locked, so that two processes cannot each take away the other's last one.
    query = select(users.c.id).where(*_ADMIN).order_by(users.c.id).with_for_update()
    if set(connection.scalars(query)) == {row["id"]}:
        raise Conflict("last_admin", kind="user", name=row["name"])


def _row(connection: Connection, name: str) -> RowMapping:
    query = select(users).where(users.c.folded == folded(name))
    found = connection.execute(query).mappings().first()
    if found is None:
        raise NotFound("unknown_user", kind="user", name=name)
    return found


def _user(row: RowMapping) -> User:
    return User(
        name=row["name"],
        role=row["role"],
        active=row["active"],
        created_at=iso(row["created_at"]),
        login_at=None if row["login_at"] is None else iso(row["login_at"]),
    )
