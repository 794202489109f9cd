"""One pass over records, added up.

Owns: what is counted of a record, and the samples that texts are looked at in. Memory does not grow
with the records. Does not own: what a record's texts are (the service says), duplicates, tasks.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from corpusmith.reports.counting import Bin, Extremes, Names, Numbers, Sample
from corpusmith.reports.report import CheckPart, Group, Review, Share, Spread
from corpusmith.tokens import tokens_of

SAMPLED_TEXTS = 2_000
SAMPLED_OPENINGS = 20_000
LONGEST_TEXT = 20_000
LONGEST_OPENING = 200
MOST_PARTS = 8
MOST_LABELS = 8
MOST_SHARES = 40
MOST_TAGS = 20
EXAMPLES = 4
"""Of each kind."""

CHARACTERS, TOKENS = "characters", "tokens"
SCORES = range(1, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What of a record is looked at."""

    id: int
    task_id: int
    text: str
    """All that people would read, in order."""
    language: str | None
    """An ISO 639-1 code; `none`: too little text, or unclear. None: it was not looked at."""
    opening: str
    """The user's first words."""
    parts: Mapping[str, Sequence[str]]
    """Texts by part: a role, or a field."""
    turns: int | None
    """None: it has none."""
    labels: Mapping[str, str]
    state: str
    score: float | None
    rating: float | None
    worth: float | None
    """What best and worst go by."""
    edited: bool
    flagged: bool
    tags: Sequence[str]
    actions: Mapping[str, str]
    """check → pass, flag or mask"""
    models: Sequence[str]
    simulated: bool
    judged_by_simulator: bool


@dataclass(slots=True)
class _Check:
    actions: Counter[str] = field(default_factory=Counter)


class Tally:
    """Sums of all records seen."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.records = self.simulated = self.flagged = self.edited = 0
        self.judged_by_simulator = 0
        self.by_task: Counter[int] = Counter()
        self.lengths = {CHARACTERS: Numbers(), TOKENS: Numbers()}
        self.parts: dict[str, Numbers] = {}
        self.turns: Counter[int] = Counter()
        self.labels: dict[str, Names] = {}
        self.languages: Counter[str] = Counter()
        self.models = Names()
        self.tags = Names()
        self.states: Counter[str] = Counter()
        self.scores: Counter[int] = Counter()
        self.ratings: Counter[int] = Counter()
        self.checks: dict[str, _Check] = {}
        self.worth = Extremes(EXAMPLES)
        self.texts: Sample[str] = Sample(SAMPLED_TEXTS, self.rng("texts"))
        self.openings: Sample[str] = Sample(SAMPLED_OPENINGS, self.rng("openings"))
        self.drawn: Sample[int] = Sample(EXAMPLES, self.rng("examples"))

    def rng(self, name: str) -> random.Random:
        """The randomness that a sample is drawn with."""
        return random.Random(f"{self._seed}\x1f{name}")  # noqa: S311  a sample, no secret

    def add(self, facts: Facts) -> None:
        self.records += 1
        self.simulated += facts.simulated
        self.flagged += facts.flagged
        self.by_task[facts.task_id] += 1
        self._add_texts(facts)
        self._add_names(facts)
        self._add_judgements(facts)
        if (place := self.drawn.place()) is not None:
            self.drawn.put(place, facts.id)

    def _add_texts(self, facts: Facts) -> None:
        self.lengths[CHARACTERS].add(len(facts.text))
        self.lengths[TOKENS].add(tokens_of(facts.text))
        for name, texts in facts.parts.items():
            if name not in self.parts and len(self.parts) == MOST_PARTS:
                continue
            numbers = self.parts.setdefault(name, Numbers())
            for text in texts:
                numbers.add(len(text))
        if facts.turns is not None:
            self.turns[min(facts.turns, 1_000)] += 1
        if facts.language is not None:
            self.languages[facts.language] += 1
        if (place := self.texts.place()) is not None:
            self.texts.put(place, facts.text[:LONGEST_TEXT])
        if (place := self.openings.place()) is not None:
            self.openings.put(place, facts.opening[:LONGEST_OPENING])

    def _add_names(self, facts: Facts) -> None:
        for label, value in facts.labels.items():
            if label in self.labels or len(self.labels) < MOST_LABELS:
                self.labels.setdefault(label, Names()).add(value)
        for model in facts.models:
            self.models.add(model)
        for tag in facts.tags:
            self.tags.add(tag)

    def _add_judgements(self, facts: Facts) -> None:
        self.states[facts.state] += 1
        self.edited += facts.edited
        if facts.score is not None:
            self.scores[_mark(facts.score)] += 1
            self.judged_by_simulator += facts.judged_by_simulator
        if facts.rating is not None:
            self.ratings[_mark(facts.rating)] += 1
        if facts.worth is not None:
            self.worth.add(facts.worth, facts.id)
        for name, action in facts.actions.items():
            self.checks.setdefault(name, _Check()).actions[action] += 1

    # ------------------------------------------------------------ as they are told

    def spreads(self) -> tuple[Spread, ...]:
        """Of whole records, then of their parts."""
        named = {**self.lengths, **{f"part:{name}": one for name, one in self.parts.items()}}
        return tuple(_spread(name, one) for name, one in named.items() if one.count)

    def turn_bins(self) -> tuple[Bin, ...]:
        """How many records have so many turns."""
        return tuple(
            Bin(low=turns, high=turns + 1, count=count)
            for turns, count in sorted(self.turns.items())
        )

    def groups(self, wanted: Mapping[str, Mapping[str, int]]) -> tuple[Group, ...]:
        """By label; `wanted`: label → value → how many were asked for."""
        labels = dict.fromkeys([*wanted, *self.labels])
        groups = [self._group(label, wanted.get(label, {})) for label in labels]
        # A label that is another for nearly every record is a value, not a group.
        return tuple(one for one in groups if one.others * 2 <= self.records)

    def _group(self, label: str, wanted: Mapping[str, int]) -> Group:
        names = self.labels.get(label, Names())
        counts = {**dict.fromkeys(wanted, 0), **names.counts()}
        ordered = sorted(counts.items(), key=lambda one: -max(one[1], wanted.get(one[0], 0)))
        shown = ordered[:MOST_SHARES]
        return Group(
            label=label,
            shares=tuple(
                Share(name=name, records=count, wanted=wanted.get(name)) for name, count in shown
            ),
            others=names.total - sum(count for _, count in shown),
            without=self.records - names.total,
        )

    def check_parts(self) -> tuple[CheckPart, ...]:
        return tuple(
            CheckPart(
                name=name,
                passed=one.actions["pass"],
                flagged=one.actions["flag"],
                masked=one.actions["mask"],
            )
            for name, one in sorted(self.checks.items())
        )

    def review(self) -> Review:
        tags = list(self.tags.counts().items())[:MOST_TAGS]
        return Review(
            states=dict(self.states.most_common()),
            ratings=tuple(self.ratings[mark] for mark in SCORES),
            edited=self.edited,
            tags=dict(tags),
        )

    def judged(self) -> tuple[int, ...]:
        return tuple(self.scores[mark] for mark in SCORES)


def _mark(value: float) -> int:
    """The nearest of 1 to 5."""
    return min(5, max(1, int(value + 0.5)))


def _spread(name: str, numbers: Numbers) -> Spread:
    return Spread(
        name=name,
        count=numbers.count,
        least=numbers.least,
        median=numbers.quantile(0.5),
        p95=numbers.quantile(0.95),
        most=numbers.most,
        mean=round(numbers.mean, 2),
        bins=tuple(numbers.bins()),
    )
