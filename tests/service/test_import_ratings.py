"""Ratings that come with a file: which field they are in, and who goes by them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from export_kit import imported, lines, studio

from corpusmith import Studio
from corpusmith.service.import_ratings import Ratings
from corpusmith.store.review_values import Change
from corpusmith.values import Selection


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Studio]:
    with studio(tmp_path) as found:
        yield found


def asked(**more: Any) -> dict[str, Any]:
    return {"user_input": "q", "model_response": "a", **more}


CHAT = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}

FIELDS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "a rating": ([asked(rating=1), asked(rating=5)], "rating"),
    "the text of a CSV": ([asked(rating="4.5")], "rating"),
    "thumbs": ([asked(thumbs="up"), asked(thumbs="down")], "thumbs"),
    "a vote": ([asked(vote=True)], "vote"),
    "a score of a chat": ([{**CHAT, "score": 3}], "score"),
    "a label of an answer": ([asked(label="good")], "label"),
    "stars in Chinese": ([asked(评分=5)], "评分"),
    "a rating that some rows lack": ([asked(), asked(rating=2)], "rating"),
    "a rating with one slip": ([asked(rating=2), asked(rating=3), asked(rating="?")], "rating"),
    "a rating of anything": ([{"text": "a film", "rating": 2}], "rating"),
    "a rating before a score": ([asked(rating=2, score=3)], "rating"),
    "a scale to 100": ([asked(rating=3), asked(rating=90)], ""),
    "a score from 0 to 1": ([asked(score=1), asked(score=0)], ""),
    "ones, which may be upvotes": ([asked(vote=1), asked(vote=1)], ""),
    "a class": ([{"text": "a film", "label": "positive"}], ""),
    "words that judge nothing": ([asked(feedback="thank you")], ""),
    "nothing": ([asked()], ""),
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_is_a_rating_where_that_is_clear(name: str) -> None:
    rows, field = FIELDS[name]
    assert Ratings("rows", rows).found.by == field


@pytest.mark.parametrize("shape", ["pairs", "kto"])
def test_rows_that_say_themselves_what_is_wanted_are_not_rated(shape: str) -> None:
    assert Ratings(shape, [asked(rating=4)]).found.by == ""


def test_what_is_read_is_counted_and_words_are_told() -> None:
    rows = [asked(rating="up"), asked(rating="down"), asked(), asked(rating="meh"), asked(rating=3)]
    ratings = Ratings("rows", rows)
    assert [ratings.of(row) for row in rows] == [5, 1, None, None, 3]
    found = ratings.found
    assert (found.rated, found.unread, dict(found.words)) == (3, 1, {"up → 5": 1, "down → 1": 1})


def test_whatever_goes_by_ratings_goes_by_those_of_the_file(one: Studio, tmp_path: Path) -> None:
    rows = [asked(user_input=f"q{n}", thumbs="up" if n else "down") for n in range(3)]
    imported(one, tmp_path, "d", rows)
    chosen = Selection(min_rating=4)
    done = one.exports.write(tmp_path / "o.jsonl", dataset="d", form="messages", selection=chosen)
    assert (done.records, done.low_rated) == (2, 0)
    one.exports.write(tmp_path / "k.jsonl", dataset="d", form="kto_axolotl")
    assert [row["label"] for row in lines(tmp_path / "k.jsonl")] == [False, True, True]
    told = one.feedback.run(dataset="d", output_dir=str(tmp_path / "fb"), formats=["jsonl"])
    assert (told.read, told.kept) == (3, 2)


def test_an_answer_that_was_rated_low_is_told_where_it_is_taught(
    one: Studio, tmp_path: Path
) -> None:
    imported(one, tmp_path, "d", [asked(rating=1), asked(user_input="r", rating=5)])
    for form, low in (("messages", 1), ("alpaca", 1), ("kto", 0), ("json", 0)):
        done = one.exports.write(tmp_path / f"{form}.jsonl", dataset="d", form=form)
        assert (form, done.records, done.low_rated) == (form, 2, low)


def test_a_review_goes_before_it_and_taken_back_leaves_it(one: Studio, tmp_path: Path) -> None:
    imported(one, tmp_path, "d", [asked(rating=5)])
    (record,) = one.store.records.iterate(dataset="d")

    def rating() -> float | None:
        return one.store.records.some([record.id])[0].rating

    assert rating() == 5
    one.store.reviews.change([record.id], "ann", Change(state="approved"))
    assert rating() == 5
    one.store.reviews.change([record.id], "ann", Change(rating=2))
    assert rating() == 2
    one.store.review_undo.undo("ann")
    assert rating() == 5


def test_feedback_of_a_dataset_keeps_what_its_rows_said(one: Studio, tmp_path: Path) -> None:
    row = asked(id="fb-7", rating=5, model_name="m", timestamp="2026-01-01")
    imported(one, tmp_path, "d", [row])
    one.feedback.run(dataset="d", output_dir=str(tmp_path / "fb"), formats=["jsonl"])
    (sample,) = lines(tmp_path / "fb" / "high_quality_samples.jsonl")
    assert (sample["feedback_id"], sample["model_name"], sample["timestamp"]) == (
        "fb-7",
        "m",
        "2026-01-01",
    )
