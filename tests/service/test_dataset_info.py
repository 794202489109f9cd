"""LLaMA-Factory's `dataset_info.json`: entries are merged, and all else in it stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from export_kit import chat, code_of, imported, inside

from corpusmith import Studio


def test_an_entry_is_merged_and_all_others_stay_as_they_are(one: Studio, out: Path) -> None:
    imported(one, out.parent, "d", [chat("甲"), chat("b")])
    out.mkdir()
    info = out / "dataset_info.json"
    there = {"z": {"file_name": "z.json", "n": 1}, "甲": {"hf_hub_url": "a/b"}, "b": 1}
    info.write_text(json.dumps(there, ensure_ascii=False), "utf-8")
    one.exports.write(out / "甲乙.jsonl", dataset="d", form="messages", dataset_info=True)
    found = json.loads(info.read_bytes())
    assert (list(found), info.read_bytes().isascii()) == ([*there, "甲乙"], True)
    assert {name: found[name] for name in there} == there
    assert (found["甲乙"]["file_name"], found["甲乙"]["tags"]["system_tag"]) == (
        "甲乙.jsonl",
        "system",
    )
    once = info.read_bytes()
    one.exports.write(out / "甲乙.jsonl", dataset="d", form="messages", dataset_info=True)
    assert info.read_bytes() == once


def test_an_entry_names_its_file_from_the_folder_of_dataset_info(one: Studio, out: Path) -> None:
    imported(one, out.parent, "d", [chat(str(n)) for n in range(40)])
    done = one.exports.write(
        out / "data" / "o.jsonl",
        dataset="d",
        form="messages",
        split="test=50%",
        dataset_info=out / "lf" / "dataset_info.json",
        dataset_info_name="mine",
    )
    assert done.dataset_info == out / "lf" / "dataset_info.json"
    found = json.loads(done.dataset_info.read_text())
    assert {name: entry["file_name"] for name, entry in found.items()} == {
        "mine-train": "../data/o-train.jsonl",
        "mine-test": "../data/o-test.jsonl",
    }


def test_an_entrys_name_is_one_that_can_be_asked_for(one: Studio, out: Path) -> None:
    """LLaMA-Factory parts what it is asked for at commas, and strips each name."""
    imported(one, out.parent, "d", [chat("a")])
    how: Any = {"dataset": "d", "form": "messages", "dataset_info": True}
    one.exports.write(out / "a, b .jsonl", **how)
    found = json.loads((out / "dataset_info.json").read_text())
    assert {name: entry["file_name"] for name, entry in found.items()} == {"a_ b": "a, b .jsonl"}
    for name in ("a,b", " a", ""):
        wish = {**how, "dataset_info_name": name}
        assert code_of(lambda wish=wish: one.exports.write(out / "o.jsonl", **wish)) == (
            "export_info_name"
        )
    assert inside(out) == ["a, b .jsonl", "dataset_info.json"]


@pytest.mark.parametrize(
    ("there", "code"),
    [
        (b"{broken", "export_info_broken"),
        (b"[]", "export_info_broken"),
        (b'{"a": "\xff"}', "export_info_broken"),
        (b"[" * 100_000, "export_info_broken"),
        (b'{"o": {"file_name": "another.jsonl"}}', "export_info_taken"),
        (b'{"o": 3}', "export_info_taken"),
    ],
)
def test_a_file_that_cannot_be_merged_into_stays_untouched(
    one: Studio, out: Path, there: bytes, code: str
) -> None:
    imported(one, out.parent, "d", [chat("a")])
    out.mkdir()
    (out / "dataset_info.json").write_bytes(there)
    how: Any = {"dataset": "d", "form": "messages", "dataset_info": True}
    assert code_of(lambda: one.exports.write(out / "o.jsonl", **how)) == code
    assert ((out / "dataset_info.json").read_bytes(), inside(out)) == (there, ["dataset_info.json"])
