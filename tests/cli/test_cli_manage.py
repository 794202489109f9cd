"""Looking after tasks, datasets, characters, scenarios and connections."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from cli_kit import Cli

from corpusmith.simulator import SimulatorConfig, run_in_thread

CARD = Path(__file__).parents[2] / "examples" / "cards" / "lin.json"


def make(cli: Cli, url: str, *more: object, dataset: str = "d", count: int = 6) -> None:
    ran = cli(
        "generate", "--character", CARD, "--scenario", "日常对话=2", "--scenario", "情感交流",
        "-n", count, "--turns", 1, "--base-url", url, "--model", "m", "--dataset", dataset,
        "--seed", 1, "--name", "t", *more,
    )  # fmt: skip
    assert ran.code == 0, ran.err


def test_records_are_committed_counted_and_deleted_by_scenario(cli: Cli, url: str) -> None:
    make(cli, url)
    assert json.loads(cli("datasets", "stats", "d", "--json").out) == {
        "total": 6,
        "by_scenario": {"日常对话": 4, "情感交流": 2},
        "by_character": {"林知秋": 6},
    }
    ran = cli("datasets", "delete-records", "d", "--scenario", "情感交流", "--yes")
    assert (ran.code, ran.out) == (0, "2 records deleted.\n")
    assert cli("datasets", "list").out == "name  records  description\nd           4\n"


def test_nothing_is_committed_until_it_is_asked_for(cli: Cli, url: str) -> None:
    make(cli, url, "--no-commit")
    assert json.loads(cli("datasets", "stats", "d", "--json").out)["total"] == 0
    assert cli("tasks", "commit", 1).out == "6 records are now in the dataset “d”.\n"
    assert json.loads(cli("datasets", "stats", "d", "--json").out)["total"] == 6


def test_discarded_records_are_gone(cli: Cli, url: str) -> None:
    make(cli, url, "--no-commit")
    assert cli("tasks", "discard", 1, "--yes").out == "6 records thrown away.\n"
    assert cli("tasks", "commit", 1).out == "0 records are now in the dataset “d”.\n"


def test_clean_is_dry_until_it_is_applied(cli: Cli, url: str, home: Path) -> None:
    import sqlite3
    from contextlib import closing

    make(cli, url)
    with closing(sqlite3.connect(home / "corpusmith.db")) as database:
        database.execute("""UPDATE records SET content = '{"dialogues": []}' WHERE id < 3""")
        database.commit()
    dry = cli("datasets", "clean", "d")
    assert dry.out.splitlines()[0] == "2 records break the format: wrong fields 2"
    assert dry.out.splitlines()[-1] == (
        "Nothing was changed. 'corpusmith datasets clean d --apply' takes them out (can be undone)."
    )
    done = "2 records taken out, removal 1. Undo: corpusmith datasets restore 1"
    assert cli("datasets", "clean", "d", "--apply").out.splitlines()[-1] == done
    assert cli("datasets", "clean", "d").out == "Every record keeps the format.\n"


def test_a_task_is_shown_with_quotas_executions_and_misses(cli: Cli) -> None:
    with run_in_thread(SimulatorConfig(faults={"refusal": 1.0})) as refusing:
        cli(
            "generate", "--character", CARD, "--scenario", "日常对话", "-n", 2, "--turns", 1,
            "--base-url", f"{refusing.url}/v1", "--model", "m", "--max-attempts-multiplier", 1,
        )  # fmt: skip
    shown = json.loads(cli("tasks", "show", 1, "--json").out)
    assert shown["misses"] == [{"kind": "failed", "reason": "refused", "count": 2}]
    assert [one["status"] for one in shown["executions"]] == ["finished"]
    text = cli("tasks", "show", 1, "--lang", "zh").out
    assert "  失败 2：模型拒答（refused）\n" in text
    assert re.search(r"^日常对话/林知秋 +2 +0 +0 +2$", text, re.MULTILINE)
    rows = json.loads(cli("tasks", "misses", 1, "--json").out)
    assert [(row["item"], row["kind"]) for row in rows] == [
        ("日常对话/林知秋#0", "failed"),
        ("日常对话/林知秋#1", "failed"),
    ]


def test_failed_samples_are_retried_and_the_quota_is_filled(cli: Cli, url: str) -> None:
    with run_in_thread(SimulatorConfig(faults={"refusal": 1.0})) as refusing:
        cli("connections", "add", "c", "--base-url", f"{refusing.url}/v1", "--model", "m")
        cli(
            "generate", "--character", CARD, "--scenario", "日常对话", "-n", 2, "--turns", 1,
            "--connection", "c", "--max-attempts-multiplier", 1,
        )  # fmt: skip
        put_back = cli("tasks", "retry", 1)
    assert "Items tried again: 2." in put_back.err
    assert put_back.code == 3


def test_tasks_are_listed_paused_cancelled_and_deleted(cli: Cli, url: str) -> None:
    make(cli, url, "--max-calls", 6)
    cli("preview", "--character", CARD, "-n", 1, "--base-url", url, "--model", "m")
    listed = cli("tasks", "list").out
    assert re.sub(r"\d{4}-.*", "WHEN", listed) == (
        "task  name  recipe    status    done  rejected  failed  cost           created\n"
        "   1  t     dialogue  finished   6/6         0       0  price unknown  WHEN\n"
    )
    assert cli("tasks", "delete", 1, "--yes").out == "Deleted: #1 t\n"
    assert json.loads(cli("tasks", "list", "--json").out) == []


def test_a_task_that_runs_nowhere_is_cancelled_at_once(cli: Cli, url: str) -> None:
    ran = cli(
        "generate", "--character", CARD, "-n", 9, "--base-url", url, "--model", "m",
        "--max-calls", 2,
    )  # fmt: skip
    assert ran.code == 3
    assert cli("tasks", "cancel", 1).out == "Task 1: cancelled\n"
    assert cli("tasks", "pause", 1).code == 2


def test_a_cancelled_task_is_never_run_again(cli: Cli, url: str) -> None:
    cli(
        "generate", "--character", CARD, "-n", 9, "--base-url", url, "--model", "m",
        "--max-calls", 2,
    )  # fmt: skip
    cli("tasks", "cancel", 1)
    before = cli("tasks", "show", 1, "--json").out
    more: tuple[tuple[str | int, ...], ...] = (("-n", 99), ("--max-calls", 9))
    for words in (("resume",), ("tasks", "retry", 1), *(("resume", 1, *one) for one in more)):
        ran = cli(*words)
        assert (ran.code, ran.out) == (2, "")
        assert "Task 1 was cancelled, and is not run again. Make a new one" in ran.err
    assert cli("tasks", "show", 1, "--json").out == before


def test_exports_hold_the_same_records_in_each_format(cli: Cli, url: str, tmp_path: Path) -> None:
    make(cli, url)
    for form in ("json", "jsonl", "messages"):
        file = tmp_path / f"out.{form}"
        ran = cli("export", "--dataset", "d", "--output", file, "--format", form)
        assert (ran.code, ran.out) == (0, f"6 records written: {file}\n")
    rows = json.loads((tmp_path / "out.json").read_text("utf-8"))
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    chats = (tmp_path / "out.messages").read_text("utf-8").splitlines()
    assert rows == lines
    assert [json.loads(chat)["messages"] for chat in chats] == [row["dialogues"] for row in rows]


def test_an_export_can_go_to_standard_output(cli: Cli, url: str) -> None:
    make(cli, url)
    ran = cli(
        "export", "--task", 1, "-o", "-", "--format", "messages", "--system", "character",
        "--scenario", "情感交流",
    )  # fmt: skip
    chats = [json.loads(line)["messages"] for line in ran.out.splitlines()]
    assert [chat[0]["role"] for chat in chats] == ["system", "system"]
    assert ran.err == (
        "2 records written\n"
        "Warning: 2 of these records were made up by the simulator. Do not train on them.\n"
    )


def test_a_character_goes_in_and_out_as_a_card(cli: Cli, tmp_path: Path) -> None:
    assert cli("characters", "import", CARD).out == f"Imported: 林知秋 ({CARD})\n"
    assert cli("characters", "edit", "林知秋", "--greeting", "你来啦。", "--tags", "a, b").code == 0
    file = tmp_path / "lin.json"
    assert cli("characters", "export", "林知秋", "-o", file, "--form", "v3").code == 0
    shown = json.loads(cli("characters", "show", file, "--json").out)
    assert (shown["greeting"], shown["tags"]) == ("你来啦。", ["a", "b"])
    assert cli("characters", "delete", "林知秋", "--yes").out == "Deleted: 林知秋\n"


def test_a_dataset_binds_characters_and_scenarios_that_a_task_then_uses(cli: Cli, url: str) -> None:
    cli("scenarios", "add", "修自行车", "--description", "车坏在半路。", "--weight", 3)
    cli(
        "datasets", "add", "bound", "--character", CARD, "--scenario", "修自行车=3",
        "--scenario", "日常对话",
    )  # fmt: skip
    cli("connections", "add", "c", "--base-url", url, "--model", "m")
    assert cli("generate", "--dataset", "bound", "-n", 4, "--connection", "c").code == 0
    stats = json.loads(cli("datasets", "stats", "bound", "--json").out)
    assert stats["by_scenario"] == {"修自行车": 3, "日常对话": 1}
    shown = cli("datasets", "show", "bound", "--limit", 1, "--lang", "zh").out
    assert "场景  修自行车=3, 日常对话=1\n" in shown
    assert "林知秋 · " in shown


def test_a_connection_keeps_its_key_to_itself(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    with run_in_thread(SimulatorConfig(require_key="sk-canary-77")) as locked:
        url = f"{locked.url}/v1"
        assert cli("connections", "add", "mine", "--base-url", url, "--model", "m").code == 0
        monkeypatch.setattr("sys.stdin", io.StringIO("sk-canary-77\n"))
        assert cli("connections", "set-key", "mine").out == (
            "The key of “mine” is stored, encrypted.\n"
        )
        assert cli("connections", "test", "mine").code == 0
        assert cli("connections", "models", "mine").out.splitlines()[0] == "sim-chat"
        shown = cli("connections", "show", "mine").out + cli("--json", "connections", "list").out
    assert "canary" not in shown
    assert [file.name for file in home.iterdir() if b"canary" in file.read_bytes()] == []


def test_doctor_tells_what_works(cli: Cli, url: str) -> None:
    cli("connections", "add", "good", "--base-url", url, "--model", "m")
    cli(
        "connections", "add", "bad", "--base-url", url, "--model", "m", "--api-key-env", "NOT_SET_1"
    )
    ran = cli("doctor", "--endpoint", "--json")
    found = {(one["check"], one["about"]): one["level"] for one in json.loads(ran.out)}
    assert ran.code == 1
    assert found[("structured", "good")] == "ok"
    assert found[("key", "bad")] == "fail"
    text = cli("doctor", "--base-url", url, "--lang", "zh").out
    assert "正常  结构化输出 openai：原生 JSON Schema\n" in text
    assert text.splitlines()[-1] == "失败 1 项，注意 0 项"


def test_doctor_is_content_with_an_empty_house(cli: Cli) -> None:
    ran = cli("doctor", "--json")
    levels = {one["check"]: one["level"] for one in json.loads(ran.out)}
    assert levels == {
        "python": "ok",
        "sqlite": "ok",
        "disk": "ok",
        "database": "ok",
        "journal": "ok",
        "endpoint": "warn",
    }
