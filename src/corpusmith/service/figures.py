"""Use-cases of watching a server: its figures, and whether it can work.

Owns: the names and meanings of figures, what counts as unwell. Does not own: how they are shown
(`api/metrics.py`), statements (`store/figures.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from corpusmith.config import home
from corpusmith.errors import StoreError
from corpusmith.service.backups import free_bytes
from corpusmith.store.figures import Figures
from corpusmith.store.schema import REVISIONS
from corpusmith.values import Status

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

NO_DISK_BYTES = 100 << 20
PATIENCE_S = 60.0
"""How long a task may wait for a worker while none gives a sign of life."""

Problem = Literal["database", "schema", "worker", "disk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure: a value for each set of labels. No label holds a name that a person gave."""

    name: str
    help: str
    label: str | None = None
    values: dict[str, float] = field(default_factory=dict)
    """By the label's value; without a label, under `""`."""


class Watch:
    """`studio.watch`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def figures(self) -> list[Figure]:
        """All of them. Raises StoreError."""
        store = self._studio.store
        found, size = store.watching.figures(), store.pruning.size()
        return [
            *_of_tasks(found),
            *_of_runs(found),
            _one("workers", "Workers that gave a sign of life lately.", found.queue.workers),
            _one("queued_tasks", "Tasks that wait for a worker.", found.queue.waiting),
            _one(
                "queue_wait_seconds", "Longest wait for a worker now.", found.queue.longest_wait_s
            ),
            Figure(
                name="rows",
                help="Rows of the large tables, about.",
                label="table",
                values={name: float(count) for name, count in found.rows.items()},
            ),
            _one("database_bytes", "Size of the database.", size.total),
            _one("disk_free_bytes", "Left on the disk of the data folder.", free_bytes(home())),
        ]

    def problems(self) -> list[Problem]:
        """What keeps the server from working; empty: nothing."""
        found: list[Problem] = []
        try:
            if self._studio.store.watching.revision() != REVISIONS[-1]:
                found.append("schema")
            else:
                queue = self._studio.store.watching.queue()
                if not queue.workers and queue.longest_wait_s > PATIENCE_S:
                    found.append("worker")
        except StoreError:
            found.append("database")
        if free_bytes(self._folder()) < NO_DISK_BYTES:
            found.append("disk")
        return found

    def _folder(self) -> Path:
        database = self._studio.store.database
        return Path(str(database.url.database)).parent if database.is_sqlite else home()


def _one(name: str, help: str, value: float) -> Figure:
    return Figure(name=name, help=help, values={"": float(value)})


def _of_tasks(found: Figures) -> Iterator[Figure]:
    # All of them: an alarm on tasks that failed needs a figure before the first one does.
    statuses = {name: float(found.statuses.get(name, 0)) for name in get_args(Status)}
    yield Figure(name="tasks", help="Tasks by status.", label="status", values=statuses)
    sums = found.sums
    yield Figure(
        name="samples",
        help="Samples of all tasks by what became of them.",
        label="outcome",
        values={name: sums[name] for name in ("accepted", "rejected", "failed")},
    )
    yield _one("calls", "Calls that all tasks paid for.", sums["calls"])
    tokens = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")
    yield Figure(
        name="tokens",
        help="Tokens of all tasks; cached ones are prompt tokens too, reasoning ones completion.",
        label="kind",
        values={name.removesuffix("_tokens"): sums[name] for name in tokens},
    )
    yield _one("cost_usd", "US dollars that all tasks cost, as far as known.", sums["cost_usd"])
    yield _one("unpriced_calls", "Calls whose price is not known.", sums["cost_unknown"])


def _of_runs(found: Figures) -> Iterator[Figure]:
    retries: Counter[str] = Counter()
    in_flight = limit = speed = 0.0
    for body in found.live:
        retries.update(body.get("retries") or {})
        speed += float(body.get("records_per_s") or 0)
        for pace in body.get("paces") or ():
            in_flight += float(pace.get("in_flight") or 0)
            limit += float(pace.get("limit") or 0)
    yield _one("running_tasks", "Tasks that are being run.", len(found.live))
    yield _one("calls_in_flight", "Calls that wait for an answer.", in_flight)
    yield _one("calls_in_flight_limit", "How many may wait at once, as it is now.", limit)
    yield _one("records_per_second", "Accepted records a second of running tasks.", speed)
    yield Figure(
        name="retries",
        help="Attempts of running tasks that failed and were tried again, by cause.",
        label="code",
        values={code: float(count) for code, count in retries.items()},
    )
