"""Sums that stay small however much is counted. Pure.

Owns: counts of names, of numbers, samples, extremes. Does not own: what is counted (`tally.py`).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappush, heappushpop
from itertools import pairwise
from typing import Generic, TypeVar

One = TypeVar("One")

MOST_NAMES = 5_000
"""Different names that are counted one by one."""
LONGEST_NAME = 200
_BITS = 8
_EXACT = 255
_STEPS = (1, 2, 5)


class Names:
    """How often each name came; beyond `MOST_NAMES` different ones the rest is one number."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self.others = 0
        """Names that came when there was no room for another."""

    def add(self, name: str, count: int = 1) -> None:
        name = name[:LONGEST_NAME]
        if name in self._counts or len(self._counts) < MOST_NAMES:
            self._counts[name] += count
        else:
            self.others += count

    def __len__(self) -> int:
        return len(self._counts)

    @property
    def total(self) -> int:
        return sum(self._counts.values()) + self.others

    def counts(self) -> Mapping[str, int]:
        """The most frequent first, of equals by name."""
        return dict(sorted(self._counts.items(), key=lambda one: (-one[1], one[0])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """How many numbers are from `low` up to, but not including, `high`; `high` None: no end."""

    low: int
    high: int | None
    count: int


class Numbers:
    """A histogram of whole numbers from 0: exact below 256, then within 1 in 128.

    Smallest, largest and mean are exact.
    """

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._sum = 0
        self._least: int | None = None
        self.most = 0

    def add(self, number: int) -> None:
        # Ten of these for each record: every call in here would count.
        key = number
        if number > _EXACT:
            shift = number.bit_length() - _BITS
            key = number >> shift << shift
        self._counts[key] = self._counts.get(key, 0) + 1
        self._sum += number
        if number > self.most:
            self.most = number
        if self._least is None or number < self._least:
            self._least = number

    @property
    def count(self) -> int:
        return sum(self._counts.values())

    @property
    def least(self) -> int:
        return self._least or 0

    @property
    def mean(self) -> float:
        return self._sum / self.count if self.count else 0.0

    def quantile(self, share: float) -> int:
        """The number that `share` of all are not above; 0 of none."""
        wanted, seen = share * self.count, 0
        for number in sorted(self._counts):
            seen += self._counts[number]
            if seen >= wanted:
                return max(number, self.least)
        return self.most

    def bins(self, about: int = 24) -> list[Bin]:
        """Equally wide ones up to the 99th hundredth; the last one has no end if more follows."""
        if not self.count:
            return []
        step = _step((self.quantile(0.99) - self.least) / about)
        first = self.least // step * step
        edges = [first]
        while edges[-1] <= self.quantile(0.99):
            edges.append(edges[-1] + step)
        counts = [0] * len(edges)
        for number, count in self._counts.items():
            counts[min((max(number, first) - first) // step, len(edges) - 1)] += count
        inner = [
            Bin(low=low, high=high, count=count)
            for (low, high), count in zip(pairwise(edges), counts, strict=False)
        ]
        return inner + [Bin(low=edges[-1], high=None, count=counts[-1])] * (counts[-1] > 0)


def _step(least: float) -> int:
    """The round number (1, 2, 5, 10, …) that is not below `least`, from 1."""
    scale = 1
    while True:
        for one in _STEPS:
            if one * scale >= least:
                return one * scale
        scale *= 10


class Sample(Generic[One]):
    """At most `size` of all that come, each as likely as any other.

    Source: J. S. Vitter, "Random Sampling with a Reservoir", ACM TOMS 11 (1985), algorithm R.
    """

    def __init__(self, size: int, rng: random.Random) -> None:
        self._size = size
        self._rng = rng
        self._kept: list[One] = []
        self.seen = 0

    def place(self) -> int | None:
        """Where the next one goes, so that it need not be made in vain; None: it is not kept."""
        self.seen += 1
        if len(self._kept) < self._size:
            return len(self._kept)
        place = int(self._rng.random() * self.seen)  # as good as randrange, in a third of the time
        return place if place < self._size else None

    def put(self, place: int, one: One) -> None:
        if place == len(self._kept):
            self._kept.append(one)
        else:
            self._kept[place] = one

    def drawn(self) -> Sequence[One]:
        """What was kept, in an order that says nothing of when it came."""
        return self._rng.sample(self._kept, len(self._kept))

    def __iter__(self) -> Iterator[One]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


class Extremes:
    """The numbers of the highest and the lowest of all that come, of equals the earlier."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._high: list[tuple[float, int, int]] = []
        self._low: list[tuple[float, int, int]] = []
        self._seen = 0

    def add(self, value: float, number: int) -> None:
        self._seen += 1
        for heap, entry in ((self._high, value), (self._low, -value)):
            if len(heap) < self._size:
                heappush(heap, (entry, -self._seen, number))
            elif entry > heap[0][0]:
                heappushpop(heap, (entry, -self._seen, number))

    def highest(self) -> Mapping[int, float]:
        """number → value, the highest first."""
        return {number: value for value, _, number in sorted(self._high, reverse=True)}

    def lowest(self) -> Mapping[int, float]:
        """number → value, the lowest first."""
        return {number: -value for value, _, number in sorted(self._low, reverse=True)}
