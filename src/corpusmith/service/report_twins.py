"""Finds the records of one pass that repeat an earlier one. Memory is bounded.

Owns: which records are looked at, and counting. Does not own: comparing (`quality/near_index.py`).
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from corpusmith.reports.report import Duplicates, Twin

MOST_LOOKED_AT = 200_000
THRESHOLD = 0.7
MOST_PAIRS = 10


class Twins:
    """Records in the order in which they come."""

    def __init__(self, records: int, boilerplate: Sequence[str], seed: int) -> None:
        """`records`: how many will come; of more than `MOST_LOOKED_AT` a sample is looked at."""
        from corpusmith.quality.near_index import NearIndex

        self._share = min(1.0, MOST_LOOKED_AT / records) if records else 1.0
        self._rng = random.Random(f"{seed}\x1ftwins")  # noqa: S311  a sample, no secret
        self._index = NearIndex(
            threshold=THRESHOLD,
            boilerplate=boilerplate,
            expected=min(records, MOST_LOOKED_AT),
        )
        self._exact: dict[int, int] = {}
        self._ids: list[int] = []
        self._pairs: list[Twin] = []
        self._same = self._near = self._looked_at = 0

    def add(self, record: int, text: str) -> None:
        """Compare with those before it, and remember it."""
        if self._share < 1 and self._rng.random() >= self._share:
            return
        self._looked_at += 1
        one = self._index.prepare(text)
        key = hash(one.codes.tobytes())
        if key in self._exact:
            self._same += 1
            self._note(record, self._exact[key], 1.0)
            return
        match = self._index.nearest(one)
        if match is not None:
            self._near += 1
            self._note(record, self._ids[match.number], match.similarity)
        self._exact[key] = record
        self._ids.append(record)
        self._index.add(one)

    def close(self) -> None:
        self._index.close()

    def found(self, rejected: int) -> Duplicates:
        return Duplicates(
            looked_at=self._looked_at,
            sampled=self._share < 1,
            threshold=THRESHOLD,
            exact=self._same,
            near=self._near,
            rejected=rejected,
            pairs=tuple(self._pairs),
        )

    def _note(self, record: int, earlier: int, similarity: float) -> None:
        if len(self._pairs) < MOST_PAIRS:
            self._pairs.append(Twin(record=record, earlier=earlier, similarity=similarity))
