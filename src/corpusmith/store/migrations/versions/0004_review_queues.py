"""Who has reviewed a record, beside it: queues of a million. What a version was said to be."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_FLOAT = sa.Float(53)
_AT_ONCE = 2000


def upgrade() -> None:
    op.create_table(
        "review_groups",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("members", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    for table in ("records", "removed"):
        # A column with a constant default: no row of a large table is written anew.
        column = sa.Column("review_group", sa.BigInteger, nullable=False, server_default="0")
        op.add_column(table, column)
    op.add_column("record_versions", sa.Column("verdicts", sa.Text))
    op.add_column("record_versions", sa.Column("score", _FLOAT))
    for name in (
        *("ix_records_dataset", "ix_records_disagreement", "ix_records_task_disagreement"),
        *("ix_records_task_flagged", "ix_records_flagged"),
    ):
        op.drop_index(name, "records")
    # Before the indexes: it moves rows in none of them.
    _fill_groups()
    _indexes()


def _indexes() -> None:
    order = ["ordinal", "position", "sample"]
    there, waiting = "dataset_id IS NOT NULL", ["review_group", "state"]
    _index("ix_records_dataset", ["dataset_id", "task_id", *order], there)
    _index("ix_records_dataset_review", ["dataset_id", *waiting, "task_id", *order], there)
    _index("ix_records_task_review", ["task_id", *waiting, *order])
    for scope in ("dataset", "task"):
        first = [f"{scope}_id", "review_group"]
        for value in ("score", "disagreement"):
            name = f"ix_records_{scope}_review_{value}"
            _index(name, [*first, value, "id"], f"{value} IS NOT NULL")
        _index(f"ix_records_{scope}_review_flags", [*first, "id"], "flags IS NOT NULL")


def _index(name: str, columns: list[str], reason: str | None = None) -> None:
    where = None if reason is None else sa.text(reason)
    op.create_index(name, "records", columns, sqlite_where=where, postgresql_where=where)


def _fill_groups() -> None:
    """The group of each record that was reviewed before there were groups."""
    connection = op.get_bind()
    numbers: dict[str, int] = {}
    for page in _pages(connection):
        rows = []
        for record_id, said in groupby(page, key=lambda row: row[0]):
            members = orjson.dumps({row[1]: bool(row[2]) for row in said}).decode()
            if members not in numbers:
                numbers[members] = _group(connection, members)
            rows.append({"record": record_id, "number": numbers[members]})
        for table in ("records", "removed"):
            change = f"UPDATE {table} SET review_group = :number WHERE id = :record"  # noqa: S608
            connection.execute(sa.text(change), rows)


def _pages(connection: sa.Connection) -> Iterator[list[Any]]:
    """All reviews, those of one record in one page, reviewers by code point."""
    last = -1
    ids = sa.text(
        "SELECT DISTINCT record_id FROM reviews WHERE record_id > :last ORDER BY record_id LIMIT :n"
    )
    some = sa.text(
        "SELECT record_id, reviewer, settled FROM reviews"
        " WHERE record_id > :last AND record_id <= :upto ORDER BY record_id, reviewer"
    )
    while found := list(connection.scalars(ids, {"last": last, "n": _AT_ONCE})):
        yield list(connection.execute(some, {"last": last, "upto": found[-1]}))
        last = found[-1]


def _group(connection: sa.Connection, members: str) -> int:
    digest = hashlib.blake2b(members.encode(), digest_size=16).digest()
    new = sa.text(
        "INSERT INTO review_groups (digest, members) VALUES (:digest, :members) RETURNING id"
    )
    return int(connection.execute(new, {"digest": digest, "members": members}).scalar_one())
