"""Finds sketches that share a band with a given one, in little memory.

Owns: the sketches, and one hash table a band. Does not own: making sketches (`minhash.py`),
whether what was found is alike (`near_index.py`).

A Python dict for each band takes 2.6 KB a text. Here a band takes 2 to 3 places of 4 bytes: a place
holds a row, and what the row's band is stands in its sketch. One sketch is looked up by plain
loops, which is four times as fast as numpy at such sizes; many are put in by numpy.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from corpusmith.quality.minhash import Shape, Sketches

MOST_ALIKE = 64
"""This many rows are found by the same band, the earliest. What so many texts share says little
about one of them, and ten thousand copies must not take a hundred million looks."""
_FEWEST_PLACES = 1024
_ROOM_PER_ROW = 2
_GROWTH = 1.5
_FEW = 8  # new rows are put in one by one if they are fewer than an eighth of those there
_KEY_BYTES = 8
_MIX = np.uint64(0xC2B2AE3D27D4EB4F)
_HALF = np.uint64(32)


class Bands:
    """Sketches by rows 1, 2, 3 …, found by their bands.

    The tables are open-addressing ones, one stretch of places after the other: a band's hash says
    where to begin looking, a free place (0) where to stop. They are made anew half as large again
    when rows take more than half of a stretch; room for `expected` rows is made at once.
    """

    def __init__(self, shape: Shape, *, expected: int = 0) -> None:
        self._shape = shape
        self._offsets = range(0, shape.hashes, shape.rows)
        self._split = struct.Struct(f"{shape.rows}s" * shape.bands).unpack
        self._sketches = bytearray(shape.hashes)  # row 0 is nobody's
        self._rows = 0  # so many are in the tables
        self._looked: tuple[bytes, list[int], list[int]] | None = None
        self._make_room(max(_FEWEST_PLACES, _ROOM_PER_ROW * expected))

    def __len__(self) -> int:
        return len(self._sketches) // self._shape.hashes - 1

    def find(self, sketch: bytes) -> list[int]:
        """Rows that share a band with it, ascending."""
        return sorted(set(self._look(sketch)[0]))

    def sketches(self, rows: Sequence[int]) -> Sketches:
        return self._all()[rows]

    def add(self, sketch: bytes) -> int:
        """Its row."""
        free = self._look(sketch)[1]
        self.append(sketch)
        if not self._too_full():
            self._put(len(self), free)
        return len(self)

    def append(self, sketches: bytes) -> None:
        """The same as `add` of each in turn, faster: the tables follow when somebody looks."""
        self._looked = None
        self._sketches += sketches

    def _all(self) -> Sketches:
        """Only to be held as long as nothing is added."""
        return np.frombuffer(self._sketches, np.uint8).reshape(-1, self._shape.hashes)

    # ------------------------------------------------------------ looking

    def _look(self, sketch: bytes) -> tuple[list[int], list[int]]:
        """Rows with a band of the sketch, also several times; the free places where it belongs.

        Asked again at once for the same sketch, as by `find` and then `add`, it remembers.
        """
        if self._looked is None or self._looked[0] != sketch:
            self.settle()
            self._looked = (sketch, *self._look_anew(sketch))
        return self._looked[1:]

    def _look_anew(self, sketch: bytes) -> tuple[list[int], list[int]]:
        table, shared, size = self._table, self._sketches.startswith, len(sketch)
        found: list[int] = []
        free: list[int] = []
        homes = self._homes(sketch)
        bands = zip(self._split(sketch), self._offsets, self._ends, strict=True)
        there = self._places[homes].tolist()
        for (band, offset, end), place, row in zip(bands, homes.tolist(), there, strict=True):
            alike = 0
            while row:
                if shared(band, row * size + offset):
                    found.append(row)
                    alike += 1
                place = place + 1 if place + 1 < end else end - self._stretch
                row = table[place]
            if alike < MOST_ALIKE:
                free.append(place)
        return found, free

    def _homes(self, sketch: bytes) -> NDArray[np.int64]:
        """Where each band begins to look."""
        bands = np.frombuffer(sketch, np.uint8).reshape(self._shape.bands, self._shape.rows)
        return self._begins(_hashes(bands)) + self._starts

    def _begins(self, hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Where in a stretch each hash begins to look; the higher, the later."""
        return ((hashes * np.uint64(self._stretch)) >> _HALF).astype(np.int64)

    # ------------------------------------------------------------ growing

    def settle(self) -> None:
        """Put the rows into the tables that are in none yet."""
        missing = len(self) - self._rows
        if missing and (missing * _FEW > self._rows or self._too_full()):
            self._make_anew()
        size = self._shape.hashes
        for row in range(self._rows + 1, len(self) + 1):
            sketch = bytes(self._sketches[row * size : (row + 1) * size])
            self._put(row, self._look_anew(sketch)[1])

    def _put(self, row: int, free: list[int]) -> None:
        for place in free:
            self._table[place] = row
        self._rows = row

    def _too_full(self) -> bool:
        return len(self) * _ROOM_PER_ROW > self._stretch

    def _make_room(self, stretch: int) -> None:
        self._table = array("I")  # the old one goes before the new one comes
        self._places = np.empty(0, np.uint32)
        self._table = array("I", [0]) * (self._shape.bands * stretch)
        self._places = np.frombuffer(self._table, np.uint32)  # the same places, for numpy
        self._stretch = stretch
        self._starts = np.arange(self._shape.bands, dtype=np.int64) * stretch
        self._ends = (self._starts + stretch).tolist()

    def _make_anew(self) -> None:
        """All rows into empty tables, larger ones if need be."""
        larger = int(len(self) * _ROOM_PER_ROW * _GROWTH)
        self._make_room(larger if self._too_full() else self._stretch)
        table = self._places.reshape(self._shape.bands, self._stretch)
        for offset, stretch in zip(self._offsets, table, strict=True):
            self._fill(offset, stretch)
        self._rows = len(self)

    def _fill(self, offset: int, stretch: NDArray[np.uint32]) -> None:
        """Put every row at the first free place from where its band begins to look.

        In the order of the hashes that is either where it begins or behind the one before.
        """
        hashes = _hashes(self._all()[1:, offset : offset + self._shape.rows])
        order = _earliest((hashes << _HALF) | np.arange(1, len(self) + 1, dtype=np.uint64))
        steps = np.arange(order.size)
        places = np.maximum.accumulate(self._begins(order >> _HALF) - steps) + steps
        rows = order.astype(np.uint32)
        end = int(np.searchsorted(places, stretch.size))
        stretch[places[:end]] = rows[:end]
        if end < rows.size:  # the last ones go on at the beginning
            stretch[np.flatnonzero(stretch == 0)[: rows.size - end]] = rows[end:]


def _earliest(order: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Hashes with their rows below, sorted; of each hash only the first `MOST_ALIKE` rows."""
    order = np.sort(order)
    hashes = order >> _HALF
    crowded = np.zeros(order.size, np.bool_)
    crowded[MOST_ALIKE:] = hashes[MOST_ALIKE:] == hashes[:-MOST_ALIKE]
    return order[~crowded] if crowded.any() else order


def _hashes(bands: Sketches) -> NDArray[np.uint64]:
    """32 bits for each row of up to 8 bytes."""
    padded = np.zeros((len(bands), _KEY_BYTES), np.uint8)
    padded[:, : bands.shape[1]] = bands
    return (padded.view("<u8")[:, 0] * _MIX) >> _HALF
