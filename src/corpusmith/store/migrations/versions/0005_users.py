"""Who may do what: users, their sessions, tokens; and the log of who did what."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_SECONDS = sa.Float(53)


def upgrade() -> None:
    _users()
    _sessions()
    _tokens()
    _audit()


def _needed(name: str, kind: Any, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, **more)


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", _ID, primary_key=True),
        _needed("name", _NAME),
        _needed("folded", _NAME, unique=True),
        _needed("role", sa.Text),
        _needed("password", sa.Text),
        _needed("active", sa.Boolean, server_default=sa.true()),
        _needed("created_at", _SECONDS),
        _needed("updated_at", _SECONDS),
        sa.Column("login_at", _SECONDS),
        sqlite_autoincrement=True,
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        _owner(nullable=False),
        _needed("created_at", _SECONDS),
        _needed("used_at", _SECONDS),
    )
    op.create_index("ix_sessions_user", "sessions", ["user_id"])
    op.create_index("ix_sessions_used", "sessions", ["used_at"])


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", _ID, primary_key=True),
        _needed("name", _NAME),
        _needed("scope", sa.Text),
        _needed("digest", sa.LargeBinary, unique=True),
        _owner(nullable=True),
        _needed("created_at", _SECONDS),
        sa.Column("expires_at", _SECONDS),
        sa.Column("used_at", _SECONDS),
        sa.Column("revoked_at", _SECONDS),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_tokens_user", "tokens", ["user_id", "id"])


def _owner(*, nullable: bool) -> sa.Column[Any]:
    return sa.Column(
        "user_id", _ID, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=nullable
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", _ID, primary_key=True),
        _needed("at", _SECONDS),
        _needed("who", _NAME),
        _needed("via", sa.Text),
        sa.Column("token_id", sa.BigInteger),
        _needed("action", _NAME),
        _needed("target", _NAME),
        _needed("status", sa.Integer),
        _needed("address", sa.Text, server_default=""),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    for column in ("who", "action", "target"):
        op.create_index(f"ix_audit_{column}", "audit", [column, "id"])
