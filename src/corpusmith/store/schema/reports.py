"""Tables of reports."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from corpusmith.store.schema.columns import METADATA, Name, when

reports = Table(
    "reports",
    METADATA,
    # Begins with the moment that it was made at: ids sort as reports do.
    Column("id", Name, primary_key=True),
    Column("dataset_id", ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False),
    when("made_at"),
    # What it says as values: a page in any language is drawn from it.
    Column("body", Text, nullable=False),
    Index("ix_reports_dataset", "dataset_id", "id"),
)
