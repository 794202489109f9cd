"""Tables of chains."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from corpusmith.store.schema.columns import METADATA, Id, when

chains = Table(
    "chains",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    # Where its file is; empty: it came from Python. The same file goes on with the same chain.
    Column("source", Text, nullable=False),
    when("created_at"),
    Index("ix_chains_name", "name", "source"),
    sqlite_autoincrement=True,
)

chain_steps = Table(
    "chain_steps",
    METADATA,
    Column("chain_id", ForeignKey("chains.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    # What the step asks for, its inputs included: another digest is another step.
    Column("digest", Text, nullable=False),
    # No foreign key: a deleted task leaves a step that has to be run again. NULL: not made yet.
    Column("task_id", BigInteger),
)
