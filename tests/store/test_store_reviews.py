"""Reviews, edits, undo and queues, on both databases; and a machine that does all of it at will."""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from review_world import Act, Believed, Said, changes, columns, reviewable, take_out
from sqlalchemy import MetaData, Table, create_engine, event, inspect, select, text, update

from corpusmith.errors import Conflict, NotFound, UsageError
from corpusmith.store.codec import iso
from corpusmith.store.open import make_schema, parse_url
from corpusmith.store.review_rules import disagreement, summary
from corpusmith.store.review_values import Change, Kind, Queue, QueueProgress
from corpusmith.store.schema import METADATA, records
from corpusmith.store.store import SqlStore
from corpusmith.values import PASS, Selection, Verdict

ALL = Selection(dataset="语料")
APPROVE, REJECT = Change(state="approved"), Change(state="rejected")


def queue(reviewer: str = "甲", **given: Any) -> Queue:
    return Queue(reviewer=reviewer, selection=given.pop("selection", ALL), **given)


def walked(store: SqlStore, wanted: Queue, limit: int) -> list[int]:
    """All pages of a queue, one after another."""
    found: list[int] = []
    page = store.review_queues.page(wanted, limit=limit)
    while True:
        found += page.ids
        if page.after is None:
            return found
        page = store.review_queues.page(wanted, limit=limit, after=page.after)


# ---------------------------------------------------------------- what is said


def test_a_review_changes_what_is_said_and_leaves_the_rest(store: SqlStore) -> None:
    (one,) = reviewable(store, 1)
    store.reviews.change([one], "甲", Change(rating=4, note="好"))
    store.reviews.change([one], "甲", Change(state="approved"))
    (review,) = store.reviews.of([one])[one]
    assert replace(review, updated_at="") == replace(
        review, state="approved", rating=4, note="好", version=1, settled=False, updated_at=""
    )
    found = columns(store, one)
    assert found is not None
    assert (found["state"], found["rating"]) == ("approved", 4.0)


@pytest.mark.parametrize(
    ("said", "state", "rating"),
    [
        ([], "pending", None),
        ([("甲", APPROVE), ("乙", REJECT)], "rejected", None),
        ([("甲", REJECT), ("乙", APPROVE)], "approved", None),
        ([("甲", APPROVE), ("乙", Change(rating=2))], "approved", 2.0),
        ([("甲", APPROVE), ("乙", REJECT), ("甲", Change(rating=5))], "rejected", 5.0),
        ([("甲", APPROVE), ("乙", REJECT), ("乙", Change(state="pending"))], "approved", None),
        ([("甲", Change(rating=5)), ("乙", Change(rating=2))], "pending", 3.5),
        ([("甲", Change(rating=5)), ("甲", Change(rating=0))], "pending", None),
    ],
)
def test_the_record_sums_its_reviews_up(
    said: list[tuple[str, Change]], state: str, rating: float | None, sqlite_url: str, opened: Any
) -> None:
    store: SqlStore = opened(sqlite_url)
    (one,) = reviewable(store, 1)
    for reviewer, change in said:
        store.reviews.change([one], reviewer, change)
    found = columns(store, one)
    assert found is not None
    assert (found["state"], found["rating"]) == (state, rating)


@pytest.mark.parametrize(
    ("state", "rating", "score", "apart"),
    [
        ("pending", None, 5.0, None),
        ("approved", 5.0, None, None),
        ("pending", 1.0, 4.5, 3.5),
        ("approved", None, 1.5, 2.5),
        ("approved", None, 4.5, 0.0),
        ("rejected", None, 4.5, 2.5),
        ("rejected", 5.0, 5.0, 3.0),
        ("approved", 3.0, 2.0, 2.0),
    ],
)
def test_people_and_the_judge_are_so_far_apart(
    state: str, rating: float | None, score: float | None, apart: float | None
) -> None:
    assert disagreement(state, rating, score) == apart


def test_no_reviews_make_a_pending_record() -> None:
    assert summary([], 3.0) == ("pending", None, None)


def test_tags_alone_are_no_review(store: SqlStore) -> None:
    (one,) = reviewable(store, 1)
    first = store.reviews.change([one], "甲", changes(add=["长", "好"]))
    again = store.reviews.change([one], "乙", changes(add=["好"]))
    assert (first.changed, again.changed, again.unchanged, again.action_id) == (1, 0, 1, None)
    assert store.reviews.of([one]) == {}
    assert [record.tags for record in store.records.some([one])] == [("好", "长")]
    assert store.records.count(ALL, tag="长") == 1


def test_what_is_not_there_is_counted(store: SqlStore) -> None:
    ids = reviewable(store, 2)
    found = store.reviews.change([*ids, 999_999], "甲", APPROVE)
    assert (found.changed, found.gone) == (2, 1)


def test_a_review_remembers_which_version_was_looked_at(store: SqlStore) -> None:
    (one,) = reviewable(store, 1)
    store.versions.edit(one, {"n": 1}, "乙")
    store.reviews.change([one], "甲", APPROVE, version=1)
    store.reviews.change([one], "丙", APPROVE)
    assert {r.reviewer: r.version for r in store.reviews.of([one])[one]} == {"甲": 1, "丙": 2}


def test_the_history_says_who_did_what(store: SqlStore) -> None:
    (one,) = reviewable(store, 1)
    store.reviews.change([one], "甲", Change(rating=2))
    store.versions.edit(one, {"n": 7}, "乙")
    store.reviews.change([one], "乙", changes(add=["改过"]), kind="bulk")
    store.review_undo.undo("甲")
    told = [(e.reviewer, e.action, sorted(e.after), e.undone) for e in store.reviews.history(one)]
    assert told == [
        ("甲", "review", ["review"], True),
        ("乙", "edit", ["version"], False),
        ("乙", "bulk", ["tags"], False),
    ]


# ---------------------------------------------------------------- edits


def test_an_edit_is_a_version_and_the_record_has_the_newest(store: SqlStore) -> None:
    (one,) = reviewable(store, 1)
    assert store.versions.edit(one, {"n": "改"}, "甲", expected=1) == 2
    found = [(v.version, v.author, v.content) for v in store.versions.of(one)]
    assert found == [(1, "", {"n": 0}), (2, "甲", {"n": "改"})]
    (record,) = store.records.some([one])
    assert (record.content, record.version) == ({"n": "改"}, 2)


def test_an_edit_that_changes_nothing_is_no_version(store: SqlStore) -> None:
    (one,) = reviewable(store, 1)
    assert store.versions.edit(one, {"n": 0}, "甲") == 1
    assert (len(store.versions.of(one)), store.review_undo.last("甲")) == (1, None)


def test_an_edit_after_somebody_elses_is_refused_with_their_name(store: SqlStore) -> None:
    (one,) = reviewable(store, 1)
    store.versions.edit(one, {"n": 1}, "甲", expected=1)
    with pytest.raises(Conflict) as caught:
        store.versions.edit(one, {"n": 2}, "乙", expected=1)
    assert (caught.value.reason, caught.value.data) == (
        "record_edited",
        {"record": one, "version": 2, "by": "甲"},
    )


def test_a_number_that_was_read_never_stands_for_another_content(store: SqlStore) -> None:
    (one,) = reviewable(store, 1)
    store.versions.edit(one, {"n": 1}, "甲")
    store.review_undo.undo("甲")
    (record,) = store.records.some([one])
    assert (record.content, record.version) == ({"n": 0}, 3)
    with pytest.raises(Conflict):
        store.versions.edit(one, {"n": 2}, "乙", expected=2)


@pytest.mark.parametrize("version", [0, 2, -1])
def test_a_version_that_is_not_there_is_not_found(store: SqlStore, version: int) -> None:
    (one,) = reviewable(store, 1)
    with pytest.raises(NotFound):
        store.versions.get(one, version)
    with pytest.raises(NotFound):
        store.versions.of(one + 1)


@pytest.fixture
def judged(store: SqlStore) -> int:
    """A record with a score and what two checks said."""
    (one,) = reviewable(store, 1)
    store.reviews.set_scores({one: 4.5})
    flag = Verdict(passed=True, reason="sensitive_word", detail={"word": "w"})
    store.records.note([(one, {"length": PASS, "sensitive": flag})])
    return one


FLAGGED = {"action": "flag", "reason": "sensitive_word", "detail": {"word": "w"}}


def told(store: SqlStore, one: int) -> tuple[Any, ...]:
    (record,) = store.records.some([one])
    return record.score, record.flags, record.verdicts


def test_an_edited_text_has_no_score_and_keeps_its_warnings(store: SqlStore, judged: int) -> None:
    store.reviews.change([judged], "甲", Change(state="approved", rating=2))
    store.versions.edit(judged, {"n": "改"}, "甲")
    assert told(store, judged) == (None, ("sensitive",), {"sensitive": {"version": 1, **FLAGGED}})
    assert columns(store, judged) == {
        "state": "approved", "rating": 2.0, "disagreement": None, "tags": None, "version": 2,
        "content": '{"n":"改"}', "score": None,
    }  # fmt: skip
    assert [store.records.count(ALL, **{name: 1.0}) for name in ("min_score", "min_rating")] == [
        0,
        1,
    ]
    first, second = store.versions.of(judged)
    assert (first.score, first.verdicts) == (4.5, {"length": "pass", "sensitive": FLAGGED})
    assert (second.score, list(second.verdicts)) == (None, ["sensitive"])


def test_a_check_that_looks_again_speaks_of_the_new_text(store: SqlStore, judged: int) -> None:
    store.versions.edit(judged, {"n": "改"}, "甲")
    store.records.note([(judged, {"sensitive": PASS})])
    assert told(store, judged) == (None, (), {"sensitive": "pass"})


@pytest.mark.parametrize("back", ["undo", "restore"])
def test_going_back_brings_the_score_back(store: SqlStore, judged: int, back: str) -> None:
    before = told(store, judged)
    store.versions.edit(judged, {"n": "改"}, "甲")
    if back == "undo":
        store.review_undo.undo("甲")
    else:
        store.versions.edit(judged, {"n": 0}, "乙", kind="restore")
    assert told(store, judged) == before


def test_many_edits_at_once_leave_their_scores_behind(store: SqlStore) -> None:
    ids = reviewable(store, 3)
    store.reviews.set_scores(dict.fromkeys(ids, 4.0))
    store.versions.edit_many([(ids[0], 1, {"n": "x"}), (ids[1], 1, {"n": "y"})], "甲", kind="mask")
    assert [told(store, one)[0] for one in ids] == [None, None, 4.0]
    store.review_undo.undo("甲")
    assert [told(store, one)[0] for one in ids] == [4.0, 4.0, 4.0]


def test_a_score_that_comes_late_goes_to_the_text_that_was_judged(store: SqlStore) -> None:
    edited, same = reviewable(store, 2)
    clock = itertools.count(2_000_000_000.0, 10.0)
    store._database.now = lambda: next(clock)
    judged_at = iso(2_000_000_000.0 - 5)
    store.versions.edit(edited, {"n": "改"}, "甲")
    assert store.reviews.set_scores({edited: 1.0, same: 5.0}, judged_at=judged_at) == 1
    assert [told(store, one)[0] for one in (edited, same)] == [None, 5.0]
    assert [one.score for one in store.versions.of(edited)] == [1.0, None]
    store.review_undo.undo("甲")
    assert told(store, edited)[0] == 1.0


@pytest.mark.parametrize(
    ("recipe", "origin"), [("import", "import"), ("dialogue", "model"), (None, "model")]
)
def test_the_first_version_says_where_it_comes_from(
    store: SqlStore, recipe: str | None, origin: str
) -> None:
    (one,) = reviewable(store, 1)
    provenance = json.dumps({} if recipe is None else {"recipe": recipe})
    with store._database.write() as connection:
        connection.execute(update(records).values(provenance=provenance))
    assert [(two.author, two.origin) for two in store.versions.of(one)] == [("", origin)]
    store.versions.edit(one, {"n": "改"}, "甲")
    assert [(two.author, two.origin) for two in store.versions.of(one)] == [
        ("", origin),
        ("甲", "edit"),
    ]


# ---------------------------------------------------------------- undo


def test_undo_takes_back_one_action_after_another(store: SqlStore) -> None:
    ids = reviewable(store, 3)
    before = [columns(store, one) for one in ids]
    store.reviews.change(ids[:1], "甲", Change(rating=1))
    store.reviews.change(ids, "甲", changes("approved", 5, "都好", ["批量"]), kind="bulk")
    done = [store.review_undo.undo("甲") for _ in range(2)]
    assert [(one.action, one.undone, one.kept, one.gone) for one in done] == [
        ("bulk", 3, 0, 0),
        ("review", 1, 0, 0),
    ]
    assert ([columns(store, one) for one in ids], store.reviews.of(ids)) == (before, {})
    with pytest.raises(NotFound):
        store.review_undo.undo("甲")


def test_undo_leaves_what_others_said(store: SqlStore) -> None:
    (one,) = reviewable(store, 1)
    store.reviews.change([one], "甲", changes("rejected", 1, None, ["差", "短"]))
    store.reviews.change([one], "乙", changes("approved", 5, None, ["好"], ["短"]))
    store.review_undo.undo("甲")
    (record,) = store.records.some([one])
    assert (record.state, record.rating, record.tags) == ("approved", 5.0, ("好",))


def test_an_edit_that_was_edited_over_stays(store: SqlStore) -> None:
    (one,) = reviewable(store, 1)
    store.versions.edit(one, {"n": 1}, "甲")
    store.versions.edit(one, {"n": 2}, "乙")
    found = store.review_undo.undo("甲")
    assert (found.undone, found.kept) == (0, 1)
    assert [record.content for record in store.records.some([one])] == [{"n": 2}]


def test_undo_of_an_action_that_is_not_the_last_is_refused(store: SqlStore) -> None:
    ids = reviewable(store, 2)
    first = store.reviews.change(ids[:1], "甲", APPROVE)
    store.reviews.change(ids[1:], "甲", APPROVE)
    with pytest.raises(Conflict):
        store.review_undo.undo("甲", first.action_id)


def test_undo_of_many_goes_on_where_it_was_cut_short(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from corpusmith.store import review_undo

    ids = reviewable(store, 5)
    store.reviews.change(ids, "甲", APPROVE, kind="bulk")
    monkeypatch.setattr(review_undo, "AT_ONCE", 2)
    whole = review_undo._Back.take_back
    calls = itertools.count()

    def dies(self: Any, events: Any) -> Any:
        if next(calls) == 1:
            raise KeyboardInterrupt
        return whole(self, events)

    monkeypatch.setattr(review_undo._Back, "take_back", dies)
    with pytest.raises(KeyboardInterrupt):
        store.review_undo.undo("甲")
    states = [record.state for record in store.records.some(ids)]
    assert states == ["pending"] * 2 + ["approved"] * 3
    assert store.review_undo.undo("甲").undone == 3
    assert store.reviews.of(ids) == {}


def test_what_was_taken_out_comes_back_right(store: SqlStore) -> None:
    (one,) = reviewable(store, 1)
    store.reviews.change([one], "甲", APPROVE)
    removal = take_out(store, one)
    assert store.review_undo.undo("甲").undone == 1
    store.removals.restore(removal)
    assert [record.state for record in store.records.some([one])] == ["pending"]


def test_undo_counts_what_is_deleted(store: SqlStore) -> None:
    ids = reviewable(store, 2)
    store.reviews.change(ids, "甲", APPROVE, kind="bulk")
    store.records.delete(ids[:1])
    found = store.review_undo.undo("甲")
    assert (found.undone, found.gone) == (1, 1)


# ---------------------------------------------------------------- queues


def test_a_queue_goes_on_where_its_reviewer_stopped(store: SqlStore) -> None:
    ids = reviewable(store, 5)
    store.reviews.change([ids[0], ids[2]], "甲", APPROVE)
    assert walked(store, queue(), 2) == [ids[1], ids[3], ids[4]]
    assert walked(store, queue("乙"), 2) == ids
    assert store.review_queues.progress(queue()) == QueueProgress(done=2, total=5)


@pytest.mark.parametrize("kind", ["all", "lowest", "flagged"])
@pytest.mark.parametrize("scope", ["dataset", "task"])
def test_pages_go_back_the_way_they_came(store: SqlStore, kind: Any, scope: str) -> None:
    ids = reviewable(store, 9)
    store.reviews.set_scores({one: 1.0 + one % 3 for one in ids})
    flag = Verdict(passed=True, reason="sensitive_word")
    store.records.note([(one, {"sensitive": flag}) for one in ids])
    store.reviews.change([ids[3]], "甲", APPROVE)
    store.reviews.change(ids[:5], "乙", REJECT)
    task = store.records.some(ids[:1])[0].task_id
    selection = ALL if scope == "dataset" else Selection(task_id=task)
    wanted = queue(kind=kind, selection=selection)
    pages = [store.review_queues.page(wanted, limit=3)]
    while pages[-1].after is not None:
        pages.append(store.review_queues.page(wanted, limit=3, after=pages[-1].after))
    assert [len(one.ids) for one in pages] == [3, 3, 2]
    back = [pages[-1]]
    while back[-1].before is not None:
        back.append(store.review_queues.page(wanted, limit=3, before=back[-1].before))
    assert [one.ids for one in back] == [one.ids for one in reversed(pages)]
    assert (pages[0].before, back[-1].after) == (None, pages[0].after)


def test_a_place_of_another_list_is_refused(store: SqlStore) -> None:
    reviewable(store, 1)
    with pytest.raises(UsageError) as caught:
        store.review_queues.page(queue(), limit=1, after=(1,))
    assert caught.value.reason == "review_cursor"


def test_many_groups_of_reviewers_make_one_queue_in_order(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from corpusmith.store import review_queue

    monkeypatch.setattr(review_queue, "BRANCHES", 2)
    ids = reviewable(store, 40)
    for bit, name in enumerate("乙丙丁戊"):
        theirs = [one for place, one in enumerate(ids) if place >> bit & 1]
        store.reviews.change(theirs, name, APPROVE if bit % 2 else REJECT)
    assert walked(store, queue(), 7) == ids
    assert walked(store, queue("乙"), 7) == ids[::2]
    assert store.review_queues.progress(queue("乙")) == QueueProgress(done=20, total=40)


def test_no_page_of_a_queue_looks_at_what_is_done(sqlite_url: str, opened: Any) -> None:
    """Each statement walks a stretch of an index: at a million records it must."""
    store: SqlStore = opened(sqlite_url)
    ids = reviewable(store, 4)
    store.reviews.set_scores(dict.fromkeys(ids, 1.0))
    store.reviews.change(ids[:2], "甲", APPROVE)
    store.reviews.change(ids[1:3], "乙", REJECT)
    asked: list[tuple[str, Any]] = []
    event.listen(
        store._database._reader,
        "before_cursor_execute",
        lambda *given: asked.append((given[2], given[3])),
    )
    for selection in (ALL, Selection(task_id=store.records.some(ids)[0].task_id)):
        for kind in get_args(Kind):
            store.review_queues.page(queue(kind=kind, selection=selection, percent=50), limit=2)
    pages = [one for one in asked if "key0" in one[0]]
    assert len(pages) == 2 * len(get_args(Kind))
    with store._database.read() as connection:
        ways = [
            row[3]
            for statement, values in pages
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            if " records " in row[3]
        ]
    assert len(ways) >= len(pages)
    assert [one for one in ways if not re.match(r"SEARCH records USING .*_review", one)] == []


@pytest.mark.parametrize(
    ("words", "found"),
    [("天气", 1), ("气", 1), ("好", 2), ("HELLO", 1), ("你 走", 0), ('"', 0), ("%", 0), ("_", 0)],
)
def test_a_selection_finds_what_contents_hold(store: SqlStore, words: str, found: int) -> None:
    ids = reviewable(store, 3)
    for one, said in zip(ids, ("天气好", "hello 你好", '他说"走"\n'), strict=True):
        store.versions.edit(one, {"a": said}, "甲")
    assert store.records.count(ALL, text=words) == found


def test_what_others_decided_is_not_pending(store: SqlStore) -> None:
    ids = reviewable(store, 3)
    store.reviews.change(ids[:1], "乙", REJECT)
    store.reviews.change(ids[1:2], "乙", Change(rating=3))
    assert walked(store, queue(kind="pending"), 9) == ids[1:]


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_a_sample_is_the_same_for_everybody_in_any_portions(store: SqlStore, limit: int) -> None:
    ids = reviewable(store, 60)
    wanted = queue(kind="sample", percent=25, seed=4)
    drawn = walked(store, wanted, limit)
    assert drawn == walked(store, replace(wanted, reviewer="乙"), 50)
    store.reviews.change(drawn[:3], "甲", APPROVE)
    assert walked(store, wanted, limit) == drawn[3:]
    assert set(drawn) < set(ids)
    assert store.review_queues.progress(wanted) == QueueProgress(done=3, total=len(drawn))


@pytest.mark.parametrize("percent", [1, 10, 50, 99])
def test_a_sample_has_about_its_share_whatever_the_seed(
    sqlite_url: str, opened: Any, percent: int
) -> None:
    store: SqlStore = opened(sqlite_url)
    reviewable(store, 400)
    sizes = [
        store.review_queues.progress(queue(kind="sample", percent=percent, seed=seed)).total
        for seed in range(25)
    ]
    assert abs(sum(sizes) / len(sizes) / 4 - percent) < 3
    assert len(set(map(str, sizes))) > 1


def test_all_percent_are_all(store: SqlStore) -> None:
    ids = reviewable(store, 20)
    assert walked(store, queue(kind="sample", percent=100), 6) == ids


def test_the_lowest_scores_come_first(store: SqlStore) -> None:
    ids = reviewable(store, 5)
    assert store.reviews.set_scores(dict(zip(ids, [3.0, 1.5, 4.0, 1.5], strict=False))) == 4
    store.reviews.change(ids[2:3], "甲", APPROVE)
    assert walked(store, queue(kind="lowest"), 1) == [ids[1], ids[3], ids[0]]


def test_disagreements_stay_until_they_are_settled(store: SqlStore) -> None:
    ids = reviewable(store, 4)
    store.reviews.set_scores(dict(zip(ids, [5.0, 1.0, 3.0, 4.0], strict=True)))
    store.reviews.change(ids[:1], "甲", Change(rating=2))
    store.reviews.change(ids[1:3], "甲", APPROVE)
    store.reviews.change(ids[3:], "甲", APPROVE)
    wanted = queue(kind="disagreement")
    # 5 beside 2: 3 points; an approval speaks for 4: 3 points beside 1, 1 point beside 3.
    assert sorted(walked(store, wanted, 1)[:2]) == ids[:2]
    assert walked(store, wanted, 2)[2:] == ids[2:3]
    store.reviews.change(ids[:1], "甲", Change(settled=True))
    assert walked(store, wanted, 5) == [ids[1], ids[2]]
    store.reviews.change(ids[1:2], "甲", REJECT)
    assert walked(store, wanted, 5) == [ids[2]]


def test_a_queue_can_be_of_a_task_and_of_a_part(store: SqlStore) -> None:
    first, second = reviewable(store, 2), reviewable(store, 3)
    (one,) = {record.task_id for record in store.records.some(second)}
    assert walked(store, queue(selection=Selection(task_id=one)), 2) == second
    assert walked(store, queue(selection=replace(ALL, scenario="情感")), 2) == []
    assert walked(store, queue(), 2) == [*first, *second]
    with pytest.raises(NotFound):
        store.review_queues.page(queue(selection=Selection(dataset="没有")), limit=1)


# ---------------------------------------------------------------- anything, in any order

TAGS = ("好", "长", "x")
NAMES = ("甲", "乙")
machines = itertools.count()


class Life(RuleBasedStateMachine):
    """A few records, two reviewers, and all that can happen."""

    store: SqlStore

    @initialize(count=st.integers(1, 4))
    def begin(self, count: int) -> None:
        ids = reviewable(self.store, count)
        self.names = [f"{name}{next(machines)}" for name in NAMES]
        self.records = {one: Believed(contents=[{"n": 0}]) for one in ids}
        self.acts: list[Act] = []
        self.taken: list[int] = []

    def pick(self, number: int) -> int:
        return list(self.records)[number % len(self.records)]

    def there(self, ids: list[int]) -> list[int]:
        return [one for one in ids if self.records[one].lies == "records"]

    # ------------------------------------------------------------ what happens

    @rule(
        numbers=st.lists(st.integers(0, 3), min_size=1, max_size=4),
        who=st.integers(0, 1),
        state=st.sampled_from([None, "pending", "approved", "rejected"]),
        rating=st.sampled_from([None, 0, 1, 3, 5]),
        note=st.sampled_from([None, "", "记\x00下"]),
        add=st.sets(st.sampled_from(TAGS), max_size=2),
        remove=st.sets(st.sampled_from(TAGS), max_size=1),
    )
    def say(
        self,
        numbers: list[int],
        who: int,
        state: str | None,
        rating: int | None,
        note: str | None,
        add: set[str],
        remove: set[str],
    ) -> None:
        ids = sorted({self.pick(number) for number in numbers})
        change = changes(state, rating, note, sorted(add - remove), sorted(remove))
        name = self.names[who]
        found = self.store.reviews.change(ids, name, change, kind="bulk")
        there = self.there(ids)
        assert found.gone == len(ids) - len(there)
        act = Act(name, found.action_id or 0, {}, {})
        for one in there:
            self.believe(act, one, name, change)
        assert found.changed == len(act.after)
        assert (found.action_id is None) == (not act.after)
        if act.after:
            self.acts.append(act)

    def believe(self, act: Act, one: int, name: str, change: Change) -> None:
        record = self.records[one]
        old, tags = copy.copy(record.reviews.get(name)), set(record.tags)
        record.tags = (record.tags | set(change.add_tags)) - set(change.remove_tags)
        if change.is_review:
            new = copy.copy(old) if old else Said(decided=act.action_id)
            new.version = len(record.contents)
            if change.state is not None:
                new.state, new.decided = change.state, act.action_id
            if change.rating is not None:
                new.rating = change.rating or None
            if change.note is not None:
                new.note = change.note
            record.reviews[name] = new
        elif record.tags == tags:
            return
        act.before[one] = (old, tags, None)
        act.after[one] = (copy.copy(record.reviews.get(name)), set(record.tags), None)

    @rule(number=st.integers(0, 3), who=st.integers(0, 1), text=st.integers(0, 3))
    def edit(self, number: int, who: int, text: int) -> None:
        one, name = self.pick(number), self.names[who]
        record, content = self.records[one], {"n": text}
        if record.lies != "records":
            with pytest.raises(NotFound):
                self.store.versions.edit(one, content, name)
            return
        version = self.store.versions.edit(one, content, name, expected=len(record.contents))
        self.believe_edit(one, name, content)
        assert version == len(record.contents)

    @rule(number=st.integers(0, 3), who=st.integers(0, 1), version=st.integers(1, 9))
    def restore(self, number: int, who: int, version: int) -> None:
        one, name = self.pick(number), self.names[who]
        record = self.records[one]
        if record.lies != "records" or version > len(record.contents):
            return
        content = self.store.versions.get(one, version).content
        assert content == record.contents[version - 1]
        self.store.versions.edit(one, content, name, kind="restore")
        self.believe_edit(one, name, content)

    def believe_edit(self, one: int, name: str, content: Any) -> None:
        record = self.records[one]
        if content == record.contents[-1]:
            return
        record.write(content)
        last = self.store.review_undo.last(name)
        versions = (len(record.contents) - 1, len(record.contents))
        self.acts.append(
            Act(name, last or 0, {one: (None, set(), versions)}, {one: (None, set(), versions)})
        )

    @rule(number=st.integers(0, 3), who=st.integers(0, 1))
    def edit_late(self, number: int, who: int) -> None:
        one = self.pick(number)
        record = self.records[one]
        if record.lies == "records" and len(record.contents) > 1:
            with pytest.raises(Conflict):
                self.store.versions.edit(one, {"n": -1}, self.names[who], expected=1)

    @rule(who=st.integers(0, 1))
    def undo(self, who: int) -> None:
        name = self.names[who]
        mine = [act for act in self.acts if act.reviewer == name]
        if not mine:
            with pytest.raises(NotFound):
                self.store.review_undo.undo(name)
            return
        act = mine[-1]
        found = self.store.review_undo.undo(name)
        fates = [self.take_back(act, one) for one in act.after]
        assert (found.undone, found.kept, found.gone) == (
            fates.count("undone"),
            fates.count("kept"),
            fates.count("gone"),
        )
        self.acts.remove(act)

    def take_back(self, act: Act, one: int) -> str:
        record = self.records[one]
        if record.lies == "gone":
            return "gone"
        (review, tags, versions), (_, fresh, _) = act.before[one], act.after[one]
        if versions is not None:
            before, after = versions
            if record.contents[-1] != record.contents[after - 1]:
                return "kept"
            record.write(record.contents[before - 1])
            return "undone"
        if review is None:
            record.reviews.pop(act.reviewer, None)
        else:
            record.reviews[act.reviewer] = review
        record.tags = (record.tags - (fresh - tags)) | (tags - fresh)
        return "undone"

    @rule(number=st.integers(0, 3), score=st.sampled_from([1.0, 2.5, 5.0]))
    def judge(self, number: int, score: float) -> None:
        one = self.pick(number)
        if self.store.reviews.set_scores({one: score}):
            self.records[one].scores[-1] = score

    @rule(number=st.integers(0, 3))
    def take_out(self, number: int) -> None:
        for one in self.there([self.pick(number)]):
            self.records[one].removal = take_out(self.store, one)
            self.records[one].lies = "removed"

    @rule()
    @precondition(lambda self: any(r.lies == "removed" for r in self.records.values()))
    def put_back(self) -> None:
        one = next(one for one, record in self.records.items() if record.lies == "removed")
        assert self.store.removals.restore(self.records[one].removal).count == 1
        self.records[one].lies = "records"

    @rule(number=st.integers(0, 3))
    @precondition(lambda self: len(self.there(list(self.records))) > 1)
    def delete(self, number: int) -> None:
        for one in self.there([self.pick(number)]):
            assert self.store.records.delete([one]) == 1
            self.records[one].lies = "gone"

    # ------------------------------------------------------------ what must hold

    @invariant()
    def rows_say_what_the_reviews_say(self) -> None:
        for one, record in getattr(self, "records", {}).items():
            found = columns(self.store, one)
            if record.lies == "gone":
                assert found is None
                continue
            assert found is not None
            state, rating = record.summary()
            assert (found["state"], found["rating"]) == (state, rating)
            assert found["score"] == record.score
            assert found["disagreement"] == record.disagreement()
            assert json.loads(found["tags"] or "[]") == sorted(record.tags)
            assert found["tags"] != "[]"
            assert json.loads(found["content"]) == record.contents[-1]
            assert found["version"] == len(record.contents)

    @invariant()
    def reviews_are_what_was_said(self) -> None:
        believed = {one: r for one, r in getattr(self, "records", {}).items() if r.lies != "gone"}
        found = self.store.reviews.of(list(believed))
        for one, record in believed.items():
            said = {
                review.reviewer: (review.state, review.rating, review.note, review.version)
                for review in found.get(one, ())
            }
            assert said == {
                name: (own.state, own.rating, own.note.replace("\0", ""), own.version)
                for name, own in record.reviews.items()
            }

    @invariant()
    def queues_are_what_is_not_reviewed(self) -> None:
        for name in getattr(self, "names", ()):
            left = [
                one
                for one, record in self.records.items()
                if record.lies == "records" and name not in record.reviews
            ]
            wanted = queue(name, selection=self.selection)
            assert walked(self.store, wanted, 2) == left

    @property
    def selection(self) -> Selection:
        task = next(iter(self.store.tasks.list(limit=1)))
        return Selection(task_id=task.id)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("database", "examples"), [("sqlite", 15), ("postgres", 5)])
def test_records_say_what_their_reviews_say_whatever_is_done(
    database: str,
    examples: int,
    request: pytest.FixtureRequest,
    opened: Callable[[str], SqlStore],
) -> None:
    Life.store = opened(request.getfixturevalue(f"{database}_url"))
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


# ---------------------------------------------------------------- what was there before groups


def as_before_groups(url: str) -> None:
    """The schema as it was at revision 0003, with the rows that are there."""
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        kept = {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in METADATA.sorted_tables
        }
        for name in ("record_text", "alembic_version"):
            connection.execute(text(f"DROP TABLE {name}"))
        METADATA.drop_all(connection)
        make_schema(connection, "0003")
        for name, rows in kept.items():
            if rows and inspect(connection).has_table(name):
                old = Table(name, MetaData(), autoload_with=connection)
                known = [{c.name: row[c.name] for c in old.c if c.name in row} for row in rows]
                connection.execute(old.insert(), known)
    engine.dispose()


def test_a_database_without_groups_gets_them(store_url: str, opened: Any) -> None:
    store: SqlStore = opened(store_url)
    ids = reviewable(store, 5)
    store.reviews.set_scores(dict.fromkeys(ids, 5.0))
    store.reviews.change(ids[:3], "甲", APPROVE)
    store.reviews.change(ids[2:4], "乙", Change(rating=1, settled=True))
    take_out(store, ids[1])
    kinds = [queue(name, kind=kind) for name in "甲乙丙" for kind in ("all", "disagreement")]
    expected = [walked(store, one, 2) for one in kinds]
    store.close()
    as_before_groups(store_url)
    again: SqlStore = opened(store_url)
    assert [walked(again, one, 2) for one in kinds] == expected
    again.removals.restore(1)
    assert walked(again, kinds[0], 2) == ids[3:]
