"""Tables of what people said of records."""

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
    false,
)

from corpusmith.store.schema.columns import METADATA, Id, Name, Seconds, partial, string, when

reviews = Table(
    "reviews",
    METADATA,
    # No foreign key: a record that is taken out and put back keeps its reviews.
    Column("record_id", BigInteger, primary_key=True, autoincrement=False),
    Column("reviewer", Name, primary_key=True),
    Column("state", Text, nullable=False),
    Column("rating", Integer),
    string("note"),
    # Which version of the record was looked at.
    Column("version", Integer, nullable=False),
    # The action that set the state: the newest one decides what the record's is.
    Column("decided", BigInteger, nullable=False),
    # Said in sight of the judge's score: the queue of disagreements does not ask again.
    Column("settled", Boolean, nullable=False, server_default=false()),
    when("updated_at"),
    Index("ix_reviews_reviewer", "reviewer", "record_id"),
    sqlite_with_rowid=False,
)

# Which people reviewed a record, in one number: there are few such groups, and a record's says
# whose queues it is in. A group is never changed; records go from one to another.
review_groups = Table(
    "review_groups",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    # {reviewer: whether it is settled with this one}
    Column("members", Text, nullable=False),
    sqlite_autoincrement=True,
)

# What a person did in one go, with one record or a million: what undo takes back.
review_actions = Table(
    "review_actions",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("reviewer", Name, nullable=False),
    Column("action", Text, nullable=False),
    when("created_at"),
    Column("undone_at", Seconds),
    sqlite_autoincrement=True,
)
partial(
    "ix_review_actions_last",
    review_actions.c.reviewer,
    review_actions.c.id,
    where=review_actions.c.undone_at.is_(None),
)

# What an action did to a record: kept for good, also when it is undone.
review_events = Table(
    "review_events",
    METADATA,
    Column("action_id", ForeignKey("review_actions.id"), primary_key=True, autoincrement=False),
    Column("record_id", BigInteger, primary_key=True, autoincrement=False),
    # What stood there before and after, as JSON: only the parts that changed.
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("undone", Boolean, nullable=False, server_default=false()),
    Index("ix_review_events_record", "record_id"),
    sqlite_with_rowid=False,
)
