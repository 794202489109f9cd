"""`corpusmith export` and `push`: what is said, exit codes, and what programs read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Cli

from hub_server import Hub, running_hub


def rows(folder: Path, name: str, found: list[Any]) -> Path:
    file = folder / f"{name}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in found), "utf-8")
    return file


def chat(text: str) -> dict[str, Any]:
    said = [{"role": "user", "content": text}, {"role": "assistant", "content": "yes"}]
    return {"messages": said}


@pytest.fixture
def mixed(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A dataset `d` of 20 chats and 2 rows that are none, in the folder we are in."""
    found = [chat(f"q{n}") for n in range(20)] + [{"x": 1}, {"x": 2}]
    file = rows(tmp_path, "d", found)
    assert cli("import", file, "--dataset", "d", "--format", "rows").code == 0
    monkeypatch.chdir(tmp_path)
    return cli


CHATS = ("export", "--dataset", "d", "--format", "messages")


def test_refused_records_stop_the_export_with_all_reasons(mixed: Cli, tmp_path: Path) -> None:
    ran = mixed(*CHATS, "-o", "o.jsonl")
    assert (ran.code, ran.out, (tmp_path / "o.jsonl").exists()) == (2, "", False)
    assert "2 of 22 records make no row of this format" in ran.err
    assert "--on-refused skip" in ran.err


def test_skipped_records_are_told_and_the_exit_code_says_so(mixed: Cli, tmp_path: Path) -> None:
    ran = mixed(*CHATS, "-o", "o.jsonl", "--on-refused", "skip")
    assert (ran.code, ran.err) == (3, "")
    assert ran.out == (
        "20 records written: ./o.jsonl\n"
        "2 records make no such row and were left out:\n"
        "  2 × no question and answer found (#21, #22)\n"
    )
    assert len((tmp_path / "o.jsonl").read_text().splitlines()) == 20


def test_a_split_says_which_part_is_where(mixed: Cli, tmp_path: Path) -> None:
    ran = mixed(
        *CHATS, "-o", "o.jsonl", "--on-refused", "skip", "--validation", "30%", "--dataset-info"
    )
    lines = ran.out.splitlines()
    counts = {part: len((tmp_path / f"o-{part}.jsonl").read_text().splitlines())
              for part in ("train", "validation")}  # fmt: skip
    assert (ran.code, sum(counts.values())) == (3, 20)
    assert lines[1:5] == [
        f"  train: {counts['train']} records, ./o-train.jsonl",
        f"  validation: {counts['validation']} records, ./o-validation.jsonl",
        "Written: ./o.jsonl.manifest.json",
        "Written: ./dataset_info.json",
    ]
    again = {part: (tmp_path / f"o-{part}.jsonl").read_bytes() for part in counts}
    mixed(*CHATS, "-o", "o.jsonl", "--on-refused", "skip", "--split", "validation=0.3")
    assert {part: (tmp_path / f"o-{part}.jsonl").read_bytes() for part in counts} == again
    mixed(*CHATS, "-o", "o.jsonl", "--on-refused=skip", "--split=validation=0.3", "--seed=1")
    assert {part: (tmp_path / f"o-{part}.jsonl").read_bytes() for part in counts} != again


def test_a_balanced_export_tells_what_there_was(cli: Cli, tmp_path: Path) -> None:
    for name, count in (("a", 5), ("b", 3)):
        file = rows(tmp_path, name, [chat(f"{name}{n}") for n in range(count)])
        cli("import", file, "--dataset", "d")
    ran = cli(*CHATS, "-o", tmp_path / "o.jsonl", "--balance", "category")
    assert (ran.code, ran.out.splitlines()[1:]) == (
        0,
        ["Balanced: 2 records not taken. There were: a.jsonl 5, b.jsonl 3"],
    )
    ran = cli(*CHATS, "-o", tmp_path / "o.jsonl", "--balance", "category=4")
    assert (ran.code, ran.out.splitlines()[2:]) == (3, ["b.jsonl: 1 too few"])


def test_a_dry_run_shows_rows_and_counts_and_writes_nothing(mixed: Cli, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*.jsonl"))
    ran = mixed(*CHATS, "--dry-run", "-o", "o.jsonl")
    assert (ran.code, sorted(tmp_path.rglob("*.jsonl"))) == (0, before)
    assert ran.out.startswith('Row 1:\n{\n  "messages": [')
    assert ran.out.endswith(
        "20 records would be written as 20 rows. Nothing was written.\n"
        "2 records make no such row and were left out:\n"
        "  2 × no question and answer found (#21, #22)\n"
    )
    found = json.loads(mixed("--json", *CHATS, "--dry-run").out)
    assert (found["records"], found["refused"], len(found["first"])) == (
        20,
        {"export_no_chat": 2},
        3,
    )


def test_programs_read_one_object(mixed: Cli) -> None:
    ran = mixed("--json", *CHATS, "-o", "o.jsonl", "--on-refused", "skip", "--manifest")
    found = json.loads(ran.out)
    assert (ran.code, found["records"], found["refused"], found["refused_records"]) == (
        3,
        20,
        {"export_no_chat": 2},
        {"export_no_chat": [21, 22]},
    )
    assert found["manifest"].endswith("o.jsonl.manifest.json")
    assert len(found["sha256"]) == 64


def test_own_words_may_be_the_system_message(mixed: Cli, tmp_path: Path) -> None:
    mixed(*CHATS, "-o", "o.jsonl", "--on-refused", "skip", "--system-text", "只说真话")
    first = json.loads((tmp_path / "o.jsonl").read_text("utf-8").splitlines()[0])
    assert first["messages"][0] == {"role": "system", "content": "只说真话"}


def test_a_suffix_says_the_format(mixed: Cli, tmp_path: Path) -> None:
    assert mixed("export", "--dataset", "d", "-o", "o.parquet").code == 0
    assert (tmp_path / "o.parquet").read_bytes()[:4] == b"PAR1"


def test_the_folder_for_a_hub_is_written_whole(mixed: Cli, tmp_path: Path) -> None:
    words = ("--format", "hf", "-o", "hub", "--on-refused", "skip", "--shape", "messages")
    ran = mixed("export", "--dataset", "d", *words, "--licence", "mit", "--card-language", "zh")
    assert (ran.code, ran.out.splitlines()[:3]) == (
        3,
        ["20 records written: ./hub", "Written: ./hub/manifest.json", "Written: ./hub/README.md"],
    )
    text = (tmp_path / "hub" / "README.md").read_text("utf-8")
    assert "license: mit" in text and "## 概况" in text


def test_both_languages_say_it_in_their_own_words(mixed: Cli) -> None:
    ran = mixed(*CHATS, "-o", "o.jsonl", "--on-refused", "skip", "--lang", "zh")
    assert ran.out == (
        "已写入 20 条：./o.jsonl\n"
        "有 2 条语料写不成这种格式，没有导出：\n"
        "  2 条找不到问和答（#21, #22）\n"
    )


# ---------------------------------------------------------------- push


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    import huggingface_hub

    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    with running_hub() as found:
        yield found
        huggingface_hub.close_session()


def test_a_push_says_what_stands_where(mixed: Cli, hub: Hub) -> None:
    ran = mixed(
        *("push", "d", "--repo", "me/things", "--endpoint", hub.url, "--token-env", "MINE"),
        *("--shape", "messages", "--on-refused", "skip", "--private"),
        env={"MINE": hub.token},
    )
    commit = hub.repos["me/things"].commits["main"][-1]
    assert (ran.code, ran.out.splitlines()[:2]) == (
        3,
        [
            "20 records pushed as 20 rows: me/things, branch main",
            f"Commit {commit}: {hub.url}/datasets/me/things",
        ],
    )
    assert hub.repos["me/things"].private
    assert "MB sent" in ran.err
    assert hub.token not in ran.out + ran.err


def test_a_push_that_fails_is_one_clear_message(mixed: Cli, hub: Hub) -> None:
    ran = mixed(
        *("push", "d", "--repo", "me/things", "--endpoint", hub.url, "--token-env", "MINE"),
        *("--shape", "json", "--debug"),
        env={"MINE": "hf_wrong_token"},
    )
    assert (ran.code, ran.out, hub.repos) == (1, "", {})
    assert "does not accept the token in MINE" in ran.err
    assert "hf_wrong_token" not in ran.err
