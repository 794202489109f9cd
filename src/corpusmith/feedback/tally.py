"""What was read, kept and dropped, and why: numbers that add up.

Owns: counting. Does not own: deciding (`service/feedback_run.py`), showing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corpusmith.feedback.fields import Feedback

MOST_MODELS = 1000
"""Names that are counted one by one: a column of texts taken for names must not fill the memory."""
OTHERS = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCounts:
    """One model's share. Ratings are means; None: there are none."""

    model_name: str | None
    """None: rows without a model's name; `…`: all models beyond the first 1,000."""
    read: int
    kept: int
    mean_rating: float | None
    """Of its rows, kept or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackResult:
    """What a run brought. `read == kept + sum(dropped) + sum(bad)`, always."""

    read: int
    kept: int
    dropped: Mapping[str, int]
    """By reason: `not_rated`, `other_model`, `seen_before`, `rating_below`, `duplicate`."""
    bad: Mapping[str, int]
    """By reason: rows that are no feedback."""
    mean_rating: float | None
    """Of what was kept."""
    mean_rating_read: float | None
    """Of all valid rows."""
    models: Sequence[ModelCounts]
    """Most rows first."""
    words: Mapping[str, int]
    """Ratings that were words or told by a value map, such as `{"up → 5": 112}`."""
    existing: int
    """Rows of the training set that it was merged with."""
    pairs: int | None
    """Preference pairs written; None: none were asked for."""
    kto: Mapping[str, int] | None
    """KTO rows written, by label `true` and `false`; None: none were asked for."""
    files: Mapping[str, Path]
    """What was written, by kind: json, jsonl, alpaca, pairs, kto."""
    bad_rows: Path | None
    """The list of bad rows; None: there are none."""
    took_s: float


@dataclass(slots=True)
class _Model:
    read: int = 0
    kept: int = 0
    ratings: float = 0.0


@dataclass(slots=True)
class Tally:
    """Counts of a run that goes on."""

    dropped: Counter[str] = field(default_factory=Counter)
    bad: Counter[str] = field(default_factory=Counter)
    models: dict[str | None, _Model] = field(default_factory=dict)
    kept: int = 0
    kept_ratings: float = 0.0
    valid: int = 0
    not_rated: int = 0

    @property
    def read(self) -> int:
        """Rows so far, good and bad."""
        return self.valid + self.not_rated + self.bad.total()

    def pass_over(self) -> None:
        """Counts a record of a dataset that nobody has rated yet."""
        self.not_rated += 1
        self.dropped["not_rated"] += 1

    def take(self, batch: Sequence[Feedback]) -> None:
        """Counts valid rows."""
        self.valid += len(batch)
        known = self.models.get
        for one in batch:
            model = known(one.model_name) or self._model(one.model_name)
            model.read += 1
            model.ratings += one.rating

    def keep(self, batch: Sequence[Feedback]) -> None:
        """Counts rows that became samples."""
        self.kept += len(batch)
        for one in batch:
            self._model(one.model_name).kept += 1
            self.kept_ratings += one.rating

    def _model(self, name: str | None) -> _Model:
        found = self.models.get(name)
        if found is None:
            key = name if len(self.models) < MOST_MODELS else OTHERS
            found = self.models.setdefault(key, _Model())
        return found

    def mean_rating(self) -> float | None:
        """Of the kept rows."""
        return self.kept_ratings / self.kept if self.kept else None

    def mean_rating_read(self) -> float | None:
        """Of all valid rows."""
        return sum(one.ratings for one in self.models.values()) / self.valid if self.valid else None

    def counts(self) -> list[ModelCounts]:
        """Per model, most rows first."""
        ordered = sorted(self.models.items(), key=lambda pair: (-pair[1].read, pair[0] or ""))
        return [
            ModelCounts(
                model_name=name, read=one.read, kept=one.kept, mean_rating=one.ratings / one.read
            )
            for name, one in ordered
        ]
