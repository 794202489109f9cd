"""MinHash sketches: short, and as alike as the sets that they stand for.

Owns: the sketch of a set, and how many bands of how many rows find what is alike enough. Does not
own: what the sets consist of (`shingles.py`), finding sketches (`bands.py`).

Source: A. Z. Broder, "On the resemblance and containment of documents" (1997). Of each smallest
hash only 8 bits are kept (P. Li, A. C. König, "b-Bit Minwise Hashing", 2010).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpusmith.quality.shingles import Keys

Sketches = NDArray[np.uint8]
"""One a row."""

MISSED = 0.005
"""Of pairs that are just alike enough, at most this share shares no band."""
_MOST_ROWS, _FEWEST_ROWS = 8, 3
_FEWEST_BANDS = 8
_MOST_HASHES = 160
"""More rows a band mean fewer pairs that are looked at in vain, but more hashes for the same
recall. Below a threshold of about 0.5 this many do not suffice, and more are taken."""
_AT_ONCE = 256  # shingles: 160 KB, so that a long text needs no more than a short one
_MIX = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_SHIFT = np.uint64(29)
_LAST_MIX = np.uint32(0x85EBCA6B)
_LAST_SHIFT = np.uint32(24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Of sketches: two that are the same in all rows of a band are looked at."""

    bands: int
    rows: int

    @property
    def hashes(self) -> int:
        return self.bands * self.rows


def shape_for(threshold: float) -> Shape:
    """The most rows for which pairs at the threshold (above 0, at most 1) are missed as seldom as
    `MISSED` says, within `_MOST_HASHES`."""
    shapes = (_shape(threshold, rows) for rows in range(_MOST_ROWS, _FEWEST_ROWS, -1))
    fitting = (shape for shape in shapes if shape.hashes <= _MOST_HASHES)
    return next(fitting, _shape(threshold, _FEWEST_ROWS))


def _shape(threshold: float, rows: int) -> Shape:
    found = threshold**rows
    bands = math.ceil(math.log(MISSED) / math.log1p(-found)) if found < 1 else 1
    return Shape(bands=max(bands, _FEWEST_BANDS), rows=rows)


class MinHash:
    """Makes sketches. The same in every process and release: stored ones stay valid."""

    def __init__(self, hashes: int) -> None:
        drawn = hashlib.shake_256(b"corpusmith minhash 1").digest(4 * hashes)
        self._multipliers = np.frombuffer(drawn, "<u4").astype(np.uint32) | np.uint32(1)
        self._room = np.empty((_AT_ONCE, hashes), np.uint32)

    def sketches(self, sets: Sequence[Keys]) -> Sketches:
        """One a row; no set may be empty. A key that is there twice counts once."""
        hashed = _hash(np.concatenate(sets) if len(sets) > 1 else sets[0])
        smallest = np.empty((len(sets), len(self._multipliers)), np.uint32)
        start = 0
        for row, keys in zip(smallest, sets, strict=True):
            self._smallest(hashed[start : start + keys.size], row)
            start += keys.size
        smallest *= _LAST_MIX
        smallest >>= _LAST_SHIFT
        return smallest.astype(np.uint8)

    def _smallest(self, hashed: NDArray[np.uint32], out: NDArray[np.uint32]) -> None:
        """The smallest product modulo 2^32 for each of the odd multipliers."""
        for start in range(0, hashed.size, _AT_ONCE):
            part = hashed[start : start + _AT_ONCE, None]
            room = self._room[: len(part)]
            np.multiply(part, self._multipliers, out=room)
            if start:
                np.minimum(out, np.minimum.reduce(room, axis=0), out=out)
            else:
                np.minimum.reduce(room, axis=0, out=out)


def _hash(keys: Keys) -> NDArray[np.uint32]:
    """32 well-mixed bits of each key."""
    mixed = keys * _MIX
    mixed ^= mixed >> _SHIFT
    mixed *= _MIX
    mixed >>= _HALF
    return mixed.astype(np.uint32)
