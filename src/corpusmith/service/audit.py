"""Use-cases of the log of who did what.

Owns: reading it, and how long it is kept. Does not own: what is worth a row: of requests
`api/audit_trail.py`, of commands those on users and tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from corpusmith import config
from corpusmith.service.access import DAY_S
from corpusmith.service.server_settings import adopt
from corpusmith.store.access_values import AuditEntry, Deed

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

MOST_NAME, MOST_TARGET = 100, 300


class Audit:
    """`studio.audit`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def add(self, deed: Deed) -> None:
        """One more row."""
        self._studio.store.audit.add(deed)

    def list(
        self,
        *,
        who: str | None = None,
        action: str | Sequence[str] | None = None,
        target: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
        after: int | None = None,
    ) -> Sequence[AuditEntry]:
        """Newest first. `action`: one, or any of several; `since` ≤ time < `until`; a time without
        a zone is UTC's."""
        given: dict[str, str | Sequence[str] | None]
        given = {"who": who, "action": action, "target": target}
        return self._studio.store.audit.list(
            {name: value for name, value in given.items() if value is not None},
            since=_seconds(since),
            until=_seconds(until),
            limit=limit,
            after=after,
        )

    def days(self) -> int:
        """How long it is kept: as the environment says, else the database, else a year."""
        adopt(self._studio.store)
        return config.days("audit_days")

    def prune(self) -> int:
        """Delete what is older than `days`; returns how many rows."""
        return self._studio.store.audit.prune(self.days() * DAY_S)


def shown_name(text: str, most: int = MOST_NAME) -> str:
    """Text that anybody may have sent, fit for the log: cut, and nothing in it that is not seen."""
    return "".join(sign if sign.isprintable() else "�" for sign in text[:most])


def _seconds(moment: datetime | None) -> float | None:
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
