"""What the store gives back about tasks: a task, its executions, its missing samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from corpusmith.values import Counts, Json, Reply, ReviewState, Spend, Status


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
    queued_at: float | None
    """When a worker was asked to run it, seconds since 1970; None: nobody waits for that."""
    revision: int
    """Grows with each change of `spec`."""
    interrupted: bool
    """True when it says `running`, but its process is gone or silent: `resume` takes it up."""
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskState:
    """What of a task changes, and by what a list names it: read often, so without its parameters.

    Times are ISO 8601, UTC.
    """

    id: int
    name: str
    recipe: str
    dataset: str | None
    status: Status
    alive: bool
    """A process runs it now."""
    request: str | None
    """What is asked of that process: `pause`, `cancel` or None."""
    queued_at: str | None
    cause: Mapping[str, Json] | None
    counts: Counts
    spend: Spend
    created_at: str
    updated_at: str
    live_at: float | None
    """When its process last told how it is, seconds since 1970; None: it never did."""
    live: Mapping[str, Json] | None


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
class CallRow:
    """A call of the journal, without what was said."""

    id: int
    task_id: int
    item: str
    role: str
    endpoint: str
    model: str
    mode: str | None
    """How structured output was asked for; None: it was not."""
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    """None: the price was unknown."""
    latency_s: float
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeCall:
    """A call with what was asked and what was said."""

    call: CallRow
    request: Mapping[str, Json]
    """`messages`, `sampling`, `schema` and what else made it this call; no key."""
    reply: Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Numbers of a dataset's records, largest first; the empty name: without that label."""

    total: int
    by_scenario: Mapping[str, int]
    by_character: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A scenario or a character; the empty name: records without one."""

    name: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """A bar of a histogram: `start` <= value < `end`; the last has no end."""

    start: float
    end: float | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetNumbers:
    """A dataset in numbers. `by_state`, and the scenarios with what is beyond them, add up to
    `total`; of scores and ratings only records that have one are counted."""

    total: int
    by_state: Mapping[ReviewState, int]
    scenarios: Sequence[Label]
    """The largest first."""
    more_scenarios: int
    """Records of all scenarios that are not told one by one."""
    characters: Sequence[Label]
    more_characters: int
    scores: Sequence[Bin]
    ratings: Sequence[Bin]
    lengths: Sequence[Bin]
    """Characters of a record's text."""
    flagged: int
    categories: Sequence[Label] = ()
    more_categories: int = 0
    tags: Sequence[Label] = ()
    """The largest first. A record with several tags counts in each, one without in none."""
    more_tags: int = 0
    """Tags that are not told one by one."""
    flags: Sequence[Label] = ()
    """Checks that flagged records; a record may be flagged by several."""


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
