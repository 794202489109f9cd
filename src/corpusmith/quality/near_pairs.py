"""Finds which of many texts nearly repeat an earlier one, all at once.

Owns: looking at all sketches together, band by band. Does not own: what counts in a text
(`shingles.py`), sketches (`minhash.py`), texts that come one by one (`near_index.py`).

`near_index.py` answers for each text before the next one comes, and loops in Python for it. Here
nobody waits for an answer: sorting a band's keys brings those that are the same together, which
takes half the time in a third of the memory. What is found is compared exactly here too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpusmith.quality.minhash import MinHash, Shape, Sketches, shape_for
from corpusmith.quality.near_index import jaccard
from corpusmith.quality.shingles import Codes, Keys, Shingler, codes_of, distinct, text_of
from corpusmith.quality.spool import Spool

_TEXTS_AT_ONCE = 512
_SHINGLES_AT_ONCE = 1 << 18
_MOST_EARLIER = 16
"""Of one band, the earliest: what more texts than that share says little about one of them."""
_MOST_COMPARED = 4
"""Of these, the most promising: what is alike enough is among them, or in another band."""
_DEVIATIONS = 4.5
"""As in `near_index.py`: texts whose sketches are this far below the threshold are not compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A text and an earlier one that it nearly repeats, by their numbers."""

    number: int
    earlier: int
    similarity: float
    """Jaccard index, at least the threshold."""


class NearPairs:
    """Texts in the order in which they came, numbered 0, 1, 2 …

    Memory: about 180 bytes a text, however long; the texts lie in a temporary file.
    """

    def __init__(self, *, threshold: float = 0.7, boilerplate: Sequence[str] = ()) -> None:
        """`threshold`: above 0, at most 1."""
        self._threshold = threshold
        self._shape = shape_for(threshold)
        self._shingler = Shingler(boilerplate=boilerplate)
        self._minhash = MinHash(self._shape.hashes)
        deviation = math.sqrt(threshold * (1 - threshold) / self._shape.hashes)
        self._least = math.ceil((threshold - _DEVIATIONS * deviation) * self._shape.hashes)
        self._sketches = bytearray()
        self._texts = Spool()
        self._waiting: list[Keys] = []
        self._size = 0

    def __len__(self) -> int:
        return len(self._texts)

    def close(self) -> None:
        """Give the temporary file back; so does the end of the process."""
        self._texts.close()

    def add(self, codes: Codes) -> None:
        """A folded text."""
        shingles = self._shingler.shingles(codes)
        self._texts.extend([text_of(codes)])
        self._waiting.append(shingles)
        self._size += shingles.size
        if len(self._waiting) >= _TEXTS_AT_ONCE or self._size >= _SHINGLES_AT_ONCE:
            self._sketch()

    def pairs(self) -> list[Pair]:
        """The texts that nearly repeat an earlier one, each with one that it repeats; ascending."""
        self._sketch()
        sketches = np.frombuffer(self._sketches, np.uint8).reshape(-1, self._shape.hashes)
        found: dict[int, Pair] = {}
        for keys in _bands(sketches, self._shape):
            for alike in _runs(keys):
                for place, number in enumerate(alike[1:], 1):
                    if number not in found:
                        earlier = alike[: min(place, _MOST_EARLIER)]
                        pair = self._match(number, earlier, sketches)
                        if pair is not None:
                            found[number] = pair
        return [found[number] for number in sorted(found)]

    def _match(self, number: int, earlier: list[int], sketches: Sketches) -> Pair | None:
        """With the one that its sketch promises most of, if it is alike enough."""
        same = np.count_nonzero(sketches[earlier] == sketches[number], axis=1).tolist()
        promising = sorted((-n, one) for n, one in zip(same, earlier, strict=True))
        for negative, one in promising[:_MOST_COMPARED]:
            if -negative < self._least:
                return None
            similarity = jaccard(self._keys(number), self._keys(one))
            if similarity >= self._threshold:
                return Pair(number=number, earlier=one, similarity=similarity)
        return None

    def _sketch(self) -> None:
        if self._waiting:
            self._sketches += self._minhash.sketches(self._waiting).tobytes()
            self._waiting, self._size = [], 0

    def _keys(self, number: int) -> Keys:
        return distinct(self._shingler.shingles(codes_of(self._texts[number])))


def _bands(sketches: Sketches, shape: Shape) -> Iterator[NDArray[np.uint64]]:
    """Band by band, a number for each text: the same for the same rows."""
    for start in range(0, shape.hashes, shape.rows):
        wide = np.zeros((len(sketches), 8), np.uint8)  # a band has at most 8 rows of 8 bits
        wide[:, : shape.rows] = sketches[:, start : start + shape.rows]
        yield wide.view(np.uint64).ravel()


def _runs(keys: NDArray[np.uint64]) -> Iterator[list[int]]:
    """Places that hold the same key, two or more, ascending."""
    order = np.argsort(keys, kind="stable")
    same = np.append(keys[order[1:]] == keys[order[:-1]], False)
    for end in np.flatnonzero(same[:-1] & ~same[1:]) if len(same) else ():
        begin = end
        while begin > 0 and same[begin - 1]:
            begin -= 1
        yield order[begin : end + 2].tolist()
