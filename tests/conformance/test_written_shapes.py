"""Every shape of FORMATS.md, written by hand: each row arrives whole, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from trainers import Trainers, Turn
from written import (
    ALPACA,
    AXOLOTL_KTO,
    AXOLOTL_SHAREGPT,
    CHATS,
    DPO,
    DPO_ALPACA,
    KTO,
    MESSAGES,
    SHAREGPT,
    SHAREGPT_COLUMNS,
    alpaca_row,
    context,
    describe,
    message,
    messages_row,
    pair,
    pair_row,
    reply,
    sharegpt_columns_row,
    sharegpt_row,
    trl_pair_row,
    user,
    write,
)

BAD = ["不知道。", "No.\n", "无"]
PAIRS = [pair(chat, bad) for chat, bad in zip(CHATS, BAD, strict=True)]
LABELS = [True, False, True]
JUDGED = [
    {"said": [*context(chat), chat[-1]], "label": label}
    for chat, label in zip(CHATS, LABELS, strict=True)
]
SFT_SHAPES: list[tuple[str, dict[str, Any], Callable[[list[Turn]], dict[str, Any]]]] = [
    ("messages", MESSAGES, messages_row),
    ("alpaca", ALPACA, alpaca_row),
    ("sharegpt", SHAREGPT, sharegpt_row),
    ("sharegpt_columns", SHAREGPT_COLUMNS, sharegpt_columns_row),
]


@pytest.mark.parametrize(("shape", "entry", "row"), SFT_SHAPES)
@pytest.mark.parametrize("ending", ["jsonl", "json"])
def test_llamafactory_trains_on_every_row_of_a_shape(
    shape: str,
    entry: dict[str, Any],
    row: Callable[[list[Turn]], dict[str, Any]],
    ending: str,
    trainers: Trainers,
    folder: Path,
) -> None:
    file = write(folder / f"{shape}.{ending}", map(row, CHATS))
    assert trainers.load_with_llamafactory(folder, describe(folder, file.name, entry)) == CHATS


@pytest.mark.parametrize("ending", ["jsonl", "json"])
def test_trl_trains_on_every_row_of_messages(ending: str, trainers: Trainers, folder: Path) -> None:
    file = write(folder / f"sft.{ending}", map(messages_row, CHATS))
    assert trainers.load_with_trl_sft(file) == CHATS


@pytest.mark.parametrize("ending", ["jsonl", "json"])
def test_axolotl_trains_on_every_row_of_messages(
    ending: str, trainers: Trainers, folder: Path
) -> None:
    file = write(folder / f"sft.{ending}", map(messages_row, CHATS))
    assert trainers.load_with_axolotl_chat(file, {}) == CHATS


def test_axolotl_trains_on_every_row_of_sharegpt(trainers: Trainers, folder: Path) -> None:
    file = write(folder / "sft.jsonl", map(sharegpt_row, CHATS))
    assert trainers.load_with_axolotl_chat(file, AXOLOTL_SHAREGPT) == CHATS


def test_axolotl_trains_on_every_row_of_alpaca(trainers: Trainers, folder: Path) -> None:
    file = write(
        folder / "sft.jsonl",
        [
            {"instruction": "今天喝什么？", "input": "", "output": "龙井。\n「请坐」"},
            {"instruction": "Add", "input": "1 and 2", "output": "3"},
        ],
    )
    begin = "Below is an instruction that describes a task"
    plain = f"{begin}. Write a response that appropriately completes the request.\n\n"
    paired = (
        f"{begin}, paired with an input that provides further context. "
        "Write a response that appropriately completes the request.\n\n"
    )
    prompts = [
        f"{plain}### Instruction:\n今天喝什么？\n\n### Response:\n",
        f"{paired}### Instruction:\nAdd\n\n### Input:\n1 and 2\n\n### Response:\n",
    ]
    answers = ["龙井。\n「请坐」<|im_end|>", "3<|im_end|>"]
    assert trainers.load_with_axolotl(file, {"type": "alpaca"}) == [
        {"text": [[prompt, False], [answer, True]]}
        for prompt, answer in zip(prompts, answers, strict=True)
    ]


def test_llamafactory_trains_on_every_pair(trainers: Trainers, folder: Path) -> None:
    write(folder / "dpo.jsonl", map(pair_row, CHATS, BAD))
    name = describe(folder, "dpo.jsonl", DPO)
    assert trainers.load_with_llamafactory(folder, name, "rm") == PAIRS


def test_axolotl_trains_on_every_pair(trainers: Trainers, folder: Path) -> None:
    file = write(folder / "dpo.jsonl", map(pair_row, CHATS, BAD))
    assert trainers.load_with_axolotl_dpo(file) == PAIRS


def test_trl_trains_on_every_pair(trainers: Trainers, folder: Path) -> None:
    file = write(folder / "dpo.jsonl", map(trl_pair_row, CHATS, BAD))
    assert trainers.load_with_trl_dpo(file) == PAIRS


def test_llamafactory_trains_on_every_pair_of_alpaca(trainers: Trainers, folder: Path) -> None:
    rows = [
        {"instruction": "今天喝什么？", "input": "", "chosen": "龙井", "rejected": "水"},
        {"instruction": "Add", "input": "1 and 2", "chosen": "3", "rejected": "4"},
    ]
    write(folder / "dpo.json", rows)
    name = describe(folder, "dpo.json", DPO_ALPACA)
    assert trainers.load_with_llamafactory(folder, name, "rm") == [
        pair([user("今天喝什么？"), reply("龙井")], "水"),
        pair([user("Add\n1 and 2"), reply("3")], "4"),
    ]


def test_llamafactory_trains_on_every_label(trainers: Trainers, folder: Path) -> None:
    rows = [
        {**messages_row(chat), "label": label} for chat, label in zip(CHATS, LABELS, strict=True)
    ]
    write(folder / "kto.jsonl", rows)
    name = describe(folder, "kto.jsonl", KTO)
    assert trainers.load_with_llamafactory(folder, name, "kto") == JUDGED


def test_trl_trains_on_every_label(trainers: Trainers, folder: Path) -> None:
    rows = [
        {
            "prompt": [message(turn) for turn in chat[:-1]],
            "completion": [message(chat[-1])],
            "label": label,
        }
        for chat, label in zip(CHATS, LABELS, strict=True)
    ]
    assert trainers.load_with_trl_kto(write(folder / "kto.jsonl", rows)) == JUDGED


def test_axolotl_trains_on_every_label(trainers: Trainers, folder: Path) -> None:
    rows = [
        {"prompt": "用户：{今天}喝什么？\n", "completion": "龙井", "label": True},
        {"prompt": "User: hello", "completion": "Go away", "label": False},
    ]
    file = write(folder / "kto.jsonl", rows)
    assert trainers.load_with_axolotl(file, AXOLOTL_KTO, rl="kto") == [
        {
            "text": [[row["prompt"], False], [row["completion"], True]],
            "label": row["label"],
        }
        for row in rows
    ]


def test_every_trainer_trains_on_every_row_of_a_parquet_file(
    trainers: Trainers, folder: Path
) -> None:
    file = folder / "sft.parquet"
    pq.write_table(pa.Table.from_pylist([messages_row(chat) for chat in CHATS]), file)
    assert trainers.load_with_trl_sft(file) == CHATS
    assert trainers.load_with_axolotl_chat(file, {}) == CHATS
    name = describe(folder, file.name, MESSAGES)
    assert trainers.load_with_llamafactory(folder, name) == CHATS


def test_llamafactory_trains_on_every_row_of_a_csv_file(trainers: Trainers, folder: Path) -> None:
    chats = [CHATS[0], CHATS[2]]
    rows = [alpaca_row(chat) for chat in chats]
    for row in rows:
        del row["history"]
    write(folder / "sft.csv", rows)
    entry = {
        "columns": {key: value for key, value in ALPACA["columns"].items() if key != "history"}
    }
    name = describe(folder, "sft.csv", entry)
    assert trainers.load_with_llamafactory(folder, name) == chats


def test_a_folder_in_the_hubs_layout_is_read_with_its_splits(
    trainers: Trainers, folder: Path
) -> None:
    (folder / "data").mkdir()
    parts = {"train": CHATS[:2], "validation": CHATS[2:]}
    for split, chats in parts.items():
        table = pa.Table.from_pylist([messages_row(chat) for chat in chats])
        pq.write_table(table, folder / "data" / f"{split}-00000-of-00001.parquet")
    files = [{"split": split, "path": f"data/{split}-*"} for split in parts]
    front = json.dumps({"configs": [{"config_name": "default", "data_files": files}]})
    (folder / "README.md").write_text(f"---\n{front}\n---\n# 数据\n", "utf-8")
    for split, chats in parts.items():
        rows = trainers.load_with_datasets(folder, split)
        assert rows == [messages_row(chat) for chat in chats]
    assert trainers.load_with_trl_sft(folder) == parts["train"]
    assert trainers.load_with_axolotl_chat(folder, {}) == parts["train"]
