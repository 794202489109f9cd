"""A server over a fresh database, SQLite and Postgres in turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from api_kit import furnished, served

from corpusmith.api.serving import Serving
from corpusmith.store.store import SqlStore


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPUSMITH_HOME", str(tmp_path / "home"))


@pytest.fixture
def client(store: SqlStore) -> Iterator[httpx2.Client]:
    """Speaks English to a server of one person."""
    with furnished(Serving(store=store, language="en")) as app, served(app) as client:
        yield client


@pytest.fixture
def sqlite_client(opened, sqlite_url: str) -> Iterator[httpx2.Client]:  # type: ignore[no-untyped-def]
    """The same on SQLite alone, for what does not touch the database's own ways."""
    serving = Serving(store=opened(sqlite_url), language="en")
    with furnished(serving) as app, served(app) as client:
        yield client
