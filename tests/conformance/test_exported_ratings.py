"""What people's ratings become: labels, pairs of different records, job D's own files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from stocked import Stock
from trainers import Trainers
from ways import LABELS, PAIRS
from written import context, messages_row, pair, reply, said, system, user, write

ASKED = [system("短答"), user("在吗？"), said("在。"), user(" 茶？\n")]
RATINGS = {"龙井。\n「请」": 5, "还行": 3, "不知道": 1}
GOOD, MIDDLING, BAD = ([*ASKED, reply(text)] for text in RATINGS)


@pytest.fixture(scope="session")
def rated(stocked: Stock, tmp_path_factory: pytest.TempPathFactory) -> Stock:
    """With a task of three answers to one question, rated in review."""
    place = tmp_path_factory.mktemp("rated") / "rows.jsonl"
    write(place, [messages_row(chat) for chat in (GOOD, MIDDLING, BAD)])
    task = stocked.studio.imports.run(place, "rated").task_id
    records = stocked.studio.store.records.iterate(task_id=task)
    for record, rating in zip(list(records), RATINGS.values(), strict=True):
        stocked.studio.reviews.review(record.id, reviewer="甲", rating=rating)
    return Stock(studio=stocked.studio, tasks={"rated": task})


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
@pytest.mark.parametrize("reader", LABELS)
def test_ratings_of_a_review_are_labels(
    reader: str, ending: str, rated: Stock, trainers: Trainers, folder: Path
) -> None:
    form, load = LABELS[reader]
    path = folder / f"rows.{ending}"
    done = rated.export("rated", path, form, reader)
    assert done.passed_over == {"export_rating_between": 1}
    assert load(trainers, path) == [
        {"said": [*context(chat), chat[-1]], "label": label}
        for chat, label in ((GOOD, True), (BAD, False))
    ]


@pytest.mark.parametrize("ending", ["jsonl", "json", "parquet"])
@pytest.mark.parametrize("reader", PAIRS)
def test_rated_answers_to_one_question_are_pairs(
    reader: str, ending: str, rated: Stock, trainers: Trainers, folder: Path
) -> None:
    form, load = PAIRS[reader]
    path = folder / f"rows.{ending}"
    rated.export("rated", path, form, reader, pairs="rating", pairs_choose="all")
    assert load(trainers, path) == [
        pair(GOOD, MIDDLING[-1][1]),
        pair(GOOD, BAD[-1][1]),
        pair(MIDDLING, BAD[-1][1]),
    ]


@pytest.mark.parametrize("form", ["llamafactory", "alpaca"])
def test_llamafactory_finds_all_files_of_a_feedback_run(
    form: str, stocked: Stock, trainers: Trainers, folder: Path
) -> None:
    rows = [
        {"user_input": "茶？", "model_response": text, "rating": rating}
        for text, rating in RATINGS.items()
    ]
    good, _, bad = ([user("茶？"), reply(text)] for text in RATINGS)
    old = [
        {"instruction": "旧", "output": "答", "system": "短答"},
        {"instruction": "1", "output": "2"},
    ]
    (folder / "old.json").write_text(json.dumps(old), "ascii")
    stocked.studio.feedback.run(
        feedback_file=str(write(folder / "feedback.jsonl", rows)),
        output_dir=str(folder / "out"),
        merge_with=str(folder / "old.json"),
        pairs=True,
        pairs_format=form,
        kto=True,
        dataset_info=True,
    )
    assert {
        stage: trainers.load_with_llamafactory(folder / "out", name, stage)
        for stage, name in {
            "sft": "alpaca_format_samples",
            "rm": "preference_pairs",
            "kto": "kto_samples",
        }.items()
    } == {
        "sft": [[system("短答"), user("旧"), reply("答")], [user("1"), reply("2")], good],
        "rm": [pair(good, bad[-1][1])],
        "kto": [{"said": good, "label": True}, {"said": bad, "label": False}],
    }
