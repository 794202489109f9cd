"""The table of `tests/exports/test_matrix.py`, read by the trainers: every row that a kind of
record gives in a format is loaded by whoever reads that format, and all formats tell the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import test_matrix as matrix
from trainers import Trainers, Turn
from ways import CHATS, LABELS, PAIRS, Load, axolotl_kto, trl_completions
from written import describe

from corpusmith.exports.files import write_file
from corpusmith.exports.formats import format_of

READERS: Mapping[str, tuple[str, Load]] = {
    **{f"chats {name}": way for name, way in CHATS.items()},
    **{f"pairs {name}": way for name, way in PAIRS.items()},
    **{f"labels {name}": way for name, way in LABELS.items()},
    "completions trl": ("prompt_completion", trl_completions),
    "labels axolotl": ("kto_axolotl", axolotl_kto),
}


def load(reader: str, names: list[str], trainers: Trainers, folder: Path) -> list[Any]:
    """What arrives of these kinds of records, all in one file."""
    form, way = READERS[reader]
    path = folder / "my_ds.jsonl"
    chosen = format_of(form, path.name, {})
    rows = [row for name in names for row in chosen.exporter.rows(matrix.kind(name))]
    write_file(path, chosen.container, rows)
    if entry := chosen.exporter.dataset_info(path.name):
        describe(folder, path.name, dict(entry))
    return list(way(trainers, path))


def kinds(form: str) -> dict[str, int]:
    """Those that give rows, with how many."""
    told = {name: matrix.wanted(name, form) for name in matrix.KINDS}
    return {name: cell for name, cell in told.items() if isinstance(cell, int)}


@pytest.mark.parametrize("reader", READERS)
def test_every_row_of_every_kind_is_loaded(reader: str, trainers: Trainers, folder: Path) -> None:
    given = kinds(READERS[reader][0])
    assert len(load(reader, [*given], trainers, folder)) == sum(given.values()) > 5


def untrained(chats: list[list[Turn]]) -> list[list[tuple[str, str]]]:
    return [[turn[:2] for turn in chat] for chat in chats]


def test_all_chat_formats_tell_the_same_to_every_trainer(trainers: Trainers, folder: Path) -> None:
    names = [*kinds("messages")]
    readers = [*(f"chats {name}" for name in CHATS), "completions trl"]
    arrived = {reader: untrained(load(reader, names, trainers, folder)) for reader in readers}
    assert len(arrived["chats trl"]) == len(names)
    assert arrived == dict.fromkeys(readers, arrived["chats trl"])


@pytest.mark.parametrize(("group", "ways"), [("pairs", PAIRS), ("labels", LABELS)])
def test_all_formats_of_preferences_tell_the_same_to_every_trainer(
    group: str, ways: Mapping[str, Any], trainers: Trainers, folder: Path
) -> None:
    names = [*kinds("dpo" if group == "pairs" else "kto")]
    readers = [f"{group} {name}" for name in ways]
    arrived = {reader: load(reader, names, trainers, folder) for reader in readers}
    assert arrived == dict.fromkeys(readers, arrived[readers[0]])
