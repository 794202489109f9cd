"""Use-cases of the first look: what runs, what was made, what was spent, what to do first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corpusmith.service.endpoints import unnamed_connection
from corpusmith.service.task_lists import TaskFilter
from corpusmith.service.task_views import TaskView
from corpusmith.store.overview import DatasetGlance, Spent

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

WEEK_S = 7 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Everything at a glance."""

    running: Sequence[TaskView]
    """Newest first."""
    queued: Sequence[TaskView]
    """Those that wait for a worker, newest first."""
    recent: Sequence[TaskView]
    """The newest tasks that neither run nor wait."""
    datasets: Sequence[DatasetGlance]
    week: Spent
    connected: bool
    """Whether a task would find an endpoint: a connection is stored, or the environment has one."""


class Overview:
    """`studio.overview`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def look(self, *, most: int = 5) -> Look:
        """At most `most` of each kind; of running and of waiting tasks up to 20."""
        store, tasks = self._studio.store, self._studio.task_views
        running = tasks.list(TaskFilter(status="running"), limit=20)
        queued = tasks.list(TaskFilter(status="queued"), limit=20)
        active = {one.id for one in (*running, *queued)}
        newest = tasks.list(limit=most + len(active))
        connected = bool(store.connections.list()) or unnamed_connection(store) is not None
        return Look(
            running=running,
            queued=queued,
            recent=[one for one in newest if one.id not in active][:most],
            datasets=store.overview.newest_datasets(most),
            week=store.overview.spent(WEEK_S),
            connected=connected,
        )
