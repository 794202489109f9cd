"""Data sets of Hugging Face: from folders on the disk, and clear words when there is no network."""

from __future__ import annotations

import datetime
import subprocess
import sys
from pathlib import Path

import pytest

from corpusmith.errors import UsageError
from corpusmith.messages import LANGUAGES
from corpusmith.readers.hub import read_hub

TRIPLE = {"question": "问？", "answer": "答。", "correction": "更正。"}


def lines(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, "utf-8")


def refused(name: str, **options: str) -> tuple[str, dict[str, object]]:
    with pytest.raises(UsageError) as caught:
        list(read_hub(name, **options))
    for language in LANGUAGES:
        assert str(caught.value.data["name"]) in caught.value.message(language)
    return caught.value.reason, caught.value.data


def test_a_folder_of_data_files_is_read_by_its_splits(tmp_path: Path) -> None:
    lines(tmp_path / "set", "train.jsonl", '{"a": "中", "n": 1}\n{"a": "文", "n": 2}\n')
    lines(tmp_path / "set", "test.jsonl", '{"a": "试", "n": 3}\n')
    name = str(tmp_path / "set")
    assert list(read_hub(name)) == [{"a": "中", "n": 1}, {"a": "文", "n": 2}]
    assert list(read_hub(name, split="test")) == [{"a": "试", "n": 3}]
    reason, data = refused(name, split="dev")
    assert (reason, data["known"]) == ("hub_no_split", "train, test")


def test_a_saved_data_set_is_read_with_times_as_text(tmp_path: Path) -> None:
    import datasets

    rows = [
        {**TRIPLE, "at": datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), "raw": b"\0"}
    ]
    made = datasets.Dataset.from_list(rows)
    datasets.DatasetDict({"a": made, "b": made}).save_to_disk(str(tmp_path / "several"))
    made.save_to_disk(str(tmp_path / "one"))
    wanted = [{**TRIPLE, "at": "2024-01-02T03:04:05+00:00", "raw": None}]
    assert list(read_hub(str(tmp_path / "one"))) == wanted
    assert list(read_hub(str(tmp_path / "several"), split="b")) == wanted
    reason, data = refused(str(tmp_path / "several"))
    assert (reason, data["known"]) == ("hub_which_split", "a, b")


def test_a_data_set_of_several_parts_asks_which(tmp_path: Path) -> None:
    card = "".join(f"- config_name: {one}\n  data_files: {one}.jsonl\n" for one in "xy")
    lines(tmp_path / "set", "README.md", f"---\nconfigs:\n{card}---\n")
    lines(tmp_path / "set", "x.jsonl", '{"a": 1}\n')
    lines(tmp_path / "set", "y.jsonl", '{"a": 2}\n')
    name = str(tmp_path / "set")
    assert list(read_hub(name, config="y")) == [{"a": 2}]
    for wish in ({}, {"config": "z"}):
        reason, data = refused(name, **wish)
        assert (reason, data["known"]) == ("hub_no_config", "x, y")


def test_a_data_set_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    lines(tmp_path / "set", "train.jsonl", '{"a": 1\n')
    (tmp_path / "empty").mkdir()
    assert refused(str(tmp_path / "set"))[0] == "hub_broken"
    assert refused(str(tmp_path / "empty"))[0] == "hub_not_found"


def test_without_a_network_it_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets.config
    import huggingface_hub.constants

    # Their own switch: else they try for half a minute.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    assert refused("aligner/aligner-20K")[0] == "hub_unreachable"


def test_a_missing_library_names_the_extra() -> None:
    code = (
        "import sys\n"
        "sys.modules['datasets'] = None\n"
        "from corpusmith.readers.hub import read_hub\n"
        "try: list(read_hub('a/b'))\n"
        "except Exception as error: print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'corpusmith[hub]'" in said.stdout
