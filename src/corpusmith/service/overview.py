"""Use-cases of the first look: what runs, what was made, what was spent, what to do first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corpusmith.service.endpoints import unnamed_connection
from corpusmith.store.overview import DatasetGlance, Spent
from corpusmith.store.values import Task

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

WEEK_S = 7 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Everything at a glance."""

    running: Sequence[Task]
    """Newest first."""
    recent: Sequence[Task]
    """The newest tasks that do not run."""
    datasets: Sequence[DatasetGlance]
    week: Spent
    connected: bool
    """Whether a task would find an endpoint: a connection is stored, or the environment has one."""


class Overview:
    """`studio.overview`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def look(self, *, most: int = 5) -> Look:
        """At most `most` of each kind; of running tasks up to 20."""
        store = self._studio.store
        tasks = store.tasks.list(limit=most * 2)
        connected = bool(store.connections.list()) or unnamed_connection(store) is not None
        return Look(
            running=store.tasks.list("running", limit=20),
            recent=[one for one in tasks if one.status != "running"][:most],
            datasets=store.overview.newest_datasets(most),
            week=store.overview.spent(WEEK_S),
            connected=connected,
        )
