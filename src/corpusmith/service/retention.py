"""Use-cases of forgetting: what a database need not keep for ever.

Owns: what goes and what it means. Does not own: statements (`store/pruning.py`), the log of who did
what (`audit.py`), uploads (`uploads.py`, which sweeps them itself).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corpusmith import config
from corpusmith.errors import UsageError
from corpusmith.service import server_settings
from corpusmith.store.pruning import Prunable, Size

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

DAY_S = 86_400.0
SWEPT = "swept_at"
"""Name of the moment of the last sweep among the small facts of the database."""
_AGE = re.compile(r"(\d{1,6})\s*([dwh]?)")
_UNITS = {"": DAY_S, "d": DAY_S, "w": 7 * DAY_S, "h": 3600.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What went out of the journal, or would have gone."""

    found: Prunable
    deleted: int
    size_before: Size
    size_after: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep by the settings took away."""

    calls: int
    audit: int


class Retention:
    """`studio.retention`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def prune_journal(
        self,
        older_than_s: float,
        *,
        ended_only: bool = False,
        dry_run: bool = False,
        compact: bool = False,
        now: float | None = None,
        told: Callable[[int], None] = lambda done: None,
    ) -> Pruned:
        """Deletes calls of tasks that are finished, cancelled or gone, and untouched for so long.

        Running such a task again then costs what it cost. `ended_only`: those of deleted tasks
        stay. `compact`: the space goes back to the disk. Raises StoreError.
        """
        store = self._studio.store.pruning
        before = (time.time() if now is None else now) - older_than_s
        found, size = store.look(before, ended_only=ended_only), store.size()
        deleted = 0 if dry_run else store.prune(before, ended_only=ended_only, told=told)
        if compact and not dry_run:
            store.compact()
        return Pruned(found=found, deleted=deleted, size_before=size, size_after=store.size())

    def sweep_if_due(self, now: float | None = None) -> Swept | None:
        """`sweep`, once a day whoever calls; None: it is not due. Raises StoreError."""
        moment = time.time() if now is None else now
        last = self._studio.store.settings.get(SWEPT)
        if isinstance(last, int | float) and 0 <= moment - last < DAY_S:
            return None
        self._studio.store.settings.set(SWEPT, moment)
        return self.sweep()

    def sweep(self) -> Swept:
        """What the settings say. Raises StoreError."""
        server_settings.adopt(self._studio.store)
        days = config.days("journal_days")
        calls = 0
        if days:
            calls = self._studio.store.pruning.prune(time.time() - days * DAY_S, ended_only=False)
        return Swept(calls=calls, audit=self._studio.audit.prune())


def age_s(text: str) -> float:
    """`90d`, `12w`, `36h` or a number of days, in seconds. Raises UsageError `bad_age`."""
    found = _AGE.fullmatch(text.strip().lower())
    if found is None:
        raise UsageError("bad_age", text=text[:40])
    return int(found[1]) * _UNITS[found[2]]
