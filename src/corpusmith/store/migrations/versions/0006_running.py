"""Tasks that the server is to run, what they look like while they run, and keys of requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_FLOAT = sa.Float(53)


def upgrade() -> None:
    for column in (
        sa.Column("queued_at", _FLOAT),
        sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("request_key", sa.Text),
        sa.Column("request_digest", sa.Text),
    ):
        op.add_column("tasks", column)
    for name, columns, reason in (
        ("ix_tasks_queued", ["queued_at", "id"], "queued_at IS NOT NULL"),
        ("ix_tasks_running", ["id"], "status = 'running'"),
    ):
        where = sa.text(reason)
        op.create_index(name, "tasks", columns, sqlite_where=where, postgresql_where=where)
    op.create_index("ix_tasks_request", "tasks", ["request_key"], unique=True)
    op.create_index("ix_calls_item", "calls", ["task_id", "item"])
    op.create_table(
        "live",
        sa.Column("task_id", _ID, sa.ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("at", _FLOAT, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "workers",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("started_at", _FLOAT, nullable=False),
        sa.Column("at", _FLOAT, nullable=False),
        sa.Column("tasks_at_once", sa.Integer, nullable=False),
        sa.Column("running", sa.Integer, nullable=False),
    )
