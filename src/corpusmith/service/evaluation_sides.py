"""What an evaluation says beside its records: by the model that wrote them, and beside people.

Owns: putting scores and records together, in one pass at flat memory. Does not own: the evaluation
(`evaluations.py`), the statistics (`quality/agreement.py`, `review_agreement.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from corpusmith.quality.agreement import Moments
from corpusmith.service.review_agreement import JudgeAgreement, Judged, with_judge
from corpusmith.service.review_scores import JUDGED_RECORDS
from corpusmith.store.review_values import Beside

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

_AT_ONCE = 2000
DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelResult:
    """Records that one model wrote, or several together."""

    models: Sequence[str]
    """Empty: nobody knows, as of imported records."""
    scored: int
    mean: float | None
    means: Mapping[str, float | None]
    """By dimension."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSides:
    """An evaluation of records that are here. scored == gone + those of all models."""

    scored: int
    gone: int
    """Judged records that are not here any more: taken out, or deleted."""
    models: Sequence[ModelResult]
    """The best first."""
    people: JudgeAgreement
    """The overall scores beside what people say of the same records."""


def sides_of(studio: Studio, number: int) -> EvaluationSides | None:
    """None: a file was judged, whose rows are no records. Raises NotFound, UsageError for a task
    that is no evaluation."""
    rows = studio.evaluations.scores(number)
    task = studio.tasks.get(number)
    if not str(task.spec["recipe_spec"]["of"]).startswith(JUDGED_RECORDS):
        return None
    gathered = _Gathered()
    people = with_judge(gathered.walk(studio, rows))
    return EvaluationSides(
        scored=gathered.scored, gone=gathered.gone, models=gathered.results(), people=people
    )


class _Gathered:
    """Sums by who wrote a record."""

    def __init__(self) -> None:
        self.scored = 0
        self.gone = 0
        self._overall: dict[tuple[str, ...], Moments] = {}
        self._means: dict[tuple[str, ...], dict[str, Moments]] = {}

    def walk(self, studio: Studio, rows: Iterator[Mapping[str, Any]]) -> Iterator[Judged]:
        """Takes all rows in; gives those on which people have said something."""
        while batch := list(islice(rows, _AT_ONCE)):
            there = studio.store.review_numbers.beside([int(row["id"]) for row in batch])
            for row in batch:
                self.scored += 1
                record = there.get(int(row["id"]))
                if record is None:
                    self.gone += 1
                    continue
                self._add(record, row)
                if record.rating is not None or record.state != "pending":
                    yield record.id, record.state, record.rating, float(row["overall"])

    def _add(self, record: Beside, row: Mapping[str, Any]) -> None:
        overall = self._overall.setdefault(record.models, Moments())
        overall.add(row["overall"])
        means = self._means.setdefault(record.models, {})
        for name, score in row["scores"].items():
            means.setdefault(name, Moments()).add(score)

    def results(self) -> Sequence[ModelResult]:
        """By model."""
        found = [
            ModelResult(
                models=models,
                scored=overall.count,
                mean=_rounded(overall.mean),
                means={name: _rounded(one.mean) for name, one in self._means[models].items()},
            )
            for models, overall in self._overall.items()
        ]
        return sorted(found, key=lambda one: (-(one.mean or 0), one.models))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
