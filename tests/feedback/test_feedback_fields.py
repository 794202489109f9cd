"""Rows of feedback: names, ratings, and what does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from corpusmith.errors import UsageError
from corpusmith.feedback.fields import (
    BadField,
    Feedback,
    FieldMap,
    Reader,
    field_map,
    map_of,
    value_map_of,
)
from corpusmith.feedback.names import safe_name, sample_file

ROW = {
    "id": "f1",
    "user_input": "问",
    "model_response": "答",
    "rating": 4,
    "model_name": "qwen",
    "timestamp": "2026-01-02",
}


def read(row: dict[str, Any], **mapping: Any) -> Feedback:
    return Reader(field_map(mapping.get("map", {}), mapping.get("values", {}))).read(row)


@pytest.mark.parametrize(
    ("rating", "meaning"),
    [
        (5, 5),
        (4.0, 4),
        (4.5, 4.5),
        ("5", 5),
        (" 3.5 ", 3.5),
        (True, 5),
        (False, 1),
        ("UP", 5),
        ("down", 1),
        ("Like", 5),
        ("dislike", 1),
        ("👍", 5),
        ("👎", 1),
    ],
)
def test_ratings_are_understood_as_people_write_them(rating: Any, meaning: float) -> None:
    found = read({**ROW, "rating": rating}).rating
    assert (found, type(found)) == (meaning, type(meaning))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rating": None}, "field_missing"),
        ({"rating": ""}, "field_missing"),
        ({"rating": float("nan")}, "rating_range"),
        ({"rating": "nan"}, "rating_range"),
        ({"rating": 0}, "rating_range"),
        ({"rating": 5.1}, "rating_range"),
        ({"rating": 10**400}, "rating_range"),
        ({"rating": "1_0"}, "rating_no_number"),
        ({"rating": "great"}, "rating_no_number"),
        ({"rating": [5]}, "rating_no_number"),
        ({"user_input": None}, "field_missing"),
        ({"user_input": " \n"}, "field_empty"),
        ({"user_input": 7}, "field_not_text"),
        ({"model_response": ""}, "field_empty"),
        ({"model_response": {"text": "x"}}, "field_not_text"),
        ({"model_name": 3}, "field_not_text"),
        ({"id": {}}, "field_not_simple"),
        ({"timestamp": []}, "field_not_simple"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_reason(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadField) as caught:
        read({**ROW, **change})
    assert caught.value.reason == reason


def test_names_are_mapped_also_inside_lists_and_objects() -> None:
    row = {
        "messages": [{"content": "问"}, {"content": "答"}],
        "meta": {"model": "qwen", "stars": "4"},
        "a.b": 7,
    }
    maps = map_of(
        [
            "user_input=messages.0.content",
            "model_response=messages.-1.content",
            "model_name=meta.model",
            "rating=meta.stars",
            "id=a.b",
            "timestamp=messages.9.content",
        ]
    )
    assert read(row, map=maps) == Feedback(7, "问", "答", 4, "qwen", None)


def test_a_value_map_wins_over_words_and_is_counted() -> None:
    values = value_map_of(["rating:up=4,down=2", "rating:1=5,0=1", "model_name:a=qwen"])
    reader = Reader(field_map({}, values))
    given = ["up", "down", 1, 0.0, True, 3]
    found = [reader.read({**ROW, "rating": rating, "model_name": "a"}) for rating in given]
    assert [one.rating for one in found] == [4, 2, 5, 1, 5, 3]
    assert {one.model_name for one in found} == {"qwen"}
    assert reader.words == {"up → 4": 1, "down → 2": 1, "1 → 5": 1, "0 → 1": 1, "true → 5": 1}


@pytest.mark.parametrize("text", ["user_input", "=x", "user_input="])
def test_a_mapping_without_both_sides_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        map_of([text])
    assert caught.value.reason == "feedback_map"


@pytest.mark.parametrize("text", ["rating", "rating:up", "up=5"])
def test_a_value_map_without_its_parts_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        value_map_of([text])
    assert caught.value.reason == "feedback_map_value"


def test_a_field_that_there_is_not_is_named() -> None:
    with pytest.raises(UsageError) as caught:
        field_map({"question": "q"}, {})
    assert (caught.value.reason, caught.value.data["name"]) == ("feedback_field", "question")


def test_an_empty_map_is_ours() -> None:
    assert Reader(FieldMap()).read(ROW) == Feedback("f1", "问", "答", 4, "qwen", "2026-01-02")


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("huanhuan-qwen", "huanhuan-qwen"),
        ("甄嬛-7B", "甄嬛-7B"),
        ("org/model:v1", "org_model_v1"),
        ("../../etc/passwd", "___etc_passwd"),
        ("..", "_"),
        ("C:\\x", "C__x"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        (" . ", "_"),
        ("a\x00b\nc", "a_b_c"),
    ],
)
def test_a_models_name_is_safe_for_a_file(model: str, name: str) -> None:
    assert safe_name(model) == name


def test_a_very_long_name_is_cut_and_stays_its_own() -> None:
    first, second = safe_name("模" * 500), safe_name("模" * 499 + "型")
    assert first != second
    assert max(len(f"{one}_alpaca_format.json".encode()) for one in (first, second)) <= 255


def test_files_are_named_as_the_page_says() -> None:
    assert [sample_file(form, None) for form in ("json", "jsonl", "alpaca")] == [
        "high_quality_samples.json",
        "high_quality_samples.jsonl",
        "alpaca_format_samples.json",
    ]
    assert [sample_file(form, "M") for form in ("json", "jsonl", "alpaca")] == [
        "M_samples.json",
        "M_samples.jsonl",
        "M_alpaca_format.json",
    ]
