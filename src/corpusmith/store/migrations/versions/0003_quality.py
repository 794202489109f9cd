"""Verdicts, scores and ratings of records; reviews; versions; what was taken out of a dataset."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_FLOAT = sa.Float(53)


def upgrade() -> None:
    _records()
    _removals()
    _reviews()


def _new_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("verdicts", sa.Text),
        sa.Column("flags", sa.Text),
        sa.Column("score", _FLOAT),
        sa.Column("rating", _FLOAT),
        sa.Column("disagreement", _FLOAT),
        sa.Column("tags", sa.Text),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    ]


def _records() -> None:
    # Columns are added at the end of the rows: no row of a large table is written anew.
    for column in _new_columns():
        op.add_column("records", column)
    # It grows by the state: those that wait for review are found without a look at the rows.
    op.drop_index("ix_records_dataset", "records")
    in_order = ["dataset_id", "task_id", "ordinal", "position", "sample", "state"]
    for name, columns, reason in (
        ("ix_records_dataset", in_order, "dataset_id IS NOT NULL"),
        ("ix_records_dataset_score", ["dataset_id", "score", "id"], "score IS NOT NULL"),
        ("ix_records_task_score", ["task_id", "score", "id"], "score IS NOT NULL"),
        ("ix_records_rating", ["dataset_id", "rating"], "rating IS NOT NULL"),
        (
            "ix_records_disagreement",
            ["dataset_id", "disagreement", "id"],
            "disagreement IS NOT NULL",
        ),
        (
            "ix_records_task_disagreement",
            ["task_id", "disagreement", "id"],
            "disagreement IS NOT NULL",
        ),
        ("ix_records_task_flagged", ["task_id", "id"], "flags IS NOT NULL"),
        ("ix_records_flagged", ["dataset_id", "id"], "flags IS NOT NULL"),
    ):
        where = sa.text(reason)
        op.create_index(name, "records", columns, sqlite_where=where, postgresql_where=where)


def _removals() -> None:
    op.create_table(
        "removals",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("created_at", _FLOAT, nullable=False),
        sa.Column("undone_at", _FLOAT),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "removed",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column(
            "removal_id", _ID, sa.ForeignKey("removals.id", ondelete="CASCADE"), nullable=False
        ),
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
        *_new_columns(),
    )
    op.create_index("ix_removed_removal", "removed", ["removal_id"])


def _reviews() -> None:
    op.create_table(
        "reviews",
        sa.Column("record_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("reviewer", _NAME, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("rating", sa.Integer),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("decided", sa.BigInteger, nullable=False),
        sa.Column("settled", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("updated_at", _FLOAT, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_reviews_reviewer", "reviews", ["reviewer", "record_id"])
    _review_events()
    op.create_table(
        "record_versions",
        sa.Column("record_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("created_at", _FLOAT, nullable=False),
        sqlite_with_rowid=False,
    )


def _review_events() -> None:
    op.create_table(
        "review_actions",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("reviewer", _NAME, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("created_at", _FLOAT, nullable=False),
        sa.Column("undone_at", _FLOAT),
        sqlite_autoincrement=True,
    )
    undoable = sa.text("undone_at IS NULL")
    op.create_index(
        "ix_review_actions_last",
        "review_actions",
        ["reviewer", "id"],
        sqlite_where=undoable,
        postgresql_where=undoable,
    )
    op.create_table(
        "review_events",
        sa.Column(
            "action_id",
            _ID,
            sa.ForeignKey("review_actions.id"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("record_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("undone", sa.Boolean, nullable=False, server_default=sa.false()),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_review_events_record", "review_events", ["record_id"])
