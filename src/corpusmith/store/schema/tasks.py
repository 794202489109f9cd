"""Tables of a task: its plan, its runs, its items, and the journal of calls."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from corpusmith.store.schema.columns import METADATA, Id, Seconds, counters, number, partial, when

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
    *counters(),
    number("calls"),
    number("prompt_tokens"),
    number("completion_tokens"),
    number("cached_tokens"),
    number("reasoning_tokens"),
    Column("cost_usd", Float(53), nullable=False, server_default="0"),
    number("cost_unknown"),
    number("fence"),
    Column("lease_owner", Text),
    Column("lease_until", Seconds),
    when("created_at"),
    when("updated_at"),
    # When somebody asked the server to run it; NULL: nobody waits for it.
    Column("queued_at", Seconds),
    # Grows with each change of `spec`: who runs it sees by its next beat that there is one.
    number("revision"),
    # Of the request that made it, where that named itself: who asked and the key; what was sent.
    Column("request_key", Text),
    Column("request_digest", Text),
    # A deleted task's number never comes back: a late writer cannot hit another task.
    sqlite_autoincrement=True,
)

partial("ix_tasks_queued", tasks.c.queued_at, tasks.c.id, where=tasks.c.queued_at.is_not(None))
partial("ix_tasks_running", tasks.c.id, where=tasks.c.status == "running")
Index("ix_tasks_request", tasks.c.request_key, unique=True)

live = Table(
    "live",
    METADATA,
    Column("task_id", ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    when("at"),
    Column("body", Text, nullable=False),
)
"""What a running task looks like, beyond its counters; without a row, nobody runs it."""

workers = Table(
    "workers",
    METADATA,
    Column("owner", Text, primary_key=True),
    when("started_at"),
    when("at"),
    Column("tasks_at_once", Integer, nullable=False),
    Column("running", Integer, nullable=False),
)
"""Processes that wait for queued tasks, each with its last sign of life."""

inputs = Table(
    "inputs",
    METADATA,
    Column("task_id", ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("content", Text, nullable=False),
    # Rows live in the key's order: a run reads them straight through.
    sqlite_with_rowid=False,
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
    *counters(),
    UniqueConstraint("task_id", "name", name="uq_quotas_task_name"),
)

executions = Table(
    "executions",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("task_id", ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("owner", Text, nullable=False),
    when("started_at"),
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
    when("saved_at"),
    # Rows live in the key's order: one tree to write, and `finished` reads it straight through.
    sqlite_with_rowid=False,
)
partial(
    "ix_items_missing",
    items.c.task_id,
    items.c.position,
    items.c.ordinal,
    where=items.c.misses.is_not(None),
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
    number("prompt_tokens"),
    number("completion_tokens"),
    Column("cost_usd", Float(53)),
    Column("latency_s", Float(53), nullable=False),
    when("created_at"),
    # Keys are random, and each further index on random keys halves the speed. That on the items
    # of a task grows where it grew last: docs/design/running.md says what is known of its cost.
    Index("ix_calls_key", "key", unique=True),
    Index("ix_calls_item", "task_id", "item"),
)
