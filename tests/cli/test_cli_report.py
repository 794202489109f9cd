"""`corpusmith report` as a user runs it, on records that the simulator made."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from cli_kit import Cli

CARD = Path(__file__).parents[2] / "examples" / "cards" / "lin.json"


@pytest.fixture
def dataset(cli: Cli, url: str) -> str:
    """8 dialogues made by task 1, scored by task 2."""
    cli("connections", "add", "a", "--base-url", url, "--model", "sim-a")
    made = cli(
        "generate", "--character", CARD, "--scenario", "日常对话=1", "--scenario", "情感交流=1",
        "-n", 8, "--seed", 1, "--connection", "a", "--dataset", "客服",
    )  # fmt: skip
    assert made.code == 0, made.err
    scored = cli("evaluate", "--dataset", "客服", "--connection", "a", "--seed", 1)
    assert scored.code == 0, scored.err
    return "客服"


def test_the_terminal_says_what_matters_and_what_to_run(cli: Cli, dataset: str) -> None:
    ran = cli("report", dataset)
    assert ran.code == 0
    assert ran.err == ""
    lines = ran.out.splitlines()
    assert lines[0] == "客服: 8 records"
    assert lines[1].startswith("! Made by the simulator: 8 records (100%). ")
    assert lines[2].startswith("! The judge of evaluation 2 was the simulator: ")
    assert "+ All that was asked for was made: 8 records." in lines
    assert "- Nobody has reviewed them yet. To begin: corpusmith review start '客服'" in lines
    assert lines[-1] == "The whole report: corpusmith report '客服' --output report.html"


@pytest.mark.parametrize(("language", "heading"), [("en", "In short"), ("zh", "要点")])
def test_the_page_speaks_the_users_language(
    cli: Cli, dataset: str, tmp_path: Path, language: str, heading: str
) -> None:
    file = tmp_path / "new" / "report.html"
    ran = cli("report", dataset, "--output", file, "--lang", language)
    assert ran.code == 0, ran.err
    assert str(file) in ran.out
    text = file.read_text("utf-8")
    assert text.startswith("<!doctype html>")
    assert f'<h2 id="summary">{heading}</h2>' in text
    assert [one.name for one in file.parent.iterdir()] == ["report.html"]


def test_the_json_file_holds_what_the_page_shows(cli: Cli, dataset: str, tmp_path: Path) -> None:
    assert cli("report", dataset, "-o", tmp_path / "r.json").code == 0
    found = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert (found["records"], found["simulated"], found["production"]["accepted"]) == (8, 8, 8)
    assert [(one["label"], len(one["shares"])) for one in found["groups"]] == [
        ("scenario", 2),
        ("character", 1),
    ]
    assert found["evaluations"][0]["scored"] == 8
    assert found["examples"]["basis"] == "evaluation"
    stated = json.loads(cli("report", dataset, "--json").out)
    assert {**stated, "made_at": ""} == {**found, "made_at": ""}


def test_what_is_suggested_is_about_the_same_records(cli: Cli, dataset: str) -> None:
    ran = cli("report", dataset, "--scenario", "日常对话", "--max-rating", "3.5", "--unflagged")
    assert "No record fits what was selected." in ran.out
    ran = cli("report", dataset, "--scenario", "日常对话", "--state", "pending", "--seed", 4)
    lines = ran.out.splitlines()
    for command, options in (("review start", ""), ("report", "--output report.html --seed 4 ")):
        line = f"corpusmith {command} '客服' {options}--scenario '日常对话' --state pending"
        assert any(one.endswith(line) for one in lines), line


def test_chinese_has_no_blank_after_a_full_width_colon(cli: Cli, dataset: str) -> None:
    out = cli("report", dataset, "--lang", "zh").out
    assert "- 还没有人看过。开始审核：corpusmith review start '客服'" in out.splitlines()
    assert re.findall("[：，。；] ", out) == []


def test_a_task_has_a_report_too(cli: Cli, dataset: str) -> None:
    found = json.loads(cli("report", "--task", "#1", "--json").out)
    assert (found["kind"], found["task"], found["records"]) == ("task", 1, 8)


def test_options_leave_some_records(cli: Cli, dataset: str) -> None:
    found = json.loads(cli("report", dataset, "--scenario", "日常对话", "--json").out)
    assert (found["records"], found["only"]) == (4, {"scenario": "日常对话"})
    assert "No record fits what was selected." in cli("report", dataset, "--min-rating", 5).out


def test_standard_output_holds_the_file_and_nothing_else(cli: Cli, dataset: str) -> None:
    page = cli("report", dataset, "--output", "-").out
    assert page.startswith("<!doctype html>")
    assert page.endswith("</html>")
    body = cli("report", dataset, "--output", "-", "--format", "json").out
    assert json.loads(body)["records"] == 8


def test_format_goes_before_the_files_ending(cli: Cli, dataset: str, tmp_path: Path) -> None:
    cli("report", dataset, "-o", tmp_path / "r.txt", "--format", "json")
    assert json.loads((tmp_path / "r.txt").read_text("utf-8"))["records"] == 8


BAD: dict[str, tuple[list[str], str, str]] = {
    "nothing": (
        [],
        "error: Give either the name of a dataset or --task N.",
        "错误：请给一个数据集的名字，或用 --task N，二者选一。",
    ),
    "both": (
        ["客服", "--task", "1"],
        "error: Give either the name of a dataset or --task N.",
        "错误：请给一个数据集的名字，或用 --task N，二者选一。",
    ),
    "unknown format": (
        ["客服", "--format", "pdf"],
        "error: --format pdf: there are only html and json.",
        "错误：--format pdf：只有 html 和 json。",
    ),
    "unknown ending": (
        ["客服", "--output", "r.pdf"],
        "error: r.pdf does not say its format: end it with .html or .json, or give --format.",
        "错误：看不出 r.pdf 是什么格式：文件名以 .html 或 .json 结尾，或加上 --format。",
    ),
    "of scores": (
        ["--task", "2"],
        "error: Task 2 is an evaluation: it made scores, not records. See them with 'corpusmith"
        " evaluate --show 2', or report on the dataset that was scored.",
        "错误：任务 2 是评分任务，它的结果是分数，不是语料。用 corpusmith evaluate --show 2"
        " 看评分，或给被评的数据集写报告。",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_wrong_input_is_told_in_both_languages(cli: Cli, dataset: str, name: str) -> None:
    words, english, chinese = BAD[name]
    ran = [cli("report", *words, "--lang", language) for language in ("en", "zh")]
    assert [(one.code, one.out, one.err.strip()) for one in ran] == [
        (2, "", english),
        (2, "", chinese),
    ]


@pytest.mark.parametrize(
    "words",
    [
        ["nowhere"],
        ["--task", "99"],
        ["--task", "last"],
        ["客服", "--seed", "x"],
        ["客服", "--seed", "-1"],
        ["客服", "--state", "blue"],
        ["客服", "--output", "."],
        ["客服", "--output", "-", "--json"],
        ["客服", "extra"],
    ],
    ids=" ".join,
)
def test_wrong_input_ends_in_one_message(cli: Cli, dataset: str, words: list[str]) -> None:
    ran = cli("report", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("error") == 1
    assert "Traceback" not in ran.err


def test_an_empty_dataset_says_how_to_fill_it(cli: Cli, tmp_path: Path) -> None:
    cli("datasets", "add", "empty", "--language", "en")
    ran = cli("report", "empty", "-o", tmp_path / "r.html")
    assert ran.code == 0, ran.err
    assert "corpusmith generate --dataset empty" in ran.out
    assert "There are no records in this dataset yet." in (tmp_path / "r.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("problem", "code"), [(OSError(28, "No space left on device"), 1), (KeyboardInterrupt(), 130)]
)
def test_a_write_that_does_not_end_leaves_the_old_report(
    cli: Cli,
    dataset: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    problem: BaseException,
    code: int,
) -> None:
    file = tmp_path / "report.html"
    file.write_text("old")

    def stop(handle: int) -> None:
        raise problem

    monkeypatch.setattr(os, "fsync", stop)
    ran = cli("report", dataset, "-o", file)
    assert (ran.code, file.read_text()) == (code, "old")
    assert {one.name for one in tmp_path.iterdir()} == {"home", "report.html"}
