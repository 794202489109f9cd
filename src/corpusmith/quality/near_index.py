"""Finds the text that another one nearly repeats.

Owns: the index of texts, whom to compare with, the exact comparison. Does not own: what counts in a
text (`shingles.py`), sketches (`minhash.py`), finding them (`bands.py`), what is done with a
duplicate (the checks).

Two texts are alike by the Jaccard index of their shingle sets: the number of shingles that both
have, over the number that either has. Sketches only say whom to compare with; the comparison is
exact. So no match is wrong, and of pairs that are just alike enough about one in two hundred is
missed. Nothing depends on the process, on how texts come in batches, or on Python's own hashing:
the same texts in the same order give the same answers, and two texts match whichever came first.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from corpusmith.quality.bands import Bands
from corpusmith.quality.minhash import MinHash, Shape, shape_for
from corpusmith.quality.shingles import Codes, Keys, Shingler, codes_of, distinct, fold, text_of
from corpusmith.quality.spool import Spool

_DEVIATIONS = 4.5
"""A text is compared only if its sketch is not this far below the threshold: of a hundred thousand
pairs that are just alike enough, fewer than one is."""
_BLOCK = 16
_MOST_COMPARED = 256
_AT_ONCE = 512  # texts
_CHARS_AT_ONCE = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The text that another one nearly repeats."""

    number: int
    """As given by `add`."""
    similarity: float
    """Jaccard index, at least the threshold, at most 1."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A text with all that has to be worked out for it once: `nearest` and `add` take it too."""

    codes: Codes
    shingles: Keys
    """As they come, also several times."""
    sketch: bytes


class NearIndex:
    """Texts in the order in which they were added. Not for two threads at once.

    Memory: with the usual threshold about 500 bytes a text, however long; the texts themselves lie
    in a temporary file. `expected` texts are made room for at once: without it the tables grow by
    half now and then, which takes some seconds at a million texts.
    """

    def __init__(
        self,
        *,
        threshold: float = 0.7,
        ngram: int | None = None,
        boilerplate: Sequence[str] = (),
        expected: int = 0,
    ) -> None:
        """`threshold`: above 0, at most 1. `ngram`: characters a shingle, from 1; by script if
        None (`Shingler`)."""
        shape = shape_for(threshold)
        self.kind = _digest(shape, ngram, boilerplate)
        """The same for indexes whose sketches are the same, in every release."""
        self._threshold = threshold
        self._shingler = Shingler(ngram, boilerplate)
        self._minhash = MinHash(shape.hashes)
        self._bands = Bands(shape, expected=expected)
        self._texts = Spool()
        deviation = math.sqrt(threshold * (1 - threshold) / shape.hashes)
        self._least = math.ceil((threshold - _DEVIATIONS * deviation) * shape.hashes)

    def __len__(self) -> int:
        return len(self._bands)

    def close(self) -> None:
        """Give the temporary file back; so does the end of the process."""
        self._texts.close()

    def prepare(self, text: str) -> Prepared:
        """What `nearest` and `add` need of a text."""
        codes = fold(text)
        shingles = self._shingler.shingles(codes)
        sketch = self._minhash.sketches([shingles]).tobytes()
        return Prepared(codes=codes, shingles=shingles, sketch=sketch)

    def nearest(self, text: str | Prepared) -> Match | None:
        """The most similar text at or above the threshold, of equals the earliest; None without
        one. Changes nothing.

        Texts are compared in the order in which their sketches promise likeness, 16 at a time,
        until a match is among them, and at most 256: there are more only where hundreds of texts
        are nearly, but not quite, alike enough.
        """
        one = self._prepared(text)
        numbers = self._promising(one.sketch)
        keys = distinct(one.shingles) if numbers else one.shingles
        for start in range(0, min(len(numbers), _MOST_COMPARED), _BLOCK):
            matches = [self._compare(keys, number) for number in numbers[start : start + _BLOCK]]
            best = max(matches, key=lambda match: (match.similarity, -match.number))
            if best.similarity >= self._threshold:
                return best
        return None

    def add(self, text: str | Prepared) -> int:
        """The text's number: 0, 1, 2 …"""
        one = self._prepared(text)
        row = self._bands.add(one.sketch)
        self._texts.extend([text_of(one.codes)])  # last: it may raise, and has the text even then
        return row - 1

    def add_many(self, texts: Iterable[str]) -> None:
        """The same as `add` of each in turn, faster."""
        for codes in _batches(map(fold, texts)):
            sketches = self._minhash.sketches(list(map(self._shingler.shingles, codes)))
            self._bands.append(sketches.tobytes())
            self._texts.extend(map(text_of, codes))

    def add_sketched(self, texts: Iterable[tuple[str, bytes]]) -> None:
        """The same as `add_many` of the texts, five times as fast: each comes with its sketch, as
        `prepare` made it in an index of the same `kind`."""
        for text, sketch in texts:
            self._bands.append(sketch)
            self._texts.extend([text_of(fold(text))])

    def settle(self) -> None:
        """Does at once what the next look would wait for, after many were added."""
        self._bands.settle()

    def _prepared(self, text: str | Prepared) -> Prepared:
        return text if isinstance(text, Prepared) else self.prepare(text)

    def _promising(self, sketch: bytes) -> list[int]:
        """Texts whose sketches do not rule a match out, the most alike first, of equals the
        earliest."""
        rows = self._bands.find(sketch)
        if not rows:
            return []
        same = self._bands.sketches(rows) == np.frombuffer(sketch, np.uint8)
        alike = np.count_nonzero(same, axis=1).tolist()
        promising = sorted(
            (-a, row) for a, row in zip(alike, rows, strict=True) if a >= self._least
        )
        return [row - 1 for _, row in promising]

    def _compare(self, keys: Keys, number: int) -> Match:
        other = distinct(self._shingler.shingles(codes_of(self._texts[number])))
        return Match(number=number, similarity=jaccard(keys, other))


def _digest(shape: Shape, ngram: int | None, boilerplate: Sequence[str]) -> str:
    parts = (1, shape.bands, shape.rows, ngram, *(text_of(fold(text)) for text in boilerplate))
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def jaccard(one: Keys, other: Keys) -> float:
    """Of two ascending sets, not both empty: the size of what both hold over that of either."""
    both = np.sort(np.concatenate((one, other)))
    shared = int(np.count_nonzero(both[1:] == both[:-1]))
    return shared / (both.size - shared)


def _batches(texts: Iterator[Codes]) -> Iterator[list[Codes]]:
    """As many at a time as are worth it, and no more than fit in little memory."""
    batch: list[Codes] = []
    size = 0
    for codes in texts:
        batch.append(codes)
        size += codes.size
        if size >= _CHARS_AT_ONCE or len(batch) >= _AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
