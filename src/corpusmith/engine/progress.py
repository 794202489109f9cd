"""What a running task looks like from outside, as plain values.

Owns: the snapshot and the speed. Does not own: showing it (the faces do).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from corpusmith.values import Counts, Json, Spend, Status

SPEED_WINDOW_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """One endpoint's state: how much is in flight, and what holds it back now."""

    endpoint: str
    model: str
    in_flight: int
    limit: int
    waiting: int
    reason: str
    """free, in_flight, requests_per_min, tokens_per_min, retry_after or learned_rate."""
    wait_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryProgress:
    """One category's counts."""

    name: str
    labels: Mapping[str, str]
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A task at one moment."""

    task_id: int
    status: Status
    counts: Counts
    categories: Sequence[CategoryProgress]
    spend: Spend
    records_per_s: float
    remaining_s: float | None
    """None: no speed yet."""
    paces: Sequence[Pace]
    replayed: int
    """Calls of this execution that came from the journal for nothing."""
    misses: Mapping[str, int]
    """Rejected and failed samples of this execution by reason."""
    retries: Mapping[str, int]
    """Attempts that failed and were tried again, by the error's code."""
    cause: Mapping[str, Json] | None = None
    """Why it ended so, when it ended."""
    elapsed_s: float = 0.0


def live_of(snapshot: Snapshot) -> dict[str, Json]:
    """What of a snapshot the tables do not hold: they have counts, categories and spend."""
    return {
        "records_per_s": snapshot.records_per_s,
        "remaining_s": snapshot.remaining_s,
        "elapsed_s": snapshot.elapsed_s,
        "paces": [asdict(pace) for pace in snapshot.paces],
        "replayed": snapshot.replayed,
        "misses": dict(snapshot.misses),
        "retries": dict(snapshot.retries),
    }


@dataclass(slots=True)
class Speed:
    """Accepted records a second over the last `SPEED_WINDOW_S`."""

    points: deque[tuple[float, int]] = field(default_factory=deque)

    def note(self, now_s: float, accepted: int) -> float:
        """Records a second, now."""
        points = self.points
        points.append((now_s, accepted))
        while len(points) > 2 and now_s - points[0][0] > SPEED_WINDOW_S:
            points.popleft()
        (first_s, first), (last_s, last) = points[0], points[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else 0.0
