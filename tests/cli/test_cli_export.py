"""`corpusmith export` and `push`: what is said, exit codes, and what programs read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Cli
from typer.main import get_group

from corpusmith.cli import export
from corpusmith.cli.option_names import options_named
from corpusmith.errors import UsageError
from corpusmith.messages import LANGUAGES, catalog
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
    assert "Of 22 records, 2 make no row of this format" in ran.err
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
    ran = mixed(*CHATS, "--dry-run", "-o", "o.jsonl", "--on-refused", "skip")
    assert (ran.code, sorted(tmp_path.rglob("*.jsonl"))) == (3, before)
    assert ran.out.startswith('Row 1:\n{\n  "messages": [')
    assert ran.out.endswith(
        "20 records would be written as 20 rows. Nothing was written.\n"
        "2 records make no such row and were left out:\n"
        "  2 × no question and answer found (#21, #22)\n"
    )
    found = json.loads(mixed("--json", *CHATS, "--dry-run").out)
    assert (found["records"], found["refused"], len(found["first"]), found["stops"]) == (
        20,
        {"export_no_chat": 2},
        3,
        True,
    )


def test_a_dry_run_says_that_the_export_would_stop(mixed: Cli) -> None:
    ran = mixed(*CHATS, "--dry-run")
    assert ran.out.splitlines()[-3:] == [
        "20 records make 20 rows. Nothing was written.",
        "2 records make no such row, so the export would stop (--on-refused skip leaves them out):",
        "  2 × no question and answer found (#21, #22)",
    ]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--format", "json"), 0),
        (("--format", "messages"), 2),
        (("--format", "messages", "--on-refused", "skip"), 3),
        (("--format", "dpo", "--on-refused", "skip"), 2),
        (("--format", "json", "--balance", "category=30"), 3),
        (("--format", "json", "--split", "train=0.999999,tiny=0.000001"), 2),
        (("--format", "messages", "--system", "character"), 2),
        (("--format", "hf", "--state", "approved"), 2),
    ],
)
def test_a_dry_run_ends_as_the_export_would(
    words: tuple[str, ...], code: int, mixed: Cli, tmp_path: Path
) -> None:
    line = ("export", "--dataset", "d", "-o", "o", *words)
    assert (mixed(*line, "--dry-run").code, mixed(*line).code) == (code, code)


# ---------------------------------------------------------------- said in the CLI's own words


SPELLED: dict[str, tuple[tuple[str, ...], str]] = {
    "a greeting": (("--format", "messages"), "--greeting opener"),
    "an option of another format": (
        ("--format", "messages", "--bom"),
        '"--bom" here. It has: --sy',
    ),
    "a wrong value": (("--format", "messages", "--greeting", "x"), "The option --greeting has no"),
    "half of a pair": (
        ("--format", "messages", "--system", "own"),
        "--system-text and --system own",
    ),
    "fields": (
        ("--format", "messages", "--prompt-field", "q"),
        "--prompt-field and --answer-field",
    ),
    "thresholds": (("--format", "kto", "--good", "1"), "--good (1) must be more than --bad (2)"),
    "pairs": (("--format", "dpo", "--pairs-margin", "2"), "--pairs-margin belong to --pairs"),
    "a balance of pairs": (
        ("--format", "dpo", "--pairs", "rating", "--balance", "category"),
        "--balance does not go with --pairs",
    ),
}


@pytest.mark.parametrize("name", SPELLED)
def test_options_are_called_as_they_are_typed(name: str, cli: Cli, tmp_path: Path) -> None:
    words, said = SPELLED[name]
    greeted = {"messages": [{"role": "assistant", "content": "hi"}, *chat("q")["messages"]]}
    cli("import", rows(tmp_path, "d", [greeted]), "--dataset", "d")
    ran = cli("export", "--dataset", "d", "-o", tmp_path / "o.jsonl", *words)
    assert (ran.code, said in ran.err) == (2, True), ran.err


def test_python_is_told_in_its_own_words() -> None:
    said = UsageError("export_greeting", record=1).message("en")
    assert 'greeting="opener"' in said
    assert "--greeting opener" in options_named(said)


def test_every_option_that_a_text_names_is_one_of_the_command() -> None:
    typed = {
        word
        for language in LANGUAGES
        for key, text in catalog(language).items()
        if key.startswith("error.export_")
        for word in re.findall(r"--[a-z-]+", options_named(text))
    }
    (command,) = get_group(export.app).commands.values()
    spelled = {word for param in command.params for word in param.opts}
    assert typed <= spelled
    assert not any(
        re.search(r"\b[a-z]+_[a-z_]+=", options_named(text))
        for language in LANGUAGES
        for key, text in catalog(language).items()
        if key.startswith("error.export_")
    )


# ---------------------------------------------------------------- which records


def test_what_each_filter_leaves_is_told_when_nothing_is_left(mixed: Cli, tmp_path: Path) -> None:
    words = ("--state", "approved", "--category", "d.jsonl", "--unflagged")
    ran = mixed(*CHATS, "-o", "o.jsonl", *words)
    assert ran.out.splitlines() == [
        "There are no such records; the file holds none: ./o.jsonl",
        "Of the 22 records there are, each filter alone leaves: "
        "--category d.jsonl 22, --state approved 0, --unflagged 22.",
    ]
    (tmp_path / "o.jsonl").write_text("mine")
    ran = mixed(*CHATS, "-o", "o.jsonl", "--min-rating", "4.5")
    assert (ran.code, "each filter alone leaves: --min-rating 4.5 0." in ran.err) == (2, True)


def test_a_scenario_that_is_not_there_is_answered_with_those_that_are(
    cli: Cli, tmp_path: Path
) -> None:
    one = {"scenario_labels": ["good news"], "dialogues": chat("q")["messages"], "turn_count": 1}
    cli("import", rows(tmp_path, "d", [one]), "--dataset", "d")
    ran = cli(*CHATS, "-o", tmp_path / "o.jsonl", "--scenario", "bad news")
    assert ran.out.endswith('leaves: --scenario "bad news" 0. There are: good news 1.\n')


def test_a_character_that_nobody_knows_is_an_error(mixed: Cli, tmp_path: Path) -> None:
    ran = mixed(*CHATS, "-o", "o.jsonl", "--system", "character")
    assert (ran.code, (tmp_path / "o.jsonl").exists()) == (2, False)
    assert "None of the 22 records has a character that is known (none named × 22)" in ran.err


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
