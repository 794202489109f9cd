"""One fixed set of records of every kind, and the golden files that come of them.

python tests/exports/export_cases.py    writes the golden files anew; read the diff
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from corpusmith import registry
from corpusmith.errors import UsageError
from corpusmith.exports.formats import format_of
from corpusmith.values import Json, Record

GOLDEN = Path(__file__).parent / "golden"

ROUNDS = [
    {"question": "什么是递归？", "answer": "不知道。", "correction": "函数调用自己。"},
    {"question": "举例？", "answer": "没有。", "correction": "阶乘：n! = n × (n-1)!"},
]
CONTENTS: dict[str, Json] = {
    "dialogue_zh": {
        "scenario_labels": ["日常对话"],
        "dialogues": [
            {"role": "user", "content": "早上好！\n今天吃什么？😀"},
            {"role": "assistant", "content": "“豆浆”配油条\u2028怎么样？"},
            {"role": "user", "content": "好"},
            {"role": "assistant", "content": "<think>他同意了。</think>\n那就这么定了。"},
        ],
        "turn_count": 2,
        "batch_id": "batch_20241201_143022",
        "generation_time": "2024-12-01T14:30:22",
    },
    "greeting_en": {
        "scenario_labels": ["tavern"],
        "dialogues": [
            {"role": "assistant", "content": '*looks up* "Oh, hello, stranger."'},
            {"role": "user", "content": "Hi, Wren."},
            {"role": "assistant", "content": "What will it be?"},
        ],
        "turn_count": 1,
    },
    "chat_with_system": {
        "messages": [
            {"role": "system", "content": "Answer in one word."},
            {"role": "user", "content": "2+2?"},
            {"role": "assistant", "content": "Four.", "reasoning_content": "Two and two."},
        ],
        "topic": "sums",
    },
    "chat_two_users": {
        "messages": [
            {"role": "user", "content": "在吗"},
            {"role": "user", "content": "问个事"},
            {"role": "assistant", "content": "请说"},
            {"role": "assistant", "content": " "},
            {"role": "user", "content": "算了"},
        ]
    },
    "chat_with_tool": {
        "messages": [
            {"role": "user", "content": "Weather in Bergen?"},
            {"role": "function_call", "content": '{"name": "weather", "arguments": {}}'},
            {"role": "tool", "content": '{"sky": "rain"}'},
            {"role": "assistant", "content": "It rains."},
        ],
        "tools": '[{"name": "weather", "parameters": {"type": "object", "properties": {}}}]',
    },
    "kto_true": {
        "messages": [
            {"role": "user", "content": "q"},
            {"role": "assistant", "content": "good"},
        ],
        "label": True,
    },
    "kto_false": {
        "messages": [
            {"role": "user", "content": "q"},
            {"role": "assistant", "content": "bad"},
        ],
        "label": False,
    },
    "pair": {
        "messages": [
            {"role": "user", "content": "Say it."},
            {"role": "assistant", "content": "What?"},
            {"role": "user", "content": "“It”."},
        ],
        "chosen": {"role": "assistant", "content": "It."},
        "rejected": {"role": "assistant", "content": "No."},
    },
    "qa": {"question": "水的沸点？", "answer": "标准大气压下 100 °C。", "evidence": "…"},
    "alpaca": {
        "instruction": "翻译成英文",
        "input": "你好，世界",
        "output": "Hello, world",
        "system": "你是译者。",
        "history": [["先试一句：谢谢", "Thanks"]],
    },
    "prompt_response": {"prompt": "Name a bird.", "response": "Wren"},
    "summary": {"title": "雨", "text": "昨夜下了一场大雨。", "summary": "下雨了。"},
    "classification": {"text": "=1+1 太好了", "label": "positive", "reason": "praise"},
    "rounds": {"id": "r1-000001", "rounds": ROUNDS},
    "triple": {"id": "r1-000002", **ROUNDS[0]},
    "refinement": {
        "question": "短视频开头怎么抓人？",
        "initial_answer": "加音乐。",
        "final_answer": "前三秒抛出冲突。",
        "refinement_process": [
            {"answer": "加音乐。", "critique": "太空泛"},
            {"answer": "先给结果。", "critique": "可以更具体"},
            {"answer": "前三秒抛出冲突。", "critique": "最终优化版本"},
        ],
    },
    "refinement_unchanged": {
        "question": "q",
        "initial_answer": "a",
        "final_answer": "a",
        "refinement_process": [{"answer": "a", "critique": "初始回答"}],
    },
    "feedback_good": {"user_input": "hi", "model_response": "hello", "rating": 5, "id": "f1"},
    "feedback_middling": {"user_input": "hi", "model_response": "hey", "rating": 3, "id": "f2"},
    "feedback_bad": {"user_input": "hi", "model_response": "no", "rating": 1, "id": "f3"},
    "unknown_fields": {"甲": "a", "乙": "b"},
    "no_object": "text",
}
RATINGS = {"dialogue_zh": 4.5, "qa": 1.5}
SYSTEM = {"dialogue_zh": "你是林，一位早餐店老板。", "greeting_en": "You are Wren."}

GOLDENS: dict[str, tuple[str, str, dict[str, Json]]] = {
    **{
        name: (name, f"x.{registry.load('exporter', name).container}", {})
        for name in registry.names("exporter")
        if name != "parquet"  # bytes that differ by pyarrow's version: read back in test_parquet.py
    },
    "messages_mended": (
        "messages",
        "x.jsonl",
        {"system": "character", "reasoning": True, "greeting": "opener", "mend": True},
    ),
    "messages_single_rounds": (
        "messages",
        "x.jsonl",
        {"rounds": "single", "greeting": "system", "system": "own", "system_text": "简短。"},
    ),
    "alpaca_csv": ("alpaca", "x.csv", {}),
    "dpo_steps": ("dpo", "x.jsonl", {"refinement": "steps", "rounds": "single"}),
    "fields": ("alpaca", "x.jsonl", {"prompt_field": "甲", "answer_field": "乙"}),
}
"""Name of the golden file → (format, file name, options)"""


def record(content: Json, number: int = 1, system: str = "", **more: Any) -> Record:
    """A record as the service hands it over: with its character's prompt."""
    return Record(
        id=number,
        task_id=1,
        dataset_id=None,
        category="c",
        ordinal=number,
        sample=0,
        content=content,
        provenance={"system": system},
        labels={},
        state="pending",
        committed=True,
        created_at="2024-12-01T14:30:22",
        **more,
    )


def records() -> Iterator[tuple[str, Record]]:
    """Every kind by its name."""
    for number, (name, content) in enumerate(CONTENTS.items(), 1):
        yield name, record(content, number, SYSTEM.get(name, ""), rating=RATINGS.get(name))


def golden(name: str) -> tuple[bytes, bytes]:
    """(the file, who was refused and why as JSON) of one golden export."""
    form, path, options = GOLDENS[name]
    chosen = format_of(form, path, options)
    rows: list[Json] = []
    refused: dict[str, str] = {}
    for kind, one in records():
        try:
            if not isinstance(one.content, dict) and chosen.container.name == "csv":
                continue  # what is no row stops a CSV: see test_table.py
            rows += chosen.exporter.rows(one)
        except UsageError as error:
            refused[kind] = error.reason
    out = io.BytesIO()
    chosen.container.write(rows, out)
    told = orjson.dumps(refused, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return out.getvalue(), told


def places(name: str) -> tuple[Path, Path]:
    """Where the two golden files of an export stand."""
    suffix = Path(GOLDENS[name][1]).suffix
    return GOLDEN / f"{name}{suffix}", GOLDEN / f"{name}.refused.json"


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for one in GOLDENS:
        for place, data in zip(places(one), golden(one), strict=True):
            place.write_bytes(data)
