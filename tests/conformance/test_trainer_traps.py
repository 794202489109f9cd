"""The traps of FORMATS.md and some more, each shown by the trainer that has it.

A test here says what a trainer does, not what we want: when a newer version does better, the test
fails and the exporter may do less.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from trainers import Refused, Trainers, Turn
from written import (
    ALPACA,
    AXOLOTL_SHAREGPT,
    CHATS,
    DPO,
    KTO,
    MESSAGES,
    TAGS,
    Row,
    alpaca_row,
    describe,
    messages_row,
    pair,
    pair_row,
    reply,
    said,
    sharegpt_columns_row,
    sharegpt_row,
    system,
    trl_pair_row,
    user,
    write,
)

LEGAL = CHATS[2]
"""A chat that every trainer keeps; beside it one sees what is dropped."""
NO_SAMPLES = "Cannot find valid samples"


def load(
    trainers: Trainers, folder: Path, rows: list[Row], entry: Row, stage: str = "sft"
) -> list[Any]:
    write(folder / "rows.jsonl", rows)
    return trainers.load_with_llamafactory(folder, describe(folder, "rows.jsonl", entry), stage)


def test_llamafactory_without_system_tag_drops_rows_that_start_with_a_system_message(
    trainers: Trainers, folder: Path
) -> None:
    tags = {key: value for key, value in TAGS.items() if key != "system_tag"}
    rows = list(map(messages_row, CHATS))
    assert load(trainers, folder, rows, {**MESSAGES, "tags": tags}) == [LEGAL]


def test_llamafactory_with_openai_formatting_adds_to_the_system_message(
    trainers: Trainers, folder: Path
) -> None:
    rows = [messages_row(CHATS[0]), messages_row(LEGAL)]
    own = "detailed thinking off"
    assert load(trainers, folder, rows, {**MESSAGES, "formatting": "openai"}) == [
        [system(f"你是林，茶馆的老板。\n{own}"), *CHATS[0][1:]],
        [system(own), *LEGAL],
    ]


ILLEGAL: dict[str, list[Turn]] = {
    "starts with the assistant": [reply("坐。"), user("喝茶"), reply("好")],
    "a greeting after the system message": [system("林"), reply("坐。"), user("茶"), reply("好")],
    "ends with the user": [user("一"), reply("二"), user("三")],
    "two of one side in a row": [user("一"), user("二"), reply("三")],
    "a system message in the middle": [
        user("一"),
        reply("二"),
        system("三"),
        user("四"),
        reply("五"),
    ],
    "nothing but the system message": [system("林")],
    "empty": [],
}


@pytest.mark.parametrize("chat", ILLEGAL.values(), ids=ILLEGAL)
def test_llamafactory_drops_a_dialogue_in_silence_that(
    chat: list[Turn], trainers: Trainers, folder: Path
) -> None:
    rows = [messages_row(LEGAL), messages_row(chat)]
    assert load(trainers, folder, rows, MESSAGES) == [LEGAL]


def test_llamafactory_refuses_a_file_of_which_it_drops_every_row(
    trainers: Trainers, folder: Path
) -> None:
    rows = [messages_row(ILLEGAL["starts with the assistant"])]
    with pytest.raises(Refused, match=NO_SAMPLES):
        load(trainers, folder, rows, MESSAGES)


def test_trl_and_axolotl_keep_a_dialogue_that_starts_with_the_assistant(
    trainers: Trainers, folder: Path
) -> None:
    chat = ILLEGAL["starts with the assistant"]
    file = write(folder / "rows.jsonl", [messages_row(chat)])
    assert trainers.load_with_trl_sft(file) == [chat]
    assert trainers.load_with_axolotl_chat(file, {}) == [chat]


def test_llamafactory_wants_an_odd_number_of_turns_before_a_pair(
    trainers: Trainers, folder: Path
) -> None:
    even = [user("一"), reply("二"), reply("三")]
    rows = [pair_row(LEGAL, "不"), pair_row(even, "不")]
    assert load(trainers, folder, rows, DPO, "rm") == [pair(LEGAL, "不")]


def test_llamafactory_makes_no_pair_of_answers_in_lists(trainers: Trainers, folder: Path) -> None:
    entry = {**DPO, "columns": {"messages": "prompt", "chosen": "chosen", "rejected": "rejected"}}
    with pytest.raises(Refused, match=NO_SAMPLES):
        load(trainers, folder, [trl_pair_row(LEGAL, "不")], entry, "rm")


def test_llamafactory_without_ranking_refuses_pairs(trainers: Trainers, folder: Path) -> None:
    entry = {key: value for key, value in DPO.items() if key != "ranking"}
    with pytest.raises(Refused, match="not applicable in the current training stage"):
        load(trainers, folder, [pair_row(LEGAL, "不")], entry, "rm")


def test_trl_refuses_a_pair_whose_answers_are_objects(trainers: Trainers, folder: Path) -> None:
    file = write(folder / "rows.jsonl", [pair_row(LEGAL, "不")])
    with pytest.raises(Refused, match="KeyError"):
        trainers.load_with_trl_dpo(file)


def test_axolotl_takes_an_answer_for_the_text_before_it_where_that_contains_it(
    trainers: Trainers, folder: Path
) -> None:
    """It looks for the answer from the start of a made-up chat: `user` is found in the role."""
    file = write(folder / "rows.jsonl", [pair_row([user("1 + 1"), reply("2")], "user")])
    assert trainers.load_with_axolotl_dpo(file) == [
        {
            "chosen": [user("1 + 1"), reply("2")],
            "rejected": [user("1 + 1"), reply("user\n[[dummy_message]]"), reply("user")],
        }
    ]


def test_an_integer_label_is_plain_supervised_training_in_llamafactory(
    trainers: Trainers, folder: Path
) -> None:
    rows = [{**messages_row(chat), "label": 1} for chat in CHATS]
    assert load(trainers, folder, rows, KTO, "sft") == CHATS
    with pytest.raises(Refused, match=NO_SAMPLES):
        load(trainers, folder, rows, KTO, "kto")


def test_llamafactory_drops_a_row_without_a_label(trainers: Trainers, folder: Path) -> None:
    rows = [{**messages_row(LEGAL), "label": label} for label in (True, None, False)]
    assert load(trainers, folder, rows, KTO, "kto") == [
        {"said": LEGAL, "label": label} for label in (True, False)
    ]


def test_llamafactory_takes_an_empty_good_answer_for_a_bad_one(
    trainers: Trainers, folder: Path
) -> None:
    silent = [user("一"), reply("")]
    rows = [{**messages_row(silent), "label": True}, {**messages_row(LEGAL), "label": True}]
    assert load(trainers, folder, rows, KTO, "kto") == [
        {"said": silent, "label": False},
        {"said": LEGAL, "label": True},
    ]


def test_llamafactory_reads_its_list_of_data_sets_with_the_platforms_encoding(
    trainers: Trainers, folder: Path
) -> None:
    """Its process runs where that is ASCII; on a Chinese Windows it is GBK."""
    write(folder / "rows.jsonl", [messages_row(LEGAL)])
    info = {"语料": {"file_name": "rows.jsonl", **MESSAGES}}
    listed = folder / "dataset_info.json"
    listed.write_text(json.dumps(info), "ascii")
    assert trainers.load_with_llamafactory(folder, "语料") == [LEGAL]
    listed.write_text(json.dumps(info, ensure_ascii=False), "utf-8")
    with pytest.raises(Refused, match="codec can't decode"):
        trainers.load_with_llamafactory(folder, "语料")


def test_llamafactory_refuses_a_file_that_lacks_a_named_column(
    trainers: Trainers, folder: Path
) -> None:
    rows = [{key: value for key, value in alpaca_row(LEGAL).items() if key != "history"}]
    with pytest.raises(Refused, match="KeyError: 'history'"):
        load(trainers, folder, rows, ALPACA)


def test_axolotls_alpaca_drops_the_system_prompt_and_the_history(
    trainers: Trainers, folder: Path
) -> None:
    file = write(folder / "rows.jsonl", [alpaca_row(CHATS[1])])
    (row,) = trainers.load_with_axolotl(file, {"type": "alpaca"})
    text = "".join(piece for piece, _ in row["text"])
    found = {word: word in text for word in ("=1+1", "this</b>", "You are Lin.", "Hello")}
    assert found == {"=1+1": True, "this</b>": True, "You are Lin.": False, "Hello": False}


def test_axolotl_puts_an_empty_system_column_into_the_dialogue(
    trainers: Trainers, folder: Path
) -> None:
    row = sharegpt_columns_row(LEGAL)
    file = write(folder / "rows.jsonl", [{**row, "tools": None}])
    assert trainers.load_with_axolotl_chat(file, AXOLOTL_SHAREGPT) == [[system(""), *LEGAL]]


def test_axolotl_refuses_a_file_where_some_rows_have_no_system_prompt(
    trainers: Trainers, folder: Path
) -> None:
    rows = [{**sharegpt_row(LEGAL), "system": one} for one in ("林", None)]
    with pytest.raises(Refused, match="NoneType"):
        trainers.load_with_axolotl_chat(write(folder / "rows.jsonl", rows), AXOLOTL_SHAREGPT)


def test_an_empty_list_of_tools_as_text_breaks_axolotl_and_trl(
    trainers: Trainers, folder: Path
) -> None:
    file = write(folder / "rows.jsonl", [sharegpt_columns_row(CHATS[0])])
    with pytest.raises(Refused, match="JSONDecodeError"):
        trainers.load_with_axolotl_chat(file, AXOLOTL_SHAREGPT)
    file = write(folder / "more.jsonl", [{**messages_row(CHATS[0]), "tools": ""}])
    with pytest.raises(Refused, match="JSONDecodeError"):
        trainers.load_with_trl_sft(file)


@pytest.mark.parametrize(
    ("call", "stops"),
    [
        ("f()", "Invalid JSON format in function message"),
        ('{"name": "f"}', "KeyError: 'arguments'"),
    ],
)
def test_llamafactory_stops_at_a_call_that_is_none(
    call: str, stops: str, trainers: Trainers, folder: Path
) -> None:
    chat = [user("一"), ("function_call", call, True), ("tool", "1", False), reply("二")]
    with pytest.raises(Refused, match=stops):
        load(trainers, folder, [messages_row(LEGAL), messages_row(chat)], MESSAGES)


@pytest.mark.parametrize(
    ("tools", "stops"),
    [
        ("text", "Invalid JSON format in tool description"),
        ('[{"name": "f"}]', "KeyError: 'parameters'"),
        ('[{"name": "f", "parameters": {}}]', "KeyError: 'properties'"),
    ],
)
def test_llamafactory_stops_at_a_function_without_parameters(
    tools: str, stops: str, trainers: Trainers, folder: Path
) -> None:
    entry = {**MESSAGES, "columns": {"messages": "messages", "tools": "tools"}}
    with pytest.raises(Refused, match=stops):
        load(trainers, folder, [{**messages_row(LEGAL), "tools": tools}], entry)


def test_axolotl_does_not_train_on_calls_unless_it_is_told_their_role(
    trainers: Trainers, folder: Path
) -> None:
    call = {"from": "function_call", "value": "{}"}
    row = {"conversations": [*sharegpt_row([user("一")])["conversations"], call]}
    file = write(folder / "rows.jsonl", [row])
    assert trainers.load_with_axolotl_chat(file, AXOLOTL_SHAREGPT) == [
        [user("一"), ("function_call", "{}", False)]
    ]


def test_trl_knows_no_sharegpt_roles_and_drops_a_system_column(
    trainers: Trainers, folder: Path
) -> None:
    row = {**sharegpt_row(LEGAL), "system": "林"}
    file = write(folder / "rows.jsonl", [row])
    with pytest.raises(Refused, match="not conversational"):
        trainers.load_with_trl_sft(file)
    made = trainers.load_with_trl_sft(file, assistant_only_loss=False)
    assert made == [[("human", LEGAL[0][1], True), ("gpt", LEGAL[1][1], True)]]


CSV = {"columns": {key: value for key, value in ALPACA["columns"].items() if key != "history"}}


def csv_row(instruction: str, output: str) -> Row:
    return {"instruction": instruction, "input": "", "output": output, "system": ""}


@pytest.mark.parametrize("word", ["", "NA", "None", "null", "nan", "N/A"])
def test_llamafactory_drops_a_csv_row_whose_answer_reads_as_nothing(
    word: str, trainers: Trainers, folder: Path
) -> None:
    write(folder / "rows.csv", [csv_row("一", "二"), csv_row("三", word)])
    name = describe(folder, "rows.csv", CSV)
    assert trainers.load_with_llamafactory(folder, name) == [[user("一"), reply("二")]]


def test_llamafactory_loses_a_csv_question_that_reads_as_nothing(
    trainers: Trainers, folder: Path
) -> None:
    write(folder / "rows.csv", [csv_row("一", "二"), csv_row("None", "四")])
    name = describe(folder, "rows.csv", CSV)
    assert trainers.load_with_llamafactory(folder, name) == [
        [user("一"), reply("二")],
        [user(""), reply("四")],
    ]


def test_llamafactory_drops_a_csv_whose_answers_are_all_numbers(
    trainers: Trainers, folder: Path
) -> None:
    write(folder / "rows.csv", [csv_row("一加一", "2"), csv_row("一加二", "3")])
    name = describe(folder, "rows.csv", CSV)
    with pytest.raises(Refused, match=NO_SAMPLES):
        trainers.load_with_llamafactory(folder, name)


def test_llamafactory_trains_on_the_guard_of_a_spreadsheet_safe_csv(
    trainers: Trainers, folder: Path
) -> None:
    write(folder / "rows.csv", [csv_row("=1+1", "=2"), csv_row("'=1+1", "'=2")])
    name = describe(folder, "rows.csv", CSV)
    assert trainers.load_with_llamafactory(folder, name) == [
        [user("=1+1"), reply("=2")],
        [user("'=1+1"), reply("'=2")],
    ]


def test_a_csv_of_conversations_is_for_axolotl_alone(trainers: Trainers, folder: Path) -> None:
    cells = [{"messages": json.dumps(messages_row(chat)["messages"])} for chat in CHATS]
    file = write(folder / "rows.csv", cells)
    assert trainers.load_with_axolotl_chat(file, {}) == CHATS
    with pytest.raises(Refused, match="not conversational"):
        trainers.load_with_trl_sft(file)
    with pytest.raises(Refused, match="TypeError"):
        trainers.load_with_llamafactory(folder, describe(folder, "rows.csv", MESSAGES))


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_in_a_field_of_its_own_is_not_trained_on(
    field: str, trainers: Trainers, folder: Path
) -> None:
    """By the template at hand, that is: an export that includes it writes `<think>` instead."""
    row = messages_row(LEGAL)
    row["messages"][1][field] = "他问的是茶"
    file = write(folder / "rows.jsonl", [row])
    assert trainers.load_with_trl_sft(file) == [LEGAL]
    assert trainers.load_with_axolotl_chat(file, {}) == [LEGAL]
    assert trainers.load_with_llamafactory(folder, describe(folder, file.name, MESSAGES)) == [LEGAL]


def test_blanks_at_the_ends_of_a_text_are_trained_on_as_they_are(
    trainers: Trainers, folder: Path
) -> None:
    chat = [user(" 一 "), said("\n二\n"), user("三"), reply("\n X \n")]
    row = pair_row(chat, " Y ")
    file = write(folder / "rows.jsonl", [row])
    assert trainers.load_with_axolotl_dpo(file) == [pair(chat, " Y ")]
    name = describe(folder, "rows.jsonl", DPO)
    assert trainers.load_with_llamafactory(folder, name, "rm") == [pair(chat, " Y ")]
