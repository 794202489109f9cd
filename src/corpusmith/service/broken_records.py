"""Records that break their format: a page of them, and all of a dataset.

Owns: looking for them, and what is told of each. Does not own: what breaks a format (the check
`format`), taking records out (`store/removals.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from corpusmith import registry
from corpusmith.service.record_previews import preview_of
from corpusmith.store.record_walk import Place
from corpusmith.store.records import draft_of
from corpusmith.store.store import SqlStore
from corpusmith.store.values import Removal
from corpusmith.values import Json, Record, Selection

LOOKED_AT_ONCE = 1000
LOOKED_MOST = 5000
"""Records that a page of broken ones looks at."""

Show = Callable[[int], None]
"""Told now and then how many records are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRecord:
    """A record that breaks its format."""

    record: int
    reason: str
    detail: Mapping[str, Json]
    preview: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenList:
    """Broken ones among the records that were looked at."""

    items: Sequence[BrokenRecord]
    looked: int
    after: Place | None
    """Where to go on looking; None: all have been looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenSum:
    """Broken records of a whole dataset. `removal`: they were taken out."""

    looked: int
    broken: int
    reasons: Mapping[str, int]
    removal: Removal | None


def broken_among(store: SqlStore, dataset: str, *, limit: int, after: Place | None) -> BrokenList:
    """Broken ones among the next records of the dataset. Raises NotFound, UsageError."""
    check = registry.load("check", "format")()
    found: list[BrokenRecord] = []
    looked = 0
    while True:
        page = store.record_pages.page(
            Selection(dataset=dataset), limit=min(limit, LOOKED_AT_ONCE), after=after
        )
        for record in store.records.some(page.ids):
            verdict = check(draft_of(record))
            if not verdict.passed:
                found.append(_broken(record, verdict.reason, verdict.detail))
        looked, after = looked + len(page.ids), page.after
        if after is None or len(found) >= limit or looked >= LOOKED_MOST:
            return BrokenList(items=found, looked=looked, after=after)


def broken_in_all(store: SqlStore, dataset: str, *, apply: bool, show: Show) -> BrokenSum:
    """Counts those of the whole dataset; `apply` takes them out."""
    check = registry.load("check", "format")()
    looked, reasons, ids = 0, Counter[str](), []
    for record in store.records.iterate(dataset=dataset):
        looked += 1
        verdict = check(draft_of(record))
        if not verdict.passed:
            reasons[verdict.reason] += 1
            ids.append(record.id)
        if looked % LOOKED_AT_ONCE == 0:
            show(looked)
    removal = None
    if apply and ids:
        removal = store.removals.remove(dataset, ids, reason="format")
    return BrokenSum(looked=looked, broken=len(ids), reasons=dict(reasons), removal=removal)


def _broken(record: Record, reason: str, detail: Mapping[str, Json]) -> BrokenRecord:
    return BrokenRecord(
        record=record.id, reason=reason, detail=detail, preview=preview_of(record.content)
    )
