"""Templates with versions, the rows that tasks are given, chains of tasks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_FLOAT = sa.Float(53)


def upgrade() -> None:
    _templates()
    _inputs()
    _chains()


def _times() -> list[sa.Column[float]]:
    return [
        sa.Column("created_at", _FLOAT, nullable=False),
        sa.Column("updated_at", _FLOAT, nullable=False),
    ]


def _owner(name: str, target: str) -> sa.Column[int]:
    return sa.Column(name, _ID, sa.ForeignKey(target, ondelete="CASCADE"), primary_key=True)


def _templates() -> None:
    op.create_table(
        "templates",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("name", _NAME, nullable=False, unique=True),
        sa.Column("description", sa.Text, nullable=False, server_default=""),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        *_times(),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "template_versions",
        _owner("template_id", "templates.id"),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", _FLOAT, nullable=False),
    )


def _inputs() -> None:
    op.create_table(
        "inputs",
        _owner("task_id", "tasks.id"),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("content", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )


def _chains() -> None:
    op.create_table(
        "chains",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("created_at", _FLOAT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_chains_name", "chains", ["name", "source"])
    op.create_table(
        "chain_steps",
        _owner("chain_id", "chains.id"),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("task_id", sa.BigInteger),
    )
