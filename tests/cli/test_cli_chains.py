"""Chains from the command line: a task's records feed the next, and it goes on in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Cli

from corpusmith.service.studio import Studio
from corpusmith.simulator import Running, SimulatorConfig, run_in_thread

FILE = """\
name: 题库
connection: {{base_url: "{url}", model: any}}
language: zh
seed: 3
steps:
  - name: seeds
    recipe: import
    file: seeds.jsonl
    dataset: seeds
  - name: qa
    recipe: template
    template:
      name: qa
      prompt: '请就“{{topic}}”写一个问题和答案：{{{{ "question": "…", "answer": "…" }}}}'
      schema:
        type: object
        properties: {{question: {{type: string}}, answer: {{type: string}}}}
        required: [question, answer]
    vars: {{topic: {{column: topic}}}}
    input: {{step: seeds}}
    count: 6
    output: qa.jsonl
    format: jsonl
  - name: rounds
    recipe: rounds
    input: {{step: qa, fields: {{question: question, answer: answer, correction: answer}}}}
    rounds: 1
    output_dir: data
  - name: mix
    recipe: sample
    total: 4
    dataset: mixed
    categories:
      - {{name: qa, share: 50%, input: {{step: qa}}}}
      - {{name: rounds, share: 50%, input: {{step: rounds}}}}
  - name: score
    recipe: evaluate
    of: {{step: qa}}
"""
STEPS = ("seeds", "qa", "rounds", "mix", "score")


def write(folder: Path, url: str, text: str = FILE) -> Path:
    rows = [{"topic": topic} for topic in ("春天", "数学", "健康")]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / "seeds.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    file = folder / "chain.yaml"
    file.write_text(text.format(url=url), "utf-8")
    return file


@pytest.fixture
def studio(home: Path, cli: Cli) -> Iterator[Studio]:
    home.mkdir(exist_ok=True)
    with Studio(db=f"sqlite:///{home / 'corpusmith.db'}", language="en") as one:
        yield one


def tasks(cli: Cli) -> dict[str, dict[str, Any]]:
    """All tasks by name; a name that stands there twice is an error of the test's subject."""
    found = json.loads(cli("tasks", "list", "--json").out)
    assert len({one["name"] for one in found}) == len(found)
    return {one["name"]: one for one in found}


def contents(studio: Studio, task_id: int) -> list[Any]:
    return [record.content for record in studio.store.records.iterate(task_id=task_id)]


def test_each_step_is_fed_by_those_before_it(
    cli: Cli, url: str, tmp_path: Path, studio: Studio
) -> None:
    ran = cli("run", write(tmp_path, url))
    assert ran.code == 0, ran.err
    assert [line for line in ran.err.splitlines() if line.startswith("Step ")] == [
        "Step 1 of 5: seeds (import), new",
        "Step 2 of 5: qa (template), new",
        "Step 3 of 5: rounds (rounds), new",
        "Step 4 of 5: mix (sampling), new",
        "Step 5 of 5: score (evaluation), new",
    ]
    assert ran.out.endswith("The chain “题库” is finished: 5 steps.\n")
    made = tasks(cli)
    assert list(made) == [f"题库/{step}" for step in reversed(STEPS)]
    assert {one["status"] for one in made.values()} == {"finished"}
    qa = contents(studio, made["题库/qa"]["id"])
    lines = (tmp_path / "qa.jsonl").read_text("utf-8").splitlines()
    assert (len(qa), [json.loads(line) for line in lines]) == (6, qa)
    history = tmp_path / "data" / "round2" / "round2_history.jsonl"
    rounds = [json.loads(line)["rounds"] for line in history.read_text("utf-8").splitlines()]
    assert {(one[0]["question"], one[0]["correction"]) for one in rounds} == {
        (one["question"], one["answer"]) for one in qa
    }
    assert [len(one) for one in rounds] == [2] * 6
    mixed = list(studio.store.records.iterate(dataset="mixed"))
    sources = {record.provenance["from"]["task"] for record in mixed}
    assert (len(mixed), sources) == (4, {made["题库/qa"]["id"], made["题库/rounds"]["id"]})
    assert len(contents(studio, made["题库/score"]["id"])) == 6


def test_a_finished_chain_says_so_and_makes_no_call(
    cli: Cli, url: str, tmp_path: Path, simulator: Running
) -> None:
    file = write(tmp_path, url)
    cli("run", file)
    before = simulator.stats()["requests"]
    ran = cli("run", file)
    assert (ran.code, simulator.stats()["requests"]) == (0, before)
    assert ran.out.startswith("Every step of the chain “题库” was finished before;")
    assert f"corpusmith run {file} --again" in ran.out
    assert len(tasks(cli)) == 5


def test_again_makes_new_tasks_and_the_same_seed_costs_nothing(
    cli: Cli, url: str, tmp_path: Path, simulator: Running
) -> None:
    file = write(tmp_path, url)
    cli("run", file)
    before, first = simulator.stats()["requests"], tasks(cli)
    seeds = json.loads(cli("datasets", "stats", "seeds", "--json").out)["total"]
    ran = cli("run", file, "--again")
    assert (ran.code, simulator.stats()["requests"]) == (0, before), ran.err
    # What a model made stays beside what is made anew; copies stand there once.
    numbers = {one["id"] for one in json.loads(cli("tasks", "list", "--json").out)}
    stayed = {name for name, one in first.items() if one["id"] in numbers}
    assert (len(numbers), stayed) == (8, {f"题库/{step}" for step in ("qa", "rounds", "score")})
    assert json.loads(cli("datasets", "stats", "seeds", "--json").out)["total"] == seeds
    assert json.loads(cli("datasets", "stats", "mixed", "--json").out)["total"] == 4


def test_a_changed_step_is_made_anew_with_all_that_takes_from_it(
    cli: Cli, url: str, tmp_path: Path
) -> None:
    file = write(tmp_path, url)
    cli("run", file)
    file.write_text(file.read_text("utf-8").replace("total: 4", "total: 6"), "utf-8")
    ran = cli("run", file)
    assert ran.code == 0, ran.err
    assert "the same and are kept: seeds, qa, rounds, score." in ran.err
    # A sample is copies: it stands there once.
    assert tasks(cli)["题库/mix"]["requested"] == 6
    assert json.loads(cli("datasets", "stats", "mixed", "--json").out)["total"] == 6


@pytest.mark.parametrize(("edited", "kept"), [("qa.yaml", "seeds."), ("seeds.jsonl", "none.")])
def test_an_edited_file_that_a_step_names_makes_it_another_step(
    cli: Cli, url: str, tmp_path: Path, edited: str, kept: str
) -> None:
    text = FILE[: FILE.index("  - name: rounds")]
    start, end = text.index("    template:\n"), text.index("    vars:")
    file = write(tmp_path, url, text[:start] + "    template: qa.yaml\n" + text[end:])
    (tmp_path / "qa.yaml").write_text('prompt: \'{topic} {"question": "…"}\'\n', "utf-8")
    assert cli("run", file).code == 0
    with (tmp_path / edited).open("a", encoding="utf-8") as more:
        more.write('{"topic": "海"}\n' if edited == "seeds.jsonl" else "system: 认真些。\n")
    ran = cli("run", file)
    assert ran.code == 0, ran.err
    assert f"the same and are kept: {kept}" in ran.err
    assert "Step 2 of 2: qa (template), new" in ran.err


def test_another_output_is_no_other_step(cli: Cli, url: str, tmp_path: Path) -> None:
    file = write(tmp_path, url)
    cli("run", file)
    file.write_text(file.read_text("utf-8").replace("qa.jsonl", "other.jsonl"), "utf-8")
    assert cli("run", file).code == 0
    assert (tmp_path / "other.jsonl").read_bytes() == (tmp_path / "qa.jsonl").read_bytes()
    assert len(tasks(cli)) == 5


def test_a_dry_run_shows_the_steps_and_stores_nothing(cli: Cli, url: str, tmp_path: Path) -> None:
    ran = cli("run", write(tmp_path, url), "--dry-run", "--json")
    plan = json.loads(ran.out)
    assert [(one["step"], one["state"], one["inputs"]) for one in plan["steps"]] == [
        ("seeds", "new", []),
        ("qa", "new", ["seeds"]),
        ("rounds", "new", ["qa"]),
        ("mix", "new", ["qa", "rounds"]),
        ("score", "new", ["qa"]),
    ]
    assert tasks(cli) == {}


WRONG: Mapping[str, tuple[str, str]] = {
    "step: seeds": ("step: score", "Step “qa”: There is no earlier step “score”"),
    "name: mix": ("name: qa", "Two steps of the chain are called “qa”"),
    "rounds: 1": ("round: 1", "round: there is no such field"),
    "file: seeds.jsonl": ("file: none.jsonl", "Step “seeds”: "),
    "share: 50%, input: {{step: qa}}": ("share: 40%, input: {{step: qa}}", "the percents make 90%"),
    "recipe: rounds\n": ("recipe: selfplay\n", "Step “rounds”: A step of the recipe selfplay"),
    "of: {{step: qa}}": (
        "of: {{step: qa}}\n    connection: nobody",
        "Step “score”: There is no connection named “nobody”",
    ),
    'connection: {{base_url: "{url}", model: any}}\n': ("", "Step “qa”: No model endpoint"),
    "recipe: evaluate": ("recipe: evaluation", "evaluation"),
    "seed: 3": ("seed: -3", "seed: must be at least 0"),
}


@pytest.mark.parametrize("right", WRONG)
def test_the_whole_file_is_checked_before_anything_runs(
    cli: Cli, url: str, tmp_path: Path, right: str
) -> None:
    wrong, message = WRONG[right]
    assert right in FILE
    ran = cli("run", write(tmp_path, url, FILE.replace(right, wrong)))
    assert (ran.code, message in ran.err) == (2, True), ran.err
    assert tasks(cli) == {}


def test_a_shortfall_goes_on_and_is_said_at_the_end(cli: Cli, url: str, tmp_path: Path) -> None:
    file = write(tmp_path, url, FILE.replace("total: 4", "total: 40"))
    ran = cli("run", file)
    assert ran.code == 3, ran.err
    assert "but these have fewer records than they were asked for: mix." in ran.out
    assert tasks(cli)["题库/score"]["status"] == "finished"
    assert cli("run", file).code == 3


def test_a_budget_stops_the_chain_and_a_higher_one_goes_on(
    cli: Cli, url: str, tmp_path: Path, simulator: Running
) -> None:
    price = "model: any, price: {{input: 1000, output: 1000}}"
    file = write(tmp_path, url, FILE.replace("model: any", price) + "max_cost: 0.5\n")
    ran = cli("run", file)
    assert ran.code == 3, ran.err
    assert f"To go on: corpusmith run {file}" in ran.out
    file.write_text(file.read_text("utf-8").replace("max_cost: 0.5", "max_cost: 5000"), "utf-8")
    done = cli("run", file)
    assert done.code == 0, done.err
    assert {one["status"] for one in tasks(cli).values()} == {"finished"}


def test_options_of_a_single_task_are_refused(cli: Cli, url: str, tmp_path: Path) -> None:
    file = write(tmp_path, url)
    assert cli("run", file, "-n", 3).err == (
        f"error: --count is a task's option, and {file} is a chain. "
        "Write it into the step that it is meant for.\n"
    )


def test_the_same_chain_from_python(url: str, tmp_path: Path, studio: Studio) -> None:
    done = studio.chains.run(write(tmp_path, url))
    assert (done.finished, done.shortfall) == (True, 0)
    assert [(one.name, one.status, one.kept) for one in done.steps] == [
        (step, "finished", False) for step in STEPS
    ]
    again = studio.chains.run(tmp_path / "chain.yaml")
    assert [one.kept for one in again.steps] == [True] * 5


def records(database: Path) -> list[tuple[str, Any]]:
    """What there is, without the numbers that a restart may change."""
    with Studio(db=f"sqlite:///{database}", language="en") as studio:
        found = []
        for task in reversed(studio.tasks.list()):
            rows = [json.dumps(one, sort_keys=True) for one in contents(studio, task.id)]
            if not task.name.endswith("/score"):  # scores name records by number
                found.append((task.name, sorted(rows)))
        return found


def test_killed_again_and_again_it_ends_with_the_same_records(
    tmp_path: Path, program: Callable[..., subprocess.Popen[str]]
) -> None:
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    with run_in_thread(SimulatorConfig(latency_ms=150)) as slow:
        file = write(tmp_path / "whole", f"{slow.url}/v1")
        whole = program("run", file, "--db", f"sqlite:///{tmp_path / 'whole.db'}")
        whole.communicate(timeout=120)
        assert whole.returncode == 0
        file = write(tmp_path / "killed", f"{slow.url}/v1")
        kills = 0
        for wait_s in (1.3, 1.9, 2.5, 60.0):
            run = program("run", file, "--db", f"sqlite:///{tmp_path / 'killed.db'}")
            deadline = time.monotonic() + wait_s
            while run.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            if run.poll() is None:
                os.kill(run.pid, signal.SIGKILL)
                kills += 1
            run.communicate(timeout=60)
            if run.returncode == 0:
                break
    assert (run.returncode, kills > 0) == (0, True)
    assert records(tmp_path / "killed.db") == records(tmp_path / "whole.db")
