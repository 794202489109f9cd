"""Opening: migrations, and everything that can be wrong with a database."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url
from store_rows import entry, new_task, write

from corpusmith.errors import (
    DiskFull,
    StoreCorrupt,
    StoreError,
    StoreReadOnly,
    StoreTooNew,
    StoreUnavailable,
)
from corpusmith.store import open as opening
from corpusmith.store.open import open_store, parse_url
from corpusmith.store.schema import METADATA, REVISIONS
from corpusmith.store.store import SqlStore
from fresh import migrated

Open = Callable[[str], SqlStore]


@pytest.fixture
def store_url(bare_url: str) -> str:
    """Nothing is there yet: the migrations themselves are looked at."""
    return bare_url


@pytest.fixture(autouse=True)
def _really_migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_migrate", migrated)


def tables(url: str) -> set[str]:
    engine = create_engine(parse_url(url))
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def is_text_index(name: str | None) -> bool:
    """Whether a table is of the index of texts, another thing on each database. SQLite keeps it in
    tables of its own."""
    parts = ("", "_data", "_idx", "_config", "_content", "_docsize")
    return name in {f"record_text{part}" for part in parts}


def run_sql(url: str, statement: str) -> None:
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def path_of(url: str) -> Path:
    return Path(str(make_url(url).database))


# ---------------------------------------------------------------- migrations


def test_an_empty_database_gets_every_table(store_url: str, opened: Open) -> None:
    opened(store_url)
    there = {name for name in tables(store_url) if not is_text_index(name)}
    assert there == set(METADATA.tables) | {"alembic_version"}
    assert "record_text" in tables(store_url)


def test_the_migrations_make_what_the_tables_say(store_url: str, opened: Open) -> None:
    opened(store_url)
    engine = create_engine(parse_url(store_url))
    with engine.connect() as connection:
        options = {"include_name": lambda name, kind, parents: not is_text_index(name)}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_the_known_revisions_are_those_of_the_folder() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(opening.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    found = [one.revision for one in script.walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS


def test_opening_again_keeps_everything_and_needs_no_alembic(store_url: str, opened: Open) -> None:
    task = new_task(opened(store_url))
    code = (
        "import sys; from corpusmith.store.open import open_store\n"
        "store = open_store(sys.argv[1])\n"
        "print(store.tasks.last().name, 'alembic' in sys.modules); store.close()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, store_url], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [task.name, "False"]


def test_many_that_open_a_new_database_at_once_all_get_it(store_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(open_store, [store_url] * 4))
    names = {new_task(store).name for store in stores}
    for store in stores:
        store.close()
    assert names == {"一批"}


# ---------------------------------------------------------------- what a URL may be


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "store_url"),
        ("nonsense", "store_url"),
        ("mysql://u:hunter2@h/d", "store_url"),
        ("sqlite://", "store_url"),
        ("sqlite:///:memory:", "store_url"),
        ("sqlite://host/x.db", "store_url"),
        ("postgresql://u:hunter2@127.0.0.1:1/d", "store_unavailable"),
        ("postgresql://u:hunter2@nowhere.invalid/d", "store_unavailable"),
        ("postgresql://u:hunter2@[::1/d", "store_url"),
        ("postgresql://u@127.0.0.1:1/d?password=hunter2", "store_unavailable"),
        ("postgresql://u:hunter2@127.0.0.1:1/d?no_such_option=1", "store_unavailable"),
    ],
)
def test_a_wrong_address_is_said_without_its_password(url: str, code: str) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        open_store(url)
    assert caught.value.reason == code
    for said in (caught.value.message("en"), caught.value.message("zh"), repr(caught.value)):
        assert "hunter2" not in said


def test_without_its_driver_postgres_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(StoreUnavailable) as caught:
        open_store("postgresql://h/d")
    assert "corpusmith[postgres]" in caught.value.message("zh")


def test_a_wrong_password_or_database_is_unavailable(postgres_url: str) -> None:
    for change in ({"database": "not_there"}, {"username": "nobody_here"}):
        wrong = make_url(postgres_url).set(**change).render_as_string(hide_password=False)
        with pytest.raises(StoreUnavailable):
            open_store(wrong)


def test_missing_folders_are_made(tmp_path: Path, opened: Open) -> None:
    opened(f"sqlite:///{tmp_path}/a/b/c.db")
    assert (tmp_path / "a/b/c.db").is_file()


def test_a_folder_that_is_a_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreUnavailable):
        open_store(f"sqlite:///{tmp_path}/file/c.db")


def test_a_file_that_is_a_folder_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        open_store(f"sqlite:///{tmp_path}")


# ---------------------------------------------------------------- damaged, newer, read only, full


def test_a_newer_database_is_left_alone(store_url: str, opened: Open) -> None:
    opened(store_url)
    run_sql(store_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreTooNew) as caught:
        open_store(store_url)
    assert "9999" in caught.value.data["cause"]


def test_a_file_that_is_no_database_is_said_to_be_corrupt(sqlite_url: str) -> None:
    path_of(sqlite_url).write_bytes(b"this is a text, and a long one at that\n" * 100)
    with pytest.raises(StoreCorrupt):
        open_store(sqlite_url)


def _use(store: SqlStore) -> None:
    """Reads and writes a little of everything."""
    for task in store.tasks.list():
        list(store.finished(task.id))
        list(store.records.iterate(task_id=task.id))
    task = new_task(store)
    write(store, entry(task.id, b"x"))
    store.find_calls([b"x".ljust(32, b".")])


def test_a_file_cut_anywhere_opens_or_is_corrupt(sqlite_url: str, opened: Open) -> None:
    store = opened(sqlite_url)
    task = new_task(store)
    write(store, *(entry(task.id, str(n).encode(), "长" * 400) for n in range(60)))
    store.close()
    whole = path_of(sqlite_url)
    size = whole.stat().st_size
    seen = set()
    for cut in sorted({0, 1, 15, 16, 99, 511, 4095, 4096, 4097, *range(0, size, size // 23)}):
        part = whole.with_name("cut.db")
        for leftover in whole.parent.glob("cut.db*"):
            leftover.unlink()
        part.write_bytes(whole.read_bytes()[:cut])
        try:
            cut_store = open_store(f"sqlite:///{part}")
            try:
                _use(cut_store)
            finally:
                cut_store.close()
            seen.add("opens")
        except StoreCorrupt:
            seen.add("corrupt")
    assert seen == {"opens", "corrupt"}


def test_a_log_cut_anywhere_opens_with_what_was_whole(sqlite_url: str, opened: Open) -> None:
    store = opened(sqlite_url)
    task = new_task(store)
    for n in range(20):
        write(store, entry(task.id, str(n).encode()))
    source = path_of(sqlite_url)
    log = source.with_name(source.name + "-wal").read_bytes()
    counts = []
    for cut in (*range(0, len(log), len(log) // 17), len(log)):
        folder = source.parent / f"cut{cut}"
        folder.mkdir()
        shutil.copy(source, folder / "store.db")
        (folder / "store.db-wal").write_bytes(log[:cut])
        copy = opened(f"sqlite:///{folder}/store.db")
        counts.append(copy.journal.count(task.id))
        _use(copy)
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, 20)


def test_a_read_only_postgres_says_so(postgres_url: str, opened: Open) -> None:
    opened(postgres_url).close()
    name = make_url(postgres_url).database
    run_sql(postgres_url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(StoreReadOnly):
        new_task(opened(postgres_url))


OPEN_AS_NOBODY = """
import os, sys
from corpusmith.errors import StoreError
from corpusmith.store.open import open_store
if os.getuid() == 0:
    os.setuid(65534)
try:
    open_store(sys.argv[1])
except StoreError as error:
    print(type(error).__name__)
"""


@pytest.mark.parametrize(("there", "kind"), [(True, StoreReadOnly), (False, StoreUnavailable)])
def test_without_the_right_to_write_it_says_so(
    there: bool, kind: type[StoreError], opened: Open
) -> None:
    # Not in pytest's own folder, whose parents only we may enter.
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/store.db"
        if there:
            opened(url).close()
            path_of(url).chmod(0o444)
        Path(folder).chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", OPEN_AS_NOBODY, url], capture_output=True, text=True
        )
        Path(folder).chmod(0o755)
    assert (done.stdout.strip(), done.stderr) == (kind.__name__, "")


def fill(store: SqlStore) -> None:
    task = new_task(store)
    for n in range(10_000):
        write(store, entry(task.id, str(n).encode(), "长" * 20_000))


def test_a_full_disk_is_said_and_the_database_opens_again(sqlite_url: str, opened: Open) -> None:
    store = opened(sqlite_url)
    # The page limit gives the same error of SQLite as a full disk.
    with store._database.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 200")
    with pytest.raises(DiskFull):
        fill(store)
    saved = store.journal.count(1)
    store.close()
    again = opened(sqlite_url)
    assert (saved > 0, again.spend(1).calls) == (True, saved)
    write(again, entry(1, b"more"))
    assert again.spend(1).calls == saved + 1


def test_another_writer_is_waited_for_then_named(
    sqlite_url: str, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "corpusmith.store.database._PRAGMAS", ("PRAGMA journal_mode=WAL", "PRAGMA busy_timeout=50")
    )
    store = opened(sqlite_url)
    other = sqlite3.connect(path_of(sqlite_url), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable) as caught:
        new_task(store)
    assert caught.value.reason == "store_busy"
    other.execute("ROLLBACK")
    other.close()
    assert new_task(store).id == 1


def test_a_stopped_process_does_not_hold_up_the_others(
    postgres_url: str, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corpusmith.store.database.BUSY_TIMEOUT_S", 0.3)
    monkeypatch.setattr("corpusmith.store.database.IDLE_TIMEOUT_S", 1.5)
    stopped, other = opened(postgres_url), opened(postgres_url)
    task = new_task(other)
    transaction = stopped.transaction()
    transaction.begin()
    transaction.apply([entry(task.id, b"1")])
    with pytest.raises(StoreUnavailable) as caught:
        write(other, entry(task.id, b"2"))
    assert caught.value.reason == "store_busy"
    time.sleep(2.5)
    assert write(other, entry(task.id, b"2")) == [None]
    with pytest.raises(StoreUnavailable):
        transaction.commit()


def test_a_server_that_goes_away_is_unavailable_and_comes_back(
    postgres_url: str, postgres_server: str, opened: Open
) -> None:
    store = opened(postgres_url)
    task = new_task(store)
    transaction = store.transaction()
    transaction.begin()
    name = make_url(postgres_url).database
    run_sql(
        postgres_server,
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
    )
    with pytest.raises(StoreUnavailable):
        transaction.apply([entry(task.id, b"lost")])
    transaction.rollback()
    write(store, entry(task.id, b"kept"))
    assert store.journal.count(task.id) == 1


def test_nothing_secret_is_in_the_url_that_is_shown(postgres_url: str, opened: Open) -> None:
    url = make_url(postgres_url).set(password="hunter2").render_as_string(hide_password=False)
    assert "hunter2" not in opened(url).url


def test_opening_makes_one_line_of_error_for_the_reader(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"SQLite format 3\0" + b"\0" * 500)
    with pytest.raises(StoreCorrupt) as caught:
        open_store(f"sqlite:///{tmp_path}/x.db")
    assert "\n" not in caught.value.message("zh")


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_postgres_that_cannot_hold_every_text_is_refused(
    postgres_server: str, encoding: str
) -> None:
    name = f"not_{encoding.lower()}"
    made = f"ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} {made}")
    url = make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    with pytest.raises(StoreUnavailable) as caught:
        open_store(url)
    assert caught.value.reason == "store_not_utf8"
    assert encoding in caught.value.message("zh") and "UTF8" in caught.value.message("en")
