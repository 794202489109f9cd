"""The frozen values of finding records: pages, counts, facets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPage:
    """Numbers of records that fit, in the order that was asked for."""

    ids: Sequence[int]
    after: tuple[Any, ...] | None
    """Where the next page begins; None: there is none."""
    before: tuple[Any, ...] | None
    """Where the page before ends; None: this is the first."""
    missing: int = 0
    """Records that the search does not know yet, as they are now: some may be missing here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CappedCount:
    """How many there are, where counting all would take long."""

    count: int
    more: bool
    """True: `count` is where counting ended; there are more, or there may be."""
    missing: int = 0
    """Records that the search does not know yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """Values of one name, the most frequent first."""

    values: Mapping[str, int]
    """Value → records that have it."""
    more: bool
    """True: there are more values than these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """What a dataset's records are named after. One of several models or tags counts in each."""

    total: int
    states: Facet
    categories: Facet
    scenarios: Facet
    characters: Facet
    models: Facet
    tags: Facet
    flags: Facet
