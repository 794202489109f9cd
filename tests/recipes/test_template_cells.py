"""Exact shares of crossed values, and even walks over rows and models."""

from __future__ import annotations

from collections import Counter
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmith.recipes.template_cells import met, rotation, spread
from corpusmith.shares import largest_remainder

WEIGHTS = st.lists(st.floats(0.01, 100), min_size=1, max_size=5)


def test_a_list_shares_evenly_and_the_earlier_ones_get_what_is_left() -> None:
    assert spread([[1, 1, 1]], 100) == [34, 33, 33]


def test_crossed_lists_are_even_each_by_itself_too() -> None:
    assert spread([[1, 1, 1], [1, 1]], 8) == [2, 1, 1, 2, 1, 1]


def test_weights_are_exact_in_crossings() -> None:
    shares = spread([[2, 1, 1], [1, 1]], 10)
    assert [sum(shares[0:2]), sum(shares[2:4]), sum(shares[4:6])] == [5, 3, 2]
    assert [sum(shares[0::2]), sum(shares[1::2])] == [5, 5]


def test_no_list_is_one_cell() -> None:
    assert spread([], 7) == [7]


@given(st.lists(WEIGHTS, max_size=4), st.integers(0, 5000))
def test_every_value_gets_its_own_exact_share(weights: list[list[float]], total: int) -> None:
    shares = spread(weights, total)
    assert sum(shares) == total
    assert min(shares) >= 0
    cells = list(product(*(range(len(one)) for one in weights)))
    for at, one in enumerate(weights):
        counted: Counter[str] = Counter()
        for cell, share in zip(cells, shares, strict=True):
            counted[str(cell[at])] += share
        wanted = largest_remainder({str(v): w for v, w in enumerate(one)}, total)
        assert counted == Counter(wanted)


@given(st.integers(1, 12), st.integers(1, 12))
def test_each_place_meets_each_thing_once_before_any_comes_again(period: int, length: int) -> None:
    seen = [(place % period, met(place, period, length)) for place in range(period * length)]
    assert sorted(seen) == sorted(product(range(period), range(length)))


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6))
def test_cells_rows_and_models_are_all_crossed(cells: int, rows: int, models: int) -> None:
    seen = {
        (place % cells, met(place, cells, rows), met(place, cells * rows, models))
        for place in range(cells * rows * models)
    }
    assert len(seen) == cells * rows * models


def test_models_take_turns_by_weight() -> None:
    assert rotation((3.0, 1.0)) == (0, 0, 1, 0)
    assert rotation((50.0, 25.0, 25.0)) == (0, 1, 2, 0)
    assert Counter(rotation((0.7, 0.3))) == {0: 7, 1: 3}
    assert Counter(rotation((1e-6, 1.0))) == {0: 1, 1: 1000}


@settings(deadline=None)  # other programs share the machine
@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=5))
def test_any_stretch_of_the_rotation_is_near_its_shares(weights: list[float]) -> None:
    order = rotation(tuple(weights))
    had: Counter[int] = Counter()
    for turn, one in enumerate(order, 1):
        had[one] += 1
        shares = Counter(order)
        for each, count in shares.items():
            assert abs(had[each] - turn * count / len(order)) < len(weights)
