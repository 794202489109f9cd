"""What a report says, as values: the JSON file is exactly this, the page is drawn from it.

Owns: the shape. Shares are from 0 to 1, money is US dollars, texts are as they were stored.
Does not own: working it out (`tally.py`, the service), words (the catalog), looks (`page.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from corpusmith.reports.counting import Bin
from corpusmith.reports.diversity import Diversity
from corpusmith.values import Json

FORMAT = "corpusmith-report/1"
Weight = Literal["bad", "note", "good"]


# The counts stand here as they stand in the file. They are no `values.Counts`: what a task counts
# may change, the file's fields may not, and the sums' shortfall is not worked out from the sums.
@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPart:
    """A task that gave records, with its own counts; `records`: those the report is about."""

    id: int
    name: str
    recipe: str
    status: str
    records: int
    requested: int
    attempted: int
    accepted: int
    rejected: int
    failed: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    """None: a price is unknown."""

    @property
    def shortfall(self) -> int:
        return max(0, self.requested - self.accepted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Production:
    """Sums over the tasks."""

    requested: int
    attempted: int
    accepted: int
    rejected: int
    failed: int
    pending: int
    shortfall: int
    """Of each task, summed up: what one has too many is of no use to another."""
    rejected_by_reason: Mapping[str, int]
    failed_by_cause: Mapping[str, int]
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    tokens_per_accepted: float | None
    cost_usd_per_accepted: float | None
    tasks: tuple[TaskPart, ...]
    records_of_deleted_tasks: int
    """Records whose task is gone: their counts and cost are not in these sums."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How long something is. `name`: `characters` and `tokens` of whole records, or a part's."""

    name: str
    count: int
    least: int
    median: int
    p95: int
    most: int
    mean: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Records with one label. `wanted` None: nobody asked for a number."""

    name: str
    records: int
    wanted: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Records by one label, such as `scenario`; the largest first."""

    label: str
    shares: tuple[Share, ...]
    others: int
    """Records with a value that is not among `shares`."""
    without: int
    """Records without this label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionPart:
    """A rubric's dimension. `distribution`: verdicts of 1, 2, 3, 4, 5."""

    name: str
    label: str
    mean: float | None
    distribution: tuple[int, ...]
    kappa: float | None
    alpha: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationPart:
    """What judges said of these records, and of no others, in one evaluate task."""

    task_id: int
    of: str
    """What it was asked to score: `dataset:NAME` or `task:3`."""
    rubric: str
    judges: tuple[str, ...]
    scored: int
    elsewhere: int
    """Records that it scored besides: not selected, in another dataset, taken out or deleted."""
    missed: int
    """Records that it was to score, these or others, and that have no score."""
    mean: float | None
    distribution: tuple[int, ...]
    dimensions: tuple[DimensionPart, ...]
    exact: float | None
    within_one: float | None
    kappa: float | None
    alpha: float | None
    """These four: over all dimensions; None with one judge."""
    simulated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPart:
    """What a check said of the records that are here."""

    name: str
    passed: int
    flagged: int
    masked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewers:
    """How far people who rated the same records agree."""

    names: tuple[str, ...]
    common: int
    """Records that at least two of them reviewed."""
    different: int
    """Records of which they say different things."""
    kappa: float | None
    alpha: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BesideJudge:
    """The judge's scores beside people's ratings of the same records."""

    rated: int
    within_one: float | None
    kappa: float | None
    bias: float | None
    """Mean of score minus rating: above 0, the judge is the milder one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What people have done. `ratings`: records rated about 1, 2, 3, 4, 5."""

    states: Mapping[str, int]
    ratings: tuple[int, ...]
    edited: int
    tags: Mapping[str, int]
    reviewers: Reviewers | None = None
    """None: no record was reviewed by two."""
    beside_judge: BesideJudge | None = None
    """None: no record has both a score and a rating."""

    @property
    def rated(self) -> int:
        return sum(self.ratings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """A record and the earlier one that it nearly repeats."""

    record: int
    earlier: int
    similarity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """Records that repeat an earlier one; `near` does not count the exact ones again."""

    looked_at: int
    sampled: bool
    """True: `looked_at` are a sample; among all records there are more."""
    threshold: float
    exact: int
    near: int
    rejected: int
    """Drafts that checks turned down for it, so that they are not here."""
    pairs: tuple[Twin, ...]
    crowded: int = 0
    """Records half alike to more earlier ones than they were compared with, and to none of these
    enough: some of them may repeat one all the same, so that `near` is the least that there is."""

    @property
    def share(self) -> float:
        return (self.exact + self.near) / self.looked_at if self.looked_at else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One record, or one draft that was turned down, with its texts."""

    record: int | None
    task_id: int
    reason: str
    """Why it was turned down; empty for a record."""
    score: float | None
    lines: tuple[tuple[str, str], ...]
    """(who or which field, text)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """`basis`: what best and worst go by: `evaluation`, `score`, `rating`; None: nothing does, and
    `drawn` are some at random."""

    basis: str | None
    best: tuple[Example, ...]
    worst: tuple[Example, ...]
    drawn: tuple[Example, ...]
    rejected: tuple[Example, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that matters. Its text is `report.finding.<code>`, filled with `data`."""

    code: str
    weight: Weight
    data: Mapping[str, Json]
    command: str | None
    """What to run next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of it."""

    format: str
    made_at: str
    """ISO 8601, UTC."""
    seed: int
    kind: Literal["dataset", "task"]
    name: str
    """The dataset's, or the task's."""
    task: int | None
    only: Mapping[str, Json]
    """What the records were selected by, besides: empty means all of them."""
    language: str
    """That the records are meant to be in: `zh`, `en`."""
    records: int
    simulated: int
    findings: tuple[Finding, ...]
    production: Production
    lengths: tuple[Spread, ...]
    turns: tuple[Bin, ...]
    groups: tuple[Group, ...]
    evaluations: tuple[EvaluationPart, ...]
    judged: tuple[int, ...]
    """Records whose own judge check scored them about 1, 2, 3, 4, 5."""
    judged_by_simulator: int
    """Records whose judge check asked the simulator: that score is made up."""
    checks: tuple[CheckPart, ...]
    flagged: int
    duplicates: Duplicates
    diversity: Diversity
    languages: Mapping[str, int]
    """Of all records, or of a sample of them; `none`: it cannot be told."""
    models: Mapping[str, int]
    review: Review
    examples: Examples

    @property
    def whole(self) -> bool:
        """Whether nothing was left out by a selection."""
        return not self.only
