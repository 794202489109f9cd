"""The quick way to a fresh database makes what the migrations make."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

import fresh
from corpusmith.nouns import Scenario
from corpusmith.service.studio import Studio
from corpusmith.store import open as opening
from fresh_postgres import Databases


def made(path: Path) -> tuple[set[tuple[str, ...]], list[tuple[str, ...]]]:
    """Everything that the file's schema says, and the rows of migrations."""
    opening.open_store(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as file:
        schema = set(file.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))
        rows = [
            file.execute(f"SELECT * FROM {name}").fetchall()
            for name in ("alembic_version", "record_text_state", "record_text_config")
        ]
    return schema, rows


def test_a_copy_is_what_the_migrations_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening.open_store(f"sqlite:///{tmp_path / 'first.db'}").close()
    copy = made(tmp_path / "copy.db")
    monkeypatch.setattr(opening, "_migrate", fresh.migrated)
    assert copy == made(tmp_path / "real.db")
    assert len(copy[0]) > 90


def told(url: str) -> list[tuple[object, ...]]:
    """What is in a Postgres database: rows of each table, and how far its counters are."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        ).fetchall()
        rows = [
            (name, *connection.execute(f'SELECT * FROM "{name}"').fetchall()) for (name,) in tables
        ]
        counters = connection.execute(
            "SELECT sequencename, last_value FROM pg_sequences ORDER BY 1"
        ).fetchall()
    return [*rows, *counters]


def test_a_database_that_was_given_back_is_as_a_new_one(postgres_server: str) -> None:
    with closing(Databases(postgres_server, "back")) as databases:
        with databases.lent() as first:
            new = told(first)
            with closing(opening.open_store(first)) as store:
                Studio.over(store, "en").scenarios.add(Scenario(name="a"))
            assert told(first) != new
        with databases.lent() as second:
            assert told(second) == new
        assert first != second
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(first)
        assert databases.made == 1


CHANGES = (
    "DROP TABLE scenarios CASCADE",
    "ALTER TABLE scenarios ADD COLUMN more text",
    "ALTER TABLE scenarios ALTER COLUMN name DROP NOT NULL",
    "CREATE INDEX another ON scenarios (name)",
    "INSERT INTO scenarios (name, description, weight, language, created_at, updated_at) "
    "VALUES ('a', '', 1, 'zh', 1, 1); ANALYZE scenarios; DELETE FROM scenarios",
)


def test_one_that_was_changed_is_used_by_nobody_else(postgres_server: str) -> None:
    with closing(Databases(postgres_server, "changed")) as databases:
        for change in CHANGES:
            with databases.lent() as url, psycopg.connect(url) as connection:
                connection.execute(change)
        assert databases.made == len(CHANGES)


def test_one_that_somebody_holds_is_used_by_nobody_else(postgres_server: str) -> None:
    with closing(Databases(postgres_server, "held")) as databases:
        with databases.lent() as url:
            holder = psycopg.connect(url)
        with closing(holder), databases.lent():
            assert databases.made == 2
