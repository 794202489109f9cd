"""The tables, as SQLAlchemy Core sees them. `migrations/versions/` is what creates them.

Three conventions hold everywhere:
- A time is a number: seconds since 1970, UTC (`*_at`, `lease_until`). Values show it as ISO 8601.
- JSON is text written by orjson: a NUL in a model's answer is escaped there, and Postgres takes it.
- Money is `cost_usd`, the sum of what is known, beside `cost_unknown`, the calls without a price.
"""

from __future__ import annotations

from corpusmith.store.schema.access import audit, sessions, tokens, users
from corpusmith.store.schema.chains import chain_steps, chains
from corpusmith.store.schema.columns import METADATA
from corpusmith.store.schema.datasets import dataset_characters, dataset_scenarios, datasets
from corpusmith.store.schema.finding import (
    record_kinds,
    record_text_marks,
    record_text_state,
    record_text_versions,
)
from corpusmith.store.schema.nouns import (
    characters,
    connections,
    modes,
    scenarios,
    settings,
    template_versions,
    templates,
)
from corpusmith.store.schema.records import record_versions, records, removals, removed
from corpusmith.store.schema.reports import reports
from corpusmith.store.schema.reviews import (
    review_actions,
    review_events,
    review_groups,
    reviews,
)
from corpusmith.store.schema.tasks import (
    calls,
    executions,
    inputs,
    items,
    live,
    quotas,
    tasks,
    workers,
)

__all__ = [
    "METADATA",
    "REVISIONS",
    "audit",
    "calls",
    "chain_steps",
    "chains",
    "characters",
    "connections",
    "dataset_characters",
    "dataset_scenarios",
    "datasets",
    "executions",
    "inputs",
    "items",
    "live",
    "modes",
    "quotas",
    "record_kinds",
    "record_text_marks",
    "record_text_state",
    "record_text_versions",
    "record_versions",
    "records",
    "removals",
    "removed",
    "reports",
    "review_actions",
    "review_events",
    "review_groups",
    "reviews",
    "scenarios",
    "sessions",
    "settings",
    "tasks",
    "template_versions",
    "templates",
    "tokens",
    "users",
    "workers",
]

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008")
"""Every revision this version knows, oldest first; the last is what it writes."""
