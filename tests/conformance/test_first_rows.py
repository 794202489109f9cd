"""Loaders take a file's types from its first rows: what they do then, and that our files are safe.

All three trainers read files by Hugging Face's `datasets`; each environment has its own version.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_trainer_traps import NO_SAMPLES, csv_row
from trainers import Refused, Trainers
from written import ALPACA, CHATS, Row, alpaca_row, describe, reply, sharegpt_row, user, write

from corpusmith.exports.files import write_file
from corpusmith.exports.formats import format_of

LONG = "茶" * 400_000
"""Ten of these are more than the first 10 MiB."""
TOOLS = json.dumps([{"name": "f", "parameters": {"properties": {}}}])


def plain(count: int = 10) -> Iterator[Row]:
    for _ in range(count):
        yield {**sharegpt_row([user(LONG), reply("好")]), "tools": None}


def without_history(count: int = 10) -> Iterator[Row]:
    for _ in range(count):
        yield alpaca_row([user(LONG), reply("好")])


LATE: dict[str, tuple[list[Row], Row]] = {
    "sharegpt": ([*plain()], {**sharegpt_row(CHATS[2]), "tools": TOOLS}),
    "alpaca": ([*without_history()], alpaca_row(CHATS[1])),
}
"""Format → rows that leave a field empty, and the first that fills it."""


@pytest.mark.parametrize("form", LATE)
def test_a_field_that_is_filled_after_the_first_10_mib_stops_the_loader(
    form: str, trainers: Trainers, folder: Path
) -> None:
    rows, late = LATE[form]
    with pytest.raises(Refused, match="DatasetGenerationError"):
        trainers.load_with_datasets(write(folder / "rows.jsonl", [*rows, late]))


@pytest.mark.parametrize("form", LATE)
def test_an_export_with_such_a_field_is_loaded_whole(
    form: str, trainers: Trainers, folder: Path
) -> None:
    rows, late = LATE[form]
    chosen = format_of(form, "rows.jsonl", {})
    path = folder / "rows.jsonl"
    write_file(path, chosen.container, [*rows, late])
    found = trainers.load_with_datasets(path)
    assert len(found) == 11 and found.count(late) == 1 and found.count(rows[0]) == 10
    entry = dict(chosen.exporter.dataset_info(path.name) or {})
    name = describe(folder, path.name, entry)
    made = trainers.llamafactory.rows(
        "load", folder=str(folder), name=name, stage="sft", max_samples=1
    )
    assert len(made) == 1  # it has read all, and prepared this one


def in_csv(count: int, output: str = "好") -> list[Row]:
    return [csv_row("茶", output)] * count


def test_a_csv_column_that_is_filled_after_the_first_10000_rows_stops_the_loader(
    trainers: Trainers, folder: Path
) -> None:
    rows = [*in_csv(10_000), {**csv_row("三", "四"), "input": "五"}]
    with pytest.raises(Refused, match="DatasetGenerationError"):
        trainers.load_with_datasets(write(folder / "rows.csv", rows))
    path = folder / "ours.csv"
    write_file(path, format_of("alpaca", path.name, {}).container, rows)
    found = trainers.load_with_datasets(path)
    assert len(found) == 10_001 and [one["input"] for one in found if one["input"]] == ["五"]


def test_numbers_in_later_rows_of_a_csv_are_changed_in_silence(
    trainers: Trainers, folder: Path
) -> None:
    rows = [*in_csv(10_000), csv_row("一", "007"), csv_row("二", "")]
    found = trainers.load_with_datasets(write(folder / "rows.csv", rows))
    assert [one["output"] for one in found[-2:]] == ["7", None]


@pytest.mark.parametrize("ending", ["jsonl", "json"])
@pytest.mark.parametrize("answer", ["2024-12-01", "2024-12-01 10:00", "2024-12-01T10:00:00+08:00"])
def test_answers_that_are_all_times_reach_no_trainer_as_texts(
    answer: str, ending: str, trainers: Trainers, folder: Path
) -> None:
    rows: list[Any] = [alpaca_row([user(one), reply(answer)]) for one in "一二"]
    file = write(folder / f"rows.{ending}", rows)
    assert answer not in [row["output"] for row in trainers.load_with_datasets(file)]
    name = describe(folder, file.name, ALPACA)
    if ending == "jsonl":  # its older `datasets` reads arrays in another way
        with pytest.raises(Refused, match=NO_SAMPLES):
            trainers.load_with_llamafactory(folder, name)


@pytest.mark.parametrize("answer", ["2024-12-01 10:00:00.5", "10:00", "2024", "1e5", "true", "NA"])
def test_other_answers_are_texts_in_json(answer: str, trainers: Trainers, folder: Path) -> None:
    rows = [alpaca_row([user(one), reply(answer)]) for one in "一二"]
    file = write(folder / "rows.jsonl", rows)
    assert trainers.load_with_llamafactory(folder, describe(folder, file.name, ALPACA)) == [
        [user(one), reply(answer)] for one in "一二"
    ]


def test_times_are_texts_in_parquet(trainers: Trainers, folder: Path) -> None:
    rows = [alpaca_row([user(one), reply("2024-12-01")]) for one in "一二"]
    path = folder / "rows.parquet"
    chosen = format_of("alpaca", path.name, {})
    write_file(path, chosen.container, rows)
    assert trainers.load_with_datasets(path) == rows
    name = describe(folder, path.name, dict(chosen.exporter.dataset_info(path.name) or {}))
    assert trainers.load_with_llamafactory(folder, name) == [
        [user(one), reply("2024-12-01")] for one in "一二"
    ]


def test_one_row_of_text_makes_texts_of_all(trainers: Trainers, folder: Path) -> None:
    rows = [alpaca_row([user(LONG[:1000]), reply("2024-12-01")])] * 2_000
    rows.append(alpaca_row([user("一"), reply("今天")]))
    found = trainers.load_with_datasets(write(folder / "rows.jsonl", rows))
    assert {row["output"] for row in found} == {"2024-12-01", "今天"}
