"""What each kind of record gives: chats, pairs, labels, by the options."""

from __future__ import annotations

from typing import Any

import pytest
from export_cases import CONTENTS, record

from corpusmith import registry
from corpusmith.errors import NotFound, UsageError
from corpusmith.exports.formats import SUFFIXES, container_of, format_of, option_names
from corpusmith.exports.options import OPTIONS
from corpusmith.values import Json


def rows(form: str, content: Json, *, rating: float | None = None, **options: Json) -> list[Any]:
    one = record(content, 42, system="p", rating=rating)
    return list(format_of(form, "x.jsonl", options).exporter.rows(one))


def reason(form: str, content: Json, **options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        rows(form, content, **options)
    return caught.value.reason


QA: Json = {"question": "q", "answer": "a"}

# ---------------------------------------------------------------- fields


@pytest.mark.parametrize(
    "names",
    [
        *(("question", "answer"), ("prompt", "response"), ("prompt", "completion")),
        *(("prompt", "answer"), ("query", "response"), ("query", "answer"), ("input", "output")),
        *(("user_input", "model_response"), ("text", "summary"), ("text", "label")),
        *(("instruction", "output"), ("instruction", "response"), ("instruction", "answer")),
        *(("指令", "输出"), ("问题", "答案"), ("问题", "回答"), ("question", "final_answer")),
    ],
)
def test_known_names_are_a_prompt_and_its_answer(names: tuple[str, str]) -> None:
    content = {names[1]: "a", "other": 1, names[0]: "q"}
    (row,) = rows("prompt_completion", content)
    assert (row["prompt"][-1]["content"], row["completion"][0]["content"]) == ("q", "a")


def test_other_names_are_named_by_options_which_win_over_known_ones() -> None:
    content = {**QA, "body": "b", "title": "t"}
    (row,) = rows("alpaca", content, prompt_field="body", answer_field="title")
    assert (row["instruction"], row["output"]) == ("b", "t")


def test_an_instruction_and_its_input_are_joined_where_there_is_no_place_for_both() -> None:
    (row,) = rows("messages", CONTENTS["alpaca"])
    assert row["messages"][-2]["content"] == "翻译成英文\n你好，世界"
    (row,) = rows("alpaca", CONTENTS["alpaca"])
    assert {name: row[name] for name in CONTENTS["alpaca"]} == CONTENTS["alpaca"]


# ---------------------------------------------------------------- system messages


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, "own"),
        ({"system": "none"}, "own"),
        ({"system": "character"}, "p"),
        ({"system": "own", "system_text": "t"}, "t"),
    ],
)
def test_a_given_system_message_takes_the_place_of_the_records_own(
    options: dict[str, Json], wanted: str
) -> None:
    content = {"messages": [{"role": "system", "content": "own"}, *_turns()]}
    (row,) = rows("sharegpt", content, **options)
    assert row["conversations"][0] == {"from": "system", "value": wanted}
    (row,) = rows("messages", content, **options)
    assert [turn["content"] for turn in row["messages"]] == [wanted, "u", "a"]


def _turns() -> list[Json]:
    return [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]


def test_a_character_that_is_not_known_gives_no_system_message() -> None:
    exporter = format_of("alpaca", "x.jsonl", {"system": "character"}).exporter
    (row,) = exporter.rows(record(QA))
    assert row["system"] == ""


# ---------------------------------------------------------------- pairs and labels


def test_rounds_are_one_chat_or_one_for_each_round() -> None:
    history = rows("messages", CONTENTS["rounds"])
    single = rows("messages", CONTENTS["rounds"], rounds="single")
    assert [len(row["messages"]) for row in history] == [4]
    assert [len(row["messages"]) for row in single] == [2, 2]
    assert [one for row in single for one in row["messages"]] == history[0]["messages"]


def test_a_refusals_tools_are_not_lost_in_pairs_and_labels() -> None:
    pair = {"prompt": "q", "chosen": "a", "rejected": "b", "tools": "[{}]"}
    assert reason("dpo", pair) == reason("kto", pair) == "export_tools"


SAME = {"question": "q", "answer": "a", "correction": "a"}


def test_a_pair_of_equal_answers_is_refused_or_left_out_beside_others() -> None:
    content = {"rounds": [SAME, {**SAME, "correction": "b"}]}
    assert reason("dpo", content) == "export_pair_same"
    (row,) = rows("dpo", content, mend=True)
    assert (row["chosen"]["content"], row["rejected"]["content"]) == ("b", "a")
    assert reason("dpo", {"rounds": [SAME]}, mend=True) == "export_pair_same"


@pytest.mark.parametrize(("rating", "label"), [(5, True), (4, True), (2, False), (1, False)])
def test_a_rating_of_the_review_is_a_label(rating: float, label: bool) -> None:
    (row,) = rows("kto", QA, rating=rating)
    assert row["label"] is label


def test_a_rating_between_is_left_out_with_its_reason() -> None:
    assert reason("kto", QA, rating=3) == "export_rating_between"
    assert rows("kto", QA, rating=3, good=3)[0]["label"] is True
    assert rows("kto", QA, rating=3, bad="3")[0]["label"] is False


def test_a_label_counts_more_than_the_review_and_that_more_than_the_files_rating() -> None:
    labelled = {"messages": _turns(), "label": False, "rating": 5}
    assert rows("kto", labelled, rating=5)[0]["label"] is False
    rated = {**QA, "rating": 5}
    assert rows("kto", rated)[0]["label"] is True
    assert rows("kto", rated, rating=1)[0]["label"] is False


def test_a_rated_conversation_of_rounds_goes_by_its_rating_and_an_unrated_by_its_pairs() -> None:
    assert [row["label"] for row in rows("kto", CONTENTS["triple"])] == [True, False]
    assert [row["label"] for row in rows("kto", CONTENTS["triple"], rating=5)] == [True]


# ---------------------------------------------------------------- formats and options


@pytest.mark.parametrize(
    ("form", "path", "wanted"),
    [
        *((name, f"x{suffix}", name) for name in ("json", "jsonl", "csv") for suffix in SUFFIXES),
        ("alpaca", "x", "jsonl"),
        ("alpaca", "-", "jsonl"),
        ("alpaca", "a.b/x.txt", "jsonl"),
        ("alpaca", "x.JSON", "json"),
        ("alpaca", "x.csv", "csv"),
        ("messages", "x.parquet", "parquet"),
        ("dpo", "x.ndjson", "jsonl"),
    ],
)
def test_the_files_suffix_says_the_container_of_a_trainers_format(
    form: str, path: str, wanted: str
) -> None:
    assert container_of(form, path) == wanted
    assert format_of(form, path, {}).container.name == wanted


@pytest.mark.parametrize("name", registry.names("exporter"))
def test_every_exporter_has_a_usual_container_and_known_options(name: str) -> None:
    exporter = registry.load("exporter", name)
    assert exporter.container in registry.names("container")
    assert set(option_names(exporter)) <= set(OPTIONS)
    assert format_of(name, "x", {}).container.name == exporter.container


@pytest.mark.parametrize("name", registry.names("container"))
def test_every_container_knows_its_name_and_suffix(name: str) -> None:
    container = registry.load("container", name)
    assert (container.name, SUFFIXES[container.suffix]) == (name, name)
    assert set(option_names(container)) <= set(OPTIONS)


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(NotFound):
        format_of("docx", "x", {})


@pytest.mark.parametrize(
    ("form", "options", "reason", "known"),
    [
        ("jsonl", {"system": "none"}, "export_option_none", None),
        ("csv", {"system": "none"}, "export_option_unknown", "bom, spreadsheet_safe"),
        ("messages", {"refinement": "final"}, "export_option_unknown", None),
        ("messages", {"nested": True}, "export_option_unknown", None),
        ("messages", {"system": "all"}, "export_system", "none, character, own"),
        ("messages", {"greeting": 1}, "export_option", "refuse, opener, system"),
        ("messages", {"mend": "perhaps"}, "export_option", "true, false"),
        ("messages", {"opener": 1}, "export_option_text", None),
        ("messages", {"system": "own"}, "export_system_text", None),
        ("messages", {"system_text": "x"}, "export_system_text", None),
        ("messages", {"prompt_field": "x"}, "export_field_names", None),
        ("kto", {"good": "high"}, "export_option_number", None),
        ("kto", {"good": True}, "export_option_number", None),
        ("kto", {"good": 2, "bad": 2}, "export_thresholds", None),
        ("kto", {"bad": "nan"}, "export_option_number", None),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(
    form: str, options: dict[str, Json], reason: str, known: str | None
) -> None:
    with pytest.raises(UsageError) as caught:
        format_of(form, "x", options)
    assert caught.value.reason == reason
    assert known is None or caught.value.data["known"] == known


def test_options_are_read_from_words_as_a_command_line_gives_them() -> None:
    exporter: Any = format_of("kto", "x", {"mend": "on", "reasoning": "False", "good": "3.5"})
    made = exporter.exporter
    assert (made.mend, made.reasoning, made.good) == (True, False, 3.5)
