"""One pass: what is counted of records."""

from __future__ import annotations

from report_kit import facts, tally_of

from corpusmith.reports.counting import Bin
from corpusmith.reports.report import CheckPart, Share
from corpusmith.reports.tally import MOST_LABELS, MOST_PARTS, MOST_SHARES, SAMPLED_TEXTS


def test_labels_are_compared_with_what_was_asked_for() -> None:
    tally = tally_of([facts(n, labels={"scenario": "甲" if n < 3 else "乙"}) for n in range(5)])
    (group,) = tally.groups({"scenario": {"甲": 2, "乙": 3, "丙": 4}})
    assert group.label == "scenario"
    assert group.shares == (
        Share(name="丙", records=0, wanted=4),
        Share(name="甲", records=3, wanted=2),
        Share(name="乙", records=2, wanted=3),
    )
    assert (group.others, group.without) == (0, 0)


def test_records_without_a_label_are_counted() -> None:
    tally = tally_of([facts(1), facts(2, labels={})])
    assert [group.without for group in tally.groups({})] == [1]


def test_a_label_that_is_another_for_nearly_every_record_is_no_group() -> None:
    tally = tally_of([facts(n, labels={"row": str(n)}) for n in range(10 * MOST_SHARES)])
    assert tally.groups({}) == ()


def test_verdicts_are_counted_by_action() -> None:
    some = [
        facts(n, actions={"sensitive": action}) for n, action in enumerate(("pass", "flag", "mask"))
    ]
    assert tally_of(some).check_parts() == (
        CheckPart(name="sensitive", passed=1, flagged=1, masked=1),
    )


def test_scores_and_ratings_go_to_the_nearest_mark() -> None:
    tally = tally_of([facts(1, score=1.4, rating=4.5), facts(2, score=4.9, rating=0.2)])
    assert tally.judged() == (1, 0, 0, 0, 1)
    assert tally.review().ratings == (1, 0, 0, 0, 1)


def test_turns_are_one_column_a_number() -> None:
    tally = tally_of(
        [facts(1, turns=3), facts(2, turns=3), facts(3, turns=1), facts(4, turns=None)]
    )
    assert tally.turn_bins() == (Bin(low=1, high=2, count=1), Bin(low=3, high=4, count=2))


def test_whatever_comes_the_room_is_bounded() -> None:
    tally = tally_of(
        facts(n, parts={str(n): ["x"]}, labels={str(n): "x"}, text="长" * 200)
        for n in range(SAMPLED_TEXTS + 500)
    )
    assert (len(tally.parts), len(tally.labels), len(tally.texts)) == (
        MOST_PARTS,
        MOST_LABELS,
        SAMPLED_TEXTS,
    )


def test_the_same_seed_draws_the_same_samples() -> None:
    some = [facts(n) for n in range(3_000)]
    assert list(tally_of(some, 5).texts) == list(tally_of(some, 5).texts)
    assert list(tally_of(some, 5).texts) != list(tally_of(some, 6).texts)
