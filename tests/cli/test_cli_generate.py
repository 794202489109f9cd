"""The main job from the command line, on a real endpoint and a real database."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_kit import Cli

from corpusmith.simulator import Running, SimulatorConfig, run_in_thread

CARD = Path(__file__).parents[2] / "examples" / "cards" / "lin.json"
Program = Callable[..., "subprocess.Popen[str]"]


def words(url: str, *more: object) -> list[object]:
    """The issue's own command line, with `more` at its end."""
    scenarios = ["--scenario", "日常对话=2", "--scenario", "情感交流=1"]
    endpoint = ["--base-url", url, "--model", "any", "--api-key-env", "MY_KEY"]
    return ["generate", "--character", CARD, *scenarios, "--turns", 3, *endpoint, *more]


def rows(path: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(path.read_text("utf-8"))
    return found


def shares(path: Path) -> dict[str, int]:
    return dict(Counter(str(row["scenario_labels"][0]) for row in rows(path)))  # type: ignore[index]


def test_the_issues_example_works_with_no_database_before(
    program: Program, url: str, tmp_path: Path
) -> None:
    run = program(*words(url, "--count", 100, "--output", "out.json"), env={"MY_KEY": "k-1234567"})
    out, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    assert shares(tmp_path / "out.json") == {"日常对话": 67, "情感交流": 33}
    assert {tuple(row) for row in rows(tmp_path / "out.json")} == {
        ("scenario_labels", "dialogues", "turn_count", "batch_id", "generation_time")
    }
    assert re.sub(r"[\d,]+ tokens", "N tokens", out) == (
        "Task 1 is finished: 100 of 100 records.\n"
        "Spent: 100 calls, N tokens, price unknown\n"
        "Written: ./out.json\n"
    )
    assert "k-1234567" not in out + err


def test_resume_of_a_finished_task_writes_the_file_again_without_a_call(
    cli: Cli, url: str, simulator: Running, tmp_path: Path
) -> None:
    file = tmp_path / "out.json"
    assert cli(*words(url, "-n", 9, "-o", file), env={"MY_KEY": "k"}).code == 0
    first = file.read_bytes()
    file.unlink()
    before = simulator.stats()["requests"]
    assert cli("resume").code == 0
    assert (file.read_bytes(), simulator.stats()["requests"]) == (first, before)


def test_one_more_record_of_a_finished_task_costs_one_call(
    cli: Cli, url: str, simulator: Running, tmp_path: Path
) -> None:
    file = tmp_path / "out.json"
    cli(*words(url, "-n", 9, "-o", file), env={"MY_KEY": "k"})
    before = simulator.stats()["requests"]
    assert cli("resume", 1, "--count", 10).code == 0
    assert (len(rows(file)), simulator.stats()["requests"] - before) == (10, 1)


def test_the_same_seed_makes_no_further_call(
    cli: Cli, url: str, simulator: Running, tmp_path: Path
) -> None:
    cli(*words(url, "-n", 6, "--seed", 7), env={"MY_KEY": "k"})
    before = simulator.stats()["requests"]
    assert cli(*words(url, "-n", 6, "--seed", 7)).code == 0
    assert simulator.stats()["requests"] == before


def test_ctrl_c_drains_and_says_how_to_go_on(program: Program, tmp_path: Path) -> None:
    with run_in_thread(SimulatorConfig(latency_ms=200)) as slow:
        endpoint = f"{slow.url}/v1"
        limits = ("--concurrency", 4, "--output", "out.json")
        run = program(*words(endpoint, "-n", 120, *limits), env={"MY_KEY": "k"})
        _wait_for(lambda: slow.stats()["requests"] > 8)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=30)
        assert (run.returncode, out.splitlines()[-1]) == (130, "Go on with: corpusmith resume 1")
        assert "Stopping: calls in flight are finished first." in err
        assert not (tmp_path / "out.json").exists()
        again = program("resume", "--concurrency", 64, env={"MY_KEY": "k"})
        out, err = again.communicate(timeout=60)
        assert again.returncode == 0, err
        assert shares(tmp_path / "out.json") == {"日常对话": 80, "情感交流": 40}
        assert slow.stats()["requests"] == 120


def test_a_second_signal_stops_at_once(program: Program) -> None:
    with run_in_thread(SimulatorConfig(faults={"hang": 1.0})) as hanging:
        run = program(*words(f"{hanging.url}/v1", "-n", 5), env={"MY_KEY": "k"})
        _wait_for(lambda: hanging.stats()["requests"] > 0)
        run.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        run.send_signal(signal.SIGTERM)
        out, _ = run.communicate(timeout=20)
    assert (run.returncode, out.splitlines()[-1]) == (130, "Go on with: corpusmith resume 1")


def test_the_command_that_resumes_names_the_database(program: Program, tmp_path: Path) -> None:
    with run_in_thread(SimulatorConfig(latency_ms=200)) as slow:
        db = f"sqlite:///{tmp_path}/my own.db"
        run = program(
            *words(f"{slow.url}/v1", "-n", 60, "--concurrency", 1), "--db", db, env={"MY_KEY": "k"}
        )
        _wait_for(lambda: slow.stats()["requests"] > 0)
        run.send_signal(signal.SIGINT)
        out, _ = run.communicate(timeout=30)
    assert out.splitlines()[-1] == f"Go on with: corpusmith resume 1 --db '{db}'"


def test_json_speaks_one_event_a_line(cli: Cli, url: str, tmp_path: Path) -> None:
    ran = cli(
        "--json", *words(url, "-n", 6, "--seed", 1, "-o", tmp_path / "o.json"), env={"MY_KEY": "k"}
    )
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert (ran.code, ran.err) == (0, "")
    assert [event["event"] for event in events] == ["started", "progress", "ended"]
    assert (events[0]["seed"], events[0]["estimate"]["calls"]) == (1, 6)
    assert events[-1]["counts"] == {
        "requested": 6,
        "attempted": 6,
        "accepted": 6,
        "rejected": 0,
        "failed": 0,
    }


def test_records_on_standard_output_stand_there_alone(cli: Cli, url: str) -> None:
    ran = cli(*words(url, "-n", 3, "-o", "-"), env={"MY_KEY": "k"})
    assert (ran.code, len(json.loads(ran.out))) == (0, 3)
    assert "Task 1 is finished: 3 of 3 records." in ran.err


def test_a_used_up_budget_ends_with_3_and_resumes_with_a_larger_one(
    cli: Cli, url: str, tmp_path: Path
) -> None:
    file = tmp_path / "o.json"
    ran = cli(*words(url, "-n", 9, "--max-calls", 4, "-o", file), env={"MY_KEY": "k"})
    assert (ran.code, len(rows(file))) == (3, 4)
    assert "The budget of 4 calls is used up." in ran.out
    assert (cli("resume", "--max-calls", 9).code, len(rows(file))) == (0, 9)


def test_a_shortfall_ends_with_3_and_says_why(cli: Cli) -> None:
    with run_in_thread(SimulatorConfig(faults={"refusal": 1.0})) as refusing:
        endpoint = f"{refusing.url}/v1"
        ran = cli(*words(endpoint, "-n", 3, "--max-attempts-multiplier", 2), env={"MY_KEY": "k"})
    assert ran.code == 3
    assert ran.out.splitlines()[:3] == [
        "Task 1 ended 3 short: 0 of 3 records.",
        "attempted 6 = accepted 0 + rejected 0 + failed 6",
        "Not accepted: model refused 6",
    ]


def test_turns_mode_takes_a_connection_for_each_role(cli: Cli, url: str, tmp_path: Path) -> None:
    for name in ("first", "second"):
        cli("connections", "add", name, "--base-url", url, "--model", f"model-{name}")
    ran = cli(
        "generate", "--character", CARD, "--scenario", "日常对话", "-n", 2, "--turns", 2,
        "--mode", "turns", "--connection", "first", "--role", "character=second", "--json",
    )  # fmt: skip
    assert ran.code == 0
    shown = json.loads(cli("tasks", "show", 1, "--json").out)
    models = {role: one["model"] for role, one in shown["task"]["connections"].items()}
    assert models == {"user": "model-first", "character": "model-second"}


def test_preview_shows_the_prompt_and_sends_nothing(cli: Cli, url: str, simulator: Running) -> None:
    before = simulator.stats()["requests"]
    ran = cli("preview", *words(url, "-n", 6)[1:])
    assert ran.code == 0
    assert ran.out.startswith("—— 日常对话/林知秋#0 · writer ——\n\n[system]\n")
    assert ran.out.endswith(
        "Shares:\n  日常对话/林知秋: 4\n  情感交流/林知秋: 2\n"
        + ran.out.splitlines()[-2]
        + "\nNothing was sent.\n"
    )
    assert "Estimate: about 6 calls" in ran.out
    assert (simulator.stats()["requests"], cli("tasks", "list").out) == (
        before,
        "No tasks yet. 'corpusmith generate --help' shows how to make one.\n",
    )


def test_init_writes_a_task_that_runs(cli: Cli, url: str, tmp_path: Path) -> None:
    for language in ("zh", "en"):
        folder = tmp_path / language
        assert cli("init", folder, "--lang", language).code == 0
        file = folder / "task.yaml"
        text = file.read_text("utf-8").replace("http://127.0.0.1:8099/v1", url)
        file.write_text(text, "utf-8")
        assert cli("run", file, "--count", 3).code == 0
        assert len(rows(folder / "dialogues.json")) == 3


def test_demo_leaves_a_dataset_and_files_and_runs_twice(program: Program, tmp_path: Path) -> None:
    for times in (1, 2):
        run = program("demo")
        out, err = run.communicate(timeout=60)
        assert run.returncode == 0, err
        assert "./corpusmith-demo/dialogues.json" in out
        assert "These texts are SIMULATED: do not train on them." in out
        assert len(rows(tmp_path / "corpusmith-demo" / "dialogues.json")) == 30 * times
        lines = (tmp_path / "corpusmith-demo" / "messages.jsonl").read_text("utf-8").splitlines()
        assert len(lines) == 30 * times


def test_demo_uses_the_endpoint_of_the_environment(
    cli: Cli, url: str, tmp_path: Path, simulator: Running
) -> None:
    before = simulator.stats()["requests"]
    variables = {"OPENAI_BASE_URL": url, "CORPUSMITH_MODEL": "any"}
    assert cli("demo", "--output-dir", tmp_path / "d", "--lang", "en", env=variables).code == 0
    assert simulator.stats()["requests"] == before + 24 + 6 * 6


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (["mine"], "Model own at {url} (“mine”, the only stored connection)"),
        (["mine", "other"], "Model any at {url} (from OPENAI_BASE_URL)"),
        ([], "Model any at {url} (from OPENAI_BASE_URL)"),
    ],
)
def test_a_run_says_which_endpoint_it_took_and_why(
    cli: Cli, url: str, stored: list[str], expected: str
) -> None:
    for name in stored:
        cli("connections", "add", name, "--base-url", url, "--model", "own")
    variables = {"OPENAI_BASE_URL": url, "OPENAI_MODEL": "any", "OPENAI_API_KEY": "k-12345678"}
    ran = cli("generate", "--character", CARD, "-n", 1, env=variables)
    assert (ran.code, ran.err.splitlines()[1]) == (0, expected.format(url=url))


def test_a_closed_pipe_is_quiet(program: Program) -> None:
    run = program("generate", "--help")
    assert run.stdout is not None
    run.stdout.close()
    run.stdout = None
    _, err = run.communicate(timeout=20)
    assert (run.returncode, err) == (141, "")


def _wait_for(there: Callable[[], bool], longest_s: float = 30.0) -> None:
    until = time.monotonic() + longest_s
    while not there():
        assert time.monotonic() < until
        time.sleep(0.02)
