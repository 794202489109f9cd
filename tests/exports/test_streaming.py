"""Memory does not grow with the number of rows: in no container, and not by balance and split."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from export_cases import CONTENTS, record

from corpusmith import Studio
from corpusmith.exports import parquet, table
from corpusmith.exports.files import write_file
from corpusmith.exports.formats import format_of
from corpusmith.values import Json

TEXT = "问" * 1000


def peak_bytes(work: Callable[[], Any]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".parquet"])
@pytest.mark.parametrize("form", ["alpaca", "kto_axolotl", "native"])
def test_no_container_keeps_the_rows(
    form: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "GROUP_ROWS", 500)
    for module in (parquet, table):  # where rows wait for the last column
        monkeypatch.setattr(module, "_IN_MEMORY_BYTES", 10_000)
    path = tmp_path / f"x{suffix}"
    chosen = format_of(suffix[1:] if form == "native" else form, str(path), {})
    one: Json = {**CONTENTS["triple"], "more": TEXT}

    def rows(count: int) -> Iterator[Json]:
        for number in range(count):
            yield from chosen.exporter.rows(record(dict(one), number, rating=5))

    def write(count: int) -> None:
        assert write_file(path, chosen.container, rows(count)).rows == count

    write(10)  # what is imported on use is no growth
    few = peak_bytes(lambda: write(500))
    assert peak_bytes(lambda: write(2_000)) < few + 500_000  # of 4 MB more text


WAYS: dict[str, dict[str, Any]] = {
    "whole": {},
    "balance and split": {"balance": "category", "split": "train=0.5,validation=0.5"},
}
SIZES = {"few": 2_000, "many": 4_000}
"""Records are read a thousand at a time, and two such pages may be in memory."""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("studio")
    with Studio(f"sqlite:///{folder / 'store.db'}", language="en") as one:
        for name, count in SIZES.items():
            rows = ({"question": f"{n}?", "answer": f"{n} {TEXT}"} for n in range(count))
            file = folder / f"{name}.jsonl"
            file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
            one.imports.run(file, name)
        yield one


@pytest.mark.parametrize("way", WAYS)
def test_neither_balance_nor_split_keeps_the_records(
    way: str, studio: Studio, tmp_path: Path
) -> None:
    def write(name: str) -> None:
        path = tmp_path / f"{name}.jsonl"
        done = studio.exports.write(path, dataset=name, form="messages", **WAYS[way])
        assert done.rows == SIZES[name]

    write("few")  # what is imported on use is no growth
    few = peak_bytes(lambda: write("few"))
    assert peak_bytes(lambda: write("many")) < few + 500_000  # of 4 MB more text
