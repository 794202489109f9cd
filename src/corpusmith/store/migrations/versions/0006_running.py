"""Tasks that the server is to run, what they look like while they run, and keys of requests."""

from __future__ import annotations

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    pass
