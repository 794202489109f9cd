"""Finding records among a million: by model, length and words."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_AT_ONCE = 1000
_NAMES = ("category", "scenario", "character", "models", "tags", "flags")


def upgrade() -> None:
    _tables()
    for table in ("records", "removed"):
        # Columns with a constant default: no row of a large table is written anew.
        for name in ("kind", "length"):
            column = sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
            op.add_column(table, column)
    op.drop_index("ix_records_dataset", "records")
    op.drop_index("ix_records_dataset_labels", "records")
    # Before the indexes: it moves rows in none of them.
    _fill()
    _indexes()
    _text_index()


def _tables() -> None:
    op.create_table(
        "record_kinds",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        *(sa.Column(name, sa.Text) for name in _NAMES),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "record_text_state",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        *(
            sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
            for name in ("done", "bound", "horizon", "turn")
        ),
    )
    op.execute(sa.text("INSERT INTO record_text_state (id) VALUES (1)"))
    op.create_table(
        "record_text_marks",
        _record(),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "record_text_versions",
        _record(),
        sa.Column("version", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def _record() -> sa.Column[int]:
    return sa.Column("record_id", sa.BigInteger, primary_key=True, autoincrement=False)


def _indexes() -> None:
    own = ["task_id", "ordinal", "position", "sample"]
    wide = ["dataset_id", *own, "kind", "state", "score", "rating", "length", "id"]
    there = sa.text("dataset_id IS NOT NULL")
    for name, columns in (
        ("ix_records_dataset", wide),
        ("ix_records_dataset_newest", ["dataset_id", "id"]),
        ("ix_records_dataset_kind", ["dataset_id", "kind", "state", *own]),
    ):
        op.create_index(name, "records", columns, sqlite_where=there, postgresql_where=there)


def _text_index() -> None:
    if op.get_bind().dialect.name == "sqlite":
        # Words come ready, so the plainest of the tokenizers parts them. Which records hold a
        # word is all that it keeps: neither the text nor where in it.
        op.execute(
            "CREATE VIRTUAL TABLE record_text USING fts5(terms, content='', detail='none',"
            " columnsize=0, tokenize=\"ascii tokenchars '_'\")"
        )
        return
    op.execute(
        "CREATE TABLE record_text (record_id BIGINT NOT NULL, part INTEGER NOT NULL,"
        " terms TSVECTOR NOT NULL, PRIMARY KEY (record_id, part))"
    )
    op.execute("CREATE INDEX ix_record_text_terms ON record_text USING gin (terms)")


# ---------------------------------------------------------------- what was there before


def _fill() -> None:
    """Kind and length of each record that was written before they were."""
    connection = op.get_bind()
    numbers: dict[str, int] = {}
    for table in ("records", "removed"):
        page = sa.text(
            "SELECT id, category, scenario, character, provenance, tags, flags, content"  # noqa: S608
            f" FROM {table} WHERE id > :last ORDER BY id LIMIT :n"
        )
        change = sa.text(f"UPDATE {table} SET kind = :kind, length = :length WHERE id = :id")  # noqa: S608
        last = -1
        while rows := list(connection.execute(page, {"last": last, "n": _AT_ONCE}).mappings()):
            changes = [_filled(connection, row, numbers) for row in rows]
            connection.execute(change, changes)
            last = rows[-1]["id"]


def _filled(connection: sa.Connection, row: Any, numbers: dict[str, int]) -> dict[str, int]:
    names = {name: row[name] for name in _NAMES if name != "models"}
    names["models"] = _models(orjson.loads(row["provenance"]))
    text = orjson.dumps([names[name] for name in _NAMES]).decode()
    if text not in numbers:
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        new = sa.text(
            "INSERT INTO record_kinds (digest, category, scenario, character, models, tags, flags)"
            " VALUES (:digest, :category, :scenario, :character, :models, :tags, :flags)"
            " RETURNING id"
        )
        numbers[text] = int(connection.execute(new, {"digest": digest, **names}).scalar_one())
    length = _length(orjson.loads(row["content"]))
    return {"id": row["id"], "kind": numbers[text], "length": length}


def _models(provenance: Any) -> str | None:
    models = provenance.get("models") if isinstance(provenance, dict) else None
    named = sorted({str(one) for one in models if one}) if isinstance(models, list) else []
    return orjson.dumps(named).decode() if named else None


def _length(content: Any) -> int:
    if isinstance(content, str):
        return len(content)
    if isinstance(content, dict):
        content = list(content.values())
    return sum(map(_length, content)) if isinstance(content, list) else 0
