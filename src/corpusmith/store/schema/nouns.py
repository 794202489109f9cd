"""Tables of what people name and keep, of settings, and of what each endpoint can do."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, Table, Text

from corpusmith.store.schema.columns import METADATA, Id, Name, Seconds, string, when

connections = Table(
    "connections",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
    Column("body", Text, nullable=False),
    Column("key_cipher", LargeBinary),
    when("created_at"),
    when("updated_at"),
    sqlite_autoincrement=True,
)

characters = Table(
    "characters",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
    string("description"),
    string("personality"),
    string("background"),
    string("speaking_style"),
    string("example_dialogues"),
    string("greeting"),
    string("system_prompt"),
    Column("tags", Text, nullable=False, server_default="[]"),
    string("creator"),
    Column("language", Text, nullable=False),
    Column("card", Text),
    Column("image", LargeBinary),
    when("created_at"),
    when("updated_at"),
    sqlite_autoincrement=True,
)

scenarios = Table(
    "scenarios",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
    string("description"),
    Column("weight", Seconds, nullable=False, server_default="1"),
    Column("language", Text, nullable=False),
    when("created_at"),
    when("updated_at"),
    sqlite_autoincrement=True,
)

templates = Table(
    "templates",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
    string("description"),
    Column("type", Text, nullable=False),
    Column("language", Text, nullable=False),
    # The newest one; older ones stay, because tasks and people refer to them.
    Column("version", Integer, nullable=False),
    when("created_at"),
    when("updated_at"),
    sqlite_autoincrement=True,
)

template_versions = Table(
    "template_versions",
    METADATA,
    Column("template_id", ForeignKey("templates.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    when("created_at"),
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
