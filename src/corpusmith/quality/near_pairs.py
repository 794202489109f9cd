"""Finds which of many texts nearly repeat an earlier one, all at once.

Owns: looking at all sketches together, band by band. Does not own: what counts in a text
(`shingles.py`), sketches (`minhash.py`), texts that come one by one (`near_index.py`).

`near_index.py` answers for each text before the next one comes, and loops in Python for it. Here
nobody waits for an answer: sorting a band's keys brings those that are the same together, which
takes half the time in a third of the memory. What is found is compared exactly here too.

A crowd is a set of texts each half alike to thousands of others, such as one sentence with other
names in it. To compare each with each would take for ever: a text's sketch is held against those of
the earliest that share a band, and the text itself against the most promising of these. So the time
grows with the texts, not with their pairs; what may have been missed for it is counted.
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
_MOST_EARLIER = 24
"""Of one band, the earliest: what more texts than that share says little about one of them."""
_MOST_COMPARED = 8
"""Of these, the most promising of all bands."""
_SKETCHES_AT_ONCE = 1_024
_DEVIATIONS = 4.5
"""As in `near_index.py`: texts whose sketches are this far below the threshold are not compared."""
_SURE = 3.0
"""Deviations above the threshold: a text that has such a one needs no other band."""
_MOST_KEPT = 1 << 21
"""Shingles of the sets that are kept because they are compared with again and again, in all."""
_WORD = 8
"""Sketches are padded to so many bytes, which are counted at once."""
_BITS = 40
_NUMBER = (1 << _BITS) - 1
_NOBODY = (1 << 62) - 1

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A text and an earlier one that it nearly repeats, by their numbers."""

    number: int
    earlier: int
    similarity: float
    """Jaccard index, at least the threshold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`crowded`: texts without a pair that were half alike to more than were compared with."""

    pairs: tuple[Pair, ...]
    """One for each text that has any, ascending."""
    crowded: int


class NearPairs:
    """Texts in the order in which they came, numbered 0, 1, 2 …

    Memory: about 250 bytes a text, however long; the texts lie in a temporary file.
    """

    def __init__(self, *, threshold: float = 0.7, boilerplate: Sequence[str] = ()) -> None:
        """`threshold`: above 0, at most 1."""
        self._threshold = threshold
        self._shape = shape_for(threshold)
        self._shingler = Shingler(boilerplate=boilerplate)
        self._minhash = MinHash(self._shape.hashes)
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

    def found(self) -> Found:
        """The texts that nearly repeat an earlier one, each with one that it repeats."""
        self._sketch()
        width = self._shape.hashes + -self._shape.hashes % _WORD
        sketches = np.frombuffer(self._sketches, np.uint8).reshape(-1, width)
        promises = _Promises(sketches, self._shape, self._threshold)
        sets = _Sets(self._texts, self._shingler)
        pairs: list[Pair] = []
        crowded = 0
        for number, earlier in promises:
            pair = self._match(number, earlier, sets)
            if pair is not None:
                pairs.append(pair)
            elif promises.crowded[number]:
                crowded += 1
        return Found(pairs=tuple(pairs), crowded=crowded)

    def _match(self, number: int, earlier: Sequence[int], sets: _Sets) -> Pair | None:
        """With the first that is alike enough."""
        own = sets.made(number)
        for one in earlier:
            similarity = jaccard(own, sets[one])
            if similarity >= self._threshold:
                return Pair(number=number, earlier=one, similarity=similarity)
        return None

    def _sketch(self) -> None:
        if self._waiting:
            sketches = self._minhash.sketches(self._waiting)
            padding = ((0, 0), (0, -self._shape.hashes % _WORD))
            self._sketches += np.pad(sketches, padding).tobytes()
            self._waiting, self._size = [], 0


class _Promises:
    """For each text the earlier ones that its sketch promises most of."""

    def __init__(self, sketches: Sketches, shape: Shape, threshold: float) -> None:
        deviation = math.sqrt(threshold * (1 - threshold) / shape.hashes)
        self._most = math.floor((1 - threshold + _DEVIATIONS * deviation) * shape.hashes)
        self._sure = math.floor((1 - threshold - _SURE * deviation) * shape.hashes)
        self._sketches = sketches
        self._best: Numbers = np.full((len(sketches), _MOST_COMPARED), _NOBODY, np.int64)
        """Ascending: how many rows of the sketch differ, and below that the number."""
        self.crowded = np.zeros(len(sketches), np.bool_)
        """Texts that share a band with more than were looked at."""
        for keys in _bands(sketches, shape):
            self._look(keys)

    def __iter__(self) -> Iterator[tuple[int, list[int]]]:
        """(text, the earlier ones, the most promising first), ascending."""
        for number in np.flatnonzero(self._best[:, 0] < _NOBODY).tolist():
            best = self._best[number]
            yield number, (best[best < _NOBODY] & _NUMBER).tolist()

    def _look(self, keys: NDArray[np.uint64]) -> None:
        """At those that have the same key in this band."""
        order = np.argsort(keys, kind="stable")
        first = _firsts(keys[order])
        places = np.flatnonzero(first < np.arange(len(first)))
        places = places[self._best[order[places], 0] >> _BITS > self._sure]
        for start in range(0, len(places), _SKETCHES_AT_ONCE):
            self._take(order, first, places[start : start + _SKETCHES_AT_ONCE])

    def _take(self, order: Numbers, first: Numbers, places: Numbers) -> None:
        """Hold texts against the earliest of their band: `first`, where those begin."""
        numbers = order[places]
        before = first[places, None] + np.arange(_MOST_EARLIER)
        there = before < places[:, None]
        earlier = order[np.where(there, before, 0)]
        differ = self._sketches[earlier] != self._sketches[numbers, None]
        differing = np.bitwise_count(differ.view(np.uint64)).sum(axis=2, dtype=np.int64)
        promising = there & (differing <= self._most)
        self._keep(numbers, np.where(promising, differing << _BITS | earlier, _NOBODY))
        self.crowded[numbers] |= places - first[places] > _MOST_EARLIER

    def _keep(self, numbers: Numbers, more: Numbers) -> None:
        """The best of those that were there and of `more`, each once."""
        some = (more < self._best[numbers, -1:]).any(axis=1)
        numbers = numbers[some]
        best = np.sort(np.concatenate((self._best[numbers], more[some]), axis=1), axis=1)
        best[:, 1:][best[:, 1:] == best[:, :-1]] = _NOBODY
        self._best[numbers] = np.sort(best, axis=1)[:, :_MOST_COMPARED]


class _Sets:
    """Shingle sets by the texts' numbers. A crowd's earliest are asked for all the time."""

    def __init__(self, texts: Spool, shingler: Shingler) -> None:
        self._texts = texts
        self._shingler = shingler
        self._kept: dict[int, Keys] = {}
        self._size = 0

    def __getitem__(self, number: int) -> Keys:
        found = self._kept.get(number)
        if found is None:
            found = self.made(number)
            if self._size + len(found) > _MOST_KEPT:
                self._kept, self._size = {}, 0
            self._kept[number] = found
            self._size += len(found)
        return found

    def made(self, number: int) -> Keys:
        """The same, not kept."""
        return distinct(self._shingler.shingles(codes_of(self._texts[number])))


def _bands(sketches: Sketches, shape: Shape) -> Iterator[NDArray[np.uint64]]:
    """Band by band, a number for each text: the same for the same rows."""
    for start in range(0, shape.hashes, shape.rows):
        wide = np.zeros((len(sketches), 8), np.uint8)  # a band has at most 8 rows of 8 bits
        wide[:, : shape.rows] = sketches[:, start : start + shape.rows]
        yield wide.view(np.uint64).ravel()


def _firsts(ordered: NDArray[np.uint64]) -> Numbers:
    """For each place of ascending keys, where its key begins."""
    begins = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    return np.repeat(begins, np.diff(np.append(begins, len(ordered))))
