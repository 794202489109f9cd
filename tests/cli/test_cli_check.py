"""`corpusmith check`: what exists goes through the checks; nothing changes unasked."""

from __future__ import annotations

import io
import json
import sys
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
        (["check", "d", "--apply", "burn"], "only flag, mask or remove"),
        (["check", "d", "--output", "x.jsonl"], "--output is for files"),
        (["check", "d", "--checks", "judge"], "asks a model"),
        (["check", "d", "--checks", "taste"], "taste"),
        (["check", "d", "--check", "length:min_chars"], "--check length:min_chars"),
        (["check", "ROWS", "--apply", "flag"], "--apply flag does not work on files"),
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


# ---------------------------------------------------------------- a dataset or a file


def test_a_name_of_both_is_the_dataset_and_a_place_is_always_the_file(
    cli: Cli, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cli("import", rows, "--dataset", "rows.jsonl")
    rows.write_text(json.dumps(GOOD[0]) + "\n", "utf-8")
    of_both = cli("check", "rows.jsonl")
    assert of_both.out.startswith("dataset:rows.jsonl: 7 looked at")
    assert of_both.err == (
        "A dataset and a file are both called “rows.jsonl”: this is the dataset. "
        "For the file write ./rows.jsonl.\n"
    )
    for place in ("./rows.jsonl", rows):
        of_file = cli("check", place)
        assert (of_file.out.split(":")[-1].startswith(" 1 looked at"), of_file.err) == (True, "")
    cli("datasets", "delete-records", "rows.jsonl", "--yes")
    assert _json(cli, "check", tmp_path / "rows.jsonl")["looked"] == 1


def test_a_word_that_is_no_dataset_is_a_file(
    cli: Cli, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows.rename(tmp_path / "plain.jsonl")
    ran = cli("check", "plain.jsonl")
    assert (ran.code, ran.err, ran.out.split(":")[0]) == (3, "", "plain.jsonl")


# ---------------------------------------------------------------- masks

PHONE, CARD = "13812345678", "6222020200112345671"
PRIVATE = [
    {"question": "怎么找你？", "answer": f"打我电话 {PHONE} 就行，白天都在。"},
    {"question": "怎么付款？", "answer": "到柜台付，现金也可以，不用排队。"},
    {"question": "能帮我查吗？", "answer": f"很抱歉，我无法提供 {PHONE} 的资料。"},
]


@pytest.fixture
def private(tmp_path: Path) -> Path:
    path = tmp_path / "private.jsonl"
    lines = (json.dumps({**row, "tel": PHONE}, ensure_ascii=False) for row in PRIVATE)
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_records_are_masked_as_new_versions_and_one_undo_takes_all_back(
    cli: Cli, private: Path, tmp_path: Path
) -> None:
    cli("import", private, "--dataset", "d")
    before = cli("datasets", "show", "d", "--limit", "9", "--json").out
    assert cli("check", "d", "--apply", "mask").code == 2, "nobody agreed"
    assert cli("datasets", "show", "d", "--limit", "9", "--json").out == before
    done = cli("check", "d", "--apply", "mask", "--yes")
    assert (done.code, done.out.splitlines()[-1]) == (
        0,
        "3 records masked, saved as new versions. Undo: corpusmith review undo",
    )
    cli("export", "--dataset", "d", "--output", tmp_path / "out.jsonl")
    out = (tmp_path / "out.jsonl").read_text("utf-8")
    assert (PHONE in out, out.count("***********")) == (False, 5)
    again = cli("check", "d", "--apply", "mask", "--yes")
    assert again.out.splitlines()[-1] == "There is nothing to mask. Nothing was changed."
    assert cli("review", "undo").out == "Taken back: mask, 3 records.\n"
    contents = [one["content"] for one in json.loads(before)["first"]]
    shown = json.loads(cli("datasets", "show", "d", "--limit", "9", "--json").out)
    assert [one["content"] for one in shown["first"]] == contents
    assert cli("review", "undo").code == 2, "it is undone once"


def test_what_fails_another_check_is_masked_too(cli: Cli, private: Path) -> None:
    cli("import", private, "--dataset", "d")
    found = _json(
        cli, "check", "d", "--checks", "refusal,personal_data", "--apply", "mask", "--yes", code=3
    )
    assert (found["failed"], found["maskable"], found["masked"]["changed"]) == (1, 3, 3)
    shown = cli("datasets", "show", "d", "--limit", "9", "--json").out
    assert PHONE not in shown


def test_an_action_that_is_said_is_not_made_a_mask(cli: Cli, private: Path) -> None:
    cli("import", private, "--dataset", "d")
    words = ("--check", "personal_data:action=flag", "--checks", "personal_data")
    found = _json(cli, "check", "d", *words, "--apply", "mask", "--yes")
    assert (found["maskable"], found["masked"]) == (0, None)


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "json"])
def test_a_files_copy_is_masked_in_every_field_and_the_file_stays(
    cli: Cli, private: Path, tmp_path: Path, suffix: str
) -> None:
    before, copy = private.read_bytes(), tmp_path / f"masked.{suffix}"
    assert cli("check", private, "--apply", "mask").code == 2
    words = ("--checks", "refusal,personal_data", "--apply", "mask", "--output", copy)
    found = _json(cli, "check", private, *words, code=3)
    assert (found["passed"], found["failed"], found["maskable"]) == (2, 1, 2)
    beside = (tmp_path / "masked.rejected.jsonl").read_text("utf-8")
    for text in (copy.read_text("utf-8"), beside):
        assert PHONE not in text
        assert "***********" in text
    assert private.read_bytes() == before


def test_no_verdict_tells_what_it_found(cli: Cli, private: Path) -> None:
    text = private.read_text("utf-8").replace(PRIVATE[1]["answer"], f"卡号 {CARD}")
    private.write_text(text, "utf-8")
    cli("import", private, "--dataset", "d")
    told = cli("check", "d", "--checks", "all", "--json").out
    told += cli("check", "d", "--checks", "all").out
    told += cli("check", private, "--checks", "all", "--json").out
    assert cli("check", "d", "--checks", "all", "--apply", "flag").code == 3
    shown = json.loads(cli("datasets", "show", "d", "--limit", "9", "--json").out)
    told += str([one["verdicts"] for one in shown["first"]])
    assert "138****5678" in told
    assert [one for one in (PHONE, PHONE[3:], CARD, CARD[6:]) if one in told] == []


# ---------------------------------------------------------------- what is shown


def test_a_records_state_rating_score_and_flags_stand_in_one_line(cli: Cli, private: Path) -> None:
    cli("import", private, "--dataset", "d")
    cli("check", "d", "--checks", "refusal,personal_data", "--apply", "flag")
    cli("review", "set", "--record", "1", "--approve", "--rate", "4", "--yes")
    lines = cli("datasets", "show", "d", "--limit", "3").out.splitlines()
    assert "  [approved · rated 4 · flagged: personal_data]" in lines
    flag = next(line for line in lines if line.startswith("  personal_data  flag"))
    assert "kind: phone  found: 138****5678" in flag
    chinese = cli("datasets", "show", "d", "--limit", "3", env={"CORPUSMITH_LANG": "zh"}).out
    assert "  [通过 · 4 分 · 质检标记：personal_data]" in chinese.splitlines()
    assert "种类：电话  查到：138****5678" in chinese


class _Screen(io.StringIO):
    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize("terminal", [True, False])
def test_on_a_terminal_one_line_tells_how_far_it_is_and_goes(
    cli: Cli, rows: Path, monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    cli("import", rows, "--dataset", "d")
    monkeypatch.setattr("corpusmith.cli.check_show.LOOKS", 1)
    monkeypatch.setattr("corpusmith.cli.check_show.TERMINAL_EVERY_S", 0.0)
    monkeypatch.setattr("corpusmith.cli.check_show.PLAIN_EVERY_S", 0.0)
    screen = _Screen(terminal=terminal)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", screen)
        cli("check", "d")
    told = screen.getvalue()
    assert told.count("of 7 looked at") == 7
    assert "7 of 7 looked at" in told
    assert told.count("\n") == (0 if terminal else 7)
    assert told.endswith("\r\x1b[K") is terminal


# ---------------------------------------------------------------- whole or not at all


@pytest.mark.parametrize("apply", ["flag", "mask", "remove"])
def test_a_check_that_is_killed_while_it_writes_has_changed_nothing(
    cli: Cli, private: Path, monkeypatch: pytest.MonkeyPatch, apply: str
) -> None:
    cli("import", private, "--dataset", "d")
    before = cli("datasets", "show", "d", "--limit", "9", "--json").out
    words = ("check", "d", "--checks", "refusal,personal_data", "--apply", apply, "--yes")
    with monkeypatch.context() as patched:
        for module in ("records", "versions", "removals"):
            patched.setattr(f"corpusmith.store.{module}.islice", _cut_short)
        ran = cli(*words)
    assert ran.code not in (0, 3)
    assert cli("datasets", "show", "d", "--limit", "9", "--json").out == before
    assert json.loads(cli("datasets", "removed", "--json").out) == []
    assert cli(*words).code in (0, 3)
    assert cli("datasets", "show", "d", "--limit", "9", "--json").out != before


def _cut_short(waiting: Any, count: int) -> Any:
    """One record at a time, and the process ends at the second."""
    for number, one in enumerate(waiting):
        if number:
            raise KeyboardInterrupt
        yield one
        return
    raise KeyboardInterrupt
