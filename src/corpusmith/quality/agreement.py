"""How scores spread, and how far judges who score the same things agree. Pure.

Owns: the statistics, gathered row by row: memory does not grow with the rows. Does not own: who
judges what (`recipes/evaluate.py`), the report (`service/evaluations.py`).
Whatever is undefined (one judge, nothing scored, no variation at all) is None, never a NaN.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

LOWEST = 1
HIGHEST = 5
SCORES = range(LOWEST, HIGHEST + 1)

Table = Sequence[Sequence[float]]
"""Score by score: one judge's rows, another's columns."""


class Moments:
    """Mean and standard deviation of numbers that come one by one.

    Source: B. P. Welford, "Note on a Method for Calculating Corrected Sums of Squares and
    Products", Technometrics 4 (1962).
    """

    def __init__(self, values: Iterable[float] = ()) -> None:
        self.count = 0
        self._mean = 0.0
        self._squares = 0.0
        for value in values:
            self.add(value)

    def add(self, value: float) -> None:
        self.count += 1
        before = value - self._mean
        self._mean += before / self.count
        self._squares += before * (value - self._mean)

    @property
    def mean(self) -> float | None:
        return self._mean if self.count else None

    @property
    def deviation(self) -> float | None:
        """The sample's standard deviation (n - 1); None for fewer than two numbers."""
        return math.sqrt(self._squares / (self.count - 1)) if self.count > 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far judges agree. Shares and means are over all pairs of judges."""

    exact: float | None
    """Share of pairs of scores that are the same."""
    within_one: float | None
    """Share of pairs of scores that are the same or neighbours."""
    kappa: float | None
    """Mean of the pairs' quadratic-weighted kappas, those that are defined."""
    alpha: float | None
    """Krippendorff's alpha, ordinal, of all judges together."""


class Tally:
    """Scores of the same judges, in the same order, row by row."""

    def __init__(self, judges: int) -> None:
        self._tables = {pair: _empty() for pair in combinations(range(judges), 2)}
        self._coincidences: list[list[float]] = _empty()

    def add(self, scores: Sequence[int | None]) -> None:
        """One row's score by each judge, 1 to 5; None: this judge gave none."""
        for (one, other), table in self._tables.items():
            first, second = scores[one], scores[other]
            if first is not None and second is not None:
                table[first - LOWEST][second - LOWEST] += 1
        given = [score for score in scores if score is not None]
        for first, second in permutations(given, 2):
            self._coincidences[first - LOWEST][second - LOWEST] += 1 / (len(given) - 1)

    def take(self, other: Tally) -> None:
        """Count another tally's rows of the same judges here too."""
        for pair, table in other._tables.items():
            _add(self._tables[pair], table)
        _add(self._coincidences, other._coincidences)

    def pairs(self) -> dict[tuple[int, int], float | None]:
        """The quadratic-weighted kappa of each pair of judges, by their places."""
        return {pair: quadratic_kappa(table) for pair, table in self._tables.items()}

    def agreement(self) -> Agreement:
        """What has been counted so far."""
        together = _empty()
        for table in self._tables.values():
            _add(together, table)
        kappas = [kappa for kappa in self.pairs().values() if kappa is not None]
        return Agreement(
            exact=share_within(together, 0),
            within_one=share_within(together, 1),
            kappa=math.fsum(kappas) / len(kappas) if kappas else None,
            alpha=ordinal_alpha(self._coincidences),
        )


def share_within(table: Table, distance: int) -> float | None:
    """Share of pairs of scores at most `distance` apart; None of no pairs."""
    whole = sum(map(sum, table))
    near = sum(
        count
        for first, row in enumerate(table)
        for second, count in enumerate(row)
        if abs(first - second) <= distance
    )
    return near / whole if whole else None


def quadratic_kappa(table: Table) -> float | None:
    """Cohen's weighted kappa with quadratic weights, of a table of counts.

    1: the same; 0: as by chance; below 0: worse. None when chance alone leaves no disagreement
    to expect: nothing was scored, or both judges gave one and the same score throughout.
    Source: J. Cohen, "Weighted kappa: Nominal scale agreement with provision for scaled
    disagreement or partial credit", Psychological Bulletin 70 (1968).
    """
    whole = sum(map(sum, table))
    rows = [sum(row) for row in table]
    columns = [sum(column) for column in zip(*table, strict=True)]
    places = range(len(table))
    observed = sum((i - j) ** 2 * table[i][j] for i in places for j in places)
    expected = sum((i - j) ** 2 * rows[i] * columns[j] for i in places for j in places)
    return 1 - whole * observed / expected if expected else None


def ordinal_alpha(coincidences: Table) -> float | None:
    """Krippendorff's alpha for ordinal data, of a matrix of coincidences.

    1: the same; 0: as by chance; below 0: worse. None without two different scores to compare.
    Source: K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), sections C and D.
    """
    totals = [sum(row) for row in coincidences]
    whole = sum(totals)
    observed = expected = 0.0
    for low, high in combinations(range(len(totals)), 2):
        between = sum(totals[low : high + 1]) - (totals[low] + totals[high]) / 2
        observed += between**2 * coincidences[low][high]
        expected += between**2 * totals[low] * totals[high]
    return 1 - (whole - 1) * observed / expected if expected else None


def _empty() -> list[list[float]]:
    return [[0.0] * len(SCORES) for _ in SCORES]


def _add(sums: list[list[float]], table: Table) -> None:
    for row, more in zip(sums, table, strict=True):
        for place, count in enumerate(more):
            row[place] += count
