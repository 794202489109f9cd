"""A judge's scores as the records' own.

Owns: which evaluations judged records, and handing over what they say. Does not own: judging
(`evaluations.py`), when a score no longer holds (`store/reviews.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from corpusmith.store.reviews import AT_ONCE
from corpusmith.values import Json

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

JUDGED_RECORDS = ("dataset:", "task:")
"""How an evaluation names what it judged, where its ids are records'."""


def taken_over(studio: Studio, task_id: int) -> int:
    """Gives the records that the evaluation judged its scores; returns how many have one now.
    Raises NotFound, UsageError."""
    found = studio.tasks.get(task_id)
    rows = studio.evaluations.scores(found)
    if not str(found.spec["recipe_spec"]["of"]).startswith(JUDGED_RECORDS):
        return 0
    taken = 0
    while batch := list(islice(rows, AT_ONCE)):
        scores = _overall(batch)
        taken += studio.store.reviews.set_scores(scores, judged_at=found.created_at)
    return taken


def _overall(rows: Sequence[Mapping[str, Json]]) -> dict[int, float]:
    return {int(row["id"]): float(row["overall"]) for row in rows}
