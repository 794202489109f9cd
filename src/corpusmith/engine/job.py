"""What a run is given, and how it ended.

Owns: these values. Does not own: putting a job together (the service), running it (`runner.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from corpusmith.contracts import Checks, Recipe
from corpusmith.engine.budget import Ceilings
from corpusmith.engine.calls import Route
from corpusmith.engine.progress import Snapshot
from corpusmith.engine.terms import Terms
from corpusmith.values import Json, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be run: one task, wired."""

    task_id: int
    seed: int
    recipe: Recipe
    routes: Mapping[str, Route]
    checks: Checks
    max_attempts_multiplier: float
    ceilings: Ceilings
    owner: str
    """Who leases the task."""
    asked: bool = False
    """Run it only if it is still in the queue: somebody may have paused it a moment ago."""
    revision: int = 0
    """Of the task's spec that all this was made from."""
    terms: Callable[[], Terms] | None = None
    """Reads what may have changed since. Called off the event loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How an execution ended. `cause`: code and data of why, or None when all is there."""

    status: Status
    cause: Mapping[str, Json] | None
    snapshot: Snapshot
