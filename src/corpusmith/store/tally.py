"""Sums of a batch, so that a task or quota row is updated once however many writes touch it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corpusmith.values import Counts, Spend, Usage


@dataclass(slots=True, kw_only=True)
class Counters:
    """Samples that a batch adds to a quota or a task."""

    attempted: int = 0
    accepted: int = 0
    rejected: int = 0
    failed: int = 0

    def add(self, *, want: int, accepted: int, rejected: int) -> None:
        """An item of `want` samples; what is neither accepted nor rejected failed."""
        self.attempted += want
        self.accepted += accepted
        self.rejected += rejected
        self.failed += want - accepted - rejected


@dataclass(slots=True, kw_only=True)
class Bill:
    """What a batch adds to a task's spend."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: float = 0.0
    cost_unknown: int = 0

    def add(self, calls: int, usage: Usage | None, cost_usd: float | None) -> None:
        self.calls += calls
        if usage is not None:
            self.prompt_tokens += usage.prompt_tokens
            self.completion_tokens += usage.completion_tokens
            self.cached_tokens += usage.cached_tokens
            self.reasoning_tokens += usage.reasoning_tokens
        if cost_usd is None:
            self.cost_unknown += 1
        else:
            self.cost_usd += cost_usd


COUNTERS = ("attempted", "accepted", "rejected", "failed")
BILL = (
    "calls",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "cost_usd",
    "cost_unknown",
)


def counts_of(row: Mapping[Any, Any], requested: int) -> Counts:
    """Counts from a row that has the columns of COUNTERS."""
    return Counts(requested=requested, **{name: row[name] for name in COUNTERS})


def spend_of(row: Mapping[Any, Any]) -> Spend:
    """Spend from a row that has the columns of BILL; one unknown price makes the sum unknown."""
    return Spend(
        calls=row["calls"],
        usage=Usage(
            prompt_tokens=row["prompt_tokens"],
            completion_tokens=row["completion_tokens"],
            cached_tokens=row["cached_tokens"],
            reasoning_tokens=row["reasoning_tokens"],
        ),
        cost_usd=None if row["cost_unknown"] else row["cost_usd"],
    )
