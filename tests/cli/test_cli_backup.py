"""`corpusmith backup`, `restore`, `upgrade`, `journal prune` and `settings`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_kit import Cli

CARD = Path(__file__).parents[2] / "examples" / "cards" / "lin.json"


def made(cli: Cli, url: str) -> None:
    """A finished task of three records."""
    words = ("--character", CARD, "--scenario", "日常对话", "--count", "3", "--seed", "7")
    ran = cli("generate", *words, "--base-url", url, "--model", "any")
    assert ran.code == 0, ran.err


def test_a_backup_is_told_and_warns_of_the_key(cli: Cli, tmp_path: Path, home: Path) -> None:
    cli("scenarios", "add", "a")
    home.joinpath("secret.key").write_text("x" * 44)
    ran = cli("backup", tmp_path / "a.zip")
    assert ran.code == 0 and "a.zip" in ran.out
    assert "does NOT hold secret.key" in ran.err
    again = cli("backup", tmp_path / "a.zip")
    assert (again.code, "there already" in again.err) == (2, True)
    inside = cli("--json", "backup", tmp_path / "b.zip", "--with-key", "--lang", "zh")
    assert json.loads(inside.out)["key"] == "inside" and "包含" in inside.err
    env = {"CORPUSMITH_SECRET_KEY": "A" * 43 + "="}
    assert cli("backup", tmp_path / "c.zip", "--with-key", env=env).code == 2


def test_a_restore_says_where_the_old_one_is(cli: Cli, tmp_path: Path) -> None:
    cli("scenarios", "add", "a")
    assert cli("backup", tmp_path / "a.zip").code == 0
    cli("scenarios", "add", "b")
    refused = cli("restore", tmp_path / "a.zip")
    assert (refused.code, "--force" in refused.err) == (2, True)
    ran = cli("--json", "restore", tmp_path / "a.zip", "--force")
    told = json.loads(ran.out)
    assert ran.code == 0 and Path(told["aside"]).exists()
    names = [one["name"] for one in json.loads(cli("--json", "scenarios", "list").out)]
    assert "a" in names and "b" not in names
    assert cli("restore", tmp_path / "nothing.zip").code == 2


def test_nothing_to_save_and_nothing_to_bring_up_to_date(cli: Cli, tmp_path: Path) -> None:
    assert cli("backup", tmp_path / "a.zip").code == 1
    assert not (tmp_path / "a.zip").exists()
    cli("scenarios", "add", "a")
    for words in (("upgrade", "--check"), ("upgrade",)):
        ran = cli(*words)
        assert (ran.code, "up to date" in ran.out) == (0, True)


def test_an_older_database_waits_is_saved_and_brought_up_to_date(cli: Cli, home: Path) -> None:
    from corpusmith.store.database import Database
    from corpusmith.store.open import make_schema, parse_url

    home.mkdir()
    database = Database(parse_url(f"sqlite:///{home / 'corpusmith.db'}"))
    with database.write() as connection:
        make_schema(connection, "0004")
    database.close()
    waiting = cli("--json", "upgrade", "--check")
    assert waiting.code == 3
    assert json.loads(waiting.out)["done"] is False
    done = cli("upgrade")
    assert done.code == 0 and "from 0004 to" in done.out
    assert len(list((home / "backups").glob("before-upgrade-from-0004-*.zip"))) == 1


def test_the_journal_forgets_only_what_has_ended_and_is_old(cli: Cli, url: str) -> None:
    made(cli, url)
    young = cli("journal", "prune", "--older-than", "1d", "--dry-run")
    assert (young.code, "No calls may go" in young.out) == (0, True)
    dry = json.loads(cli("--json", "journal", "prune", "--older-than", "0d", "--dry-run").out)
    assert dry["found"]["tasks"] == 1 and dry["found"]["calls"] >= 3 and dry["deleted"] == 0
    assert cli("journal", "prune", "--older-than", "0d").code == 2  # nobody to ask
    words = ("journal", "prune", "--older-than", "0d", "--yes", "--compact")
    done = json.loads(cli("--json", *words).out)
    assert done["deleted"] == dry["found"]["calls"]
    assert "No calls may go" in cli(*words).out
    # The records stay.
    assert len(json.loads(cli("--json", "tasks", "list").out)) == 1


def test_calls_of_a_paused_task_stay_and_those_of_a_deleted_one_may_go(cli: Cli, url: str) -> None:
    from corpusmith.service.studio import Studio

    made(cli, url)
    with Studio() as studio, studio.store.database.write() as connection:
        connection.exec_driver_sql("UPDATE tasks SET status = 'paused'")
    prune = ("--json", "journal", "prune", "--older-than", "0d", "--dry-run")
    assert json.loads(cli(*prune).out)["found"]["calls"] == 0
    with Studio() as studio, studio.store.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM tasks")
    found = json.loads(cli(*prune).out)["found"]
    assert (found["deleted_tasks"], found["tasks"]) == (1, 0) and found["calls"] >= 3
    assert json.loads(cli(*prune, "--ended-only").out)["found"]["calls"] == 0


@pytest.mark.parametrize("age", ["", "x", "-1d", "1y", "1.5d", "9" * 40])
def test_an_age_that_is_none_is_refused(age: str, cli: Cli) -> None:
    ran = cli("journal", "prune", "--older-than", age, "--lang", "zh")
    assert (ran.code, "90d" in ran.err) == (2, True)


def test_settings_are_listed_set_and_unset(cli: Cli) -> None:
    assert "private_endpoints" in cli("settings", "list").out
    cli("settings", "set", "private_endpoints", "off")
    cli("settings", "set", "journal_days", "30")
    found = {one["name"]: one for one in json.loads(cli("--json", "settings", "list").out)}
    assert (found["private_endpoints"]["value"], found["private_endpoints"]["source"]) == (
        False,
        "stored",
    )
    cli("settings", "unset", "private_endpoints")
    found = {one["name"]: one for one in json.loads(cli("--json", "settings", "list").out)}
    assert found["private_endpoints"]["value"] is True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nothing", "1"),
        ("private_endpoints", "perhaps"),
        ("journal_days", "many"),
        ("journal_days", "99999999"),
        ("audit_days", "0"),
        ("server_language", "fr"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused(name: str, value: str, cli: Cli) -> None:
    ran = cli("settings", "set", name, value)
    assert (ran.code, ran.out) == (2, "")


def test_a_setting_of_the_environment_is_not_changed(cli: Cli) -> None:
    env = {"CORPUSMITH_PRIVATE_ENDPOINTS": "1"}
    ran = cli("settings", "set", "private_endpoints", "off", env=env)
    assert (ran.code, "CORPUSMITH_PRIVATE_ENDPOINTS" in ran.err) == (2, True)


def test_a_task_whose_endpoint_may_not_be_called_stops_at_once(cli: Cli, url: str) -> None:
    cli("settings", "set", "private_endpoints", "off")
    words = ("--character", CARD, "--scenario", "日常对话", "--count", "3")
    ran = cli("generate", *words, "--base-url", url, "--model", "any")
    assert ran.code == 1
    assert "127.0.0.1" in ran.out + ran.err and "no call may go" in ran.out + ran.err
