"""Sums that stay small: what they say of what came."""

from __future__ import annotations

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmith.reports.counting import MOST_NAMES, Bin, Extremes, Names, Numbers, Sample

NUMBERS = st.lists(st.integers(0, 3_000_000), min_size=1, max_size=200)


def numbers_of(some: list[int]) -> Numbers:
    found = Numbers()
    for one in some:
        found.add(one)
    return found


@given(NUMBERS)
def test_least_most_mean_and_count_are_exact(some: list[int]) -> None:
    found = numbers_of(some)
    assert (found.least, found.most, found.count) == (min(some), max(some), len(some))
    assert found.mean == pytest.approx(statistics.fmean(some))


@given(NUMBERS, st.floats(0.01, 1))
def test_a_quantile_is_within_one_in_128(some: list[int], share: float) -> None:
    exact = sorted(some)[max(0, -int(-share * len(some) // 1) - 1)]
    assert exact * 127 / 128 - 1 <= numbers_of(some).quantile(share) <= exact


@given(NUMBERS)
def test_bins_hold_every_number_once_and_touch_each_other(some: list[int]) -> None:
    bins = numbers_of(some).bins()
    assert sum(one.count for one in bins) == len(some)
    assert [one.high for one in bins[:-1]] == [one.low for one in bins[1:]]
    assert len(bins) <= 30


def test_small_numbers_have_bins_of_their_own() -> None:
    assert numbers_of([1, 1, 2, 4]).bins() == [
        Bin(low=1, high=2, count=2),
        Bin(low=2, high=3, count=1),
        Bin(low=3, high=4, count=0),
        Bin(low=4, high=5, count=1),
    ]


def test_a_million_different_lengths_take_little_room() -> None:
    found = numbers_of(list(range(0, 1_000_000, 7)))
    assert len(found._counts) < 2_000


def test_nothing_counted_is_no_number() -> None:
    found = Numbers()
    assert (found.least, found.most, found.mean, found.quantile(0.5), found.bins()) == (0,) * 4 + (
        [],
    )


def test_names_beyond_the_limit_are_counted_together() -> None:
    names = Names()
    for number in range(MOST_NAMES + 10):
        names.add(str(number))
    names.add("0")
    assert (names.others, names.total, names.counts()["0"]) == (10, MOST_NAMES + 11, 2)


def test_a_sample_holds_each_as_likely_as_any_other() -> None:
    hits = [0] * 20
    for seed in range(2_000):
        sample: Sample[int] = Sample(5, random.Random(seed))
        for number in range(20):
            if (place := sample.place()) is not None:
                sample.put(place, number)
        for number in sample:
            hits[number] += 1
    assert min(hits) > 420
    assert max(hits) < 580


def test_a_sample_of_few_is_all_of_them_in_an_order_by_seed() -> None:
    def drawn() -> list[str]:
        sample: Sample[str] = Sample(10, random.Random(4))
        for letter in "abcdef":
            place = sample.place()
            assert place is not None
            sample.put(place, letter)
        return list(sample.drawn())

    assert drawn() == drawn()
    assert sorted(drawn()) == list("abcdef")


def test_extremes_keep_the_highest_and_lowest_of_equals_the_earlier() -> None:
    extremes = Extremes(2)
    for number, value in enumerate((3.0, 5.0, 1.0, 5.0, 5.0, 1.0)):
        extremes.add(value, number)
    assert extremes.highest() == {1: 5.0, 3: 5.0}
    assert extremes.lowest() == {2: 1.0, 5: 1.0}
