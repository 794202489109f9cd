"""Rows written by hand in the shapes of FORMATS.md, and the entries that go with them.

Owns: the conversations, each shape of them, `dataset_info.json`. The real exporters write their
own; here stands what the trainers are known to read.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from trainers import Turn

Row = dict[str, Any]

TAGS = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "observation_tag": "tool",
    "function_tag": "function_call",
    "system_tag": "system",
}
MESSAGES = {"formatting": "sharegpt", "columns": {"messages": "messages"}, "tags": TAGS}
ALPACA = {
    "columns": {
        "prompt": "instruction",
        "query": "input",
        "response": "output",
        "system": "system",
        "history": "history",
    }
}
SHAREGPT = {"formatting": "sharegpt", "columns": {"messages": "conversations"}}
SHAREGPT_COLUMNS = {
    "formatting": "sharegpt",
    "columns": {"messages": "conversations", "system": "system", "tools": "tools"},
}
DPO = {
    "formatting": "sharegpt",
    "ranking": True,
    "columns": {"messages": "messages", "chosen": "chosen", "rejected": "rejected"},
    "tags": TAGS,
}
DPO_ALPACA = {
    "ranking": True,
    "columns": {
        "prompt": "instruction",
        "query": "input",
        "chosen": "chosen",
        "rejected": "rejected",
    },
}
KTO = {
    "formatting": "sharegpt",
    "columns": {"messages": "messages", "kto_tag": "label"},
    "tags": TAGS,
}

AXOLOTL_SHAREGPT = {
    "field_messages": "conversations",
    "message_property_mappings": {"role": "from", "content": "value"},
}
AXOLOTL_KTO = {
    "type": {"field_prompt": "prompt", "field_completion": "completion", "field_label": "label"}
}


def system(text: str) -> Turn:
    return ("system", text, False)


def user(text: str) -> Turn:
    return ("user", text, False)


def reply(text: str) -> Turn:
    """What an assistant says and is trained to say."""
    return ("assistant", text, True)


def said(text: str) -> Turn:
    """What an assistant said before, as context."""
    return ("assistant", text, False)


# Quotes, lines, tags, a formula, braces and wide characters: all of it is text.
CHATS: list[list[Turn]] = [
    [system("你是林，茶馆的老板。"), user("今天喝什么？"), reply("龙井。\n「请坐」")],
    [
        system("You are Lin."),
        user("Hello {name}"),
        reply('<think>She greets.</think>\nHi "there" 👋'),
        user("=1+1, or not?"),
        reply("\\n is two characters; <b>this</b> is text"),
    ],
    [user("没有系统提示"), reply("也可以")],
]
ROLES = {"system": "system", "user": "human", "assistant": "gpt"}


def message(turn: Turn) -> Row:
    return {"role": turn[0], "content": turn[1]}


def messages_row(chat: Sequence[Turn]) -> Row:
    return {"messages": [message(turn) for turn in chat]}


def sharegpt_row(chat: Sequence[Turn]) -> Row:
    """The system prompt is the first line: beside the conversation it breaks axolotl's rows."""
    return {"conversations": [{"from": ROLES[role], "value": text} for role, text, _ in chat]}


def sharegpt_columns_row(chat: Sequence[Turn]) -> Row:
    """As LLaMA-Factory's own pages have it: the system prompt and tools beside the conversation."""
    first = chat[0][1] if chat[0][0] == "system" else ""
    return {
        **sharegpt_row([turn for turn in chat if turn[0] != "system"]),
        "system": first,
        "tools": "",
    }


def alpaca_row(chat: Sequence[Turn]) -> Row:
    first = chat[0][1] if chat[0][0] == "system" else ""
    texts = [text for role, text, _ in chat if role != "system"]
    return {
        "instruction": texts[-2],
        "input": "",
        "output": texts[-1],
        "system": first,
        "history": [list(pair) for pair in zip(texts[:-2:2], texts[1:-2:2], strict=True)],
    }


def pair_row(chat: Sequence[Turn], rejected: str) -> Row:
    """The shape of LLaMA-Factory and axolotl: the answers are objects."""
    return {
        "messages": [message(turn) for turn in chat[:-1]],
        "chosen": message(chat[-1]),
        "rejected": {"role": "assistant", "content": rejected},
    }


def trl_pair_row(chat: Sequence[Turn], rejected: str) -> Row:
    """TRL's shape: the answers are lists."""
    return {
        "prompt": [message(turn) for turn in chat[:-1]],
        "chosen": [message(chat[-1])],
        "rejected": [{"role": "assistant", "content": rejected}],
    }


def context(chat: Sequence[Turn]) -> list[Turn]:
    """The chat before its last answer; nothing of it is trained on."""
    return [(role, text, False) for role, text, _ in chat[:-1]]


def pair(chat: Sequence[Turn], rejected: str) -> dict[str, list[Turn]]:
    """What preference training should make of a pair."""
    return {
        "chosen": [*context(chat), chat[-1]],
        "rejected": [*context(chat), reply(rejected)],
    }


def write(path: Path, rows: Iterable[Row]) -> Path:
    """The rows as JSON lines, a JSON array or CSV, by the name's ending."""
    made = list(rows)
    if path.suffix == ".jsonl":
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made)
    elif path.suffix == ".json":
        text = json.dumps(made, ensure_ascii=False)
    else:
        with path.open("w", encoding="utf-8", newline="") as out:
            table = csv.DictWriter(out, list(made[0]))
            table.writeheader()
            table.writerows(made)
        return path
    path.write_text(text, "utf-8")
    return path


def describe(folder: Path, file_name: str, entry: Row) -> str:
    """Write `dataset_info.json`, ASCII-escaped; returns the data set's name."""
    info = {"my_ds": {"file_name": file_name, **entry}}
    (folder / "dataset_info.json").write_text(json.dumps(info), "ascii")
    return "my_ds"
