"""A walk over all combinations: none twice, neighbours far apart, the same on every replay."""

from __future__ import annotations

from itertools import pairwise
from timeit import repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmith.presets.load import variation
from corpusmith.recipes.variation import Variation, joined


def numbered(*sizes: int) -> Variation:
    return Variation({f"list{i}": [str(n) for n in range(s)] for i, s in enumerate(sizes)})


@given(
    st.lists(st.integers(1, 7), max_size=4),
    st.integers(0, 2**63),
    st.text(max_size=5),
    st.integers(0, 3),
)
@settings(max_examples=60, deadline=None)
def test_no_combination_comes_twice_before_all_have_come(sizes, seed, category, lap):
    walk = numbered(*sizes)

    first = lap * walk.size
    picks = {tuple(walk.pick(seed, category, i).items()) for i in range(first, first + walk.size)}

    assert len(picks) == walk.size


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_hundred_thousand_shipped_picks_are_all_different_and_even(language):
    walk = Variation(variation(language))
    picks = [walk.pick(7, "c", i) for i in range(100_000)]

    assert len({tuple(pick.values()) for pick in picks}) == 100_000
    for name, entries in variation(language).items():
        counts = {entry: 0 for entry in entries}
        for pick in picks:
            counts[pick[name]] += 1
        expected = 100_000 / len(entries)
        assert all(0.9 * expected < count < 1.1 * expected for count in counts.values())


def test_neighbours_differ_in_most_lists():
    walk = Variation(variation("zh"))
    picks = [walk.pick(7, "c", i) for i in range(2_000)]

    differing = [sum(a[name] != b[name] for name in a) for a, b in pairwise(picks)]

    assert sum(differing) / len(differing) > 4.7
    assert sum(one < 3 for one in differing) < 10


def test_seed_and_category_each_give_another_order():
    walk = Variation(variation("en"))
    orders = [
        [tuple(walk.pick(seed, category, i).values()) for i in range(20)]
        for seed, category in ((1, "a"), (2, "a"), (1, "b"))
    ]

    assert len({one for order in orders for one in order}) == 60


def test_a_pick_stays_the_same_for_ever():
    assert [numbered(4, 5).pick(1, "日常对话", i) for i in range(3)] == [
        {"list0": "1", "list1": "0"},
        {"list0": "3", "list1": "2"},
        {"list0": "1", "list1": "1"},
    ]


def test_without_lists_there_is_one_empty_combination():
    assert [Variation({}).pick(1, "a", 0), Variation({"mood": []}).pick(1, "a", 9)] == [{}, {}]


def test_own_lists_extend_or_replace_the_shipped_ones():
    shipped = {"mood": ("calm", "cross"), "length": ("short",)}
    own = {"mood": ["cross", "proud"], "season": ["May"], "length": []}

    assert joined(shipped, own) == {
        "mood": ("calm", "cross", "proud"),
        "length": ("short",),
        "season": ("May",),
    }
    assert joined(shipped, own, mode="replace") == {"mood": ("cross", "proud"), "season": ("May",)}


def test_a_pick_is_quick():
    walk = Variation(variation("zh"))

    best_s = min(repeat(lambda: walk.pick(7, "c", 12_345), number=200, repeat=20)) / 200

    assert best_s < 60e-6  # about 5e-6 on an idle core
