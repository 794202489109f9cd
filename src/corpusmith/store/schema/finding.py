"""Tables for finding records: what they are named after, and how far their texts are indexed.

The index of texts itself, `record_text`, is not here: it is another thing on each database, and
what it holds can be made anew from the records (`record_text.py`).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text

from corpusmith.store.schema.columns import METADATA, Id, number

# What names records share, in one number beside them: there are few such combinations, and the
# records of those that fit a filter can be told from an index of numbers alone. A kind is never
# changed; records go from one to another.
record_kinds = Table(
    "record_kinds",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("category", Text),
    Column("scenario", Text),
    Column("character", Text),
    # A JSON list, as `tags` is; NULL: not known.
    Column("models", Text),
    Column("tags", Text),
    Column("flags", Text),
    sqlite_autoincrement=True,
)

# How far the index of texts is: one row.
record_text_state = Table(
    "record_text_state",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # All records up to this number are in it, but for marks.
    number("done"),
    # Postgres: up to `bound` every number is taken or given up once transactions before `horizon`
    # have ended. Numbers are handed out in order, commits come in any.
    number("bound"),
    number("horizon"),
    # Counts batches: one that another process was quicker with is thrown away.
    number("turn"),
)

# Edits since: each version that the index may not know yet.
record_text_marks = Table(
    "record_text_marks",
    METADATA,
    Column("record_id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

# Which version the index knows, where it is not the first: SQLite forgets a text only when it is
# told it again.
record_text_versions = Table(
    "record_text_versions",
    METADATA,
    Column("record_id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    sqlite_with_rowid=False,
)
