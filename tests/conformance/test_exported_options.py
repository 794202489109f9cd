"""What options of an export do to the chats, seen by the trainers: system prompts, greetings,
reasoning, tools."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from stocked import GREETINGS, KINDS, RULES, Stock
from trainers import Trainers, Turn
from ways import CHATS, LABELS, PAIRS, chats, judged, pairs
from written import AXOLOTL_SHAREGPT, reply, system, user, write


@pytest.mark.parametrize("reader", CHATS)
def test_a_system_prompt_of_ones_own_reaches_every_trainer(
    reader: str, stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    form, load = CHATS[reader]
    path = folder / "rows.jsonl"
    stocked.export("dialogue", path, form, reader, system="own", system_text=RULES)
    expected = chats(KINDS["dialogue"], stocked.contents("dialogue"))
    assert load(trainers, path) == [[system(RULES), *chat] for chat in expected]


@pytest.mark.parametrize("reader", CHATS)
def test_the_characters_system_prompt_reaches_every_trainer(
    reader: str, stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    form, load = CHATS[reader]
    path = folder / "rows.jsonl"
    stocked.export("dialogue", path, form, reader, system="character")
    arrived = load(trainers, path)
    names = [record.labels["character"] for record in stocked.records("dialogue")]
    assert [chat[0][0] for chat in arrived] == ["system"] * len(names)
    assert all(name in chat[0][1] for name, chat in zip(names, arrived, strict=True))
    assert [chat[1:] for chat in arrived] == chats(KINDS["dialogue"], stocked.contents("dialogue"))


def ruled(chat: Sequence[Turn]) -> list[Turn]:
    """With our own system prompt in the place of another."""
    return [system(RULES), *(turn for turn in chat if turn[0] != "system")]


@pytest.mark.parametrize("kind", ["rounds", "selfplay", "pairs"])
@pytest.mark.parametrize("reader", PAIRS)
def test_a_system_prompt_of_ones_own_stands_before_pairs(
    reader: str, kind: str, stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    form, load = PAIRS[reader]
    path = folder / "rows.jsonl"
    stocked.export(kind, path, form, reader, system="own", system_text=RULES)
    expected = pairs(KINDS[kind], stocked.contents(kind))
    assert load(trainers, path) == [
        {name: ruled(chat) for name, chat in one.items()} for one in expected
    ]


@pytest.mark.parametrize("kind", ["selfplay", "labels", "label chats"])
@pytest.mark.parametrize("reader", LABELS)
def test_a_system_prompt_of_ones_own_stands_before_labelled_answers(
    reader: str, kind: str, stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    form, load = LABELS[reader]
    path = folder / "rows.jsonl"
    stocked.export(kind, path, form, reader, system="own", system_text=RULES)
    expected = judged(KINDS[kind], stocked.contents(kind))
    assert load(trainers, path) == [{**one, "said": ruled(one["said"])} for one in expected]


@pytest.mark.parametrize("reader", CHATS)
def test_a_greeting_that_is_moved_into_the_system_message_reaches_every_trainer(
    reader: str, stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    form, load = CHATS[reader]
    path = folder / "rows.jsonl"
    stocked.export("greeting", path, form, reader, greeting="system")
    heads = ("你的开场白：", "Your opening words:")
    assert load(trainers, path) == [
        [system(f"{head}\n{chat[0][1]}"), *chat[1:]]
        for head, chat in zip(heads, GREETINGS, strict=True)
    ]


def test_reasoning_is_trained_on_when_the_export_includes_it_and_not_otherwise(
    stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    place = folder / "thoughts.jsonl"
    asked = {"role": "user", "content": "1+1?"}
    ways = [
        {"role": "assistant", "content": "二", "reasoning_content": "数一数"},
        {"role": "assistant", "content": "二", "reasoning": "数一数"},
        {"role": "assistant", "content": "<think>数一数</think>\n二"},
    ]
    rows = [json.dumps({"messages": [asked, way], "id": n}) for n, way in enumerate(ways)]
    place.write_text("\n".join(rows), "utf-8")
    task = stocked.studio.imports.run(place, "thoughts").task_id
    for reasoning, text in {True: "<think>数一数</think>\n二", False: "二"}.items():
        path = folder / f"{reasoning}.jsonl"
        stocked.studio.exports.write(
            path, task=task, form="messages", reasoning=reasoning, dataset_info=True
        )
        expected = [[("user", "1+1?", False), ("assistant", text, True)]] * len(ways)
        assert trainers.load_with_trl_sft(path) == expected
        assert trainers.load_with_axolotl_chat(path, {}) == expected
        assert trainers.load_with_llamafactory(folder, path.stem) == expected


# ---------------------------------------------------------------- tools

WEATHER = {
    "name": "weather",
    "description": "天气",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
CALL = '{"name": "weather", "arguments": {"city": "北京"}}'
TALK = [("human", "北京冷吗？"), ("function_call", CALL), ("observation", "3"), ("gpt", "冷，3 度")]
SPOKEN = [user("北京冷吗？"), reply(CALL), ("tool", "3", False), reply("冷，3 度")]


@pytest.fixture
def called(stocked: Stock, folder: Path, trainers: Trainers) -> Path:
    """A conversation with a tool and one without, as ShareGPT."""
    plain = {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}
    lines = [{"from": who, "value": text} for who, text in TALK]
    rows = [{"conversations": lines, "tools": json.dumps([WEATHER])}, plain]
    task = stocked.studio.imports.run(write(folder / "in.jsonl", rows), "tools").task_id
    path = folder / "rows.jsonl"
    stocked.studio.exports.write(path, task=task, form="sharegpt", dataset_info=True)
    return path


def test_llamafactory_is_told_of_tools_and_trained_to_call_them(
    called: Path, trainers: Trainers
) -> None:
    with_tool, plain = trainers.load_with_llamafactory(called.parent, called.stem)
    told, *said = with_tool
    assert told[0] == "system" and "weather" in told[1] and "天气" in told[1]
    action = 'Action: weather\nAction Input: {"city": "北京"}'  # its own notation
    assert said == [SPOKEN[0], reply(action), *SPOKEN[2:]]
    assert plain == [user("a"), reply("b")]


def test_axolotl_is_trained_to_call_tools_when_it_knows_the_roles(
    called: Path, trainers: Trainers
) -> None:
    roles = {"assistant": ["gpt", "function_call"], "user": ["human"], "tool": ["observation"]}
    config = {**AXOLOTL_SHAREGPT, "roles": roles}
    assert trainers.load_with_axolotl_chat(called, config) == [SPOKEN, [user("a"), reply("b")]]
