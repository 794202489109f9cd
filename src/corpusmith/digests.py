"""A large set of what has been seen, by 64-bit digests: little memory, and a compact file.

Owns: the set. Does not own: what is done with what was seen.
"""

from __future__ import annotations

import hashlib
import sys
from array import array

import orjson

from corpusmith.values import Json


def digest(*parts: Json) -> int:
    """64 bits of some values, never 0. Two of ten million differ by chance in none: the odds of one
    wrong match among them all are 1 to 370,000."""
    data = hashlib.blake2b(orjson.dumps(parts), digest_size=8).digest()
    return int.from_bytes(data, "little") or 1


class Digests:
    """A set of digests at 8 bytes a place, at most two thirds of the places taken.

    Python's own set takes 70 bytes for each; a million rows are 16 to 24 MB here.
    """

    def __init__(self) -> None:
        self._places = array("Q", bytes(8 << 12))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, one: int) -> bool:
        return self._places[self._find(one)] == one

    def add(self, one: int) -> bool:
        """False: it was there."""
        place = self._find(one)
        if self._places[place] == one:
            return False
        self._places[place] = one
        self._count += 1
        if self._count * 3 > len(self._places) * 2:
            self._grow()
        return True

    def _find(self, one: int) -> int:
        """Where it is, or the free place where it belongs."""
        places = self._places
        last = len(places) - 1
        place = one & last
        while places[place] and places[place] != one:
            place = (place + 1) & last
        return place

    def _grow(self) -> None:
        old, self._places = self._places, array("Q", bytes(16 * len(self._places)))
        places, last = self._places, len(self._places) - 1
        for one in old:
            if one:
                place = one & last
                while places[place]:
                    place = (place + 1) & last
                places[place] = one

    def dump(self) -> bytes:
        """All of them, little-endian."""
        values = array("Q", filter(None, self._places))
        if sys.byteorder == "big":
            values.byteswap()
        return values.tobytes()

    def load(self, data: bytes) -> None:
        """Adds those of `dump`."""
        values = array("Q")
        values.frombytes(data)
        if sys.byteorder == "big":
            values.byteswap()
        for one in values:
            self.add(one)
