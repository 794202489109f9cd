"""Tables of datasets, and of who plays in them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, Table, Text

from corpusmith.store.schema.columns import METADATA, Id, Name, Seconds, string, when

datasets = Table(
    "datasets",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
    string("description"),
    Column("language", Text, nullable=False),
    when("created_at"),
    when("updated_at"),
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
