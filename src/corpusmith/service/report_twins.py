"""Finds the records of one pass that repeat an earlier one. Memory is bounded.

Owns: which records are looked at, which are the same, and counting. Does not own: which are nearly
the same (`quality/near_pairs.py`).
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence

from corpusmith.reports.report import Duplicates, Twin

MOST_LOOKED_AT = 200_000
THRESHOLD = 0.7
MOST_PAIRS = 10
"""Of each kind."""


class Twins:
    """Records in the order in which they come."""

    def __init__(self, records: int, boilerplate: Sequence[str], seed: int) -> None:
        """`records`: how many will come; of more than `MOST_LOOKED_AT` a sample is looked at."""
        from corpusmith.quality.near_pairs import NearPairs
        from corpusmith.quality.shingles import fold

        self._share = min(1.0, MOST_LOOKED_AT / records) if records else 1.0
        self._rng = random.Random(f"{seed}\x1ftwins")  # noqa: S311  a sample, no secret
        self._fold = fold
        self._near = NearPairs(threshold=THRESHOLD, boilerplate=boilerplate)
        self._first: dict[int, int] = {}
        """What a text folds to, in 64 bits → the record that it first stood in."""
        self._ids = array("q")
        self._pairs: list[Twin] = []
        self._looked_at = self._exact = 0

    def add(self, record: int, text: str) -> None:
        """Remember it, unless it is the same as one before it."""
        if self._share < 1 and self._rng.random() >= self._share:
            return
        self._looked_at += 1
        codes = self._fold(text)
        first = self._first.setdefault(hash(codes.tobytes()), record)
        if first != record:
            self._exact += 1
            self._note(record, first, 1.0, MOST_PAIRS)
            return
        self._ids.append(record)
        self._near.add(codes)

    def close(self) -> None:
        self._near.close()

    def found(self, rejected: int) -> Duplicates:
        """`rejected`: drafts that checks turned down for the same."""
        near = self._near.found()
        for pair in near.pairs:
            record, earlier = self._ids[pair.number], self._ids[pair.earlier]
            self._note(record, earlier, pair.similarity, 2 * MOST_PAIRS)
        return Duplicates(
            looked_at=self._looked_at,
            sampled=self._share < 1,
            threshold=THRESHOLD,
            exact=self._exact,
            near=len(near.pairs),
            crowded=near.crowded,
            rejected=rejected,
            pairs=tuple(self._pairs),
        )

    def _note(self, record: int, earlier: int, similarity: float, most: int) -> None:
        if len(self._pairs) < most:
            self._pairs.append(Twin(record=record, earlier=earlier, similarity=similarity))
