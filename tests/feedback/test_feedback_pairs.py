"""Preference pairs: which two answers, in every trainer's shape."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from corpusmith.feedback.fields import Feedback
from corpusmith.feedback.pairs import Pairing
from corpusmith.feedback.ranking import Choice
from corpusmith.feedback.samples import KTO, PAIRS, KtoFormat, PairFormat


def pairs_of(
    rows: list[tuple[str, str, float]],
    tmp_path: Path,
    choice: Choice = "best-worst",
    margin: float = 1,
) -> list[tuple[str, str, str]]:
    pairing = Pairing(tmp_path / "scratch")
    try:
        pairing.add([Feedback(None, p, a, rating, None, None) for p, a, rating in rows])
        return [tuple(pair) for pair in pairing.pairs(choice, margin)]
    finally:
        pairing.close()
        assert list(tmp_path.iterdir()) == []


def test_the_best_answer_stands_over_the_worst(tmp_path: Path) -> None:
    rows = [("q2", "x", 1), ("q1", "a", 3), ("q1", "b", 5), ("q1", "c", 1), ("q2", "y", 4)]
    assert pairs_of(rows, tmp_path) == [("q2", "y", "x"), ("q1", "b", "c")]


def test_all_pairs_have_at_least_the_margin(tmp_path: Path) -> None:
    rows = [("q", "a", 5), ("q", "b", 4), ("q", "c", 2.5)]
    assert pairs_of(rows, tmp_path, "all") == [("q", "a", "b"), ("q", "a", "c"), ("q", "b", "c")]
    assert pairs_of(rows, tmp_path, "all", 1.5) == [("q", "a", "c"), ("q", "b", "c")]
    assert pairs_of(rows, tmp_path, "best-worst", 3) == []


def test_of_equally_rated_answers_the_earliest_is_taken(tmp_path: Path) -> None:
    rows = [("q", "a", 1), ("q", "b", 5), ("q", "c", 5), ("q", "d", 1)]
    assert pairs_of(rows, tmp_path) == [("q", "b", "a")]


def test_equal_answers_and_equal_ratings_are_no_pair(tmp_path: Path) -> None:
    assert pairs_of([("q", "a", 5), ("q", "a", 1)], tmp_path, "all") == []
    assert pairs_of([("q", "a", 4), ("q", "b", 4)], tmp_path, "all", 0.1) == []


def test_an_answer_that_many_rated_counts_with_their_mean(tmp_path: Path) -> None:
    rows = [("q", "a", 5), ("q", "a", 1), ("q", "b", 4)]
    assert pairs_of(rows, tmp_path) == [("q", "b", "a")]


def test_the_margin_is_not_missed_by_a_rounding(tmp_path: Path) -> None:
    assert pairs_of([("q", "a", 4.2), ("q", "b", 3.2)], tmp_path) == [("q", "a", "b")]


@pytest.mark.parametrize("form", get_args(PairFormat))
def test_a_pair_has_its_trainers_shape(form: PairFormat) -> None:
    user = {"role": "user", "content": "q"}
    good, bad = ({"role": "assistant", "content": text} for text in ("good", "bad"))
    assert (
        PAIRS[form]("q", "good", "bad")
        == {
            "llamafactory": {"messages": [user], "chosen": good, "rejected": bad},
            "trl": {"prompt": [user], "chosen": [good], "rejected": [bad]},
            "alpaca": {"instruction": "q", "input": "", "chosen": "good", "rejected": "bad"},
        }[form]
    )


@pytest.mark.parametrize("form", get_args(KtoFormat))
def test_a_kto_row_has_its_trainers_shape_and_a_boolean(form: KtoFormat) -> None:
    user, answer = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
    row = KTO[form]("q", "a", True)
    assert row["label"] is True
    assert (
        row
        == {
            "llamafactory": {"messages": [user, answer], "label": True},
            "trl": {"prompt": [user], "completion": [answer], "label": True},
        }[form]
    )
