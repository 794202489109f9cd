"""`corpusmith review`: a sitting by lines and by keys, many at once, edits, numbers."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Cli, Ran, clean_environment

ROWS = [{"question": f"第{n}问？", "answer": f"第{n}答。"} for n in range(1, 6)]
HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202etxt [red]x[/red]"

Sit = Callable[..., Ran]


@pytest.fixture
def records(cli: Cli, tmp_path: Path) -> list[int]:
    """Five records in the dataset `d`."""
    return imported(cli, tmp_path, ROWS)


def imported(cli: Cli, folder: Path, rows: list[Any], dataset: str = "d") -> list[int]:
    path = folder / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    assert cli("import", path, "--dataset", dataset, "--format", "rows").code == 0
    shown = json.loads(cli("datasets", "show", dataset, "--limit", 99, "--json").out)
    return [record["id"] for record in shown["first"]]


@pytest.fixture
def sit(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Sit:
    """`sit("4 a q", "d")`: a sitting with these lines as piped input."""

    def run(lines: str, *words: object, reviewer: str = "甲") -> Ran:
        monkeypatch.setattr("sys.stdin", io.StringIO(lines))
        return cli("review", "start", *words, "--reviewer", reviewer)

    return run


def editor(folder: Path, code: str) -> dict[str, str]:
    """An editor that does this to `text`."""
    script = folder / "editor.py"
    script.write_text(
        "import pathlib, sys\n"
        "file = pathlib.Path(sys.argv[-1])\n"
        "text = file.read_text('utf-8')\n"
        f"{code}\n"
        "file.write_text(text, 'utf-8')\n",
        "utf-8",
    )
    return {"EDITOR": f"{sys.executable} {script}", "VISUAL": ""}


def told(cli: Cli, *words: object) -> Any:
    ran = cli("review", *words, "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


# ---------------------------------------------------------------- a sitting by lines


def test_each_line_is_a_decision_and_is_saved(cli: Cli, sit: Sit, records: list[int]) -> None:
    ran = sit("a\n5\nt 好,长\nn 很 好\nr\n\n3\n", "d")
    assert (ran.code, ran.err) == (0, "")
    assert re.findall(r"^\d+ / \d+.*$", ran.out, re.MULTILINE)[:4] == [
        "1 / 5",
        "2 / 5",
        "3 / 5",
        "4 / 5",
    ]
    assert ran.out.endswith("Reviewed now: 3 (1 approved, 1 rejected). Everything is saved.\n")
    said = told(cli, "history", records[1])["reviews"]
    assert [(one["state"], one["rating"], one["note"]) for one in said] == [
        ("rejected", 5, "很 好")
    ]
    assert told(cli, "stats", "d")["by_state"] == {"pending": 3, "approved": 1, "rejected": 1}


def test_a_sitting_goes_on_where_the_last_one_ended(sit: Sit, records: list[int]) -> None:
    sit("a\na\nq\n", "d")
    assert "3 / 5\n" in sit("q\n", "d").out
    assert "1 / 5\n" in sit("q\n", "d", reviewer="乙").out
    sit("a\n" * 9, "d")
    assert "Nothing is left to review in this queue." in sit("", "d").out


def test_undo_goes_back_to_the_record_and_takes_its_decision_back(
    cli: Cli, sit: Sit, records: list[int]
) -> None:
    ran = sit("a\na\nu\nu\nu\nr\nq\n", "d")
    assert ran.out.count("Taken back: record") == 2
    assert "Nothing was done in this sitting yet." in ran.out
    assert told(cli, "stats", "d")["by_state"] == {"pending": 4, "approved": 0, "rejected": 1}


def test_back_shows_the_record_before_with_its_review(sit: Sit, records: list[int]) -> None:
    ran = sit("4\na\nb\nq\n", "d")
    assert "Your review: approved, rated 4" in ran.out.rpartition("1 / 5")[2]


def test_an_unknown_key_changes_nothing(cli: Cli, sit: Sit, records: list[int]) -> None:
    ran = sit("x\n9\n6\n?\nt\nn\nq\n", "d")
    assert "The key “x” means nothing here" in ran.out
    assert told(cli, "stats", "d")["by_state"]["pending"] == 5


def test_what_others_said_is_not_shown(sit: Sit, records: list[int]) -> None:
    sit("1\nn 太差\nr\nq\n", "d", reviewer="乙")
    ran = sit("q\n", "d")
    assert [word for word in ("太差", "rejected,", "rated") if word in ran.out] == []


def test_with_json_a_program_reviews(sit: Sit, records: list[int]) -> None:
    ran = sit("4\na\nz\nu\nq\n", "d", "--json")
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert [one["event"] for one in events] == [
        "record", "saved", "saved", "record", "error", "undone", "record", "ended",
    ]  # fmt: skip
    assert (events[0]["record"]["id"], events[0]["total"]) == (records[0], 5)
    assert events[2]["review"]["state"] == "approved"


def test_with_json_too_a_second_reviewer_judges_alone(
    cli: Cli, sit: Sit, records: list[int]
) -> None:
    sit("1\nn 太差\nr\nq\n", "d", reviewer="乙")
    ran = sit("q\n", "d", "--json")
    shown = json.loads(ran.out.splitlines()[0])
    assert (shown["record"]["state"], shown["record"]["rating"], shown["review"]) == (
        *("pending", None),
        None,
    )
    assert [word for word in ("太差", "rejected", "乙") if word in ran.out.splitlines()[0]] == []


def test_a_record_that_was_edited_says_what_is_of_its_older_version(
    cli: Cli, sit: Sit, records: list[int], tmp_path: Path
) -> None:
    sit("4\nq\n", "d")
    new = tmp_path / "new.json"
    new.write_text('{"question": "新问？", "answer": "新答。"}', "utf-8")
    cli("review", "edit", records[0], "--content", new, "--reviewer", "乙")
    sit("b\nq\n", "d")
    shown = cli("review", "history", records[0], "--lang", "zh").out
    assert re.search(r"^ +1 .*导入$", shown, re.MULTILINE)
    assert re.search(r"^ +2 .*乙$", shown, re.MULTILINE)


def test_a_records_text_cannot_steer_the_terminal(cli: Cli, sit: Sit, tmp_path: Path) -> None:
    imported(cli, tmp_path, [{"question": HOSTILE, "answer": f"a{HOSTILE}"}])
    ran = sit(f"n {HOSTILE}\ni\nz{HOSTILE}\nq\n", "d")
    seen = ran.out + ran.err
    assert [sign for sign in "\x1b\x07\u202e" if sign in seen] == []
    assert "[red]x[/red]" in ran.out


def test_a_sample_is_the_same_for_two_people(cli: Cli, sit: Sit, tmp_path: Path) -> None:
    imported(cli, tmp_path, [{"q": f"text {n}"} for n in range(60)])
    words = ("d", "--queue", "sample", "--percent", 20, "--seed", 3)
    shown = [
        re.findall(r"^#(\d+)", sit("s\n" * 70, *words, reviewer=name).out, re.M) for name in "甲乙"
    ]
    assert shown[0] == shown[1]
    assert 3 < len(shown[0]) < 25


# ---------------------------------------------------------------- edits


def test_an_edit_in_the_editor_is_the_next_version(
    cli: Cli, sit: Sit, records: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in editor(tmp_path, "text = text.replace('第1', '头一')").items():
        monkeypatch.setenv(name, value)
    ran = sit("e\na\nq\n", "d")
    assert "头一答。" in ran.out
    found = told(cli, "history", records[0])
    assert [(one["version"], one["author"]) for one in found["versions"]] == [(1, ""), (2, "甲")]
    assert found["versions"][1]["content"] == {"question": "头一问？", "answer": "头一答。"}
    assert found["reviews"][0]["version"] == 2


def test_one_text_is_edited_as_it_is_read(
    cli: Cli, sit: Sit, records: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in editor(tmp_path, "text = text.upper() + ' {\"x\"\\n'").items():
        monkeypatch.setenv(name, value)
    ran = sit("e 3\ne x\ne 2\nq\n", "d")
    assert ran.out.count("the record has 2.") == 2
    content = told(cli, "history", records[0])["versions"][1]["content"]
    assert content == {"question": "第1问？", "answer": '第1答。 {"x"'}


def test_a_broken_edit_is_told_and_can_be_mended(
    cli: Cli, sit: Sit, records: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "text = text + '!' if '!' not in text else text.replace('!', '').replace('答', '复')"
    for name, value in editor(tmp_path, code).items():
        monkeypatch.setenv(name, value)
    ran = sit("e\ne\nq\n", "d")
    assert re.search(r"record-1\.json: broken JSON in line 5, column 1", ran.out)
    assert ran.out.count("Not saved yet, kept in") == 1
    assert told(cli, "history", records[0])["versions"][1]["content"]["answer"] == "第1复。"
    kept = re.search(r"kept in (\S+)", ran.out)
    assert kept is not None and not Path(kept[1]).exists()


def test_an_edit_that_was_never_mended_is_kept_in_its_file(
    sit: Sit, records: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in editor(tmp_path, "text = 'my long work {'").items():
        monkeypatch.setenv(name, value)
    ran = sit("e\nq\n", "d")
    kept = Path(re.findall(r"kept in (\S+)", ran.out)[-1])
    assert kept.read_text("utf-8") == "my long work {"
    assert kept.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("command", ["no-such-editor-here", "false", "'"])
def test_an_editor_that_fails_loses_nothing(
    cli: Cli, sit: Sit, records: list[int], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", command)
    monkeypatch.delenv("VISUAL", raising=False)
    ran = sit("e\na\nq\n", "d")
    assert (ran.code, "The editor" in ran.out) == (0, True)
    assert told(cli, "stats", "d")["by_state"]["approved"] == 1


def test_a_content_comes_from_a_file_and_an_old_one_comes_back(
    cli: Cli, records: list[int], tmp_path: Path
) -> None:
    new = tmp_path / "new.json"
    new.write_text('{"question": "新问？", "answer": "新答。"}', "utf-8")
    ran = cli("review", "edit", records[0], "--content", new, "--reviewer", "甲")
    assert (ran.code, ran.out) == (0, f"Record {records[0]} is at version 2 now.\n")
    late = cli("review", "edit", records[0], "--content", new, "--based-on", 1)
    assert (late.code, "edited by “甲” meanwhile" in late.err) == (2, True)
    back = cli("review", "restore", records[0], 1, "--reviewer", "乙")
    assert back.out.endswith("it is at version 3 now.\n")
    shown = cli("review", "history", records[0]).out
    assert "edited: version 1 → 2" in shown
    assert "restored: version 2 → 3" in shown


# ---------------------------------------------------------------- many at once


def test_many_are_counted_then_set_then_taken_back(cli: Cli, records: list[int]) -> None:
    words = ("review", "set", "d", "--approve", "--rate", 4, "--add-tag", "批", "--reviewer", "甲")
    assert cli(*words, "--dry-run").out == "5 records. Nothing was changed.\n"
    assert cli(*words).code == 2  # there is nobody to ask
    assert cli(*words, "--yes").out == "5 records changed.\n"
    left = ("review", "set", "d", "--state", "approved", "--tag", "批", "--reject", "--yes")
    assert cli(*left, "--reviewer", "乙", "--lang", "zh").out == "改动了 5 条语料。\n"
    assert (
        cli("review", "undo", "--reviewer", "乙").out == "Taken back: a bulk review, 5 records.\n"
    )
    found = told(cli, "stats", "d")
    assert (found["by_state"]["approved"], found["mean_rating"]) == (5, 4.0)


def test_single_records_are_set_by_their_numbers(cli: Cli, records: list[int]) -> None:
    ran = cli("review", "set", "--record", f"#{records[1]}", "--record", 999, "--reject", "--yes")
    assert ran.out == "1 record changed. 1 does not exist.\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("set d", "Nothing is said of the records"),
        ("set d --approve --reject", "Only one of --approve, --reject and --reset."),
        ("set d --rate 7 --yes", "A rating is 1, 2, 3, 4 or 5"),
        ("set --approve --yes", "Which records?"),
        ("set d --task 1 --approve --yes", "Which records?"),
        ("set d --record 1 --approve --yes", "not both"),
        ("set nothing --approve --yes", "nothing"),
        ("start", "Which records?"),
        ("start d --queue best", "There is no queue “best”"),
        ("start d --queue sample", "Add --percent"),
        ("start d --percent 5", "--percent belongs to --queue sample."),
        ("start d --queue sample --percent 101", "above 0 and at most 100"),
        ("start d --seed x", "--seed"),
        ("start d --reviewer ''", "is no name for a reviewer"),
        ("start nothing", "nothing"),
        ("edit 1", "--content"),
        ("edit x --content -", "RECORD"),
        ("edit 99 --content -", "There is no record 99."),
        ("restore 1 9", "The record has no version 9"),
        ("history 99", "There is no record 99."),
        ("undo --reviewer 丁", "“丁” has done nothing that could be taken back."),
        ("stats nothing", "nothing"),
        ("agreement", "Which records?"),
        ("scores 99", "99"),
        ("scores 1", "no evaluation"),
        ("starts d", "start"),
    ],
)
def test_bad_input_has_one_clear_answer(
    cli: Cli, records: list[int], words: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shlex

    monkeypatch.setattr("sys.stdin", io.StringIO('{"question": "a", "answer": "b"}'))
    ran = cli("review", *shlex.split(words))
    assert ran.code == 2
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert told(cli, "stats", "d")["by_state"]["pending"] == 5


@pytest.mark.parametrize(
    "text", ['{"question": "a"', '{"question": NaN, "answer": "b"}', "[]", "{}", '"x"', ""]
)
def test_a_content_that_is_none_is_not_saved(
    cli: Cli, records: list[int], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    ran = cli("review", "edit", records[0], "--content", "-")
    assert (ran.code, "Traceback" in ran.err) == (2, False)
    assert len(told(cli, "history", records[0])["versions"]) == 1


# ---------------------------------------------------------------- numbers


def test_agreement_is_told_with_what_differs(cli: Cli, sit: Sit, records: list[int]) -> None:
    sit("5\na\n4\na\n2\nr\n4\na\n", "d")
    sit("5\na\n3\na\n1\nr\n1\nr\n", "d", reviewer="乙")
    shown = cli("review", "agreement", "d").out
    assert shown.startswith("4 records were reviewed by at least two people.\n")
    assert re.search(r"^乙 – 甲 +4 +3 +0\.50 +4 +0\.50$", shown, re.MULTILINE)
    assert re.search(rf"^ *{records[3]}  乙: rejected, 1 · 甲: approved, 4$", shown, re.MULTILINE)
    assert told(cli, "agreement", "d", "--between", "甲")["reviewers"]["common"] == 0


def test_the_lines_of_statistics_are_aligned_in_chinese(cli: Cli, records: list[int]) -> None:
    cli("review", "set", "d", "--approve", "--rate", 5, "--yes", "--reviewer", "王小明")
    assert cli("review", "stats", "d", "--lang", "zh").out == (
        "语料    5\n"
        "待审核  0 (0.0%)\n"
        "通过    5 (100.0%)\n"
        "不通过  0 (0.0%)\n"
        "已评分  5（平均 5.00）\n"
        "已修改  0\n"
        "\n"
        "审核人  已审  通过  不通过  评分数  平均评分\n"
        "王小明     5     5       0       5      5.00\n"
    )


def test_an_evaluation_decides_who_comes_first(
    cli: Cli, sit: Sit, records: list[int], url: str
) -> None:
    cli("evaluate", "--dataset", "d", "--base-url", url, "--model", "j", "--seed", 1)
    scores = re.findall(r"judge (\d\.\d\d)", sit("s\n" * 9, "d", "--queue", "lowest").out)
    assert (len(scores), scores) == (5, sorted(scores))
    assert cli("review", "scores", 2).out == "5 records have the scores of this evaluation now.\n"
    cli("review", "set", "d", "--reject", "--yes", "--reviewer", "甲")
    apart = sit("a\ns\nq\n", "d", "--queue", "disagreement").out
    assert "1 / " in apart


# ---------------------------------------------------------------- single keys at a terminal


class Seat:
    """The program at a terminal of its own."""

    def __init__(self, home: Path, *words: str) -> None:
        self.master, slave = pty.openpty()
        self.program = subprocess.Popen(
            [sys.executable, "-m", "corpusmith.cli.main", *words],
            env={**clean_environment(home), "TERM": "xterm", "PYTHONWARNINGS": "default"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        self.slave = slave
        self.seen = ""

    def until(self, text: str, count: int = 1) -> None:
        end_s = time.monotonic() + 40
        while self.seen.count(text) < count:
            assert time.monotonic() < end_s, self.seen
            if select.select([self.master], [], [], 0.2)[0]:
                self.seen += os.read(self.master, 65536).decode("utf-8", "replace")

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def end(self) -> int:
        code = self.program.wait(40)
        os.close(self.slave)
        os.close(self.master)
        return code


@pytest.mark.timeout(120)
def test_keys_need_no_enter_and_the_terminal_is_left_as_it_was(
    cli: Cli, records: list[int], home: Path
) -> None:
    import termios

    seat = Seat(home, "review", "start", "d", "--reviewer", "甲")
    before = termios.tcgetattr(seat.slave)
    seat.until("1 / 5")
    seat.until(" >")
    seat.type("4")
    seat.until("Your review: pending, rated 4")
    seat.type("Ａ")
    seat.until("2 / 5")
    seat.type("\x1b[A")  # an arrow is no command
    seat.type("t")
    seat.until("comma between")
    seat.type("好,长\n")
    seat.until("tags: 好, 长")
    seat.type("r")
    seat.until("3 / 5")
    seat.until(" >", 5)
    os.kill(seat.program.pid, signal.SIGINT)
    seat.until("Reviewed now: 2 (1 approved, 1 rejected)")
    assert termios.tcgetattr(seat.slave) == before
    assert "Traceback" not in seat.seen
    assert seat.end() == 130
    assert told(cli, "stats", "d")["by_state"] == {"pending": 3, "approved": 1, "rejected": 1}


@pytest.mark.timeout(120)
def test_a_sitting_that_is_terminated_leaves_the_terminal_as_it_was(
    cli: Cli, records: list[int], home: Path
) -> None:
    import termios

    seat = Seat(home, "review", "start", "d", "--reviewer", "甲")
    before = termios.tcgetattr(seat.slave)
    seat.until(" >")
    time.sleep(0.2)
    os.kill(seat.program.pid, signal.SIGTERM)
    seat.until("Reviewed now: 0")
    assert termios.tcgetattr(seat.slave) == before
    assert seat.end() == 130
