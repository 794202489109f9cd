"""What an export would write, walked through without a file.

Owns: the preview. Does not own: reading what is asked for (`exports.py`), the walk
(`export_walk.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from corpusmith.errors import UsageError
from corpusmith.exports.formats import format_of
from corpusmith.service.export_files import (
    Wish,
    count_by_part,
    refuse_empty,
    too_few,
    walk_of,
)
from corpusmith.service.export_nothing import Narrowed, narrowed
from corpusmith.service.export_walk import Walk
from corpusmith.values import Json

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPreview:
    """What an export would write. Its fields are those of `Exported`."""

    records: int
    rows: int
    first: Sequence[Json]
    """The first rows."""
    parts: Mapping[str, int]
    refused: Mapping[str, int]
    refused_records: Mapping[str, Sequence[int]]
    passed_over: Mapping[str, int]
    left_out: int
    kinds: Mapping[str, int]
    short: Mapping[str, int]
    simulated: int
    rejected: int
    low_rated: int
    without_character: Mapping[str, int]
    stops: bool
    """The export would write nothing: a refused record is one too many, or none makes a row."""
    nothing: Narrowed | None


def preview(studio: Studio, wish: Wish, path: str, first: int) -> ExportPreview:
    """Walks as the export would with `skip`; whether it stops is told. Raises UsageError."""
    balance = wish.made_balance()
    form = format_of(wish.form, path, wish.options)
    walk = walk_of(studio, replace(wish, on_refused="skip"), form, balance)
    shown = _walked(walk, first)
    facts = walk.facts
    if facts.records and wish.split is not None:
        refuse_empty(studio, wish, facts)
    none = narrowed(studio.store, wish.selection) if not walk.seen else None
    return ExportPreview(
        records=facts.records,
        rows=facts.rows.total(),
        first=shown,
        parts=count_by_part(facts, wish.split),
        refused=walk.refusals.counts,
        refused_records=walk.refusals.ids,
        passed_over=walk.passed_over.counts,
        left_out=walk.left_out,
        kinds={} if balance is None else balance.found,
        short=too_few(balance),
        simulated=facts.simulated,
        rejected=facts.states["rejected"],
        low_rated=walk.low_rated,
        without_character=walk.without_character,
        stops=_stops(wish, walk),
        nothing=none,
    )


def _stops(wish: Wish, walk: Walk) -> bool:
    if walk.seen and not walk.facts.records:
        return True
    return wish.on_refused == "stop" and walk.refusals.count > 0


def _walked(walk: Walk, first: int) -> Sequence[Json]:
    """The first rows. Of a walk that gives none because all are refused: none."""
    rows = (row for _, row in walk.rows())
    try:
        shown = list(islice(rows, first))
        for _ in rows:
            pass
    except UsageError:
        if walk.facts.records or not (walk.refusals.count or walk.passed_over.count):
            raise
        return ()
    return shown
