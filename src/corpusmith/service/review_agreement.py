"""How far reviewers agree with each other, and people with the judge.

Owns: gathering what was said of the same records. Does not own: the statistics
(`quality/agreement.py`), reviews (store).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappush, heapreplace
from itertools import combinations, groupby

from corpusmith.quality.agreement import (
    HIGHEST,
    LOWEST,
    Agreement,
    Moments,
    Tally,
    quadratic_kappa,
)
from corpusmith.store.review_values import Opinion

MOST_LISTED = 50
_DECISIONS = ("approved", "rejected")
Judged = tuple[int, str, float | None, float]
"""(record, state, people's rating, judge's score)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateAgreement:
    """Approved or rejected, by two people: both decided on so many records."""

    common: int
    same: int
    kappa: float | None
    """Cohen's kappa; None: not defined, as when both approved everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairAgreement:
    """Two reviewers."""

    reviewers: tuple[str, str]
    states: StateAgreement
    rated: int
    """Records that both rated."""
    kappa: float | None
    """Of the ratings, quadratic-weighted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Different:
    """A record of which reviewers say different things."""

    record_id: int
    states: Mapping[str, str]
    ratings: Mapping[str, int]
    apart: float
    """Points between the highest and the lowest rating; 4 more when states differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewAgreement:
    """All reviewers of some records."""

    reviewers: Sequence[str]
    common: int
    """Records that at least two of them reviewed."""
    ratings: Agreement
    pairs: Sequence[PairAgreement]
    different: int
    """Records of which they say different things."""
    most_different: Sequence[Different]
    """The first of them, furthest apart first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeAgreement:
    """The judge's scores beside what people say."""

    rated: int
    """Records with a score and a rating."""
    agreement: Agreement
    """Of ratings and scores, each rounded to whole points."""
    bias: float | None
    """Mean of score minus rating: above 0, the judge is the milder one."""
    approved_mean: float | None
    """Mean score of what people approved."""
    rejected_mean: float | None


def between(reviewers: Sequence[str], opinions: Iterable[Opinion]) -> ReviewAgreement:
    """From the opinions of `reviewers`, those of one record together."""
    gathered = _Gathered(reviewers)
    for record_id, group in groupby(opinions, key=lambda one: one.record_id):
        gathered.add(record_id, {one.reviewer: one for one in group})
    return gathered.report()


class _Gathered:
    """Sums of all records seen: memory grows with the reviewers, not with the records."""

    def __init__(self, reviewers: Sequence[str]) -> None:
        self._reviewers = list(reviewers)
        self._ratings = Tally(len(self._reviewers))
        self._rated = dict.fromkeys(combinations(self._reviewers, 2), 0)
        self._states = {pair: [[0, 0], [0, 0]] for pair in self._rated}
        self._common = 0
        self._different = 0
        self._heap: list[tuple[float, int, Different]] = []

    def add(self, record_id: int, said: Mapping[str, Opinion]) -> None:
        if len(said) < 2:
            return
        self._common += 1
        ratings = {name: one.rating for name, one in said.items()}
        self._ratings.add([ratings.get(name) for name in self._reviewers])
        for pair in combinations([name for name in self._reviewers if name in said], 2):
            first, second = said[pair[0]], said[pair[1]]
            self._rated[pair] += first.rating is not None and second.rating is not None
            if first.state in _DECISIONS and second.state in _DECISIONS:
                row, column = _DECISIONS.index(first.state), _DECISIONS.index(second.state)
                self._states[pair][row][column] += 1
        self._note_if_different(record_id, said)

    def _note_if_different(self, record_id: int, said: Mapping[str, Opinion]) -> None:
        states = {name: one.state for name, one in said.items() if one.state in _DECISIONS}
        ratings = {name: one.rating for name, one in said.items() if one.rating is not None}
        apart = float(max(ratings.values()) - min(ratings.values())) if ratings else 0.0
        apart += 4.0 if len(set(states.values())) > 1 else 0.0
        if not apart:
            return
        self._different += 1
        found = Different(record_id=record_id, states=states, ratings=ratings, apart=apart)
        entry = (apart, -record_id, found)
        if len(self._heap) < MOST_LISTED:
            heappush(self._heap, entry)
        elif entry > self._heap[0]:
            heapreplace(self._heap, entry)

    def report(self) -> ReviewAgreement:
        kappas = {
            (self._reviewers[one], self._reviewers[other]): kappa
            for (one, other), kappa in self._ratings.pairs().items()
        }
        return ReviewAgreement(
            reviewers=tuple(self._reviewers),
            common=self._common,
            ratings=self._ratings.agreement(),
            pairs=tuple(
                PairAgreement(
                    reviewers=pair,
                    states=_states(self._states[pair]),
                    rated=self._rated[pair],
                    kappa=kappas[pair],
                )
                for pair in self._rated
            ),
            different=self._different,
            most_different=tuple(one for _, _, one in sorted(self._heap, reverse=True)),
        )


def _states(table: Sequence[Sequence[int]]) -> StateAgreement:
    # Of two classes, all disagreement is of one size: the weighted kappa is Cohen's own.
    return StateAgreement(
        common=sum(map(sum, table)), same=table[0][0] + table[1][1], kappa=quadratic_kappa(table)
    )


def with_judge(rows: Iterator[Judged]) -> JudgeAgreement:
    """The judge beside the people."""
    tally, bias = Tally(2), Moments()
    means = {state: Moments() for state in _DECISIONS}
    for _, state, rating, score in rows:
        if state in means:
            means[state].add(score)
        if rating is not None:
            bias.add(score - rating)
            tally.add([_whole(score), _whole(rating)])
    return JudgeAgreement(
        rated=bias.count,
        agreement=tally.agreement(),
        bias=bias.mean,
        approved_mean=means["approved"].mean,
        rejected_mean=means["rejected"].mean,
    )


def _whole(value: float) -> int:
    """The nearest whole point, halves up: Python rounds 2.5 to 2 and 3.5 to 4."""
    return min(HIGHEST, max(LOWEST, int(value + 0.5)))
