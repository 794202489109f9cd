"""Pairs over several records: rated answers to one prompt, the better over the worse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from export_kit import chat, draft, imported, lines, made, studio
from hypothesis import given
from hypothesis import strategies as st

from corpusmith import Studio
from corpusmith.errors import UsageError
from corpusmith.exports.preferences import Dpo
from corpusmith.service.export_pairs import Compared, PairRule
from corpusmith.values import Draft, Record, Verdict


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Studio]:
    with studio(tmp_path) as found:
        yield found


def fed(prompt: str, answer: str, rating: Any = None) -> dict[str, Any]:
    rated = {} if rating is None else {"rating": rating}
    return {"user_input": prompt, "model_response": answer, **rated}


FEEDBACK = [
    fed("q1", "good", 5),
    fed("q1", "bad", 2),
    fed("q1", "middling", 3),
    fed("q2", "alone", 4),
    fed("q3", "like", 4),
    fed("q3", "alike", 3.5),
    fed("q3", "unrated"),
    fed("q1", "bad", 1),
]


def pairs(file: Path) -> list[tuple[str, str, str]]:
    """(what was asked last, chosen, rejected) of LLaMA-Factory's rows."""
    return [
        (row["messages"][-1]["content"], row["chosen"]["content"], row["rejected"]["content"])
        for row in lines(file)
    ]


def code_of(call: Any) -> str:
    with pytest.raises(UsageError) as caught:
        call()
    for language in ("zh", "en"):
        text = caught.value.message(language)  # type: ignore[arg-type]
        assert "{" not in text and text != caught.value.reason
    return caught.value.reason


# ---------------------------------------------------------------- which pairs


def test_the_better_rated_answer_stands_over_the_worse_and_the_rest_is_counted(
    one: Studio, tmp_path: Path
) -> None:
    imported(one, tmp_path, "d", FEEDBACK, format="rows")
    file = tmp_path / "o.jsonl"
    done = one.exports.write(file, dataset="d", form="dpo", pairs="rating")
    assert pairs(file) == [("q1", "good", "bad")]
    assert (done.records, done.rows, done.refused) == (2, 1, {})
    assert done.passed_over == {
        "export_pair_unrated": 1,
        "export_pair_between": 1,
        "export_pair_alone": 1,
        "export_pair_close": 2,
        "export_pair_repeated": 1,
    }
    assert done.records + sum(done.passed_over.values()) == len(FEEDBACK)


def test_every_two_answers_that_differ_enough_may_be_wanted(one: Studio, tmp_path: Path) -> None:
    imported(one, tmp_path, "d", FEEDBACK, format="rows")
    file = tmp_path / "o.jsonl"
    wish: dict[str, Any] = {"dataset": "d", "form": "dpo", "pairs": "rating"}
    done = one.exports.write(file, **wish, pairs_choose="all", pairs_margin=0.5)
    assert pairs(file) == [
        ("q1", "good", "bad"),
        ("q1", "good", "middling"),
        ("q1", "middling", "bad"),
        ("q3", "like", "alike"),
    ]
    assert (done.records, done.rows) == (5, 4)
    assert done.records + sum(done.passed_over.values()) == len(FEEDBACK)
    one.exports.write(file, **wish, pairs_choose="all", pairs_margin=3)
    assert pairs(file) == [("q1", "good", "bad")]


def test_people_who_rated_in_review_are_heard_before_the_rating_it_came_with(
    one: Studio, tmp_path: Path
) -> None:
    imported(one, tmp_path, "d", [fed("q", "a", 5), fed("q", "b", 1), chat("q", "c")])
    first, _, last = one.store.records.iterate(dataset="d")
    one.reviews.review(first.id, reviewer="x", rating=2)
    one.reviews.review(last.id, reviewer="x", rating=5)
    one.exports.write(tmp_path / "o.jsonl", dataset="d", form="dpo", pairs="rating")
    assert pairs(tmp_path / "o.jsonl") == [("q", "c", "b")]


def test_a_judges_scores_make_pairs_too(one: Studio, tmp_path: Path) -> None:
    scored = {"yes": 4.5, "no": 2.0}
    drafts = [
        [_scored(draft(chat("q", text), labels={}, models=[f"m-{text}"]), score)]
        for text, score in scored.items()
    ]
    made(one, "d", {"c": [*drafts, [draft(chat("q", "unscored"))]]})
    file = tmp_path / "o.jsonl"
    done = one.exports.write(file, dataset="d", form="dpo", pairs="score", manifest=True)
    assert pairs(file) == [("q", "yes", "no")]
    assert done.passed_over == {"export_pair_unscored": 1}
    told = json.loads((tmp_path / "o.jsonl.manifest.json").read_text())
    assert told["pairs"] == {"by": "score", "choose": "best-worst", "margin": 1.0}
    assert (told["records"], told["rows"], told["models"]) == (2, 1, {"m-no": 1, "m-yes": 1})


def _scored(one: Draft, score: float) -> Draft:
    return replace(one, verdicts={"judge": Verdict(passed=True, score=score)})


def test_the_prompt_is_all_that_was_said_before_the_answer(one: Studio, tmp_path: Path) -> None:
    rows = [
        {**chat("q", "a", "more", "x"), "rating": 5},
        {**chat("q", "a", "more", "y"), "rating": 1},
        {**chat("q", "b", "more", "z"), "rating": 1},
        {
            "messages": [{"role": "system", "content": "s"}, *chat("q", "a")["messages"]],
            "rating": 3,
        },
    ]
    imported(one, tmp_path, "d", rows, format="rows")
    done = one.exports.write(tmp_path / "o.jsonl", dataset="d", form="dpo", pairs="rating")
    (row,) = lines(tmp_path / "o.jsonl")
    assert [said["content"] for said in row["messages"]] == ["q", "a", "more"]
    assert (row["chosen"]["content"], row["rejected"]["content"]) == ("x", "y")
    assert done.passed_over == {"export_pair_alone": 2}


def test_a_system_message_of_ones_own_makes_prompts_the_same(one: Studio, tmp_path: Path) -> None:
    rows = [
        {"messages": [{"role": "system", "content": text}, *chat("q", text)["messages"]]}
        for text in ("s1", "s2")
    ]
    imported(one, tmp_path, "d", [{**row, "rating": n} for n, row in enumerate(rows, 2)])
    wish: dict[str, Any] = {"dataset": "d", "form": "dpo_trl", "pairs": "rating"}
    assert code_of(lambda: one.exports.write("o.jsonl", **wish)) == "export_refused_all"
    one.exports.write(tmp_path / "o.jsonl", **wish, system="own", system_text="mine")
    (row,) = lines(tmp_path / "o.jsonl")
    assert row["prompt"] == [
        {"role": "system", "content": "mine"},
        {"role": "user", "content": "q"},
    ]


SHAPES: dict[str, Any] = {
    "dpo": {
        "messages": [{"role": "user", "content": "do\nthis"}],
        "chosen": {"role": "assistant", "content": "well"},
        "rejected": {"role": "assistant", "content": "badly"},
    },
    "dpo_trl": {
        "prompt": [{"role": "user", "content": "do\nthis"}],
        "chosen": [{"role": "assistant", "content": "well"}],
        "rejected": [{"role": "assistant", "content": "badly"}],
    },
    "dpo_alpaca": {
        "instruction": "do",
        "input": "this",
        "chosen": "well",
        "rejected": "badly",
        "system": "",
        "history": [],
    },
}


@pytest.mark.parametrize("form", SHAPES)
def test_each_trainer_gets_its_shape(form: str, one: Studio, tmp_path: Path) -> None:
    rows = [
        {"instruction": "do", "input": "this", "output": text, "rating": rating}
        for text, rating in {"badly": 1, "well": 5}.items()
    ]
    imported(one, tmp_path, "d", rows, format="rows")
    one.exports.write(tmp_path / "o.jsonl", dataset="d", form=form, pairs="rating")
    assert lines(tmp_path / "o.jsonl") == [SHAPES[form]]


RATED = st.lists(
    st.tuples(st.sampled_from("pq"), st.sampled_from("abcd"), st.sampled_from([1, 2, 2.5, 4, 5])),
    max_size=12,
)


@given(rated=RATED, choose=st.sampled_from(["best-worst", "all"]), margin=st.sampled_from([1, 2]))
def test_all_records_are_in_a_pair_or_counted_and_pairs_are_right(
    rated: list[tuple[str, str, float]],
    choose: str,
    margin: float,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Beside the plainest way to work it out."""
    folder = tmp_path_factory.mktemp("pairs")
    means: dict[str, dict[str, float]] = {}
    for prompt, answer, _ in rated:
        found = [mark for p, a, mark in rated if (p, a) == (prompt, answer)]
        means.setdefault(prompt, {})[answer] = sum(found) / len(found)
    expected = set()
    for prompt, answers in means.items():
        best, worst = (pick(answers, key=answers.__getitem__) for pick in (max, min))
        every = [
            (a, b) for a in answers for b in answers if answers[a] - answers[b] > margin - 1e-9
        ]
        wanted = every if choose == "all" else [one for one in every if one == (best, worst)]
        expected |= {(prompt, a, b) for a, b in wanted}
    with studio(folder) as one:
        imported(one, folder, "d", [fed(*row) for row in rated] + [fed("p", "unrated")])
        wish: dict[str, Any] = {"dataset": "d", "form": "dpo", "pairs": "rating"}
        told = one.exports.preview(**wish, pairs_choose=choose, pairs_margin=margin, first=999)
    rows = [row for row in told.first if isinstance(row, dict)]
    assert {
        (row["messages"][0]["content"], row["chosen"]["content"], row["rejected"]["content"])
        for row in rows
    } == expected
    assert told.rows == len(rows) == len(expected)
    assert told.records + sum(told.passed_over.values()) == len(rated) + 1


# ---------------------------------------------------------------- parts, and what is refused


def test_a_prompts_pairs_are_all_in_one_part(one: Studio, tmp_path: Path) -> None:
    """Though each answer came of a request of its own."""
    items = [
        [_scored(draft(chat(f"q{n}", f"a{score}"), item=f"{n}.{score}", seed=7), score)]
        for score in (1.0, 3.0, 5.0)
        for n in range(60)
    ]
    made(one, "d", {"c": items})
    done = one.exports.write(
        tmp_path / "o.jsonl",
        dataset="d",
        form="dpo",
        pairs="score",
        pairs_choose="all",
        split="train=0.5,test=0.5",
    )
    asked = [[one for one, _, _ in pairs(tmp_path / f"o-{p}.jsonl")] for p in ("train", "test")]
    assert set(asked[0]) & set(asked[1]) == set()
    assert sum(map(len, asked)) == done.rows == 180
    assert sum(done.parts.values()) == done.records == 180


def test_what_a_trainer_would_drop_is_refused_before_it_is_compared(
    one: Studio, tmp_path: Path
) -> None:
    hello = {"messages": [{"role": "assistant", "content": "hi"}, *chat("q", "a")["messages"]]}
    rows = [{**hello, "rating": 5}, fed("q", "b", 1), fed("q", "c", 4)]
    imported(one, tmp_path, "d", rows, format="rows")
    wish: dict[str, Any] = {"dataset": "d", "form": "dpo", "pairs": "rating"}
    file = tmp_path / "o.jsonl"
    assert code_of(lambda: one.exports.write(file, **wish)) == "export_greeting"
    assert not file.exists()
    done = one.exports.write(file, **wish, on_refused="skip")
    assert (done.refused, done.refused_records) == (
        {"export_greeting": 1},
        {"export_greeting": [1]},
    )
    assert pairs(file) == [("q", "c", "b")]


def test_a_history_that_a_csv_has_no_room_for_is_refused_by_the_record(
    one: Studio, tmp_path: Path
) -> None:
    rows = [{**chat("q", "a", "more", text), "rating": n} for n, text in enumerate("xyz", 1)]
    imported(one, tmp_path, "d", rows, format="rows")
    told = one.exports.preview(
        dataset="d", form="dpo_alpaca", path="o.csv", pairs="rating", pairs_margin=2
    )
    assert (told.records, told.refused) == (0, {"export_history": 3})


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"pairs": "mood"}, "export_option"),
        ({"pairs": "rating", "pairs_choose": "some"}, "export_option"),
        ({"pairs": "rating", "pairs_margin": 0}, "export_pairs_margin"),
        ({"pairs": "rating", "pairs_margin": 4.5}, "export_pairs_margin"),
        ({"pairs": "rating", "pairs_margin": float("nan")}, "export_pairs_margin"),
        ({"pairs": "rating", "pairs_margin": "1"}, "export_pairs_margin"),
        ({"pairs": "rating", "pairs_margin": True}, "export_pairs_margin"),
        ({"pairs_choose": "all"}, "export_pairs_by"),
        ({"pairs_margin": 2}, "export_pairs_by"),
        ({"pairs": "rating", "balance": "category"}, "export_pairs_beside"),
        ({"pairs": "rating", "refinement": "steps"}, "export_pairs_beside"),
        ({"pairs": "rating", "form": "messages"}, "export_pairs_format"),
        ({"pairs": "rating", "form": "kto"}, "export_pairs_format"),
        ({"pairs": "rating", "form": "json"}, "export_pairs_format"),
        ({"pairs": "rating", "form": "hf"}, "export_pairs_format"),
        ({"pairs": "score"}, "export_refused_all"),
    ],
)
def test_pairs_that_make_no_sense_are_refused(
    wish: dict[str, Any], code: str, one: Studio, tmp_path: Path
) -> None:
    imported(one, tmp_path, "d", FEEDBACK, format="rows")
    given_: dict[str, Any] = {"dataset": "d", "form": "dpo", **wish}
    place = tmp_path / "out"
    assert code_of(lambda: one.exports.write(place, **given_)) == code
    assert not place.exists()
    if code != "export_refused_all":
        assert code_of(lambda: one.exports.preview(**given_)) == code


def test_a_folder_for_the_hub_tells_how_its_pairs_were_made(one: Studio, tmp_path: Path) -> None:
    imported(one, tmp_path, "d", FEEDBACK, format="rows")
    wish: dict[str, Any] = {"dataset": "d", "form": "hf", "pairs": "rating"}
    done = one.exports.write(tmp_path / "hub", **wish, shape="dpo_trl", card_language="en")
    text = (tmp_path / "hub" / "README.md").read_text("utf-8")
    assert done.rows == 1
    assert (
        "- Pairs of two answers to the same prompt: by people's ratings, at least 1 apart" in text
    )
    assert "- 1 record left out: not rated" in text


def test_records_that_vanish_meanwhile_stop_the_export(one: Studio, tmp_path: Path) -> None:
    imported(one, tmp_path, "d", FEEDBACK, format="rows")

    def vanishing() -> Iterator[Record]:
        yield from one.store.records.iterate(dataset="d")
        one.store.records.delete([1])

    rule = PairRule(by="rating")
    compared = Compared(one.store, vanishing(), Dpo(), rule, "stop")
    assert code_of(lambda: list(compared)) == "export_pairs_changed"
