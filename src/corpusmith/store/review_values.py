"""The frozen values of review: what a person says of a record, queues, versions, undo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from corpusmith.values import Json, ReviewState, Selection

Kind = Literal["all", "pending", "sample", "lowest", "disagreement", "flagged"]
"""Which records a queue shows, and in what order: see `review_queue.py`."""
ActionKind = Literal["review", "bulk", "edit", "restore", "mask"]
Origin = Literal["model", "import", "edit"]
"""How a version came to be: a model wrote it, it was read from a file, a person saved it."""
Place = tuple[float, ...]
"""Where a page of a queue ended; opaque."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a person says of records now. None: that part stays as it is."""

    state: ReviewState | None = None
    rating: int | None = None
    """1 to 5; 0 takes it away."""
    note: str | None = None
    """Empty: takes it away."""
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    settled: bool = False
    """Said in sight of the judge's score: the queue of disagreements does not ask again."""

    @property
    def is_review(self) -> bool:
        """Whether it says anything besides tags, which belong to the record."""
        said = (self.state, self.rating, self.note)
        return self.settled or any(one is not None for one in said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What one person says of one record."""

    record_id: int
    reviewer: str
    state: ReviewState
    rating: int | None
    note: str
    version: int
    """The version of the record that was looked at."""
    settled: bool
    updated_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordVersion:
    """A record's content at some time."""

    version: int
    author: str
    """Who edited it; empty of version 1."""
    origin: Origin
    created_at: str
    content: Json
    verdicts: Mapping[str, Json]
    """What checks said of this content. `version` in one: it is of that earlier version."""
    score: float | None
    """What a judge gave this content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What an action did to a record: the parts that changed, before and after."""

    action_id: int
    action: ActionKind
    reviewer: str
    created_at: str
    before: Mapping[str, Json]
    """`review` (None: there was none), `tags`, `version`: those that changed."""
    after: Mapping[str, Json]
    undone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What a change came to. changed + unchanged + gone == records asked for."""

    action_id: int | None
    """None: nothing was changed, so there is nothing to undo."""
    changed: int
    unchanged: int = 0
    """They had it so already (tags)."""
    gone: int = 0
    """Numbers without a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What undo took back."""

    action_id: int
    action: ActionKind
    undone: int
    """Records."""
    kept: int
    """Records that have been changed since: they stay as they are."""
    gone: int
    """Records that are deleted by now."""
    first: int | None
    """The record that was taken back, of several the first; None: none was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Which records one person is to look at. A queue is a question: only reviews are stored."""

    reviewer: str
    selection: Selection
    """Of one dataset or one task."""
    kind: Kind = "all"
    percent: float = 100.0
    """Of `sample`: each record is in it with this chance, by `seed` and its number alone."""
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage:
    """Records of a queue that its reviewer has not done yet."""

    ids: Sequence[int]
    after: Place | None
    """Where the next page begins; None: there is none."""
    before: Place | None = None
    """Where the page before ends; None: this is the first that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueProgress:
    """How far a reviewer is with a queue."""

    done: int
    """By this reviewer."""
    total: int

    @property
    def left(self) -> int:
        """For this reviewer."""
        return self.total - self.done


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerCounts:
    """One reviewer's share."""

    reviewer: str
    reviewed: int
    approved: int
    rejected: int
    rated: int
    mean_rating: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewStatistics:
    """A dataset's or a task's review in numbers."""

    total: int
    by_state: Mapping[ReviewState, int]
    """All three states."""
    rated: int
    mean_rating: float | None
    """Of the records' ratings, which are means of their reviewers'."""
    edited: int
    """Records whose content a person changed."""
    reviewers: Sequence[ReviewerCounts]
    """Most reviews first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What stands beside a judge's score of a record."""

    id: int
    state: ReviewState
    rating: float | None
    models: tuple[str, ...]
    """Who wrote it; empty: nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What agreement is worked out from."""

    record_id: int
    reviewer: str
    state: ReviewState
    rating: int | None
