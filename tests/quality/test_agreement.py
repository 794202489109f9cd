"""Statistics of scores, against numbers worked out by hand or printed by their inventors."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmith.quality.agreement import (
    Agreement,
    Moments,
    Tally,
    ordinal_alpha,
    quadratic_kappa,
    share_within,
)

# Krippendorff (2011), section C: four observers, twelve units, 1 to 5, "." for none.
OBSERVERS = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
UNITS = [
    tuple(None if sign == "." else int(sign) for sign in unit)
    for unit in zip(*OBSERVERS, strict=True)
]
NOTHING = Agreement(exact=None, within_one=None, kappa=None, alpha=None)


def tally(*rows: tuple[int | None, ...]) -> Tally:
    made = Tally(len(rows[0]))
    for row in rows:
        made.add(row)
    return made


def test_krippendorffs_own_example_gives_his_ordinal_alpha() -> None:
    found = tally(*UNITS).agreement().alpha
    assert found is not None
    assert round(found, 3) == 0.815


def test_the_published_unit_with_one_value_only_counts_for_nothing() -> None:
    with_it, without = tally(*UNITS), tally(*UNITS[:11])
    assert UNITS[11] == (None, 3, None, None)
    assert with_it.agreement() == without.agreement()


def test_two_judges_worked_out_by_hand() -> None:
    """Scores 1-1, 2-3, 5-5, 4-2.

    Squared distances: 0, 1, 0, 4, together 5. By chance: every score of one with every of the
    other, (1, 2, 5, 4) with (1, 3, 5, 2): (0+4+16+1) + (1+1+9+0) + (16+4+0+9) + (9+1+1+4) = 76.
    kappa = 1 - (5/4) / (76/16) = 14/19. Of 8 values: n = 2, 2, 1, 1, 2 for 1 to 5; the ordinal
    distances between 1-2: 2; 1-3: 3.5; 1-4: 4.5; 1-5: 6; 2-3: 1.5; 2-4: 2.5; 2-5: 4; 3-4: 1;
    3-5: 2.5; 4-5: 1.5. Observed: 1.5² + 2.5² = 8.5; expected: 4·4 + 2·12.25 + 2·20.25 + 4·36 +
    2·2.25 + 2·6.25 + 4·16 + 1·1 + 2·6.25 + 2·2.25 = 324. alpha = 1 - 7·8.5/324.
    """
    found = tally((1, 1), (2, 3), (5, 5), (4, 2)).agreement()
    assert (found.exact, found.within_one) == (0.5, 0.75)
    assert found.kappa == pytest.approx(14 / 19)
    assert found.alpha == pytest.approx(1 - 7 * 8.5 / 324)


def test_judges_who_never_differ_agree_wholly() -> None:
    found = tally((1, 1, 1), (3, 3, 3), (5, 5, 5)).agreement()
    assert found == Agreement(exact=1.0, within_one=1.0, kappa=1.0, alpha=1.0)


def test_judges_who_always_give_the_opposite_are_worse_than_chance() -> None:
    found = tally((1, 5), (5, 1)).agreement()
    assert (found.exact, found.kappa, found.alpha) == (0.0, -1.0, -0.5)


def test_without_any_variation_the_shares_are_known_and_the_rest_is_not() -> None:
    found = tally((4, 4), (4, 4)).agreement()
    assert found == Agreement(exact=1.0, within_one=1.0, kappa=None, alpha=None)


@pytest.mark.parametrize("made", [Tally(1), Tally(2), tally((3,), (4,)), tally((3, None))])
def test_nothing_to_compare_is_none_everywhere(made: Tally) -> None:
    assert made.agreement() == NOTHING


def test_the_mean_kappa_is_over_the_pairs_that_have_one() -> None:
    made = tally((1, 1, 3), (5, 5, 3), (2, 2, 3))
    assert made.pairs() == {(0, 1): 1.0, (0, 2): 0.0, (1, 2): 0.0}
    assert made.agreement().kappa == pytest.approx(1 / 3)


def test_two_tallies_together_count_like_one() -> None:
    first, second = tally(*UNITS[:5]), tally(*UNITS[5:])
    first.take(second)
    assert first.agreement() == tally(*UNITS).agreement()


def test_empty_tables_are_undefined() -> None:
    empty = [[0, 0], [0, 0]]
    assert (share_within(empty, 0), quadratic_kappa(empty), ordinal_alpha(empty)) == (None,) * 3


def test_no_numbers_have_no_mean_and_one_has_no_deviation() -> None:
    none, one = Moments(), Moments([3])
    assert (none.mean, none.deviation, one.mean, one.deviation) == (None, None, 3, None)


@given(st.lists(st.floats(1, 5), min_size=2, max_size=50))
def test_moments_are_those_of_the_textbook(values: list[float]) -> None:
    found = Moments(values)
    assert found.mean == pytest.approx(statistics.fmean(values))
    assert found.deviation == pytest.approx(statistics.stdev(values), abs=1e-9)


@given(st.lists(st.tuples(*[st.none() | st.integers(1, 5)] * 3), max_size=30))
def test_whatever_is_scored_no_number_is_ever_a_nan(rows: list[tuple[int | None, ...]]) -> None:
    made = Tally(3)
    for row in rows:
        made.add(row)
    found = made.agreement()
    numbers = [found.exact, found.within_one, found.kappa, found.alpha]
    assert all(number is None or math.isfinite(number) for number in numbers)
    assert all(number is None or -1e-9 <= number <= 1 for number in numbers[:2])
