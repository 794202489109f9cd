"""How a judge is shown a row: readable, whole or cut with a note, and without bookkeeping."""

from __future__ import annotations

import pytest

from corpusmith.judging.rows import cut, shown
from corpusmith.tokens import tokens_of
from corpusmith.values import Json

SHAPES: dict[str, tuple[Json, str]] = {
    "dialogue": (
        {
            "scenario_labels": ["日常对话"],
            "dialogues": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Hello.\nSit down."},
            ],
            "turn_count": 1,
            "batch_id": "batch_20260101_000000",
            "generation_time": "2026-01-01T00:00:00",
        },
        "[Scenario]\n日常对话\n\n[Dialogue]\nUser: Hi\nAssistant: Hello.\nSit down.",
    ),
    "question and answer": (
        {"id": "q-1", "question": "Why?", "answer": "So.", "category": "a"},
        "[Question]\nWhy?\n\n[Answer]\nSo.\n\n[Category]\na",
    ),
    "triple": (
        {"id": "r1-000001", "question": "Q", "answer": "A", "correction": "C"},
        "[Question]\nQ\n\n[Answer]\nA\n\n[Corrected answer]\nC",
    ),
    "rounds": (
        {
            "id": "r1-000001",
            "rounds": [
                {"question": "Q1", "answer": "A1", "correction": "C1"},
                {"question": "Q2", "answer": "A2", "correction": "C2"},
            ],
        },
        "[Rounds]\nRound 1\nQuestion: Q1\nAnswer: A1\nCorrected answer: C1\n\n"
        "Round 2\nQuestion: Q2\nAnswer: A2\nCorrected answer: C2",
    ),
    "refinement": (
        {
            "question": "Q",
            "initial_answer": "A0",
            "final_answer": "A2",
            "refinement_process": [{"answer": "A0", "critique": "thin"}],
        },
        "[Question]\nQ\n\n[First answer]\nA0\n\n[Final answer]\nA2",
    ),
    "alpaca": (
        {"instruction": "Do", "input": "", "output": "Done", "history": [["a", "b"], ["c", "d"]]},
        "[Instruction]\nDo\n\n[Output]\nDone\n\n[Conversation before]\n"
        "User: a\nAssistant: b\nUser: c\nAssistant: d",
    ),
    "messages": (
        {"messages": [{"role": "system", "content": "Be"}, {"role": "user", "content": "Hi"}]},
        "[Conversation]\nSystem: Be\nUser: Hi",
    ),
    "sharegpt": (
        {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yo"}]},
        "[Conversation]\nUser: Hi\nAssistant: Yo",
    ),
    "preference": (
        {"prompt": "P", "chosen": {"role": "assistant", "content": "C"}, "rejected": "R"},
        "[Prompt]\nP\n\n[Chosen answer]\nAssistant: C\n\n[Rejected answer]\nR",
    ),
    "feedback": (
        {"id": 1, "user_input": "U", "model_response": "M", "rating": 5, "model_name": "m"},
        "[User's message]\nU\n\n[Model's answer]\nM",
    ),
    "parts and tools of a message": (
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
                {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
            ]
        },
        '[Conversation]\nUser: [\n  {\n    "type": "text",\n    "text": "Hi"\n  }\n]\n'
        'Assistant: (empty)\n{\n  "tool_calls": [\n    {\n      "id": "1"\n    }\n  ]\n}',
    ),
    "fields of one's own": (
        {"title": "T", "points": ["a", "b"], "depth": 2, "nested": {"k": 1}},
        '[title]\nT\n\n[points]\n- a\n- b\n\n[depth]\n2\n\n[nested]\n{\n  "k": 1\n}',
    ),
    "only bookkeeping": ({"id": 7}, "[id]\n7"),
    "a text": ("Just so.", "Just so."),
    "a list": ([1, {"a": 2}], '[\n  1,\n  {\n    "a": 2\n  }\n]'),
    "an answer that is empty": (
        {"question": "Q", "answer": "", "input": None},
        "[Question]\nQ\n\n[Answer]\n(empty)",
    ),
    "nothing": ({}, ""),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_row_is_laid_out_by_its_shape(name: str) -> None:
    row, text = SHAPES[name]
    assert shown(row, "en") == text


def test_labels_speak_the_rubrics_language() -> None:
    row = {"question": "问", "dialogues": [{"role": "user", "content": "在吗"}]}
    assert shown(row, "zh") == "[问题]\n问\n\n[对话]\n用户：在吗"


def test_the_same_text_of_another_batch_looks_the_same() -> None:
    dialogue, text = SHAPES["dialogue"]
    other = {**dialogue, "batch_id": "batch_x", "generation_time": "later", "id": 9}
    assert shown(other, "en") == text


def test_a_row_within_the_limit_is_whole() -> None:
    assert cut("x" * 400, 100, "en") == "x" * 400


def test_a_long_row_keeps_its_beginning_and_end_and_says_what_is_missing() -> None:
    text = "".join(f"<{number}>" for number in range(10_000))
    kept = cut(text, 1000, "en")
    head, note, tail = kept.split("\n")
    assert text.startswith(head)
    assert text.endswith(tail)
    assert note.startswith("[About 1")
    assert 900 <= tokens_of(head) + tokens_of(tail) <= 1000


def test_a_row_with_a_dense_end_is_cut_to_the_limit_too() -> None:
    kept = cut("a" * 100_000 + "汉" * 20_000, 500, "zh")
    head, note, tail = kept.split("\n")
    assert tokens_of(head) + tokens_of(tail) <= 500
    assert "略去" in note
