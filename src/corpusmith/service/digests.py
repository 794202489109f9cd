"""A set of texts by their digests, in 16 to 32 bytes each: it tells what is there already.

Owns: the set. A Python set of the same would take about 100 bytes each.
"""

from __future__ import annotations

from array import array
from hashlib import blake2b

_START = 1 << 12


class Digests:
    """64-bit digests in one flat table. Two different texts are taken for one about once in ten
    million runs over a million rows."""

    def __init__(self) -> None:
        self._table = array("Q", bytes(8 * _START))
        self._used = 0

    def __len__(self) -> int:
        return self._used

    def __contains__(self, text: str) -> bool:
        if not self._used:
            return False
        digest = _digest(text)
        return self._table[self._place(digest)] == digest

    def add(self, text: str) -> bool:
        """False when it was there."""
        digest = _digest(text)
        place = self._place(digest)
        if self._table[place]:
            return False
        self._table[place] = digest
        self._used += 1
        if self._used * 2 > len(self._table):
            self._grow()
        return True

    def _place(self, digest: int) -> int:
        """Where `digest` is, or the free place where it belongs."""
        table, mask = self._table, len(self._table) - 1
        place = digest & mask
        while table[place] not in (0, digest):
            place = (place + 1) & mask
        return place

    def _grow(self) -> None:
        old = self._table
        self._table = array("Q", bytes(16 * len(old)))
        for digest in old:
            if digest:
                self._table[self._place(digest)] = digest


def _digest(text: str) -> int:
    """Never 0, which marks a free place."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) or 1
