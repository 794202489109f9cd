"""What an export would write, walked through without a file.

Owns: the preview. Does not own: reading what is asked for (`exports.py`), the walk
(`export_walk.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from corpusmith.errors import UsageError
from corpusmith.exports.formats import format_of
from corpusmith.service.export_files import (
    Counted,
    Wish,
    counted,
    refuse_empty,
    walk_of,
)
from corpusmith.service.export_walk import Walk
from corpusmith.values import Json

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPreview(Counted):
    """What an export would write."""

    first: Sequence[Json]
    """The first rows."""
    stops: bool
    """The export would write nothing: a refused record is one too many, or none makes a row."""


def preview(studio: Studio, wish: Wish, path: str, first: int) -> ExportPreview:
    """Walks as the export would with `skip`; whether it stops is told. Raises UsageError."""
    balance = wish.made_balance()
    form = format_of(wish.form, path, wish.options)
    walk = walk_of(studio, replace(wish, on_refused="skip"), form, balance)
    shown = _walked(walk, first)
    facts = walk.facts
    if facts.records and wish.split is not None:
        refuse_empty(studio, wish, facts)
    return ExportPreview(
        first=shown, stops=_stops(wish, walk), **counted(studio, wish, walk, balance)
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
