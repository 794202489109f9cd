"""Backups: consistent while tasks run, from and into either database, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from corpusmith.errors import Conflict, CorpusmithError, DiskFull, StoreUnavailable
from corpusmith.nouns import Scenario
from corpusmith.service import archive as archives
from corpusmith.service.backups import backup, write
from corpusmith.service.restoring import restore, upgrade
from corpusmith.service.studio import Studio
from corpusmith.simulator import Running, SimulatorConfig, run_in_thread
from corpusmith.store.database import Database
from corpusmith.store.dump import NOT_KEPT, looking
from corpusmith.store.open import make_schema, open_as_it_is, open_store, parse_url
from corpusmith.store.schema import REVISIONS
from corpusmith.store.store import SqlStore

KEY = "sk-canary-of-a-backup"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CORPUSMITH_SECRET_KEY", raising=False)
    monkeypatch.setenv("CORPUSMITH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig()) as running:
        yield running


def fill(url: str, simulator: Running) -> None:
    """A bit of everything, a task's calls and records among it."""
    with Studio(url) as studio:
        studio.scenarios.add(Scenario(name="深夜/食堂", weight=0.5))
        studio.connections.add("sim", base_url=f"{simulator.url}/v1", model="any")
        studio.connections.set_key("sim", KEY)
        card = Path(__file__).parents[2] / "examples" / "cards" / "lin.json"
        result = studio.generate(
            characters=[str(card)], scenarios={"日常对话": 1}, count=5, connection="sim"
        )
        assert result.counts.accepted == 5
        studio.store.settings.set("private_endpoints", True)


def content(url: str) -> dict[str, list[list[Any]]]:
    """Every row that a backup keeps, as either database would write it."""
    database = open_as_it_is(url)
    try:
        with looking(database) as look:
            return {
                table.name: sorted(
                    (
                        [int(one) if isinstance(one, bool) else one for one in row]
                        for part in look.rows(table)
                        for row in part
                    ),
                    key=repr,
                )
                for table in look.tables
            }
    finally:
        database.close()


def saved(url: str, file: Path, **how: Any) -> Path:
    database = open_as_it_is(url)
    try:
        backup(database, file, **how)
    finally:
        database.close()
    return file


@pytest.mark.parametrize("into", ["sqlite", "postgres"])
def test_a_backup_of_either_database_becomes_either(
    store_url: str, into: str, tmp_path: Path, simulator: Running, request: pytest.FixtureRequest
) -> None:
    fill(store_url, simulator)
    before = content(store_url)
    assert before["calls"] and before["records"] and before["quotas"]
    file = saved(store_url, tmp_path / "all.zip")
    target = f"sqlite:///{tmp_path / 'other.db'}"
    if into == "postgres":
        target = _another_postgres(request)
    done = restore(target, file)
    assert content(target) == before
    assert (done.rows, done.aside) == (sum(map(len, before.values())), None)
    with Studio(target) as studio:
        # What is numbered from here on has numbers that were never given.
        last = studio.store.connections.id_of("sim")
        studio.connections.add("next", base_url="http://127.0.0.1:9/v1")
        assert studio.store.connections.id_of("next") == last + 1
        assert studio.tasks.run(studio.tasks.last()).counts.accepted == 5


def _another_postgres(request: pytest.FixtureRequest) -> str:
    import psycopg
    from sqlalchemy.engine import make_url

    server: str = request.getfixturevalue("postgres_server")
    name = f"restored_{os.getpid()}_{time.monotonic_ns()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def test_a_backup_is_of_one_moment_while_others_write(store: SqlStore, tmp_path: Path) -> None:
    for number in range(3):
        store.scenarios.add(Scenario(name=f"before {number}"))
    seen: list[int] = []

    class Slow:
        """Between any two bytes somebody else writes."""

        def __init__(self) -> None:
            self.file = (tmp_path / "slow.zip").open("wb")

        def write(self, data: bytes) -> int:
            store.scenarios.add(Scenario(name=f"meanwhile {len(seen)}"))
            seen.append(len(data))
            return self.file.write(data)

        def flush(self) -> None:
            self.file.flush()

    out = Slow()
    manifest = write(store.database, out)
    out.file.close()
    assert len(seen) > 10
    counts = {one.about: one.rows for one in manifest.members}
    assert counts["scenarios"] == 3


def test_an_old_one_is_moved_aside_and_only_when_asked(
    store_url: str, tmp_path: Path, opened: Callable[[str], SqlStore]
) -> None:
    store = opened(store_url)
    store.scenarios.add(Scenario(name="kept"))
    file = saved(store_url, tmp_path / "all.zip")
    store.scenarios.add(Scenario(name="younger than the backup"))
    if store.database.is_sqlite:
        with pytest.raises(StoreUnavailable) as caught:
            restore(store_url, file, force=True)
        assert caught.value.reason == "restore_in_use"
    store.close()
    with pytest.raises(Conflict) as refused:
        restore(store_url, file)
    assert refused.value.reason == "restore_not_empty"
    done = restore(store_url, file, force=True)
    assert done.aside is not None
    again = opened(store_url)
    assert [one.name for one in again.scenarios.list()] == ["kept"]
    if store.database.is_sqlite:
        old = opened(f"sqlite:///{done.aside}")
        names = [one.name for one in old.scenarios.list()]
    else:
        with again.database.read() as connection:
            query = f"SELECT name FROM {done.aside}.scenarios ORDER BY id"
            names = [name for (name,) in connection.exec_driver_sql(query)]
    assert names == ["kept", "younger than the backup"]


def test_nothing_is_restored_while_a_task_runs(store: SqlStore, tmp_path: Path) -> None:
    _running_task(store)
    with pytest.raises(Conflict) as caught:
        from corpusmith.store.replacing import refuse_running

        with store.database.read() as connection:
            refuse_running(connection, time.time())
    assert caught.value.reason == "restore_running"


def _running_task(store: SqlStore) -> None:
    """A row whose lease is somebody's on another machine."""
    columns = (
        "name, recipe, spec, connections, status, requested, seed, created_at, updated_at,"
        " lease_owner, lease_until"
    )
    values = "'t', 'dialogue', '{}', '{}', 'running', 1, 1, 0, 0, 'other|b|n|1|2|r', 9e15"
    with store.database.write() as connection:
        connection.exec_driver_sql(f"INSERT INTO tasks ({columns}) VALUES ({values})")


def test_a_key_goes_along_only_when_asked(
    sqlite_url: str, tmp_path: Path, home: Path, simulator: Running
) -> None:
    fill(sqlite_url, simulator)
    without = saved(sqlite_url, tmp_path / "without.zip")
    inside = saved(sqlite_url, tmp_path / "with.zip", with_key=True)
    key = (home / "secret.key").read_bytes()
    with zipfile.ZipFile(without) as file:
        assert all(key.strip() not in file.read(name) for name in file.namelist())
        assert all(KEY.encode() not in file.read(name) for name in file.namelist())
    assert without.stat().st_mode & 0o077 == 0
    shutil.rmtree(home)
    assert not restore(f"sqlite:///{tmp_path / 'a.db'}", without).key_there
    assert restore(f"sqlite:///{tmp_path / 'b.db'}", inside).key_there
    assert (home / "secret.key").read_bytes() == key
    assert (home / "secret.key").stat().st_mode & 0o777 == 0o600


def test_uploads_go_along(store_url: str, tmp_path: Path, home: Path) -> None:
    with Studio(store_url) as studio:
        arriving = studio.uploads.begin("../行.jsonl")
        arriving.write(b'{"a": 1}\n')
        upload = arriving.finish()
    file = saved(store_url, tmp_path / "all.zip")
    with zipfile.ZipFile(file) as inside:
        assert not any("行" in name or ".." in name for name in inside.namelist())
    shutil.rmtree(home)
    assert restore(f"sqlite:///{tmp_path / 'c.db'}", file).uploads == 1
    with Studio(f"sqlite:///{tmp_path / 'c.db'}") as studio:
        assert studio.uploads.get(upload.id) == upload


# ---------------------------------------------------------------- damaged and hostile ones


@pytest.fixture
def whole(sqlite_url: str, tmp_path: Path) -> Path:
    store = open_store(sqlite_url)
    for number in range(200):
        store.scenarios.add(Scenario(name=f"s{number}", description="x" * number))
    store.close()
    return saved(sqlite_url, tmp_path / "whole.zip")


def refused(file: Path, tmp_path: Path) -> str:
    """The code of the one clear error; nothing is there afterwards."""
    target = tmp_path / "target"
    with pytest.raises(CorpusmithError) as caught:
        restore(f"sqlite:///{target / 'new.db'}", file)
    assert not target.exists() or list(target.iterdir()) == []
    assert caught.value.message("zh") and caught.value.message("en")
    return caught.value.reason


def test_a_backup_cut_anywhere_is_one_clear_error(whole: Path, tmp_path: Path) -> None:
    data = whole.read_bytes()
    for at in (*range(0, 30), *range(30, len(data), max(1, len(data) // 40)), len(data) - 1):
        cut = tmp_path / "cut.zip"
        cut.write_bytes(data[:at])
        assert refused(cut, tmp_path) in ("backup_not_one", "backup_damaged")


def test_a_backup_with_any_byte_changed_is_refused_or_the_same(whole: Path, tmp_path: Path) -> None:
    data = whole.read_bytes()
    for at in range(0, len(data), max(1, len(data) // 40)):
        changed = tmp_path / "changed.zip"
        changed.write_bytes(data[:at] + bytes([data[at] ^ 0x20]) + data[at + 1 :])
        target = tmp_path / f"t{at}"
        try:
            restore(f"sqlite:///{target / 'new.db'}", changed)
        except CorpusmithError as error:
            assert error.reason.startswith("backup_")
        else:  # a date, or what nobody reads
            store = open_store(f"sqlite:///{target / 'new.db'}")
            assert len(store.scenarios.list(limit=1000)) == 200
            store.close()


@pytest.mark.parametrize("by", [1, 32, 4096, 2**31])
def test_a_backup_whose_members_would_lie_before_its_beginning_is_refused(
    whole: Path, tmp_path: Path, by: int
) -> None:
    data = bytearray(whole.read_bytes())
    end = data.rindex(b"PK\x05\x06")
    (place,) = struct.unpack_from("<I", data, end + 16)
    struct.pack_into("<I", data, end + 16, place + by)
    changed = tmp_path / "changed.zip"
    changed.write_bytes(data)
    assert refused(changed, tmp_path) in ("backup_not_one", "backup_damaged")


Change = Callable[[dict[str, Any], dict[str, bytes]], None]


def rewritten(whole: Path, change: Change) -> Path:
    """A backup whose manifest and members were changed by somebody who knows how."""
    with zipfile.ZipFile(whole) as file:
        members = {name: file.read(name) for name in file.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    change(manifest, members)
    made = whole.with_name("made.zip")
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
        file.writestr("manifest.json", json.dumps(manifest))
    return made


def _listed(name: str, kind: str, about: str, data: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    facts = {"name": name, "kind": kind, "about": about, "sha256": digest}
    return {**facts, "rows": max(0, data.count(b"\n") - 1) if kind == "table" else 0,
            "bytes": len(data)}  # fmt: skip


def _with(name: str, kind: str, about: str, data: bytes) -> Change:
    def change(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        members[name] = data
        manifest["members"].append(_listed(name, kind, about, data))

    return change


def _set(**values: Any) -> Change:
    return lambda manifest, members: manifest.update(values)


def _unlisted(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    members["more"] = b"x"


def _missing(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    members.pop("tables/scenarios.jsonl")


HOSTILE: dict[str, tuple[Change, str]] = {
    "a path out of the uploads": (
        _with("u", "upload", "../../etc/passwd", b"x"),
        "backup_damaged",
    ),
    "an upload called ..": (_with("u", "upload", f"{'a' * 32}/..", b"x"), "backup_damaged"),
    "an upload with a slash": (_with("u", "upload", f"{'a' * 32}/b/c", b"x"), "backup_damaged"),
    "a key of another name": (_with("../secret.key", "key", "", b"x"), "backup_damaged"),
    "a table that is none": (_with("t", "table", "sqlite_master", b'["a"]\n'), "backup_columns"),
    "the schema's own table": (
        _with("t", "table", "alembic_version", b'["version_num"]\n["0001"]\n'),
        "backup_columns",
    ),
    "a column that is none": (_with("t", "table", "modes", b'["x\\"y"]\n'), "backup_columns"),
    "a row that is no list": (_with("t", "table", "modes", b'["mode"]\n{}\n'), "backup_damaged"),
    "a row that is too short": (
        _with("t", "table", "live", b'["task_id","at"]\n[1]\n'),
        "backup_damaged",
    ),
    "a foreign key to nothing": (
        _with("t", "table", "live", b'["task_id","at","body"]\n[99,1.0,"{}"]\n'),
        "backup_damaged",
    ),
    "bytes that are none": (
        _with("t", "table", "sessions", b'["digest"]\n[{"b64":"*"}]\n'),
        "backup_damaged",
    ),
    "a file that the manifest does not know": (_unlisted, "backup_damaged"),
    "a file that is missing": (_missing, "backup_damaged"),
    "another format": (_set(format="zip"), "backup_not_one"),
    "a newer format": (_set(format_version=2), "backup_too_new"),
    "a newer schema": (_set(revision="9999"), "backup_too_new"),
    "a field too many": (_set(more=1), "backup_damaged"),
    "a huge number": (_set(sequences={"tasks": 2**63}), "backup_damaged"),
    "a bomb": (
        _with("t", "table", "modes", b'["mode"]\n' + b" " * (70 << 20)),
        "backup_suspicious",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_backup_changes_nothing(name: str, whole: Path, tmp_path: Path) -> None:
    change, code = HOSTILE[name]
    assert refused(rewritten(whole, change), tmp_path) == code


def test_a_bomb_of_members_is_not_opened(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 5)
    assert refused(whole, tmp_path) == "backup_suspicious"


@pytest.mark.parametrize("name", ["nothing.zip", "."])
def test_no_file_is_no_backup(name: str, tmp_path: Path) -> None:
    assert refused(tmp_path / name, tmp_path) == "backup_missing"


# ---------------------------------------------------------------- disk full, kills


def test_a_full_disk_leaves_no_half_backup(whole: Path, sqlite_url: str) -> None:
    database = open_as_it_is(sqlite_url)
    with pytest.raises(CorpusmithError) as caught:
        backup(database, Path("/dev/full/x.zip"))
    assert caught.value.reason == "backup_disk"

    class Full:
        def write(self, data: bytes) -> int:
            raise OSError(28, "No space left on device")

        def flush(self) -> None: ...

    from corpusmith.service.backups import Named

    with pytest.raises(DiskFull) as full:
        write(database, Named(Full(), Path("x.zip")))  # type: ignore[arg-type]
    assert (full.value.reason, full.value.data["path"]) == ("backup_disk_full", "x.zip")
    database.close()


def test_no_room_is_said_before_anything_is_written(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from corpusmith.service import restoring

    monkeypatch.setattr(restoring, "free_bytes", lambda folder: 10)
    assert refused(whole, tmp_path) == "restore_no_room"


KILLED = """
import sys
from pathlib import Path
from corpusmith.service.restoring import restore
print("go", flush=True)
restore(sys.argv[1], Path(sys.argv[2]), force=True)
"""


@pytest.mark.parametrize("delay_s", [0.0, 0.3, 0.8])
def test_a_kill_in_the_middle_leaves_the_old_or_the_new(
    delay_s: float, whole: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'live' / 'live.db'}"
    store = open_store(url)
    store.scenarios.add(Scenario(name="old"))
    store.close()
    command = [sys.executable, "-c", KILLED, url, str(whole)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None and program.stdout.readline()
        time.sleep(delay_s)
        program.send_signal(signal.SIGKILL)
    store = open_store(url)
    names = {one.name for one in store.scenarios.list(limit=1000)}
    store.close()
    assert names == {"old"} or len(names) == 200
    # The next one clears up.
    restore(url, whole, force=True)
    assert not list((tmp_path / "live").glob("*.restoring-*"))


def test_a_damaged_database_is_replaced_when_asked(whole: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database at all" * 500)
    with pytest.raises(CorpusmithError) as caught:
        restore(f"sqlite:///{broken}", whole)
    assert caught.value.reason == "store_corrupt"
    done = restore(f"sqlite:///{broken}", whole, force=True)
    assert Path(str(done.aside)).read_bytes().startswith(b"no database")
    with closing(sqlite3.connect(broken)) as connection:
        assert connection.execute("SELECT count(*) FROM scenarios").fetchone() == (200,)


# ---------------------------------------------------------------- versions


def test_an_older_database_is_saved_restored_and_brought_up_to_date(
    bare_url: str, tmp_path: Path
) -> None:
    database = Database(parse_url(bare_url))
    with database.write() as connection:
        make_schema(connection, "0003")
        connection.exec_driver_sql(
            "INSERT INTO scenarios (name, weight, language, created_at, updated_at)"
            " VALUES ('old', 1.0, 'zh', 0, 0)"
        )
    database.close()
    found = upgrade(bare_url, check=True)
    assert (found.before, found.after, found.done) == ("0003", REVISIONS[-1], False)
    assert found.waiting == len(REVISIONS) - 3
    done = upgrade(bare_url)
    assert done.done and done.backup is not None
    assert upgrade(bare_url).waiting == 0
    target = f"sqlite:///{tmp_path / 'again.db'}"
    restore(target, done.backup.file)
    store = open_store(target)
    assert [one.name for one in store.scenarios.list()] == ["old"]
    store.close()


def test_what_is_not_kept_is_in_no_backup(whole: Path) -> None:
    with zipfile.ZipFile(whole) as file:
        names = set(file.namelist())
    assert {f"tables/{name}.jsonl" for name in NOT_KEPT} & names == set()
    assert "tables/scenarios.jsonl" in names
