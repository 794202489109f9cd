"""Tables of records: those that are there, those taken out, and how they read before."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from corpusmith.store.schema.columns import METADATA, Id, Seconds, partial, when


def _record_columns() -> list[Column[Any]]:
    return [
        # No foreign key: committed records stay in their dataset when the task is deleted.
        Column("task_id", BigInteger, nullable=False),
        Column("dataset_id", ForeignKey("datasets.id")),
        Column("position", Integer, nullable=False),
        Column("ordinal", BigInteger, nullable=False),
        Column("sample", Integer, nullable=False),
        Column("category", Text, nullable=False),
        Column("scenario", Text),
        Column("character", Text),
        Column("content", Text, nullable=False),
        Column("provenance", Text, nullable=False),
        Column("labels", Text, nullable=False),
        Column("state", Text, nullable=False),
        when("created_at"),
        # {check: "pass" | {action, reason, detail}}
        Column("verdicts", Text),
        # ` near_duplicates sensitive `: names between blanks; NULL: no check flagged it.
        Column("flags", Text),
        Column("score", Seconds),
        # The mean of its reviews, else what it came with (provenance "rating"); the reviews
        # themselves are rows of their own.
        Column("rating", Seconds),
        # How far people and the judge are apart; NULL: one of them has said nothing.
        Column("disagreement", Seconds),
        # A JSON list of texts; NULL: none.
        Column("tags", Text),
        Column("version", Integer, nullable=False, server_default="1"),
        # Who has reviewed it, as a number of `review_groups`; 0: nobody.
        Column("review_group", BigInteger, nullable=False, server_default="0"),
        # What it is named after, as a number of `record_kinds`.
        Column("kind", BigInteger, nullable=False, server_default="0"),
        # Characters of all texts of its content.
        Column("length", BigInteger, nullable=False, server_default="0"),
    ]


records = Table(
    "records",
    METADATA,
    Column("id", Id, primary_key=True),
    *_record_columns(),
    sqlite_autoincrement=True,
)
_of = records.c
Index("ix_records_task", _of.task_id, _of.ordinal, _of.position, _of.sample, unique=True)

# Partial: a record costs these only once it is committed to a dataset.
# In the dataset's order, with everything that a filter may ask for: any filter is answered inside
# the index, however few records fit (docs/design/finding.md).
partial(
    "ix_records_dataset",
    _of.dataset_id,
    _of.task_id,
    _of.ordinal,
    _of.position,
    _of.sample,
    _of.kind,
    _of.state,
    _of.score,
    _of.rating,
    _of.length,
    _of.id,
    where=_of.dataset_id.is_not(None),
)
partial("ix_records_dataset_newest", _of.dataset_id, _of.id, where=_of.dataset_id.is_not(None))
# What a dataset holds, counted without a look at its records; and where few are of a kind, those.
partial(
    "ix_records_dataset_kind",
    _of.dataset_id,
    _of.kind,
    _of.state,
    _of.task_id,
    _of.ordinal,
    _of.position,
    _of.sample,
    where=_of.dataset_id.is_not(None),
)
# What a reviewer has not done is a few groups' records: each group and state is a stretch of these
# indexes in the queue's order, and what is done is not even looked at.
partial(
    "ix_records_dataset_review",
    _of.dataset_id,
    _of.review_group,
    _of.state,
    _of.task_id,
    _of.ordinal,
    _of.position,
    _of.sample,
    where=_of.dataset_id.is_not(None),
)
Index(
    "ix_records_task_review",
    _of.task_id,
    _of.review_group,
    _of.state,
    _of.ordinal,
    _of.position,
    _of.sample,
)
for _scope, _column in (("dataset", _of.dataset_id), ("task", _of.task_id)):
    for _value in (_of.score, _of.disagreement):
        partial(
            f"ix_records_{_scope}_review_{_value.name}",
            _column,
            _of.review_group,
            _value,
            _of.id,
            where=_value.is_not(None),
        )
    partial(
        f"ix_records_{_scope}_review_flags",
        _column,
        _of.review_group,
        _of.id,
        where=_of.flags.is_not(None),
    )
partial("ix_records_dataset_score", _of.dataset_id, _of.score, _of.id, where=_of.score.is_not(None))
partial("ix_records_task_score", _of.task_id, _of.score, _of.id, where=_of.score.is_not(None))
partial("ix_records_rating", _of.dataset_id, _of.rating, where=_of.rating.is_not(None))

# What was taken out of a dataset, and can be put back. Rows move here whole, so that nothing that
# reads `records` has to ask whether a record is still there.
removals = Table(
    "removals",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("dataset", Text, nullable=False),
    # Why: a check's name, or what a person did.
    Column("reason", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    when("created_at"),
    Column("undone_at", Seconds),
    sqlite_autoincrement=True,
)

removed = Table(
    "removed",
    METADATA,
    # The record's own number: it has it again when it is put back.
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("removal_id", ForeignKey("removals.id", ondelete="CASCADE"), nullable=False),
    *_record_columns(),
    Index("ix_removed_removal", "removal_id"),
)

record_versions = Table(
    "record_versions",
    METADATA,
    Column("record_id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("content", Text, nullable=False),
    # Who wrote it; of version 1 nobody here: a model did, or it was imported.
    Column("author", Text, nullable=False),
    when("created_at"),
    # What checks and the judge said of it while it was the newest: NULL of the one that is.
    Column("verdicts", Text),
    Column("score", Seconds),
    sqlite_with_rowid=False,
)
