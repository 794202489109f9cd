"""Tables of who may do what, and the log of who did what."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    true,
)

from corpusmith.store.schema.columns import METADATA, Id, Name, Seconds, string, when

users = Table(
    "users",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("name", Name, nullable=False),
    # The name without case and form: `Lin` and `lin` are one person.
    Column("folded", Name, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    # Argon2id, with its parameters and salt.
    Column("password", Text, nullable=False),
    Column("active", Boolean, nullable=False, server_default=true()),
    when("created_at"),
    when("updated_at"),
    Column("login_at", Seconds),
    sqlite_autoincrement=True,
)

sessions = Table(
    "sessions",
    METADATA,
    # Of the secret in the cookie: the table gives nobody a session.
    Column("digest", LargeBinary, primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    when("created_at"),
    when("used_at"),
    Index("ix_sessions_user", "user_id"),
    Index("ix_sessions_used", "used_at"),
)

tokens = Table(
    "tokens",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("name", Name, nullable=False),
    Column("scope", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    # Whose it is, and whose rights bound its own; NULL: made on the server's own machine.
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE")),
    when("created_at"),
    Column("expires_at", Seconds),
    Column("used_at", Seconds),
    Column("revoked_at", Seconds),
    Index("ix_tokens_user", "user_id", "id"),
    sqlite_autoincrement=True,
)

# No foreign keys: what was done stays known when who did it is gone.
audit = Table(
    "audit",
    METADATA,
    Column("id", Id, primary_key=True),
    when("at"),
    Column("who", Name, nullable=False),
    Column("via", Text, nullable=False),
    Column("token_id", BigInteger),
    Column("action", Name, nullable=False),
    Column("target", Name, nullable=False),
    Column("status", Integer, nullable=False),
    string("address"),
    Index("ix_audit_at", "at"),
    Index("ix_audit_who", "who", "id"),
    Index("ix_audit_action", "action", "id"),
    Index("ix_audit_target", "target", "id"),
    sqlite_autoincrement=True,
)
