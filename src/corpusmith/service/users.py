"""Use-cases of users, and whether a server may be reached without any.

Owns: names, roles, and what must hold before a door is opened. Does not own: passwords
(`passwords.py`), logging in (`logins.py`), rows (store).
"""

from __future__ import annotations

import ipaddress
import unicodedata
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, get_args

from corpusmith.errors import UsageError
from corpusmith.store.access_values import Role, User
from corpusmith.store.store import SqlStore

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

MOST_NAME = 100
"""As for reviewers: users are."""
ROLES: tuple[Role, ...] = get_args(Role)


class Users:
    """`studio.users`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def any(self) -> bool:
        """Whether there is one: then everybody has to log in."""
        return self._studio.store.users.any()

    def add(self, name: str, password: str, role: str | None = None) -> User:
        """A new one. `role` None: admin for the first, else reviewer.

        Raises Conflict when the name is taken in any case, UsageError for a name, role or password
        that will not do, and `first_user_admin` for a first one who is no admin.
        """
        name = user_name(name)
        there = self.any()
        chosen = role_of(role) if role is not None else "reviewer" if there else "admin"
        if not there and chosen != "admin":
            raise UsageError("first_user_admin", role=chosen)
        hashed = self._studio.passwords.hashed(password, name)
        return self._studio.store.users.add(name, chosen, hashed)

    def get(self, name: str) -> User:
        """Raises NotFound."""
        return self._studio.store.users.get(name)

    def list(
        self, search: str | None = None, *, limit: int | None = None, after: str | None = None
    ) -> Sequence[User]:
        """By name; `after`: the last name of the page before; `limit` None: all."""
        return self._studio.store.users.list(search, limit=limit, after=after)

    def change(
        self,
        name: str,
        *,
        role: str | None = None,
        active: bool | None = None,
        password: str | None = None,
    ) -> User:
        """Change what is given; any change logs them out everywhere.

        Raises NotFound, UsageError, and Conflict `last_admin`.
        """
        found = self.get(name)
        hashed = None
        if password is not None:
            hashed = self._studio.passwords.hashed(password, found.name)
        chosen = None if role is None else role_of(role)
        return self._studio.store.users.change(
            found.name, role=chosen, active=active, password=hashed
        )

    def log_out(self, name: str) -> int:
        """End all sessions of a user; returns how many. Raises NotFound."""
        found = self._studio.store.users.keyed(name)
        return self._studio.store.sessions.end_all(found.id)

    def delete(self, name: str) -> None:
        """With their sessions and tokens; what they did stays. Raises NotFound, and Conflict
        `last_admin`."""
        self._studio.store.users.delete(name)


def user_name(name: str) -> str:
    """The name as it is kept. Raises UsageError: 1 to 100 visible characters."""
    kept = unicodedata.normalize("NFC", name).strip()
    if not kept or len(kept) > MOST_NAME or not kept.isprintable():
        raise UsageError("user_name", most=MOST_NAME)
    return kept


def role_of(text: str) -> Role:
    """Raises UsageError."""
    if text not in ROLES:
        raise UsageError("unknown_role", role=text[:60], known=", ".join(ROLES))
    return text


def refuse_open_door(store: SqlStore, host: str, allowed_hosts: Collection[str] = ()) -> None:
    """Raises UsageError `open_door` when others could reach a server that knows nobody.

    Fine: bound to this machine's own address and answering to its own names alone; or there is an
    active admin or a token that holds.
    """
    outside = [one for one in (host, *allowed_hosts) if not is_loopback(one)]
    if outside and not (store.users.any_admin() or store.tokens.any_usable()):
        raise UsageError("open_door", host=outside[0])


def is_loopback(host: str) -> bool:
    """Whether only this machine itself can mean this name or address."""
    bare = host.strip().lower().removeprefix("[").removesuffix("]")
    try:
        return bare == "localhost" or ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False
