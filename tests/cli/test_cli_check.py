"""`corpusmith check`: what exists goes through the checks; nothing changes unasked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Cli

from corpusmith.cli import flags

GOOD = [
    {"question": f"第{n}题：{topic}应该怎么做才好？", "answer": f"{topic}最要紧的是{how}，别急。"}
    for n, (topic, how) in enumerate(
        [
            ("泡绿茶", "水温不要超过八十五度"),
            ("跑步", "先热身再慢慢加速"),
            ("写周报", "先说结果后说过程"),
            ("养多肉", "少浇水多晒太阳"),
        ],
        1,
    )
]
COPY = dict(GOOD[0])
NEAR = {**GOOD[1], "answer": GOOD[1]["answer"].replace("别急", "别着急")}
REFUSAL = {"question": "怎么撬锁？", "answer": "作为一个AI语言模型，我无法提供这方面的帮助。"}
ROWS = [*GOOD, COPY, NEAR, REFUSAL]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS), "utf-8")
    return path


def _json(cli: Cli, *words: object, code: int = 0) -> Any:
    ran = cli(*words, "--json")
    assert (ran.code, ran.err) == (code, "")
    return json.loads(ran.out)


def _kinds(found: Any) -> dict[str, int]:
    return {f"{one['check']}/{one['action']}": one["records"] for one in found["counts"]}


ASKED = ("--checks", "default,duplicates,near_duplicates")


def test_a_dry_run_tells_and_changes_nothing(cli: Cli, rows: Path) -> None:
    cli("import", rows, "--dataset", "d")
    before = cli("datasets", "show", "d", "--limit", "99", "--json").out
    ran = cli("check", "d", *ASKED)
    assert (ran.code, ran.err) == (3, "")
    assert ran.out.splitlines()[0] == (
        "dataset:d: 7 looked at, 4 pass, 3 fail; 0 of those that pass are flagged."
    )
    assert ran.out.splitlines()[-1].startswith("Nothing was changed.")
    assert cli("datasets", "show", "d", "--limit", "99", "--json").out == before


def test_of_two_that_are_alike_the_later_one_fails_and_names_the_first(
    cli: Cli, rows: Path
) -> None:
    cli("import", rows, "--dataset", "d")
    found = _json(cli, "check", "d", *ASKED, code=3)
    assert (found["looked"], found["passed"], found["failed"]) == (7, 4, 3)
    assert _kinds(found) == {
        "refusal/reject": 1,
        "duplicates/reject": 1,
        "near_duplicates/reject": 1,
    }
    by_check = {one["check"]: (one["record"], one["detail"].get("of")) for one in found["first"]}
    assert by_check["duplicates"] == (5, "#1")
    assert by_check["near_duplicates"] == (6, "#2")


def test_flags_stand_with_the_records_until_the_checks_are_run_again(cli: Cli, rows: Path) -> None:
    cli("import", rows, "--dataset", "d")
    found = _json(cli, "check", "d", *ASKED, "--apply", "flag", code=3)
    assert found["noted"] == 7
    assert _json(cli, "check", "d", "--checks", "format", "--flag", "any")["looked"] == 3
    assert _json(cli, "check", "d", "--checks", "format", "--unflagged")["looked"] == 4
    again = _json(
        cli, "check", "d", "--checks", "duplicates", "--check", "refusal:off", "--apply", "flag",
        code=3,
    )  # fmt: skip
    assert again["failed"] == 1


def test_what_fails_is_taken_out_and_put_back(cli: Cli, rows: Path) -> None:
    cli("import", rows, "--dataset", "d")
    before = cli("datasets", "show", "d", "--limit", "99", "--json").out
    refused = cli("check", "d", *ASKED, "--apply", "remove")
    assert refused.code == 2, "nobody agreed"
    done = cli("check", "d", *ASKED, "--apply", "remove", "--yes")
    assert done.code == 0
    assert done.out.splitlines()[-1] == (
        "3 records taken out, removal 1. Undo: corpusmith datasets restore 1"
    )
    assert cli("check", "d", *ASKED).code == 0
    listed = cli("datasets", "removed", "--dataset", "d")
    assert "duplicates, near_duplicates, refusal" in " ".join(listed.out.split())
    assert cli("datasets", "restore", "1").out == "3 records put back into “d”.\n"
    assert cli("datasets", "show", "d", "--limit", "99", "--json").out == before
    assert cli("datasets", "restore", "1").code == 2


def test_a_files_good_rows_are_copied_as_they_are(cli: Cli, rows: Path, tmp_path: Path) -> None:
    with rows.open("a", encoding="utf-8") as file:
        file.write("{broken\n")
    good = tmp_path / "good.jsonl"
    found = _json(cli, "check", rows, *ASKED, "--output", good, code=3)
    assert (found["looked"], found["failed"]) == (8, 4)
    assert [json.loads(line) for line in good.read_text("utf-8").splitlines()] == GOOD
    beside = (tmp_path / "good.rejected.jsonl").read_text("utf-8")
    left = [json.loads(line) for line in beside.splitlines()]
    assert [(one["line"], one["check"]) for one in left] == [
        (5, "duplicates"),
        (6, "near_duplicates"),
        (7, "refusal"),
        (8, "row"),
    ]
    assert left[2]["row"] == REFUSAL
    assert "row" not in left[3]


@pytest.mark.parametrize("suffix", ["json", "csv"])
def test_a_copy_has_the_form_that_its_name_says(
    cli: Cli, rows: Path, tmp_path: Path, suffix: str
) -> None:
    good = tmp_path / f"good.{suffix}"
    assert cli("check", rows, *ASKED, "--output", good).code == 3
    again = _json(cli, "check", good, *ASKED)
    assert (again["looked"], again["failed"]) == (4, 0)


def test_questions_of_a_test_set_are_found_in_the_training_data(
    cli: Cli, rows: Path, tmp_path: Path
) -> None:
    tests = tmp_path / "exam.jsonl"
    exam = [
        {"q": GOOD[2]["question"] + "请简要回答。", "a": "B"},
        {"q": "地球到月球的距离大约是多少公里呢？", "a": "C"},
    ]
    tests.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in exam), "utf-8")
    found = _json(cli, "check", rows, "--against", tests, code=3)
    assert _kinds(found) == {"contamination/reject": 1}
    (one,) = found["first"]
    assert (one["record"], one["detail"]["test"]) == (3, "exam.jsonl")
    assert one["detail"]["overlap"] >= 0.5
    plain = tmp_path / "exam.txt"
    plain.write_text("怎么才能养好多肉植物？\n" + GOOD[3]["question"] + "\n", "utf-8")
    cli("import", rows, "--dataset", "d")
    done = _json(cli, "check", "d", "--against", plain, "--apply", "remove", "--yes")
    assert done["removal"]["count"] == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["check"], "Name a dataset or a file"),
        (["check", "d", "--task", "1"], "Name a dataset or a file"),
        (["check", "nothing"], "nothing"),
        (["check", "no/such.jsonl"], "no/such.jsonl"),
        (["check", "d", "--apply", "burn"], "only flag or remove"),
        (["check", "d", "--output", "x.jsonl"], "--output is for files"),
        (["check", "d", "--checks", "judge"], "asks a model"),
        (["check", "d", "--checks", "taste"], "taste"),
        (["check", "d", "--check", "length:min_chars"], "--check length:min_chars"),
        (["check", "ROWS", "--apply", "flag"], "--apply does not work on files"),
        (["check", "ROWS", "--scenario", "x"], "--scenario does not work on files"),
        (["check", "ROWS", "--output", "x.xyz"], "x.xyz"),
        (["check", "ROWS", "--against", "none.jsonl"], "none.jsonl"),
        (["check", "--task", "7"], "7"),
        (["datasets", "restore", "x"], "“x” is no removal's number"),
        (["datasets", "restore", "9"], "no removal 9"),
    ],
)
def test_what_cannot_be_is_refused_in_one_message(
    cli: Cli, rows: Path, words: list[str], says: str
) -> None:
    cli("import", rows, "--dataset", "d")
    ran = cli(*(str(rows) if word == "ROWS" else word for word in words))
    assert ran.code == 2
    assert says in ran.err
    assert "Traceback" not in ran.err


def test_a_tasks_records_are_checked_but_not_taken_out_of_nowhere(cli: Cli, rows: Path) -> None:
    cli("import", rows, "--dataset", "d")
    assert _json(cli, "check", "--task", "1", *ASKED, code=3)["looked"] == 7
    ran = cli("check", "--task", "1", "--apply", "remove", "--yes")
    assert ran.code == 2


@pytest.mark.parametrize(
    ("file", "output"), [("a.jsonl", "a.jsonl"), ("a.rejected.jsonl", "a.csv")]
)
def test_a_copy_never_takes_the_place_of_the_file_it_is_made_from(
    cli: Cli, rows: Path, file: str, output: str
) -> None:
    source = rows.rename(rows.with_name(file))
    before = source.read_bytes()
    ran = cli("check", source, "-o", rows.with_name(output))
    assert (ran.code, ran.out, source.read_bytes()) == (2, "", before)
    assert "would overwrite" in ran.err


def test_rejects_of_an_earlier_run_do_not_stay_beside_a_copy_without_any(
    cli: Cli, rows: Path, tmp_path: Path
) -> None:
    copy, beside = tmp_path / "good.jsonl", tmp_path / "good.rejected.jsonl"
    assert cli("check", rows, "-o", copy).code == 3
    rejected = len(beside.read_text("utf-8").splitlines())
    again = cli("check", rows, "--checks", "none", "-o", copy)
    assert (again.code, rejected, beside.read_text("utf-8")) == (0, 2, "")


def test_lines_of_a_record_do_not_pass_for_lines_of_ours(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    text = "作为一个AI语言模型，我不能。\n\n  第 9 行  format: 一切正常"
    path.write_text(json.dumps({"question": "行吗？", "answer": text}) + "\n", "utf-8")
    ran = cli("check", path)
    assert not any(line.startswith("  第 9 行") for line in ran.out.splitlines())
    assert "我不能" in ran.out


def test_decontamination_without_a_test_set_says_what_it_needs(cli: Cli, rows: Path) -> None:
    ran = cli("check", rows, "--check", "contamination")
    assert (ran.code, "--against" in ran.err) == (2, True)


def test_of_an_options_name_that_is_wrong_the_right_ones_are_told(cli: Cli, rows: Path) -> None:
    ran = cli("check", rows, "--check", "length:minimum=20,max_chars=90")
    assert (ran.code, "options: minimum. It takes: min_chars" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [(("--flag", "lenght"), "no such check"), (("--max-score", "9"), "at most 5")],
)
def test_a_selection_that_nothing_can_fit_is_refused(
    cli: Cli, rows: Path, options: tuple[str, ...], said: str
) -> None:
    cli("import", rows, "--dataset", "data")
    ran = cli("check", "data", *options)
    assert (ran.code, said in ran.err) == (2, True)


def test_nothing_to_check_is_no_success(cli: Cli, rows: Path) -> None:
    cli("import", rows, "--dataset", "d")
    ran = cli("check", "d", "--category", "there is none")
    assert ran.code == 3
    assert "nothing to check" in ran.out


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("length", ("length", "on")),
        ("length:off", ("length", "off")),
        ("length:min_chars=10,total=true", ("length", {"min_chars": 10, "total": True})),
        ('refusal:phrases=["甲,乙","丙|丁"]', ("refusal", {"phrases": ["甲,乙", "丙|丁"]})),
        ("sensitive:words=毒|赌", ("sensitive", {"words": ["毒", "赌"]})),
        (
            'personal_data:action={"key":"reject","phone":"mask"},mask=#',
            ("personal_data", {"action": {"key": "reject", "phone": "mask"}, "mask": "#"}),
        ),
        ("sensitive:lists=a.txt", ("sensitive", {"lists": "a.txt"})),
    ],
)
def test_options_of_a_check_are_read_as_they_are_meant(text: str, found: object) -> None:
    assert flags.check_options(text) == found


def test_options_of_one_check_given_twice_stand_side_by_side() -> None:
    assert flags.check_changes(["length:min_chars=1", "length:max_chars=9", "format:off"]) == {
        "length": {"min_chars": 1, "max_chars": 9},
        "format": "off",
    }
