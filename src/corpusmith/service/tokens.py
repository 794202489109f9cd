"""Use-cases of tokens: what programs send instead of a password.

Owns: who may make, see and revoke which. Does not own: checking one (`access.py`), rows (store).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

from corpusmith.errors import NotAllowed, NotFound, UsageError
from corpusmith.service.access import DAY_S, LOCAL, Principal, new_secret
from corpusmith.store.access_values import Scope, Token

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

PREFIX = "csm_"
"""So that people, and programs that look for leaked secrets, know one when they see it."""
MOST_NAME = 100
DAYS, MOST_DAYS = 90, 3650
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token with its secret, which nobody can read again."""

    secret: str = field(repr=False)
    token: Token


class Tokens:
    """`studio.tokens`. `by`: who asks; a person on the machine itself may do everything."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def add(
        self,
        name: str,
        *,
        scope: str = "read",
        days: int | None = DAYS,
        by: Principal = LOCAL,
    ) -> NewToken:
        """A new one; `days` None: it never expires.

        It belongs to the maker's user. A token makes others only if it is an admin's, and none that
        outlives it. Raises UsageError, and NotAllowed for more rights than the maker has.
        """
        chosen = scope_of(scope)
        if not by.may(chosen) or (by.via == "token" and by.scope != "admin"):
            raise NotAllowed(scope=chosen if not by.may(chosen) else "admin")
        secret, digest = new_secret(PREFIX)
        token = self._studio.store.tokens.add(
            token_name(name),
            scope=chosen,
            digest=digest,
            user_id=by.user_id,
            expires_at=self._end(days, by),
        )
        return NewToken(secret=secret, token=token)

    def list(
        self, *, by: Principal = LOCAL, limit: int | None = None, after: int | None = None
    ) -> Sequence[Token]:
        """Newest first: an admin sees all, people see theirs, a token sees itself."""
        tokens = self._studio.store.tokens
        if by.scope == "admin":
            return tokens.list(limit=limit, after=after)
        if by.via == "token":
            itself = tokens.get(by.token_id or 0)
            return [itself] if after is None or itself.id < after else []
        return tokens.list(user_id=by.user_id, limit=limit, after=after)

    def get(self, number: int, *, by: Principal = LOCAL) -> Token:
        """Raises NotFound, also for another's."""
        if by.scope == "admin":
            return self._studio.store.tokens.get(number)
        if by.via == "token" and number != by.token_id:
            raise NotFound("unknown_token", kind="token", name=number)
        return self._studio.store.tokens.get(number, user_id=by.user_id)

    def revoke(self, number: int, *, by: Principal = LOCAL) -> Token:
        """For good. Raises NotFound, also for another's."""
        return self._studio.store.tokens.revoke(self.get(number, by=by).id)

    def _end(self, days: int | None, by: Principal) -> float | None:
        if days is not None and not 1 <= days <= MOST_DAYS:
            raise UsageError("token_days", most=MOST_DAYS)
        ends = None if days is None else self._studio.store.tokens.now + days * DAY_S
        return min((one for one in (ends, by.until) if one is not None), default=None)


def token_name(name: str) -> str:
    """Raises UsageError: 1 to 100 visible characters."""
    kept = name.strip()
    if not kept or len(kept) > MOST_NAME or not kept.isprintable():
        raise UsageError("token_name", most=MOST_NAME)
    return kept


def scope_of(text: str) -> Scope:
    """Raises UsageError."""
    if text not in SCOPES:
        raise UsageError("unknown_scope", scope=text[:60], known=", ".join(SCOPES))
    return text
