"""What of a task may change while it runs: its ceilings, its attempts, its pace.

Owns: what these are, and putting new ones in force in a run. Does not own: where they come from,
noticing that they changed (`runner.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from corpusmith.engine.budget import Budget, Ceilings
from corpusmith.engine.calls import Calls, Route
from corpusmith.engine.limits import Limiter
from corpusmith.engine.quota import Quotas
from corpusmith.engine.work import Work
from corpusmith.values import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of a run."""

    revision: int
    """Of the task's spec that they are from."""
    ceilings: Ceilings
    max_attempts_multiplier: float
    ways: Mapping[str, tuple[Connection, Limiter]] = field(default_factory=dict)
    """Each role's connection with its limits, and the limiter that holds them."""


def put_in_force(
    terms: Terms,
    *,
    budget: Budget,
    quotas: Quotas,
    work: Work,
    routes: Mapping[str, Route],
    calls: Calls,
) -> None:
    """From now on. Calls in flight end as they began; those that wait do so at the new gates."""
    budget.change(terms.ceilings)
    quotas.allow(terms.max_attempts_multiplier)
    work.allow(terms.max_attempts_multiplier)
    for role, (connection, limiter) in terms.ways.items():
        routes[role].connection = connection
        routes[role].limiter = limiter
    calls.move()
