"""Who may do what: users, their sessions, tokens; and the log of who did what."""

from __future__ import annotations

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    pass
