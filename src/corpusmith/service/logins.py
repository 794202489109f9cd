"""Logging in and out.

Owns: what it takes, and which sessions end. Does not own: how often one may try (the API), users.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from corpusmith.errors import AccessError, LoginNeeded, NotFound
from corpusmith.service.access import AGE_S, IDLE_S, Principal, new_secret
from corpusmith.store.access_values import Keyed, OwnSession, User

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio


class Logins:
    """`studio.logins`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def log_in(self, name: str, password: str) -> tuple[User, str]:
        """The user, and the secret of a new session.

        Raises LoginNeeded `wrong_login` alike for a wrong name, a wrong password, and a user who
        is switched off.
        """
        users, sessions = self._studio.store.users, self._studio.store.sessions
        found = self._find(name)
        stored = found.password if found is not None else None
        right = self._studio.passwords.check(stored, password)
        if found is None or not right or not found.user.active:
            raise LoginNeeded("wrong_login")
        users.logged_in(found.id, rehashed=self._studio.passwords.renewed(found.password, password))
        sessions.sweep(idle_s=IDLE_S, age_s=AGE_S)
        secret, digest = new_secret()
        sessions.add(found.id, digest)
        return found.user, secret

    def log_out(self, principal: Principal, *, everywhere: bool = False) -> None:
        """End this session, or all of its user's. Who has none is logged out already."""
        if principal.session is None or principal.user_id is None:
            return
        if everywhere:
            self._studio.store.sessions.end_all(principal.user_id)
        else:
            self._studio.store.sessions.end(principal.session)

    def sessions(self, principal: Principal) -> Sequence[OwnSession]:
        """Their own that have not ended, the one used last first; of who has none: none."""
        if principal.session is None or principal.user_id is None:
            return ()
        self._studio.store.sessions.sweep(idle_s=IDLE_S, age_s=AGE_S)
        return self._studio.store.sessions.of(principal.user_id)

    def end_session(self, principal: Principal, key: str) -> None:
        """End one of their own, by its `key`. Nothing happens when it has ended already."""
        for one in self.sessions(principal):
            if one.key == key:
                self._studio.store.sessions.end(one.digest)

    def refuse_programs(self, principal: Principal) -> None:
        """Raises AccessError `person_only` for all but a user who logged in."""
        if principal.session is None:
            raise AccessError("person_only")

    def confirm(self, principal: Principal, password: str) -> None:
        """Raises AccessError `wrong_password`."""
        found = self._find(principal.name)
        stored = found.password if found is not None else None
        if not self._studio.passwords.check(stored, password):
            raise AccessError("wrong_password")

    def change_password(self, principal: Principal, new: str) -> User:
        """Their own, after `confirm`; all their other sessions end. Raises UsageError."""
        hashed = self._studio.passwords.hashed(new, principal.name)
        return self._studio.store.users.change(
            principal.name, password=hashed, keep=principal.session
        )

    def _find(self, name: str) -> Keyed | None:
        try:
            return self._studio.store.users.keyed(name)
        except NotFound:
            return None
