"""Known shapes are told by their keys and become one stored shape each."""

from __future__ import annotations

from typing import Any

import pytest

from corpusmith.readers.parts import Misfit
from corpusmith.readers.shapes import Detected, convert, detect

USER = {"role": "user", "content": "问"}
REPLY = {"role": "assistant", "content": "答"}
WORSE = {"role": "assistant", "content": "差"}
TURNS = [USER, REPLY]
STEP = {"answer": "a", "critique": "c"}
TRIPLE = {"question": "q", "answer": "a", "correction": "c"}

CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "dialogue",
        {"dialogues": TURNS, "scenario_labels": "日常", "turn_count": "1"},
        {"scenario_labels": ["日常"], "dialogues": TURNS, "turn_count": 1},
    ),
    (
        "refinement",
        {"question": "q", "initial_answer": "i", "final_answer": "f", "refinement_process": [STEP]},
        {"question": "q", "initial_answer": "i", "final_answer": "f", "refinement_process": [STEP]},
    ),
    ("rounds", {"id": "r1-000001", **TRIPLE}, {"id": "r1-000001", **TRIPLE}),
    ("rounds", {"id": "x", "rounds": [TRIPLE]}, {"id": "x", "rounds": [TRIPLE]}),
    (
        "alpaca",
        {"instruction": "i", "input": None, "output": "o", "system": "", "level": 3},
        {"instruction": "i", "input": "", "output": "o", "level": 3},
    ),
    (
        "sharegpt",
        {
            "conversations": [{"from": "human", "value": "问"}, {"from": "gpt", "value": "答"}],
            "system": "s",
            "tools": "[]",
        },
        {"messages": [{"role": "system", "content": "s"}, *TURNS], "tools": "[]"},
    ),
    ("sharegpt", {"conversation": [{"human": "问", "assistant": "答"}]}, {"messages": TURNS}),
    (
        "messages",
        {"messages": '[{"role": "user", "content": [{"type": "text", "text": "问"}]}]'},
        {"messages": [USER]},
    ),
    (
        "messages",
        {"messages": [USER, {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}]},
        {"messages": [USER, {"role": "assistant", "content": "", "tool_calls": [{"id": "1"}]}]},
    ),
    (
        "pairs",
        {"prompt": [USER], "chosen": [REPLY], "rejected": [WORSE]},
        {"messages": [USER], "chosen": REPLY, "rejected": WORSE},
    ),
    (
        "pairs",
        {"instruction": "问", "input": "", "chosen": "答", "rejected": "差"},
        {"messages": [USER], "chosen": REPLY, "rejected": WORSE},
    ),
    (
        "pairs",
        {"chosen": [USER, REPLY], "rejected": [USER, WORSE]},
        {"messages": [USER], "chosen": REPLY, "rejected": WORSE},
    ),
    (
        "pairs",
        {
            "conversations": [{"from": "human", "value": "问"}],
            "chosen": {"from": "gpt", "value": "答"},
            "rejected": {"from": "gpt", "value": "差"},
        },
        {"messages": [USER], "chosen": REPLY, "rejected": WORSE},
    ),
    (
        "pairs",
        {"prompt": "问", "messages": TURNS, "chosen": TURNS, "rejected": [USER, WORSE]},
        {"messages": [USER], "chosen": REPLY, "rejected": WORSE, "prompt": "问"},
    ),
    (
        "pairs",
        {"prompt": "问", "input": "别处来的", "chosen": "答", "rejected": "差"},
        {"messages": [USER], "chosen": REPLY, "rejected": WORSE, "input": "别处来的"},
    ),
    (
        "kto",
        {"messages": TURNS, "label": True, "prompt": "P"},
        {"messages": TURNS, "label": True, "prompt": "P"},
    ),
    (
        "kto",
        {"prompt": "问", "completion": "答", "label": "True"},
        {"messages": TURNS, "label": True},
    ),
    ("kto", {"messages": TURNS, "kto_tag": 0}, {"messages": TURNS, "label": False}),
    ("rows", {"text": "任意"}, {"text": "任意"}),
]


@pytest.mark.parametrize(("shape", "row", "content"), CASES)
def test_a_row_is_known_and_stored_in_its_shape(
    shape: str, row: dict[str, Any], content: dict[str, Any]
) -> None:
    assert (detect([row]).shape, convert(shape, row)[0]) == (shape, content)


def test_what_is_stored_is_read_again_as_the_same() -> None:
    for shape, _, content in CASES:
        again = "messages" if shape == "sharegpt" else shape
        assert (detect([content]).shape, convert(again, content)[0]) == (again, content)


def test_what_a_jobs_own_shape_does_not_have_is_told_apart() -> None:
    assert convert("rounds", {**TRIPLE, "source": "web"}) == (TRIPLE, {"source": "web"})


MISFITS: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("alpaca", {"instruction": "i"}, "row_missing", {"key": "output"}),
    ("alpaca", {"instruction": "i", "output": " "}, "row_empty", {"key": "output"}),
    ("alpaca", {"instruction": 1, "output": "o"}, "row_text", {"key": "instruction"}),
    ("messages", {"messages": []}, "row_empty", {"key": "messages"}),
    ("messages", {"messages": 7}, "row_list", {"key": "messages"}),
    ("messages", {"messages": [{"role": "x", "content": ""}]}, "row_role", {"role": "x", "at": 1}),
    ("messages", {"messages": [{"role": "user"}]}, "row_text", {"key": "messages.0"}),
    ("sharegpt", {"text": "t"}, "row_missing", {"key": "conversations"}),
    ("pairs", {"prompt": "p", "chosen": [REPLY, USER], "rejected": "r"}, "row_pair", {}),
    (
        "pairs",
        {"messages": TURNS, "chosen": "a", "rejected": "b"},
        "row_order",
        {"role": "assistant"},
    ),
    (
        "kto",
        {"prompt": "p", "completion": "c", "label": 5},
        "row_label",
        {"key": "label", "value": "5"},
    ),
    ("kto", {"text": "t"}, "row_label", {"key": "kto_tag", "value": ""}),
    ("rounds", {"rounds": [{**TRIPLE, "answer": ""}]}, "row_empty", {"key": "answer"}),
]


@pytest.mark.parametrize(("shape", "row", "reason", "detail"), MISFITS)
def test_a_row_that_does_not_fit_says_why(
    shape: str, row: dict[str, Any], reason: str, detail: dict[str, Any]
) -> None:
    with pytest.raises(Misfit) as caught:
        convert(shape, row)
    assert (caught.value.reason, caught.value.detail) == (reason, detail)


def test_the_shape_that_most_rows_fit_is_taken_and_the_others_are_counted() -> None:
    rows = [{"instruction": "i", "output": "o"}] * 8 + [{"instruction": "i", "output": ""}] * 2
    assert detect(rows) == Detected(
        shape="alpaca", keys=("instruction", "output"), looked=10, fitting=8
    )


def test_rows_that_only_look_like_a_shape_stay_as_they_are() -> None:
    rows = [{"instruction": "i", "output": ""}] * 3
    assert detect(rows) == Detected(
        shape="rows",
        looked=3,
        fitting=3,
        near="alpaca",
        reason="row_empty",
        detail={"key": "output"},
    )
