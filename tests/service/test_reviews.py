"""Review from Python: what may be said, queues, edits, agreement, scores, and into job D."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmith import Studio
from corpusmith.errors import Conflict, CorpusmithError, NotFound, UsageError
from corpusmith.service.review_content import BadContent, texts_of, with_text
from corpusmith.service.review_diff import compared
from corpusmith.service.review_input import change_of, cursor, reviewer_of
from corpusmith.simulator import Running, SimulatorConfig, run_in_thread
from corpusmith.store.review_values import Change
from corpusmith.values import Selection

TALKS: list[Any] = [
    {"messages": [{"role": "user", "content": "一"}, {"role": "assistant", "content": "1"}]},
    {
        "messages": [
            {"role": "user", "content": "你好"},
            {"role": "assistant", "content": "你好呀"},
            {"role": "user", "content": "再见"},
            {"role": "assistant", "content": "再会"},
        ]
    },
    {"question": "问？", "answer": "答。"},
    {"rounds": [{"question": "甲？", "answer": "旧", "correction": "新"}]},
    {"word": "没有问答"},
    {"user_input": "从前", "model_response": "后来", "rating": 5, "model_name": "旧模型"},
]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig()) as running:
        yield running


@pytest.fixture
def studio(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    monkeypatch.setenv("CORPUSMITH_REVIEWER", "甲")
    with Studio(sqlite_url, language="zh") as opened:
        yield opened


def filled(studio: Studio, tmp_path: Path, rows: list[Any], dataset: str = "d") -> list[int]:
    """A dataset with these contents; their numbers."""
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    task = studio.imports.run(path, dataset, format="rows").task_id
    return [record.id for record in studio.store.records.iterate(task_id=task)]


def talks(count: int) -> list[Any]:
    return [{"question": f"{n}问？", "answer": f"{n}。"} for n in range(count)]


# ---------------------------------------------------------------- what may be said


def test_a_reviewer_is_who_is_named_else_the_setting_else_the_login(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CORPUSMITH_REVIEWER", "乙")
    monkeypatch.setenv("LOGNAME", "somebody")
    assert [reviewer_of(" 甲 "), reviewer_of()] == ["甲", "乙"]
    monkeypatch.delenv("CORPUSMITH_REVIEWER")
    assert reviewer_of() == "somebody"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({}, "review_nothing"),
        ({"state": "maybe"}, "review_state"),
        ({"rating": 0}, "review_rating"),
        ({"rating": 6}, "review_rating"),
        ({"rating": 2.5}, "review_rating"),
        ({"rating": True}, "review_rating"),
        ({"note": "长" * 5001}, "review_note"),
        ({"add_tags": [""]}, "review_tag"),
        ({"add_tags": ['a"b']}, "review_tag"),
        ({"add_tags": ["a\x1bb"]}, "review_tag"),
        ({"add_tags": ["x" * 51]}, "review_tag"),
        ({"add_tags": [str(n) for n in range(51)]}, "review_tags"),
        ({"add_tags": ["a"], "remove_tags": ["a"]}, "review_tag_both"),
    ],
)
def test_what_cannot_be_said_is_refused(said: dict[str, Any], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        change_of(**said)
    assert caught.value.reason == code


def test_no_rating_is_zero_inside() -> None:
    assert change_of(rating="none", add_tags=[" a ", "a"]) == Change(rating=0, add_tags=("a",))


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 101])
def test_a_reviewers_name_can_be_read(name: str) -> None:
    with pytest.raises(UsageError):
        reviewer_of(name)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "task_or_dataset"),
        ({"dataset": "d", "task": 1}, "task_or_dataset"),
        ({"dataset": "d", "kind": "best"}, "review_queue"),
        ({"dataset": "d", "kind": "sample"}, "review_percent_needed"),
        ({"dataset": "d", "percent": 5}, "review_percent_only"),
        ({"dataset": "d", "kind": "sample", "percent": 0}, "review_percent"),
        ({"dataset": "d", "kind": "sample", "percent": float("nan")}, "review_percent"),
    ],
)
def test_a_queue_that_makes_no_sense_is_refused(
    studio: Studio, given: dict[str, Any], code: str
) -> None:
    with pytest.raises(UsageError) as caught:
        studio.reviews.queue_of(**given)
    assert caught.value.reason == code


def test_what_is_not_there_cannot_be_reviewed(studio: Studio, tmp_path: Path) -> None:
    filled(studio, tmp_path, talks(1))
    for act in (
        lambda: studio.reviews.review(99, state="approved"),
        lambda: studio.reviews.edit(99, {}),
        lambda: studio.reviews.restore(99, 1),
        lambda: studio.reviews.versions(99),
        lambda: studio.reviews.undo(),
        lambda: studio.reviews.queue(dataset="nothing"),
        lambda: studio.reviews.apply(dataset="nothing", state="approved"),
        lambda: studio.reviews.statistics(dataset="nothing"),
        lambda: studio.reviews.take_scores(99),
    ):
        with pytest.raises(NotFound):
            act()


# ---------------------------------------------------------------- saying it


def test_one_reviewer_does_not_see_what_another_said(studio: Studio, tmp_path: Path) -> None:
    one, two = filled(studio, tmp_path, talks(2))
    studio.reviews.review(one, reviewer="乙", rating=1)
    studio.reviews.review(two, rating=5, note="好")
    looks = studio.reviews.look([two, one, 99])
    assert [(look.record.id, look.review and look.review.rating) for look in looks] == [
        (two, 5),
        (one, None),
    ]


def test_a_look_tells_nothing_of_what_others_decided(studio: Studio, tmp_path: Path) -> None:
    (one,) = filled(studio, tmp_path, talks(1))
    studio.reviews.review(one, reviewer="乙", rating=1, state="rejected")
    (look,) = studio.reviews.look([one])
    assert (look.record.state, look.record.rating, look.review) == ("pending", None, None)
    studio.reviews.review(one, rating=5)
    (look,) = studio.reviews.look([one])
    assert (look.record.state, look.record.rating) == ("pending", 5)
    now = studio.reviews.get(one)
    assert (now.state, now.rating) == ("rejected", 3.0)


def test_many_are_one_action_and_one_undo(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from corpusmith.service import review_bulk

    monkeypatch.setattr(review_bulk, "AT_ONCE", 3)
    ids = filled(studio, tmp_path, talks(8))
    studio.reviews.review(ids[0], state="rejected")
    told: list[int] = []
    pending = Selection(dataset="d", state="pending")
    found = studio.reviews.apply(pending, state="approved", add_tags=["批"], show=told.append)
    assert (found.changed, told) == (7, [3, 6, 7])
    counts = studio.reviews.statistics(dataset="d").by_state
    assert counts == {"pending": 0, "approved": 7, "rejected": 1}
    undone = studio.reviews.undo()
    assert (undone.action, undone.undone) == ("bulk", 7)
    assert studio.store.records.count(pending, tag="批") == 0
    assert studio.store.records.count(pending) == 7


def test_numbers_that_are_named_twice_or_not_there_are_counted(
    studio: Studio, tmp_path: Path
) -> None:
    ids = filled(studio, tmp_path, talks(2))
    found = studio.reviews.apply(ids=[*ids, ids[0], 99], rating=3)
    assert (found.changed, found.unchanged, found.gone) == (2, 0, 1)
    with pytest.raises(UsageError):
        studio.reviews.apply(ids=ids, dataset="d", rating=3)


# ---------------------------------------------------------------- edits


@pytest.mark.parametrize(
    ("content", "misfit"),
    [
        ({"question": "？"}, "missing"),
        ({"question": "？", "answer": 5}, "type"),
        ({"question": "？", "answer": " "}, "empty"),
        ({"question": "？", "answer": "a\x07"}, "control"),
        ([{"question": "？", "answer": "。"}], "type"),
        ("text", "type"),
    ],
)
def test_a_content_of_another_shape_is_not_saved(
    studio: Studio, tmp_path: Path, content: Any, misfit: str
) -> None:
    (one,) = filled(studio, tmp_path, talks(1))
    with pytest.raises(BadContent) as caught:
        studio.reviews.edit(one, content)
    assert misfit in (caught.value.data.get("misfit"), caught.value.data.get("reason"))
    assert all("{" not in caught.value.message(language) for language in ("zh", "en"))
    assert studio.reviews.get(one).version == 1


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        (lambda said: said[:2], True),
        (lambda said: [*said, *said[:2]], True),
        (lambda said: [{"role": "user"}], False),
        (lambda said: ["text"], False),
        (lambda said: [{"role": "user", "content": ["x"]}], False),
    ],
)
def test_a_list_may_grow_and_shrink_but_its_rows_keep_their_shape(
    studio: Studio, tmp_path: Path, change: Any, fits: bool
) -> None:
    (one,) = filled(studio, tmp_path, TALKS[1:2])
    content = {"messages": change(TALKS[1]["messages"])}
    if fits:
        assert studio.reviews.edit(one, content).content == content
    else:
        with pytest.raises(BadContent):
            studio.reviews.edit(one, content)


def test_a_late_edit_is_told_and_an_older_version_comes_back(
    studio: Studio, tmp_path: Path
) -> None:
    (one,) = filled(studio, tmp_path, talks(1))
    first = studio.reviews.get(one).content
    studio.reviews.edit(one, {**first, "answer": "甲改"}, version=1)
    with pytest.raises(Conflict) as caught:
        studio.reviews.edit(one, {**first, "answer": "乙改"}, reviewer="乙", version=1)
    assert "甲" in caught.value.message("zh")
    back = studio.reviews.restore(one, 1, reviewer="乙")
    assert (back.content, back.version) == (first, 3)
    told = [(v.version, v.author) for v in studio.reviews.versions(one)]
    assert told == [(1, ""), (2, "甲"), (3, "乙")]
    with pytest.raises(NotFound):
        studio.reviews.restore(one, 9)


def test_an_export_has_the_newest_content(studio: Studio, tmp_path: Path) -> None:
    (one,) = filled(studio, tmp_path, talks(1))
    studio.reviews.edit(one, {"question": "0？", "answer": "改好了"})
    out = tmp_path / "out.jsonl"
    studio.exports.write(out, dataset="d", form="jsonl")
    assert json.loads(out.read_text("utf-8"))["answer"] == "改好了"


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (TALKS[1], ["你好", "你好呀", "再见", "再会"]),
        (TALKS[3], ["甲？", "旧", "新"]),
        ({"a": "x", "n": 1, "b": ["y", {"c": "z"}]}, ["x", "y", "z"]),
        ("whole", ["whole"]),
        (5, []),
    ],
)
def test_each_text_can_be_edited_by_itself(content: Any, texts: list[str]) -> None:
    found = texts_of(content)
    assert [one.text for one in found] == texts
    for one in found:
        changed = with_text(content, one.path, "★")
        assert [two.text for two in texts_of(changed)] == [
            "★" if two is one else two.text for two in found
        ]
    assert texts_of(content) == found


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            {"q": "天气好", "a": "the old cat"},
            {"q": "天气很好", "a": "the new cat"},
            [
                ("q", "q", [("same", "天气"), ("added", "很"), ("same", "好")]),
                (
                    *("a", "a"),
                    [("same", "the "), ("removed", "old"), ("added", "new"), ("same", " cat")],
                ),
            ],
        ),
        ({"a": "x", "n": 1}, {"a": "x", "n": 2}, [("a", "a", [("same", "x")])]),
        (
            {"messages": [{"role": "user", "content": "一"}]},
            {"messages": [{"role": "user", "content": "零"}, {"role": "user", "content": "一"}]},
            [
                (None, "messages.1.content", [("added", "零")]),
                ("messages.1.content", "messages.2.content", [("same", "一")]),
            ],
        ),
        ({"a": ""}, {"a": "新"}, [("a", "a", [("added", "新")])]),
        ({"a": ["x", "y"]}, {"a": ["y"]}, [
            ("a.1", None, [("removed", "x")]), ("a.2", "a.1", [("same", "y")])]),
    ],
)  # fmt: skip
def test_two_versions_are_compared_word_by_word(old: Any, new: Any, told: Any) -> None:
    texts, other = compared(old, new)
    assert [(one.old, one.new, [(p.kind, p.text) for p in one.parts]) for one in texts] == told
    assert other == (old.get("n") != new.get("n"))


@given(st.lists(st.text(max_size=30), max_size=4), st.lists(st.text(max_size=30), max_size=4))
def test_a_comparison_makes_both_texts_again(old: list[str], new: list[str]) -> None:
    texts, other = compared(old, new)
    for side, gone in (("old", "added"), ("new", "removed")):
        made = [
            "".join(part.text for part in one.parts if part.kind != gone)
            for one in texts
            if getattr(one, side) is not None
        ]
        assert made == (old if side == "old" else new)
    assert not other


def test_texts_too_long_to_compare_are_old_and_new(monkeypatch: pytest.MonkeyPatch) -> None:
    from corpusmith.service import review_diff

    monkeypatch.setattr(review_diff, "MOST_COMPARED", 3)
    (text,), _ = compared({"a": "甲乙"}, {"a": "甲丙"})
    assert [(one.kind, one.text) for one in text.parts] == [("removed", "甲乙"), ("added", "甲丙")]


def test_the_versions_of_a_record_are_compared(studio: Studio, tmp_path: Path) -> None:
    (one,) = filled(studio, tmp_path, talks(1))
    for answer in ("一", "二"):
        studio.reviews.edit(one, {"question": "0？", "answer": answer})
    found = studio.reviews.diff(one, 2)
    assert (found.old, found.new, [text.changed for text in found.texts]) == (2, 3, [False, True])
    assert studio.reviews.diff(one, 3, 3).texts[1].changed is False
    with pytest.raises(NotFound):
        studio.reviews.diff(one, 1, 9)


# ---------------------------------------------------------------- pages for the web


def test_pages_of_a_selection_go_on_and_back_by_cursor(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORPUSMITH_REVIEWER", "甲")
    with Studio(store_url, language="zh") as studio:
        ids = filled(studio, tmp_path, talks(7))
        studio.reviews.apply(ids=ids[:2], state="approved")
        wanted = Selection(dataset="d", text="问")
        first = studio.reviews.page(wanted, limit=3)
        second = studio.reviews.page(wanted, limit=3, after=cursor(first.after))
        again = studio.reviews.page(wanted, limit=3, before=cursor(second.before))
        assert [first.ids, second.ids, again.ids] == [ids[:3], ids[3:6], ids[:3]]
        left = studio.reviews.queue(dataset="d", limit=3)
        assert left.ids == ids[2:5]
        back = studio.reviews.queue(dataset="d", limit=3, after=cursor(left.after))
        assert (back.ids, back.after) == (ids[5:], None)
        assert (
            studio.reviews.queue(dataset="d", limit=9, before=cursor(back.before)).ids == ids[2:5]
        )
        progress = studio.reviews.progress(dataset="d")
        assert (progress.done, progress.left, progress.total) == (2, 5, 7)


def test_what_many_would_be_is_counted_before(studio: Studio, tmp_path: Path) -> None:
    filled(studio, tmp_path, talks(12))
    wanted = Selection(dataset="d", text="1")  # the beginning of 1, 10 and 11
    assert studio.reviews.count(wanted) == 3
    assert studio.reviews.apply(wanted, state="approved").changed == 3
    assert studio.reviews.count(dataset="d") == 12
    with pytest.raises(UsageError):
        studio.reviews.count()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"after": "x"}, "review_cursor"),
        ({"after": ""}, "review_cursor"),
        ({"after": "1"}, "review_cursor"),
        ({"after": "1,2,3,4,5"}, "review_cursor"),
        ({"after": "９,1,1,1"}, "review_cursor"),
        ({"after": "1,0,0,0", "before": "1,0,0,0"}, "review_cursor"),
        ({"limit": 0}, "review_page"),
        ({"limit": 1001}, "review_page"),
    ],
)
def test_a_page_that_cannot_be_is_refused(
    studio: Studio, tmp_path: Path, given: dict[str, Any], code: str
) -> None:
    filled(studio, tmp_path, talks(1))
    for ask in (studio.reviews.page, studio.reviews.queue):
        with pytest.raises(UsageError) as caught:
            ask(dataset="d", **given)
        assert caught.value.reason == code
        assert all("{" not in caught.value.message(language) for language in ("zh", "en"))


# ---------------------------------------------------------------- agreement


def test_two_reviewers_agree_so_far(studio: Studio, tmp_path: Path) -> None:
    ids = filled(studio, tmp_path, talks(6))
    said = {
        "甲": ["approved", "approved", "approved", "rejected", "rejected", "pending"],
        "乙": ["approved", "approved", "rejected", "rejected", "rejected", "approved"],
    }
    for name, states in said.items():
        for one, state in zip(ids, states, strict=True):
            studio.reviews.review(one, reviewer=name, state=state)
    for one, first, second in zip(ids, (1, 2, 3, 4, 5), (1, 2, 3, 4, 1), strict=False):
        studio.reviews.review(one, reviewer="甲", rating=first)
        studio.reviews.review(one, reviewer="乙", rating=second)
    found = studio.reviews.agreement(dataset="d")
    (pair,) = found.pairs
    # Decided by both: 5, alike 4; by chance 3/5·2/5 + 2/5·3/5 = 12/25. (4/5 - 12/25)/(13/25) = 8/13
    assert (pair.states.common, pair.states.same) == (5, 4)
    assert pair.states.kappa == pytest.approx(8 / 13)
    # Apart once, by 4: 16/5 found; expected Σ(i-j)²/25 = 3.4 + 2.2 + 2.2·... worked out by table.
    table = [(i - j) ** 2 for i in (1, 2, 3, 4, 5) for j in (1, 2, 3, 4, 1)]
    assert pair.kappa == pytest.approx(1 - (16 / 5) / (sum(table) / 25))
    assert (pair.rated, found.common, found.ratings.exact) == (5, 6, 0.8)
    assert [(one.record_id, one.apart) for one in found.most_different] == [
        (ids[2], 4.0),
        (ids[4], 4.0),
    ]
    assert found.different == 2


def test_nobody_to_agree_with_is_no_error(studio: Studio, tmp_path: Path) -> None:
    (one,) = filled(studio, tmp_path, talks(1))
    studio.reviews.review(one, rating=4)
    found = studio.reviews.agreement(dataset="d", reviewers=["甲", "丁"])
    assert (found.common, found.different, found.pairs[0].kappa) == (0, 0, None)
    assert studio.reviews.judge(dataset="d").bias is None


def test_the_judge_stands_beside_the_people(studio: Studio, tmp_path: Path) -> None:
    ids = filled(studio, tmp_path, talks(4))
    studio.store.reviews.set_scores(dict(zip(ids, (4.6, 2.0, 3.0, 1.0), strict=True)))
    for one, rating in zip(ids, (5, 1, 5), strict=False):
        studio.reviews.review(one, rating=rating, state="approved" if rating > 2 else "rejected")
    found = studio.reviews.judge(dataset="d")
    assert (found.rated, found.agreement.exact) == (3, pytest.approx(1 / 3))
    assert found.bias == pytest.approx((-0.4 + 1 - 2) / 3)
    assert (found.approved_mean, found.rejected_mean) == (pytest.approx(3.8), 2.0)


def test_statistics_say_who_did_how_much(studio: Studio, tmp_path: Path) -> None:
    ids = filled(studio, tmp_path, talks(4))
    studio.reviews.apply(ids=ids[:3], state="approved", rating=4)
    studio.reviews.review(ids[0], reviewer="乙", state="rejected", rating=1)
    studio.reviews.edit(ids[3], {"question": "？", "answer": "改"})
    found = studio.reviews.statistics(dataset="d")
    assert (found.total, found.rated, found.edited) == (4, 3, 1)
    assert found.by_state == {"pending": 1, "approved": 2, "rejected": 1}
    assert found.mean_rating == pytest.approx((2.5 + 4 + 4) / 3)
    assert [(one.reviewer, one.reviewed, one.mean_rating) for one in found.reviewers] == [
        ("甲", 3, 4.0),
        ("乙", 1, 1.0),
    ]


# ---------------------------------------------------------------- scores of an evaluation


def test_an_evaluation_gives_its_records_their_scores(
    studio: Studio, tmp_path: Path, simulator: Running
) -> None:
    ids = filled(studio, tmp_path, talks(4))
    endpoint = {"base_url": f"{simulator.url}/v1", "model": "j"}
    task = studio.tasks.create(recipe="evaluate", of={"dataset": "d"}, connection=endpoint, seed=1)
    studio.tasks.run(task)
    told = {row["id"]: row["overall"] for row in studio.evaluations.scores(task)}
    assert {r.id: r.score for r in studio.store.records.some(ids)} == told
    lowest = studio.reviews.queue(dataset="d", kind="lowest").ids
    assert list(lowest) == sorted(ids, key=lambda one: (told[one], one))
    studio.store.reviews.set_scores(dict.fromkeys(ids, 1.0))
    assert studio.reviews.take_scores(task) == 4
    assert studio.reviews.take_scores(task) == 4
    assert {r.id: r.score for r in studio.store.records.some(ids)} == told


def test_an_evaluation_does_not_score_what_was_edited_after_it(
    studio: Studio, tmp_path: Path, simulator: Running
) -> None:
    ids = filled(studio, tmp_path, talks(2))
    endpoint = {"base_url": f"{simulator.url}/v1", "model": "j"}
    task = studio.tasks.create(recipe="evaluate", of={"dataset": "d"}, connection=endpoint, seed=1)
    studio.tasks.run(task)
    score = studio.reviews.get(ids[0]).score
    studio.reviews.edit(ids[0], {"question": "0？", "answer": "改"})
    assert studio.reviews.take_scores(task) == 1
    assert [studio.reviews.get(one).score is None for one in ids] == [True, False]
    assert [one.score for one in studio.reviews.versions(ids[0])] == [score, None]


def test_the_scores_of_a_file_are_no_records(
    studio: Studio, tmp_path: Path, simulator: Running
) -> None:
    ids = filled(studio, tmp_path, talks(2))
    endpoint = {"base_url": f"{simulator.url}/v1", "model": "j"}
    of = {"path": str(tmp_path / "rows.jsonl")}
    task = studio.tasks.create(recipe="evaluate", of=of, connection=endpoint, seed=1)
    studio.tasks.run(task)
    assert studio.reviews.take_scores(task) == 0
    assert [r.score for r in studio.store.records.some(ids)] == [None, None]


# ---------------------------------------------------------------- into job D


def test_ratings_given_in_review_become_training_files(studio: Studio, tmp_path: Path) -> None:
    ids = filled(studio, tmp_path, TALKS)
    for one, rating in zip(ids[:5], (5, 4, 2, 5, 5), strict=True):
        studio.reviews.review(one, rating=rating)
    studio.reviews.review(ids[1], reviewer="乙", rating=5)
    studio.reviews.edit(
        ids[3], {"rounds": [{"question": "甲？", "answer": "旧", "correction": "更新"}]}
    )
    unrated = filled(studio, tmp_path, talks(2))
    out = tmp_path / "out"
    found = studio.feedback.run(dataset="d", output_dir=str(out))
    lines = (out / "high_quality_samples.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [
        (row["instruction"], row["output"], row["rating"], row["feedback_id"]) for row in rows
    ] == [
        ("一", "1", 5, ids[0]),
        ("用户：你好\n助手：你好呀\n用户：再见", "再会", 4.5, ids[1]),
        ("甲？", "更新", 5, ids[3]),
        ("从前", "后来", 5, None),
    ]
    assert rows[0]["timestamp"] == studio.reviews.of(ids[0])[0].updated_at
    assert (found.read, found.kept, found.dropped, found.bad) == (
        8,
        4,
        {"not_rated": len(unrated), "rating_below": 1},
        {"record_no_exchange": 1},
    )
    assert found.mean_rating == pytest.approx(19.5 / 4)


def test_a_rating_of_review_counts_more_than_one_that_was_imported(
    studio: Studio, tmp_path: Path
) -> None:
    (one,) = filled(studio, tmp_path, TALKS[5:])
    studio.reviews.review(one, rating=1)
    found = studio.feedback.run(dataset="d", output_dir=str(tmp_path / "out"))
    assert (found.kept, found.dropped) == (0, {"rating_below": 1})


def test_a_dataset_that_nobody_rated_says_how_to_rate_it(studio: Studio, tmp_path: Path) -> None:
    filled(studio, tmp_path, talks(3))
    with pytest.raises(UsageError) as caught:
        studio.feedback.run(dataset="d", output_dir=str(tmp_path / "out"))
    assert caught.value.reason == "feedback_not_rated"
    assert "corpusmith review start d" in caught.value.message("zh")
    assert not (tmp_path / "out" / "high_quality_samples.json").exists()


def test_a_rating_that_was_changed_is_new_for_the_next_run(studio: Studio, tmp_path: Path) -> None:
    ids = filled(studio, tmp_path, talks(3))
    options = {"dataset": "d", "output_dir": str(tmp_path / "out"), "since_last": True}
    studio.reviews.apply(ids=ids[:2], rating=5)
    kept = [studio.feedback.run(**options).kept for _ in range(2)]
    studio.reviews.review(ids[2], rating=5)
    assert [*kept, studio.feedback.run(**options).kept] == [2, 0, 1]


def test_from_the_simulator_to_training_files(
    studio: Studio, tmp_path: Path, simulator: Running
) -> None:
    """Dialogues are made, rated by two people, and become samples, with true numbers."""
    studio.generate(
        characters=[str(Path(__file__).parents[2] / "examples" / "cards" / "lin.json")],
        scenarios={"日常对话": 1},
        count=5,
        turns=2,
        connection={"base_url": f"{simulator.url}/v1", "model": "sim"},
        dataset="talks",
        seed=3,
    )
    ids = list(studio.reviews.queue(dataset="talks").ids)
    for one, (first, second) in zip(ids, ((5, 4), (1, 2), (4, 4), (3, 5)), strict=False):
        studio.reviews.review(one, rating=first)
        studio.reviews.review(one, reviewer="乙", rating=second)
    found = studio.feedback.run(dataset="talks", output_dir=str(tmp_path / "out"), kto=True)
    assert (found.read, found.kept, found.dropped) == (5, 3, {"not_rated": 1, "rating_below": 1})
    assert found.mean_rating == pytest.approx((4.5 + 4 + 4) / 3)
    assert [(one.model_name, one.read) for one in found.models] == [("sim", 4)]
    assert found.kto == {"true": 3, "false": 1}
    records = {record.id: record.content["dialogues"] for record in studio.store.records.some(ids)}
    rows = json.loads((tmp_path / "out" / "high_quality_samples.json").read_text("utf-8"))
    for row in rows:
        said = records[row["feedback_id"]]
        assert row["output"] == said[-1]["content"]
        assert row["instruction"].startswith(f"用户：{said[0]['content']}\n助手：")
        assert row["instruction"].endswith(f"\n用户：{said[-2]['content']}")


def test_every_error_of_review_speaks_both_languages(studio: Studio) -> None:
    try:
        studio.reviews.undo()
    except CorpusmithError as error:
        assert "甲" in error.message("zh")
        assert "甲" in error.message("en")
