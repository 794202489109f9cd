"""Where exports lie and what they are called: the hub's layout, parts of a split, several files in
one folder, names of any script."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from stocked import KINDS, Stock
from trainers import LOCALE_C, Trainers, Turn, Worker
from ways import chats
from written import MESSAGES

HALVES = "train=0.5,validation=0.5"


def test_a_folder_for_the_hub_is_loaded_with_its_splits_by_all_who_read_the_hub(
    stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    stocked.export("dialogue", folder / "hub", "hf", shape="messages", split=HALVES)
    parts = {
        split: [
            _chat(row["messages"]) for row in trainers.load_with_datasets(folder / "hub", split)
        ]
        for split in ("train", "validation")
    }
    expected = chats(KINDS["dialogue"], stocked.contents("dialogue"))
    assert sorted([*parts["train"], *parts["validation"]]) == sorted(expected)
    assert trainers.load_with_trl_sft(folder / "hub") == parts["train"]
    assert trainers.load_with_axolotl_chat(folder / "hub", {}) == parts["train"]


def test_llamafactory_reads_the_folder_for_the_hub_by_its_card(
    stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    """An entry that names a data set on the hub may name a folder here as well."""
    stocked.export("dialogue", folder / "hub", "hf", shape="messages", split=HALVES)
    info = {
        split: {"hf_hub_url": str(folder / "hub"), "split": split, **MESSAGES}
        for split in ("train", "validation")
    }
    (folder / "dataset_info.json").write_text(json.dumps(info), "ascii")
    for split in info:
        rows = trainers.load_with_datasets(folder / "hub", split)
        assert trainers.load_with_llamafactory(folder, split) == [
            _chat(row["messages"]) for row in rows
        ]


def test_the_parts_of_a_split_have_entries_of_their_own(
    stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    stocked.export("dialogue", folder / "rows.jsonl", "messages", "llamafactory", split=HALVES)
    names = list(json.loads((folder / "dataset_info.json").read_text("ascii")))
    arrived = [chat for name in names for chat in trainers.load_with_llamafactory(folder, name)]
    assert len(names) == 2
    assert sorted(arrived) == sorted(chats(KINDS["dialogue"], stocked.contents("dialogue")))


def test_exports_into_one_folder_are_all_listed(
    stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    for name, kind in {"语料": "template", "sft": "rounds"}.items():
        file = folder / f"{kind}.jsonl"
        stocked.export(kind, file, "messages", "llamafactory", dataset_info_name=name)
    for name, kind in {"语料": "template", "sft": "rounds"}.items():
        expected = chats(KINDS[kind], stocked.contents(kind))
        assert trainers.load_with_llamafactory(folder, name) == expected


def test_a_name_with_a_comma_can_be_asked_for(
    stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    """LLaMA-Factory takes several names with commas between them."""
    stocked.export("template", folder / "tea, wine.jsonl", "messages", "llamafactory")
    expected = chats(KINDS["template"], stocked.contents("template"))
    assert trainers.load_with_llamafactory(folder, "tea_ wine") == expected


def test_a_chinese_file_name_is_found_where_the_locale_knows_no_chinese(
    stocked: Stock, model: Path, folder: Path, tmp_path: Path
) -> None:
    """In the locale C Python speaks UTF-8 by itself, unless it is told not to (as the other process
    here is, so as to have another encoding for what is in files); on Windows names of files are
    Unicode whatever the code page. So a name in Chinese is no trap."""
    stocked.export("template", folder / "语料.jsonl", "messages", "llamafactory")
    worker = Worker("llamafactory", model, tmp_path, LOCALE_C)
    try:
        trainers = Trainers(trl=worker, llamafactory=worker, axolotl=worker)
        expected = chats(KINDS["template"], stocked.contents("template"))
        assert trainers.load_with_llamafactory(folder, "语料") == expected
    finally:
        worker.end()


def _chat(messages: Sequence[Mapping[str, str]]) -> list[Turn]:
    return [(one["role"], one["content"], one["role"] == "assistant") for one in messages]
