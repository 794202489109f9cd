"""What trainers drop in silence (FORMATS.md): refused with the reason, mended, or made legal.

`llama_factory` below follows LLaMA-Factory's own converters, rule by rule, so that these tests say
what becomes of a row there and not what we think that it should look like.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import export_cases
import pytest
from export_cases import record

from corpusmith import registry
from corpusmith.errors import UsageError
from corpusmith.exports.formats import format_of
from corpusmith.values import Json

USER = {"role": "user", "content": "u"}
REPLY = {"role": "assistant", "content": "a"}
SYSTEM = {"role": "system", "content": "s"}


def said(*turns: Mapping[str, Json]) -> dict[str, Json]:
    return {"messages": [dict(turn) for turn in turns]}


def rows(form: str, content: Json, **options: Json) -> list[Any]:
    return list(format_of(form, "x.jsonl", options).exporter.rows(record(content, 42)))


def messages(content: Json, **options: Json) -> list[tuple[str, str]]:
    (row,) = rows("messages", content, **options)
    return [(turn["role"], turn["content"]) for turn in row["messages"]]


def refusal(form: str, content: Json, **options: Json) -> str:
    with pytest.raises(UsageError) as caught:
        rows(form, content, **options)
    assert caught.value.data["record"] == 42
    return caught.value.reason


# ---------------------------------------------------------------- LLaMA-Factory, as it reads


def llama_factory(entry: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any] | None:
    """What its converters make of a row; None: it drops it."""
    columns, tags = entry["columns"], entry.get("tags", {})
    if entry.get("formatting") != "sharegpt":
        return _alpaca(entry, columns, row)
    role, content = tags.get("role_tag"), tags.get("content_tag")
    turns = list(row[columns["messages"]])
    system = row[columns["system"]] if columns.get("system") else ""
    if tags.get("system_tag") and turns and turns[0][role] == tags["system_tag"]:
        system = turns.pop(0)[content]
    odd = (tags.get("user_tag"), tags.get("observation_tag"))
    even = (tags.get("assistant_tag"), tags.get("function_tag"))
    for at, turn in enumerate(turns):
        if turn[role] not in (even if at % 2 else odd):
            return None
    if len(turns) % 2 != bool(entry.get("ranking")):
        return None
    told = {"system": system, "turns": [turn[content] for turn in turns]}
    if columns.get("kto_tag") and isinstance(row[columns["kto_tag"]], bool):
        return told | {"label": row[columns["kto_tag"]]}
    if entry.get("ranking"):
        pair = (row[columns["chosen"]], row[columns["rejected"]])
        if not all(isinstance(one, dict) and one[role] in even for one in pair):
            return None
        return told | {"pair": [one[content] for one in pair]}
    return told


def _alpaca(
    entry: Mapping[str, Any], columns: Mapping[str, str], row: Mapping[str, Any]
) -> dict[str, Any] | None:
    def part(name: str) -> Any:
        return row[columns[name]] if columns.get(name) else None

    history = part("history") if isinstance(part("history"), list) else []
    asked = "\n".join(text for text in (part("prompt"), part("query")) if text)
    turns = [text for pair in history for text in pair] + [asked]
    told = {"system": part("system") or ""}
    if entry.get("ranking"):
        pair = [part("chosen"), part("rejected")]
        return (
            told | {"turns": turns, "pair": pair}
            if all(isinstance(one, str) for one in pair)
            else None
        )
    answer = part("response")
    return told | {"turns": [*turns, answer]} if isinstance(answer, str) else None


CHATS = ("messages", "sharegpt", "alpaca")
READ_THERE = [name for name in registry.names("exporter") if name in CHATS] + [
    *("dpo", "dpo_alpaca", "kto")
]


@pytest.mark.parametrize("form", READ_THERE)
def test_llama_factory_keeps_every_row_of_every_kind(form: str) -> None:
    chosen = format_of(form, "x.jsonl", {"mend": True, "greeting": "opener"})
    entry = chosen.exporter.dataset_info("x.jsonl")
    assert entry is not None
    kept = 0
    for _, one in export_cases.records():
        try:
            made = chosen.exporter.rows(one)
        except UsageError:
            continue
        assert None not in [llama_factory(entry, row) for row in made]
        kept += len(made)
    assert kept >= 5


@pytest.mark.parametrize("form", CHATS)
def test_llama_factory_reads_the_same_chat_from_each_format(form: str) -> None:
    content = said(SYSTEM, USER, REPLY, {**USER, "content": "u2"}, {**REPLY, "content": "a2"})
    exporter = format_of(form, "x.jsonl", {}).exporter
    (row,) = exporter.rows(record(content))
    told = llama_factory(exporter.dataset_info("x.jsonl") or {}, row)
    assert told == {"system": "s", "turns": ["u", "a", "u2", "a2"]}


def test_trap_1_the_entry_names_every_tag_so_that_system_messages_stay() -> None:
    (row,) = rows("messages", said(SYSTEM, USER, REPLY))
    entry = dict(format_of("messages", "x", {}).exporter.dataset_info("x.jsonl") or {})
    assert entry == {
        "file_name": "x.jsonl",
        "formatting": "sharegpt",
        "columns": {"messages": "messages"},
        "tags": {
            "role_tag": "role",
            "content_tag": "content",
            "user_tag": "user",
            "assistant_tag": "assistant",
            "observation_tag": "tool",
            "function_tag": "function_call",
            "system_tag": "system",
        },
    }
    assert llama_factory(entry, row) is not None
    tags = {name: tag for name, tag in entry["tags"].items() if name != "system_tag"}
    assert llama_factory(entry | {"tags": tags}, row) is None


@pytest.mark.parametrize("form", READ_THERE)
def test_trap_2_no_entry_has_the_formatting_openai(form: str) -> None:
    entry = format_of(form, "x.jsonl", {}).exporter.dataset_info("x.jsonl") or {}
    assert entry.get("formatting", "alpaca") in ("sharegpt", "alpaca")


@pytest.mark.parametrize(
    ("form", "path"),
    [
        *((form, "x.csv") for form in ("messages", "sharegpt", "dpo", "kto")),
        *((form, "x.data") for form in READ_THERE),
        *((form, "x.jsonl") for form in ("dpo_trl", "kto_trl", "kto_axolotl", "prompt_completion")),
        ("jsonl", "x.jsonl"),
    ],
)
def test_a_file_that_llama_factory_cannot_read_has_no_entry(form: str, path: str) -> None:
    assert format_of(form, path, {}).exporter.dataset_info(path) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (said(), "export_last_turn"),
        (said(SYSTEM), "export_last_turn"),
        (said(USER), "export_last_turn"),
        (said(USER, REPLY, USER), "export_last_turn"),
        (said(REPLY, USER, REPLY), "export_greeting"),
        (said(USER, USER, REPLY), "export_turn_order"),
        (said(USER, REPLY, REPLY), "export_turn_order"),
        (said(USER, SYSTEM, REPLY), "export_system_place"),
        (said(SYSTEM, SYSTEM, USER, REPLY), "export_system_several"),
        (said(SYSTEM, SYSTEM, USER, REPLY), "export_system_several"),
        (said(USER, {**REPLY, "content": " \n"}), "export_turn_empty"),
        (said({**USER, "content": ""}, REPLY), "export_turn_empty"),
        (said(USER, {"role": "narrator", "content": "x"}), "export_turn_role"),
        (said(USER, {"role": "assistant"}), "export_turn_shape"),
        (said(USER, {"role": "assistant", "content": ["x"]}), "export_turn_shape"),
        ({"messages": "text"}, "export_turn_shape"),
        ({"messages": ["text"]}, "export_turn_shape"),
        (said(USER, {**REPLY, "tool_calls": [{"id": 1}]}), "export_tool_calls"),
        (said(USER, REPLY) | {"tools": [{"name": "x"}]}, "export_tools"),
        (said(USER, REPLY) | {"label": False}, "export_unwanted"),
        (said(USER, {**REPLY, "content": "<think>only"}), "export_turn_empty"),
        ({"question": "q", "answer": ""}, "export_field"),
        ({"question": "q", "answer": 4}, "export_field"),
        ({"甲": "q"}, "export_no_chat"),
        (None, "export_no_chat"),
        ({"rounds": "text"}, "export_turn_shape"),
        ({"rounds": []}, "export_turn_shape"),
        ({"rounds": [{"question": "q", "answer": "a"}]}, "export_field"),
        ({"instruction": "q", "output": "a", "history": [["x"]]}, "export_turn_shape"),
    ],
)
def test_trap_3_what_would_be_dropped_is_refused_with_its_reason(
    content: Json, reason: str
) -> None:
    assert refusal("messages", content) == reason


def test_trap_3_a_greeting_gets_a_users_hello_in_its_language() -> None:
    zh, en = ({**REPLY, "content": text} for text in ("欢迎光临", "Welcome"))
    assert messages(said(zh, USER, REPLY), greeting="opener")[0] == ("user", "你好。")
    assert messages(said(en, USER, REPLY), greeting="opener")[0] == ("user", "Hello.")
    assert messages(said(en, USER, REPLY), greeting="opener", opener="Hey")[0] == ("user", "Hey")


def test_trap_3_a_greeting_moves_into_the_system_message() -> None:
    content = said(SYSTEM, {**REPLY, "content": "欢迎光临"}, USER, REPLY)
    assert messages(content, greeting="system") == [
        ("system", "s\n\n你的开场白：\n欢迎光临"),
        ("user", "u"),
        ("assistant", "a"),
    ]


def test_trap_3_mending_merges_and_drops_what_it_says_and_no_more() -> None:
    blank = {"role": "assistant", "content": "  "}
    content = said(SYSTEM, SYSTEM, USER, blank, USER, REPLY, {**REPLY, "content": "b"}, USER)
    assert messages(content, mend=True) == [
        ("system", "s\ns"),
        ("user", "u\nu"),
        ("assistant", "a\nb"),
    ]


def test_mending_keeps_the_reasoning_of_both_before_the_whole_answer() -> None:
    content = said(USER, {**REPLY, "reasoning": "r1"}, {**REPLY, "reasoning": "r2"})
    assert messages(content, mend=True, reasoning=True)[1] == (
        "assistant",
        "<think>r1\n\nr2</think>\na\na",
    )


def test_mending_leaves_nothing_to_mend_alone() -> None:
    assert messages(said(USER, REPLY), mend=True) == [("user", "u"), ("assistant", "a")]


@pytest.mark.parametrize("content", [said(USER, SYSTEM, REPLY), said(USER), said(SYSTEM)])
def test_what_mending_cannot_mend_is_still_refused(content: Json) -> None:
    assert refusal("messages", content, mend=True) in ("export_system_place", "export_last_turn")


def test_trap_5_only_a_spreadsheet_safe_table_guards_formulas(tmp_path: Any) -> None:
    from corpusmith.exports.files import write_file

    def text(**options: Json) -> str:
        chosen = format_of("alpaca", "x.csv", options)
        made = chosen.exporter.rows(record({"question": "=1+1", "answer": "@x"}))
        write_file(tmp_path / "x.csv", chosen.container, made)
        return (tmp_path / "x.csv").read_text("utf-8").splitlines()[1]

    assert (text(), text(spreadsheet_safe=True)) == ("=1+1,,@x,", "'=1+1,,'@x,")


REASONED = [
    {"content": "<think>r</think>\na"},
    {"content": "<think>\nr\n</think>\n\na"},
    {"content": "<thinking>r</thinking>a"},
    {"content": "r</think>a"},
    {"content": "a", "reasoning_content": "r"},
    {"content": "a", "reasoning": "r"},
    {"content": "<think>r</think>\na", "reasoning_content": "r"},
]


@pytest.mark.parametrize("reply", REASONED)
def test_trap_6_reasoning_is_one_thing_however_it_came(reply: dict[str, Json]) -> None:
    content = said(USER, {"role": "assistant", **reply})
    assert messages(content)[1] == ("assistant", "a")
    assert messages(content, reasoning=True)[1] == ("assistant", "<think>r</think>\na")


@pytest.mark.parametrize(
    "text",
    ["use the <think> tag", "`</think>` ends it", "a < b", "<b>r</b>a", "like <think>x</think>"],
)
def test_talk_of_tags_is_no_reasoning(text: str) -> None:
    assert messages(said(USER, {**REPLY, "content": text}))[1] == ("assistant", text)


def test_what_a_user_says_is_never_taken_for_reasoning() -> None:
    user = {**USER, "content": "<think>x</think>y"}
    assert messages(said(user, REPLY))[0] == ("user", "<think>x</think>y")


def test_reasoning_of_pairs_is_in_both_answers_or_in_none() -> None:
    content = {
        "prompt": "q",
        "chosen": "<think>r</think>\ngood",
        "rejected": {"role": "assistant", "content": "bad", "reasoning_content": "s"},
    }
    (out,) = rows("dpo", content)
    assert (out["chosen"]["content"], out["rejected"]["content"]) == ("good", "bad")
    (inside,) = rows("dpo", content, reasoning=True)
    assert (inside["chosen"]["content"], inside["rejected"]["content"]) == (
        "<think>r</think>\ngood",
        "<think>s</think>\nbad",
    )


@pytest.mark.parametrize("form", ["kto", "kto_trl", "kto_axolotl"])
def test_labels_are_booleans_and_never_numbers(form: str) -> None:
    for label in (True, False):
        (row,) = rows(form, said(USER, REPLY) | {"label": label})
        assert row["label"] is label
        assert json.loads(json.dumps(row))["label"] is label


def test_pairs_in_trls_lists_have_no_entry_as_llama_factory_would_make_nothing_of_them() -> None:
    (row,) = rows("dpo_trl", export_cases.CONTENTS["pair"])
    entry = dict(format_of("dpo", "x.jsonl", {}).exporter.dataset_info("x.jsonl") or {})
    as_dpo = entry | {"columns": entry["columns"] | {"messages": "prompt"}}
    assert llama_factory(as_dpo, row) is None
    assert format_of("dpo_trl", "x.jsonl", {}).exporter.dataset_info("x.jsonl") is None


@pytest.mark.parametrize("form", ["alpaca", "dpo_alpaca"])
def test_a_csv_has_no_history_and_refuses_what_needs_one(form: str) -> None:
    chosen = format_of(form, "x.csv", {})
    assert "history" not in (chosen.exporter.columns or {})
    assert "history" not in (chosen.exporter.dataset_info("x.csv") or {})["columns"]
    with pytest.raises(UsageError) as caught:
        chosen.exporter.rows(record(export_cases.CONTENTS["rounds"]))
    assert caught.value.reason == "export_history"
