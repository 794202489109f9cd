"""The tables, as SQLAlchemy Core sees them. `migrations/versions/` is what creates them.

Three conventions hold everywhere:
- A time is a number: seconds since 1970, UTC (`*_at`, `lease_until`). Values show it as ISO 8601.
- JSON is text written by orjson: a NUL in a model's answer is escaped there, and Postgres takes it.
- Money is `cost_usd`, the sum of what is known, beside `cost_unknown`, the calls without a price.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
)

REVISIONS = ("0001", "0002", "0003")
"""Every revision this version knows, oldest first; the last is what it writes."""

METADATA = MetaData()

# SQLite counts rows itself only for a column that says INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")
# By code point on both, so that paging by name goes one way.
Name = Text().with_variant(Text(collation="C"), "postgresql")
Seconds = Float(53)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def _counters() -> list[Column[int]]:
    """Counts of samples; stored `attempted` counts finished samples only."""
    return [_number(name) for name in ("attempted", "accepted", "rejected", "failed")]


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _when(name: str) -> Column[float]:
    return Column(name, Seconds, nullable=False)


connections = Table(
    "connections",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
    Column("body", Text, nullable=False),
    Column("key_cipher", LargeBinary),
    _when("created_at"),
    _when("updated_at"),
    sqlite_autoincrement=True,
)

characters = Table(
    "characters",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
    _text("description"),
    _text("personality"),
    _text("background"),
    _text("speaking_style"),
    _text("example_dialogues"),
    _text("greeting"),
    _text("system_prompt"),
    Column("tags", Text, nullable=False, server_default="[]"),
    _text("creator"),
    Column("language", Text, nullable=False),
    Column("card", Text),
    Column("image", LargeBinary),
    _when("created_at"),
    _when("updated_at"),
    sqlite_autoincrement=True,
)

scenarios = Table(
    "scenarios",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
    _text("description"),
    Column("weight", Seconds, nullable=False, server_default="1"),
    Column("language", Text, nullable=False),
    _when("created_at"),
    _when("updated_at"),
    sqlite_autoincrement=True,
)

templates = Table(
    "templates",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
    _text("description"),
    Column("type", Text, nullable=False),
    Column("language", Text, nullable=False),
    # The newest one; older ones stay, because tasks and people refer to them.
    Column("version", Integer, nullable=False),
    _when("created_at"),
    _when("updated_at"),
    sqlite_autoincrement=True,
)

template_versions = Table(
    "template_versions",
    METADATA,
    Column("template_id", ForeignKey("templates.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    _when("created_at"),
)

datasets = Table(
    "datasets",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
    _text("description"),
    Column("language", Text, nullable=False),
    _when("created_at"),
    _when("updated_at"),
    sqlite_autoincrement=True,
)

dataset_characters = Table(
    "dataset_characters",
    METADATA,
    Column("dataset_id", ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True),
    Column("character_id", ForeignKey("characters.id"), primary_key=True),
    Column("position", Integer, nullable=False),
)

dataset_scenarios = Table(
    "dataset_scenarios",
    METADATA,
    Column("dataset_id", ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True),
    Column("scenario_id", ForeignKey("scenarios.id"), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("weight", Seconds, nullable=False),
)

tasks = Table(
    "tasks",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("recipe", Text, nullable=False),
    Column("spec", Text, nullable=False),
    Column("connections", Text, nullable=False),
    Column("dataset_id", ForeignKey("datasets.id")),
    Column("status", Text, nullable=False),
    Column("cause", Text),
    Column("request", Text),
    Column("requested", BigInteger, nullable=False),
    Column("seed", BigInteger, nullable=False),
    *_counters(),
    _number("calls"),
    _number("prompt_tokens"),
    _number("completion_tokens"),
    _number("cached_tokens"),
    _number("reasoning_tokens"),
    Column("cost_usd", Float(53), nullable=False, server_default="0"),
    _number("cost_unknown"),
    _number("fence"),
    Column("lease_owner", Text),
    Column("lease_until", Seconds),
    _when("created_at"),
    _when("updated_at"),
    # A deleted task's number never comes back: a late writer cannot hit another task.
    sqlite_autoincrement=True,
)

inputs = Table(
    "inputs",
    METADATA,
    Column("task_id", ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("content", Text, nullable=False),
    # Rows live in the key's order: a run reads them straight through.
    sqlite_with_rowid=False,
)

chains = Table(
    "chains",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    # Where its file is; empty: it came from Python. The same file goes on with the same chain.
    Column("source", Text, nullable=False),
    _when("created_at"),
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

quotas = Table(
    "quotas",
    METADATA,
    Column("task_id", ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("labels", Text, nullable=False),
    Column("waves", Text, nullable=False),
    *_counters(),
    UniqueConstraint("task_id", "name", name="uq_quotas_task_name"),
)

executions = Table(
    "executions",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("task_id", ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("owner", Text, nullable=False),
    _when("started_at"),
    Column("ended_at", Seconds),
    Column("status", Text, nullable=False),
    Column("cause", Text),
    Column("before", Text, nullable=False),
    Column("result", Text),
    Index("ix_executions_task", "task_id"),
    sqlite_autoincrement=True,
)

items = Table(
    "items",
    METADATA,
    Column("task_id", ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("ordinal", BigInteger, primary_key=True, autoincrement=False),
    Column("generation", Integer, nullable=False),
    Column("done", Boolean, nullable=False),
    Column("want", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("misses", Text),
    # `misses` in short, so that counting reasons groups equal texts and reads no model output.
    Column("reasons", Text),
    Column("fresh", Boolean, nullable=False),
    _when("saved_at"),
    # Rows live in the key's order: one tree to write, and `finished` reads it straight through.
    sqlite_with_rowid=False,
)

Index(
    "ix_items_missing",
    items.c.task_id,
    items.c.position,
    items.c.ordinal,
    sqlite_where=items.c.misses.is_not(None),
    postgresql_where=items.c.misses.is_not(None),
)

calls = Table(
    "calls",
    METADATA,
    Column("id", Id, primary_key=True),
    # No foreign key: the journal outlives its task, because what it holds was paid.
    Column("task_id", BigInteger, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("item", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("mode", Text),
    Column("request", Text, nullable=False),
    Column("reply", Text, nullable=False),
    _number("prompt_tokens"),
    _number("completion_tokens"),
    Column("cost_usd", Float(53)),
    Column("latency_s", Float(53), nullable=False),
    _when("created_at"),
    # The only index: keys are random, and each further index on random keys halves the speed.
    Index("ix_calls_key", "key", unique=True),
)


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
        _when("created_at"),
        # {check: "pass" | {action, reason, detail}}
        Column("verdicts", Text),
        # ` near_duplicates sensitive `: names between blanks; NULL: no check flagged it.
        Column("flags", Text),
        Column("score", Seconds),
        # The mean of its reviews; the reviews themselves are rows of their own.
        Column("rating", Seconds),
        # How far people and the judge are apart; NULL: one of them has said nothing.
        Column("disagreement", Seconds),
        # A JSON list of texts; NULL: none.
        Column("tags", Text),
        Column("version", Integer, nullable=False, server_default="1"),
    ]


records = Table(
    "records",
    METADATA,
    Column("id", Id, primary_key=True),
    *_record_columns(),
    sqlite_autoincrement=True,
)
Index(
    "ix_records_task",
    records.c.task_id,
    records.c.ordinal,
    records.c.position,
    records.c.sample,
    unique=True,
)
# Partial: a record costs these only once it is committed to a dataset.
Index(
    "ix_records_dataset",
    records.c.dataset_id,
    records.c.task_id,
    records.c.ordinal,
    records.c.position,
    records.c.sample,
    # Last, so that those which wait for review are found without a look at the rows.
    records.c.state,
    sqlite_where=records.c.dataset_id.is_not(None),
    postgresql_where=records.c.dataset_id.is_not(None),
)
Index(
    "ix_records_dataset_score",
    records.c.dataset_id,
    records.c.score,
    records.c.id,
    sqlite_where=records.c.score.is_not(None),
    postgresql_where=records.c.score.is_not(None),
)
Index(
    "ix_records_task_score",
    records.c.task_id,
    records.c.score,
    records.c.id,
    sqlite_where=records.c.score.is_not(None),
    postgresql_where=records.c.score.is_not(None),
)
Index(
    "ix_records_rating",
    records.c.dataset_id,
    records.c.rating,
    sqlite_where=records.c.rating.is_not(None),
    postgresql_where=records.c.rating.is_not(None),
)
Index(
    "ix_records_disagreement",
    records.c.dataset_id,
    records.c.disagreement,
    records.c.id,
    sqlite_where=records.c.disagreement.is_not(None),
    postgresql_where=records.c.disagreement.is_not(None),
)
Index(
    "ix_records_task_disagreement",
    records.c.task_id,
    records.c.disagreement,
    records.c.id,
    sqlite_where=records.c.disagreement.is_not(None),
    postgresql_where=records.c.disagreement.is_not(None),
)
Index(
    "ix_records_task_flagged",
    records.c.task_id,
    records.c.id,
    sqlite_where=records.c.flags.is_not(None),
    postgresql_where=records.c.flags.is_not(None),
)
Index(
    "ix_records_flagged",
    records.c.dataset_id,
    records.c.id,
    sqlite_where=records.c.flags.is_not(None),
    postgresql_where=records.c.flags.is_not(None),
)
Index(
    "ix_records_dataset_labels",
    records.c.dataset_id,
    records.c.scenario,
    records.c.character,
    sqlite_where=records.c.dataset_id.is_not(None),
    postgresql_where=records.c.dataset_id.is_not(None),
)

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
    _when("created_at"),
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

reviews = Table(
    "reviews",
    METADATA,
    # No foreign key: a record that is taken out and put back keeps its reviews.
    Column("record_id", BigInteger, primary_key=True, autoincrement=False),
    Column("reviewer", Name, primary_key=True),
    Column("state", Text, nullable=False),
    Column("rating", Integer),
    _text("note"),
    # Which version of the record was looked at.
    Column("version", Integer, nullable=False),
    # The action that set the state: the newest one decides what the record's is.
    Column("decided", BigInteger, nullable=False),
    # Said in sight of the judge's score: the queue of disagreements does not ask again.
    Column("settled", Boolean, nullable=False, server_default=false()),
    _when("updated_at"),
    Index("ix_reviews_reviewer", "reviewer", "record_id"),
    sqlite_with_rowid=False,
)

# What a person did in one go, with one record or a million: what undo takes back.
review_actions = Table(
    "review_actions",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("reviewer", Name, nullable=False),
    Column("action", Text, nullable=False),
    _when("created_at"),
    Column("undone_at", Seconds),
    sqlite_autoincrement=True,
)
Index(
    "ix_review_actions_last",
    review_actions.c.reviewer,
    review_actions.c.id,
    sqlite_where=review_actions.c.undone_at.is_(None),
    postgresql_where=review_actions.c.undone_at.is_(None),
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

record_versions = Table(
    "record_versions",
    METADATA,
    Column("record_id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("content", Text, nullable=False),
    # Who wrote it; of version 1 nobody but the model.
    Column("author", Text, nullable=False),
    _when("created_at"),
    sqlite_with_rowid=False,
)

modes = Table(
    "modes",
    METADATA,
    Column("endpoint", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("mode", Text, nullable=False),
)

settings = Table(
    "settings",
    METADATA,
    Column("name", Name, primary_key=True),
    Column("value", Text, nullable=False),
)
