"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_FLOAT = sa.Float(53)


def upgrade() -> None:
    _nouns()
    _bindings()
    _tasks()
    _items()
    _calls()
    _records()
    _small()


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _named() -> list[sa.Column[object]]:
    return [
        sa.Column("id", _ID, primary_key=True),
        sa.Column("name", _NAME, nullable=False, unique=True),
    ]


def _times() -> list[sa.Column[float]]:
    return [
        sa.Column("created_at", _FLOAT, nullable=False),
        sa.Column("updated_at", _FLOAT, nullable=False),
    ]


def _nouns() -> None:
    op.create_table(
        "connections",
        *_named(),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("key_cipher", sa.LargeBinary),
        *_times(),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "characters",
        *_named(),
        _text("description"),
        _text("personality"),
        _text("background"),
        _text("speaking_style"),
        _text("example_dialogues"),
        _text("greeting"),
        _text("system_prompt"),
        sa.Column("tags", sa.Text, nullable=False, server_default="[]"),
        _text("creator"),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("card", sa.Text),
        sa.Column("image", sa.LargeBinary),
        *_times(),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "scenarios",
        *_named(),
        _text("description"),
        sa.Column("weight", _FLOAT, nullable=False, server_default="1"),
        sa.Column("language", sa.Text, nullable=False),
        *_times(),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "datasets",
        *_named(),
        _text("description"),
        sa.Column("language", sa.Text, nullable=False),
        *_times(),
        sqlite_autoincrement=True,
    )


def _bindings() -> None:
    op.create_table(
        "dataset_characters",
        sa.Column(
            "dataset_id", _ID, sa.ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("character_id", _ID, sa.ForeignKey("characters.id"), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
    )
    op.create_table(
        "dataset_scenarios",
        sa.Column(
            "dataset_id", _ID, sa.ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("scenario_id", _ID, sa.ForeignKey("scenarios.id"), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("weight", _FLOAT, nullable=False),
    )


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("recipe", sa.Text, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("connections", sa.Text, nullable=False),
        sa.Column("dataset_id", _ID, sa.ForeignKey("datasets.id")),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("cause", sa.Text),
        sa.Column("request", sa.Text),
        sa.Column("requested", sa.BigInteger, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        _number("attempted"),
        _number("accepted"),
        _number("rejected"),
        _number("failed"),
        _number("calls"),
        _number("prompt_tokens"),
        _number("completion_tokens"),
        _number("cached_tokens"),
        _number("reasoning_tokens"),
        sa.Column("cost_usd", _FLOAT, nullable=False, server_default="0"),
        _number("cost_unknown"),
        _number("fence"),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_until", _FLOAT),
        *_times(),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "quotas",
        sa.Column("task_id", _ID, sa.ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("waves", sa.Text, nullable=False),
        _number("attempted"),
        _number("accepted"),
        _number("rejected"),
        _number("failed"),
        sa.UniqueConstraint("task_id", "name", name="uq_quotas_task_name"),
    )
    op.create_table(
        "executions",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("task_id", _ID, sa.ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("started_at", _FLOAT, nullable=False),
        sa.Column("ended_at", _FLOAT),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("cause", sa.Text),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("result", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_executions_task", "executions", ["task_id"])


def _items() -> None:
    op.create_table(
        "items",
        sa.Column("task_id", _ID, sa.ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("ordinal", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("done", sa.Boolean, nullable=False),
        sa.Column("want", sa.Integer, nullable=False),
        sa.Column("accepted", sa.Integer, nullable=False),
        sa.Column("rejected", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("misses", sa.Text),
        sa.Column("reasons", sa.Text),
        sa.Column("fresh", sa.Boolean, nullable=False),
        sa.Column("saved_at", _FLOAT, nullable=False),
        sqlite_with_rowid=False,
    )
    missing = sa.text("misses IS NOT NULL")
    op.create_index(
        "ix_items_missing",
        "items",
        ["task_id", "position", "ordinal"],
        sqlite_where=missing,
        postgresql_where=missing,
    )


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("task_id", sa.BigInteger, nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("mode", sa.Text),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("reply", sa.Text, nullable=False),
        _number("prompt_tokens"),
        _number("completion_tokens"),
        sa.Column("cost_usd", _FLOAT),
        sa.Column("latency_s", _FLOAT, nullable=False),
        sa.Column("created_at", _FLOAT, nullable=False),
    )
    op.create_index("ix_calls_key", "calls", ["key"], unique=True)


def _records() -> None:
    op.create_table(
        "records",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("task_id", sa.BigInteger, nullable=False),
        sa.Column("dataset_id", _ID, sa.ForeignKey("datasets.id")),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("ordinal", sa.BigInteger, nullable=False),
        sa.Column("sample", sa.Integer, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("scenario", sa.Text),
        sa.Column("character", sa.Text),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("provenance", sa.Text, nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", _FLOAT, nullable=False),
        sqlite_autoincrement=True,
    )
    order = ["task_id", "ordinal", "position", "sample"]
    op.create_index("ix_records_task", "records", order, unique=True)
    committed = sa.text("dataset_id IS NOT NULL")
    for name, columns in (
        ("ix_records_dataset", ["dataset_id", *order]),
        ("ix_records_dataset_labels", ["dataset_id", "scenario", "character"]),
    ):
        op.create_index(
            name, "records", columns, sqlite_where=committed, postgresql_where=committed
        )


def _small() -> None:
    op.create_table(
        "modes",
        sa.Column("endpoint", sa.Text, primary_key=True),
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("mode", sa.Text, nullable=False),
    )
    op.create_table(
        "settings",
        sa.Column("name", _NAME, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
