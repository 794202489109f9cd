"""`corpusmith feedback`: the documented commands, as they are written there."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Cli

from corpusmith.cli import feedback as command

THUMBS = Path(__file__).parents[3] / "shared" / "data" / "thumbs_en.jsonl"
NAMES = ("high_quality_samples.json", "high_quality_samples.jsonl", "alpaca_format_samples.json")

STOPPED = "error: Stopped. Nothing was changed and nothing half-written was left.\n"


def row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"fb-{number}",
        "user_input": f"问题{number}",
        "model_response": f"回答{number}",
        "rating": number % 5 + 1,
        "model_name": "huanhuan-qwen" if number % 2 else "other",
        "timestamp": "2026-01-02T03:04:05",
        **changes,
    }


@pytest.fixture
def feedback_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A JSON array of ten ratings, in the folder we are in."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "feedback.json"
    path.write_text(json.dumps([row(number) for number in range(10)], indent=1), "utf-8")
    return path


def numbers(path: Path) -> list[int]:
    return [
        int(one["instruction"].removeprefix("问题")) for one in json.loads(path.read_text("utf-8"))
    ]


@pytest.mark.parametrize(
    ("words", "files"),
    [
        ("", {name: [3, 4, 8, 9] for name in NAMES}),
        ("--min-rating 5", {name: [4, 9] for name in NAMES}),
        ("--format jsonl", {NAMES[1]: [3, 4, 8, 9]}),
        (
            "--min-rating 4 --format json alpaca",
            {NAMES[0]: [3, 4, 8, 9], NAMES[2]: [3, 4, 8, 9]},
        ),
        ("--format json --format alpaca", {NAMES[0]: [3, 4, 8, 9], NAMES[2]: [3, 4, 8, 9]}),
        ("--format json,alpaca", {NAMES[0]: [3, 4, 8, 9], NAMES[2]: [3, 4, 8, 9]}),
        ("--format=json alpaca", {NAMES[0]: [3, 4, 8, 9], NAMES[2]: [3, 4, 8, 9]}),
        (
            "--model-name huanhuan-qwen",
            {
                "huanhuan-qwen_samples.json": [3, 9],
                "huanhuan-qwen_samples.jsonl": [3, 9],
                "huanhuan-qwen_alpaca_format.json": [3, 9],
            },
        ),
        (
            "--min_rating 5 --model_name huanhuan-qwen --format json",
            {"huanhuan-qwen_samples.json": [9]},
        ),
    ],
)
def test_the_commands_of_the_page_do_what_it_says(
    words: str, files: dict[str, list[int]], feedback_json: Path, tmp_path: Path, cli: Cli
) -> None:
    ran = cli("feedback", "--feedback-file", "feedback.json", *words.split())
    assert (ran.code, ran.err) == (0, "")
    folder = tmp_path / "data" / "training_samples"
    found = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".jsonl":
            rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            found[path.name] = [int(one["feedback_id"].removeprefix("fb-")) for one in rows]
        else:
            found[path.name] = numbers(path)
    assert found == files


def test_another_folder_is_made(feedback_json: Path, tmp_path: Path, cli: Cli) -> None:
    ran = cli("feedback", "--feedback-file", feedback_json, "--output-dir", "./my/training_data")
    assert ran.code == 0
    assert sorted(one.name for one in (tmp_path / "my" / "training_data").iterdir()) == sorted(
        NAMES
    )


def test_the_statistics_say_what_became_of_every_row(feedback_json: Path, cli: Cli) -> None:
    rows = [row(number) for number in range(10)]
    rows += [row(10, rating="?"), row(11, model_response="")]
    feedback_json.write_text(json.dumps(rows), "utf-8")
    ran = cli("feedback", "--feedback-file", "feedback.json", "--format", "json")
    assert ran.out == (
        "Rows read    12\n"
        "Kept         4\n"
        "Dropped      6 (rated lower 6)\n"
        "Bad rows     2 (rating not understood 1, empty field 1)\n"
        "Mean rating  4.50 of the kept, 3.00 of all\n"
        "\n"
        "model          read  kept  mean rating\n"
        "huanhuan-qwen     5     2         3.00\n"
        "other             5     2         3.00\n"
        "\n"
        "Written: ./data/training_samples/high_quality_samples.json\n"
        "Bad rows are listed in ./data/training_samples/bad_rows.jsonl\n"
    )


def test_the_statistics_speak_chinese(feedback_json: Path, cli: Cli) -> None:
    ran = cli("feedback", "--feedback-file", "feedback.json", "--format", "json", "--lang", "zh")
    assert ran.out == (
        "读取      10\n"
        "保留      4\n"
        "舍弃      6 (评分不够 6)\n"
        "坏行      0\n"
        "平均评分  保留的 4.50，全部 3.00\n"
        "\n"
        "模型           读取  保留  平均评分\n"
        "huanhuan-qwen     5     2      3.00\n"
        "other             5     2      3.00\n"
        "\n"
        "已写入：./data/training_samples/high_quality_samples.json\n"
    )


def test_the_real_thumbs_become_samples_and_kto_rows(tmp_path: Path, cli: Cli) -> None:
    ran = cli(
        *("feedback", "--feedback-file", THUMBS, "--map", "rating=thumbs", "--min-rating", 4),
        *("--format", "json", "alpaca", "--output-dir", tmp_path, "--kto", "--pairs", "--json"),
    )
    thumbs = [json.loads(line) for line in THUMBS.read_text("utf-8").splitlines()]
    up = [one for one in thumbs if one["thumbs"] == "up"]
    assert ran.code == 0
    said = json.loads(ran.out)
    assert (said["read"], said["kept"], said["dropped"]) == (
        len(thumbs),
        len(up),
        {"rating_below": len(thumbs) - len(up)},
    )
    assert said["words"] == {"up → 5": len(up), "down → 1": len(thumbs) - len(up)}
    assert json.loads((tmp_path / NAMES[0]).read_text("utf-8")) == [
        {
            "instruction": one["user_input"],
            "input": "",
            "output": one["model_response"],
            "rating": 5,
            "model_name": None,
            "feedback_id": one["id"],
            "timestamp": None,
        }
        for one in up
    ]
    kto = [
        json.loads(line)
        for line in (tmp_path / "kto_samples.jsonl").read_text("utf-8").splitlines()
    ]
    assert [(one["messages"][1]["content"], one["label"]) for one in kto] == [
        (one["model_response"], one["thumbs"] == "up") for one in thumbs
    ]


def test_other_names_and_values_are_mapped(tmp_path: Path, cli: Cli) -> None:
    path = tmp_path / "f.csv"
    path.write_text("问题,回答,评价\n一,1,好\n二,2,差\n三,3,一般\n", "gb18030")
    ran = cli(
        *("feedback", "--feedback-file", path, "--output-dir", tmp_path, "--json"),
        *("--map", "user_input=问题", "model_response=回答", "rating=评价"),
        *("--map-value", "rating:好=5,差=1", "rating:一般=3"),
    )
    said = json.loads(ran.out)
    assert (said["kept"], said["words"]) == (1, {"好 → 5": 1, "差 → 1": 1, "一般 → 3": 1})
    assert json.loads((tmp_path / NAMES[2]).read_text("utf-8")) == [
        {"instruction": "一", "input": "", "output": "1"}
    ]


def test_every_option_for_preferences_reaches_the_files(tmp_path: Path, cli: Cli) -> None:
    ratings = {"a": 5, "b": 4, "c": 3, "d": 1}
    rows = [row(0, user_input="q", model_response=a, rating=r) for a, r in ratings.items()]
    path = tmp_path / "f.json"
    path.write_text(json.dumps(rows), "utf-8")
    ran = cli(
        *("feedback", "--feedback-file", path, "--output-dir", tmp_path / "o", "--format", "none"),
        *("--pairs", "--pairs-choose", "all", "--pairs-margin", 2, "--pairs-format", "trl"),
        *("--kto", "--kto-format", "trl", "--kto-max", 3, "--min-rating", 5, "--json"),
    )
    said = json.loads(ran.out)
    assert (ran.code, said["pairs"], said["kto"]) == (0, 4, {"true": 1, "false": 2})
    pairs = (tmp_path / "o" / "preference_pairs.jsonl").read_text("utf-8").splitlines()
    found = [
        (one["chosen"][0]["content"], one["rejected"][0]["content"])
        for one in map(json.loads, pairs)
    ]
    assert found == [("a", "c"), ("a", "d"), ("b", "d"), ("c", "d")]
    assert sorted(one.name for one in (tmp_path / "o").iterdir()) == [
        "kto_samples.jsonl",
        "preference_pairs.jsonl",
    ]


def test_merging_and_going_on_are_options_too(
    feedback_json: Path, tmp_path: Path, cli: Cli
) -> None:
    same = ("feedback", "--feedback-file", "feedback.json", "--format", "json", "--json")
    old = {"instruction": "问题4", "input": "", "output": "回答4"}
    (tmp_path / "old.json").write_text(json.dumps([old]), "utf-8")
    merged = json.loads(cli(*same, "--output-dir", "m", "--merge-with", "old.json").out)
    assert (merged["existing"], merged["kept"]) == (1, 3)
    assert numbers(tmp_path / "m" / NAMES[0]) == [4, 3, 8, 9]
    runs = [json.loads(cli(*same, "--output-dir", "s", "--since-last").out) for _ in range(2)]
    assert [run["kept"] for run in runs] == [4, 0]
    assert numbers(tmp_path / "s" / NAMES[0]) == [3, 4, 8, 9]
    other = cli(*same, "--output-dir", "s", "--since-last", "--min-rating", 3)
    assert (other.code, "begun with other options (min_rating)" in other.err) == (2, True)


def test_options_may_stand_in_a_yaml_file_and_the_line_wins(
    feedback_json: Path, tmp_path: Path, cli: Cli
) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "f.yaml").write_text(
        "recipe: feedback\nfeedback_file: ../feedback.json\noutput_dir: out\n"
        "min_rating: 3\nformats: [json]\nmap_values: {rating: {5: 1}}\n",
        "utf-8",
    )
    ran = cli("feedback", "--config", folder / "f.yaml", "--min-rating", 4)
    assert ran.code == 0, ran.err
    assert numbers(folder / "out" / NAMES[0]) == [3, 8]


def test_feedback_comes_from_a_dataset_too(feedback_json: Path, tmp_path: Path, cli: Cli) -> None:
    assert cli("import", feedback_json, "--dataset", "rated", "--format", "rows").code == 0
    ran = cli("feedback", "--dataset", "rated", "--format", "json", "--output-dir", tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert numbers(tmp_path / NAMES[0]) == [3, 4, 8, 9]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "No feedback: name a file with --feedback-file"),
        ("--feedback-file none.json", "none.json cannot be read: No such file or directory."),
        ("--min-rating 6", "--min-rating: must be at most 5"),
        ("--format xml", "--format: must be one of json, jsonl, alpaca"),
        ("--format", "--format needs a value after it."),
        ("--map --pairs", "--map needs a value after it."),
        ("--map question=q", "There is no field “question” to map."),
        ("--map user_input", "“user_input” is no mapping"),
        ("--pairs-margin 0", "--pairs-margin: must be greater than 0"),
        ("stray", "stray"),
    ],
)
def test_mistakes_are_named_with_what_to_do(
    words: str, message: str, feedback_json: Path, cli: Cli
) -> None:
    source = (
        [] if words in ("", "--feedback-file none.json") else ["--feedback-file", feedback_json]
    )
    ran = cli("feedback", *words.split(), *source)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_a_long_model_name_does_not_tear_the_statistics(tmp_path: Path, cli: Cli) -> None:
    rows = [row(4, model_name="m" * 300), row(5, model_name="two\nlines")]
    (tmp_path / "f.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")
    out = cli("feedback", "--feedback-file", str(tmp_path / "f.jsonl")).out
    table = out.partition("\n\n")[2].partition("\n\n")[0].split("\n")
    assert [line.split("  ")[0] for line in table] == ["model", "m" * 49 + "…", "two lines"]


def test_progress_says_how_far_and_how_fast(
    feedback_json: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "PLAIN_EVERY_S", -1.0)
    ran = cli("feedback", "--feedback-file", "feedback.json")
    assert ran.err.splitlines()[-1].startswith("100% · ")
    assert ran.err.splitlines()[-1].endswith(" MB/s · 0 s left")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_the_old_files_and_nothing_half_written(
    tmp_path: Path, program: Callable[..., subprocess.Popen[str]], sent: signal.Signals
) -> None:
    line = json.dumps(row(4, model_response="回答" * 400), ensure_ascii=False) + "\n"
    (tmp_path / "long.jsonl").write_text(line * 60_000, "utf-8")
    out = tmp_path / "out"
    out.mkdir()
    (out / NAMES[0]).write_text("old", "utf-8")
    running = program("feedback", "--feedback-file", "long.jsonl", "--output-dir", "out", "--pairs")
    while not list(out.glob(".corpusmith-*")) and running.poll() is None:
        time.sleep(0.01)
    running.send_signal(sent)
    said = running.communicate(timeout=60)
    assert (running.returncode, said) == (130, ("", STOPPED))
    assert {one.name: one.read_text("utf-8") for one in out.iterdir()} == {NAMES[0]: "old"}
