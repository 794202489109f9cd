"""Everything at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Query

from corpusmith.api.access import needs
from corpusmith.api.asking import StudioOf
from corpusmith.api.router import rest
from corpusmith.service.task_views import TaskView
from corpusmith.store.overview import DatasetGlance, Spent

router = rest(tags=["overview"])


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewView:
    """What runs, what was made, what was spent."""

    running: Sequence[TaskView]
    """Newest first, at most 20."""
    queued: Sequence[TaskView]
    """Those that wait for a worker, newest first, at most 20."""
    recent: Sequence[TaskView]
    """The newest tasks that neither run nor wait."""
    datasets: Sequence[DatasetGlance]
    week: Spent
    """Of the last seven days."""
    connected: bool
    """Whether a task would find an endpoint."""


@router.get("/overview", dependencies=[needs("read")])
def get_overview(
    studio: StudioOf, most: Annotated[int, Query(ge=1, le=50, description="Of each kind.")] = 5
) -> OverviewView:
    """What runs and what waits, the newest tasks and datasets, what the last seven days cost."""
    found = studio.overview.look(most=most)
    return OverviewView(
        running=found.running,
        queued=found.queued,
        recent=found.recent,
        datasets=found.datasets,
        week=found.week,
        connected=found.connected,
    )
