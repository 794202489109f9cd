"""What the store gives back about tasks: a task, its executions, its missing samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from corpusmith.values import Counts, Json, Spend, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One recipe, its parameters and its state. Times are ISO 8601, UTC."""

    id: int
    name: str
    recipe: str
    spec: Mapping[str, Json]
    connections: Mapping[str, Json]
    """The connections as they were at creation; never a key."""
    dataset: str | None
    status: Status
    cause: Mapping[str, Json] | None
    """Why it stopped; None: no cause, or it runs."""
    request: str | None
    """What another process asks of the running one: `pause`, `cancel` or None."""
    requested: int
    seed: int
    counts: Counts
    spend: Spend
    lease_owner: str | None = field(repr=False)
    lease_until: float | None
    """Seconds since 1970; None: nobody runs it."""
    interrupted: bool
    """True when it says `running`, but its process is gone or silent: `resume` takes it up."""
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One start or resume of a task, with what that run added."""

    id: int
    task_id: int
    owner: str
    """Host and process number."""
    started_at: str
    ended_at: str | None
    """None: it runs, or it died and nobody has taken the task up since."""
    status: Status | Literal["interrupted"]
    cause: Mapping[str, Json] | None
    counts: Counts
    """`requested` is 0: a run has no number of its own."""
    spend: Spend


@dataclass(frozen=True, slots=True, kw_only=True)
class MissRow:
    """A sample that did not become a record."""

    item: str
    """The item's key, such as `日常对话#12`."""
    kind: Literal["rejected", "failed"]
    reason: str
    detail: Mapping[str, Json]
    raw: str
    """The model's own text, if there was any."""
    saved_at: str
    place: tuple[int, int, int]
    """(category position, ordinal, number within the item): `after` of the next page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Numbers of a dataset's records, largest first; the empty name: without that label."""

    total: int
    by_scenario: Mapping[str, int]
    by_character: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Records that were taken out of a dataset together."""

    number: int
    dataset: str
    reason: str
    count: int
    created_at: str
    undone_at: str | None
    """None: they are still out."""
