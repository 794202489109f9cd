"""Existing data from the command line: into a dataset, looked at before, taken back."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cli_kit import Cli

ALPACA = [{"instruction": f"第 {n} 题", "input": "", "output": f"答 {n}"} for n in range(1, 6)]


def jsonl(path: Path, rows: list[Any]) -> Path:
    lines = (one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in rows)
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def as_csv(path: Path) -> Path:
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, ["instruction", "input", "output"])
        writer.writeheader()
        writer.writerows(ALPACA)
    return path


def as_json(path: Path) -> Path:
    path.write_text(json.dumps(ALPACA), "utf-8")
    return path


def as_parquet(path: Path) -> Path:
    pq.write_table(pa.Table.from_pylist(ALPACA), path)
    return path


FILES: dict[str, Callable[[Path], Path]] = {
    "json": as_json,
    "jsonl": lambda path: jsonl(path, ALPACA),
    "csv": as_csv,
    "parquet": as_parquet,
}


def exported(cli: Cli, dataset: str, tmp_path: Path) -> list[Any]:
    file = tmp_path / "exported.jsonl"
    assert cli("export", "--dataset", dataset, "--output", file).code == 0
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("form", FILES)
def test_a_file_of_each_form_becomes_records_and_comes_out_again(
    cli: Cli, tmp_path: Path, form: str
) -> None:
    file = FILES[form](tmp_path / f"qa.{form}")
    ran = cli("import", file, "--dataset", "题库")
    assert (ran.code, ran.out) == (
        0,
        f"{file}: alpaca (by instruction, output; of the first 5 rows, 5 fit)\n"
        "Imported: 5 of 5 rows, into the dataset “题库” (task 1).\n"
        "To take it back: corpusmith import --undo 1\n",
    )
    assert exported(cli, "题库", tmp_path) == ALPACA


def test_rows_that_do_not_fit_are_listed_by_line_and_counted(cli: Cli, tmp_path: Path) -> None:
    broken = [*ALPACA[:2], "{oops", {"instruction": "i", "output": ""}, *ALPACA[2:]]
    file = jsonl(tmp_path / "qa.jsonl", broken)
    ran = cli("import", file, "--dataset", "d", "--json")
    done = json.loads(ran.out)
    assert (ran.code, done["read"], done["imported"], done["refused"]) == (3, 7, 5, 2)
    assert [(one["line"], one["reason"]) for one in done["refusals"]] == [
        (3, "row_json"),
        (4, "row_empty"),
    ]
    shown = json.loads(cli("tasks", "show", 1, "--json").out)
    assert shown["task"]["counts"] == {
        "requested": 7,
        "attempted": 7,
        "accepted": 5,
        "rejected": 2,
        "failed": 0,
    }
    misses = json.loads(cli("tasks", "misses", 1, "--json").out)
    assert [(one["reason"], one["detail"]["line"]) for one in misses] == [
        ("row_json", 3),
        ("row_empty", 4),
    ]


def test_a_dry_run_shows_everything_and_stores_nothing(cli: Cli, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "qa.jsonl", [*ALPACA, {"instruction": "i", "output": ""}])
    ran = cli("import", file, "--dry-run", "--json")
    seen = json.loads(ran.out)
    assert (ran.code, seen["rows"], seen["refused"], seen["first"]) == (0, 6, 1, ALPACA[:3])
    assert seen["detected"]["shape"] == "alpaca"
    text = cli("import", file, "--dry-run", "--lang", "zh").out
    assert "  第 6 行：字段“output”是空的。" in text
    assert json.loads(cli("tasks", "list", "--json").out) == []
    assert json.loads(cli("datasets", "list", "--json").out) == []


def test_fields_are_mapped_and_only_the_first_rows_taken(cli: Cli, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "f.jsonl", [{"prompt": f"p{n}", "answer": "a"} for n in range(9)])
    words = ["--map", "instruction=prompt", "--map", "output=answer", "--limit", 2]
    assert cli("import", file, "--dataset", "d", *words).code == 0
    assert exported(cli, "d", tmp_path) == [
        {"instruction": f"p{n}", "input": "", "output": "a"} for n in range(2)
    ]


def test_a_mapped_field_that_no_row_has_is_refused(cli: Cli, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "f.jsonl", ALPACA)
    ran = cli("import", file, "--dataset", "d", "--map", "output=reply")
    assert (ran.code, ran.err) == (
        2,
        f"error: No row at the beginning of {file} has a field “reply”. "
        "They have: instruction, input, output.\n",
    )


def test_importing_again_says_so_and_skips_on_request(cli: Cli, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "qa.jsonl", ALPACA)
    cli("import", file, "--dataset", "d")
    more = jsonl(tmp_path / "more.jsonl", [*ALPACA, ALPACA[0], {"instruction": "n", "output": "o"}])
    again = cli("import", more, "--dataset", "d", "--skip-duplicates", "--json")
    done = json.loads(again.out)
    assert (again.code, done["imported"], done["skipped"], done["already_there"]) == (0, 1, 6, 6)
    assert len(exported(cli, "d", tmp_path)) == 6
    twice = cli("import", file, "--dataset", "d")
    assert "5 of the rows are in the dataset already" in twice.out
    assert len(exported(cli, "d", tmp_path)) == 11


def test_an_import_is_taken_back_whole(cli: Cli, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "qa.jsonl", ALPACA)
    cli("import", file, "--dataset", "d")
    ran = cli("import", "--undo", 1)
    assert (ran.code, ran.out) == (0, "Task 1 is taken back: 5 records deleted.\n")
    assert exported(cli, "d", tmp_path) == []


def test_a_file_of_which_nothing_fits_leaves_nothing_behind(cli: Cli, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "qa.jsonl", ALPACA)
    ran = cli("import", file, "--dataset", "d", "--format", "sharegpt")
    assert (ran.code, ran.err) == (
        2,
        f"error: No row of {file} (5 in all) can be imported as sharegpt, so nothing was. The "
        "first reason, in line 1: The field “conversations” is missing. See them with --dry-run, "
        "or choose another --format.\n",
    )
    assert json.loads(cli("tasks", "list", "--json").out) == []
    assert json.loads(cli("datasets", "list", "--json").out) == []


@pytest.mark.parametrize(
    "words", [("resume", 1), ("resume", 1, "-n", 9), ("tasks", "retry", 1), ("tasks", "resume", 1)]
)
def test_an_import_cannot_be_run_again(cli: Cli, tmp_path: Path, words: tuple[object, ...]) -> None:
    cli("import", jsonl(tmp_path / "qa.jsonl", ALPACA), "--dataset", "d")
    ran = cli(*words)
    assert (ran.code, ran.err.startswith("error: Task 1 is an import:")) == (2, True)


def test_an_unknown_format_and_a_missing_dataset_are_named(cli: Cli, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "qa.jsonl", ALPACA)
    wrong = cli("import", file, "--dataset", "d", "--format", "alpca")
    assert (wrong.code, "Choose from: auto, dialogue," in wrong.err) == (2, True)
    none = cli("import", file)
    assert (none.code, none.err) == (2, "error: --dataset is missing.\n")


def test_a_dialogue_export_is_imported_as_it_was(cli: Cli, url: str, tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    words = ["--base-url", url, "--model", "any", "--scenario", "日常对话", "-n", 3, "-o", file]
    card = Path(__file__).parents[2] / "examples" / "cards" / "lin.json"
    assert cli("generate", "--character", card, *words).code == 0
    assert cli("import", file, "--dataset", "d").code == 0
    assert exported(cli, "d", tmp_path) == json.loads(file.read_text("utf-8"))
    stats = json.loads(cli("datasets", "stats", "d", "--json").out)
    assert (stats["total"], stats["by_scenario"]) == (3, {"日常对话": 3})


def test_a_killed_import_is_gone_after_the_next(
    cli: Cli, program: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    big = jsonl(tmp_path / "big.jsonl", [*ALPACA] * 40_000)
    run = program("import", big, "--dataset", "d")
    database = tmp_path / "home" / "corpusmith.db"
    deadline = time.monotonic() + 60
    # Past the first groups, long before the end.
    while not (database.with_name("corpusmith.db-wal").exists() and _records(database)):
        assert run.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(run.pid, signal.SIGKILL)
    run.communicate(timeout=60)
    assert exported(cli, "d", tmp_path) == []
    assert cli("import", jsonl(tmp_path / "qa.jsonl", ALPACA), "--dataset", "d").code == 0
    assert exported(cli, "d", tmp_path) == ALPACA
    tasks = json.loads(cli("tasks", "list", "--json").out)
    assert [(one["name"], one["status"]) for one in tasks] == [("import-qa.jsonl", "finished")]


def _records(database: Path) -> int:
    import sqlite3

    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        try:
            (count,) = connection.execute("SELECT count(*) FROM records").fetchone()
        except sqlite3.OperationalError:
            return 0
    connection.close()
    return int(count)
