"""Accept until N: which ordinal of which category is tried next. Pure.

Owns: the live counts of a task and the choice of the next item. Does not own: running or saving.

Why the result does not depend on the order in which items end, or on kills: a category issues its
lowest untried ordinal exactly when accepted + running < count. One rejected sample makes room for
one more ordinal, so the ordinals tried are always the shortest prefix that holds `count` accepted
ones; whoever replays the same outcomes in any order tries the same ordinals.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from corpusmith.contracts import Finished, Quota
from corpusmith.values import Counts, Item


def extended(old: Sequence[Quota], fresh: Sequence[tuple[str, int]], per_item: int) -> list[Quota]:
    """`old` with more records wanted: `fresh` is the plan (name, count) of the new total.

    No category ever shrinks (its records are there and paid): what a smaller new share would
    take away is taken from the categories that grow most.
    """
    target = dict(fresh)
    total = sum(target.values())
    counts = {quota.name: max(quota.count, target.get(quota.name, 0)) for quota in old}
    surplus = sum(counts.values()) - total
    while surplus > 0:
        name = max(
            (quota.name for quota in old if counts[quota.name] > quota.count),
            key=lambda n: counts[n] - next(q.count for q in old if q.name == n),
        )
        counts[name] -= 1
        surplus -= 1
    return [_with_wave(quota, counts[quota.name], per_item) for quota in old]


def _with_wave(quota: Quota, count: int, per_item: int) -> Quota:
    more = count - quota.count
    if more == 0:
        return quota
    first = 0
    for start, records in quota.waves:
        first = max(first, start + math.ceil(records / per_item))
    # Replacements came after the last wave's own ordinals: one for each sample that was missed.
    first += quota.rejected + quota.failed
    return replace(quota, count=count, waves=(*quota.waves, (first, more)))


@dataclass(slots=True)
class Tally:
    """One category while its task runs. Counts are in samples."""

    name: str
    position: int
    labels: Mapping[str, str]
    count: int
    waves: tuple[tuple[int, int], ...]
    max_attempts: int
    attempted: int
    accepted: int
    rejected: int
    failed: int
    running: int = 0
    cursor: int = 0
    queued: bool = True

    @property
    def missing(self) -> int:
        """Samples that could be started now: still wanted, and within the attempts."""
        wanted = self.count - self.accepted - self.running
        allowed = self.max_attempts - self.attempted - self.running
        return min(wanted, allowed)

    def counts(self) -> Counts:
        return Counts(
            requested=self.count,
            attempted=self.attempted + self.running,
            accepted=self.accepted,
            rejected=self.rejected,
            failed=self.failed,
        )


def want_of(ordinal: int, waves: Sequence[tuple[int, int]], per_item: int) -> int:
    """How many records the item `ordinal` was planned to bring; a replacement brings 1."""
    for first, records in reversed(waves):
        if ordinal >= first:
            left = records - (ordinal - first) * per_item
            return min(per_item, left) if left > 0 else 1
    return 1


class Quotas:
    """The categories of a running task and what is to be tried next."""

    def __init__(
        self,
        quotas: Sequence[Quota],
        *,
        task_seed: int,
        per_item: int,
        max_attempts_multiplier: float,
        closed: bool = False,
    ) -> None:
        """`closed`: what is missed is not replaced by another, whatever the multiplier."""
        self._seed = task_seed
        self._closed = closed
        self._per_item = per_item
        self.tallies: dict[str, Tally] = {
            quota.name: Tally(
                name=quota.name,
                position=position,
                labels=quota.labels,
                count=quota.count,
                waves=quota.waves or ((0, quota.count),),
                max_attempts=self._attempts(quota.count, max_attempts_multiplier),
                attempted=quota.attempted,
                accepted=quota.accepted,
                rejected=quota.rejected,
                failed=quota.failed,
            )
            for position, quota in enumerate(quotas)
        }
        self._tried: dict[str, bytearray] = {}
        self._again: dict[str, deque[tuple[int, int]]] = {}
        # (next ordinal, position): lowest first, so that categories grow side by side.
        self._ready: list[tuple[int, int]] = [(0, at) for at in range(len(quotas))]
        self._in_order = list(self.tallies.values())
        self.running_items = 0

    def load(self, finished: Iterable[Finished]) -> None:
        """Learn what earlier executions did. Call once, before the first `next`."""
        for one in finished:
            tried = self._tried.setdefault(one.category, bytearray())
            if one.ordinal >= len(tried):
                tried.extend(bytes(max(1024, one.ordinal + 1 - len(tried), len(tried))))
            tried[one.ordinal] = 1
            if not one.done:
                again = self._again.setdefault(one.category, deque())
                again.append((one.ordinal, one.generation))
        self._ready = [(self._ahead(tally)[0], tally.position) for tally in self._in_order]
        heapq.heapify(self._ready)

    def allow(self, max_attempts_multiplier: float) -> None:
        """Other attempts from now on; fewer than were made start no more."""
        for tally in self._in_order:
            tally.max_attempts = self._attempts(tally.count, max_attempts_multiplier)
            self._requeue(tally)

    def next(self) -> Item | None:
        """The next item to start, or None when none can be started now."""
        if self.next_place() is None:
            return None
        tally = self._in_order[heapq.heappop(self._ready)[1]]
        item = self._start(tally)
        self._queue(tally)
        return item

    def next_place(self) -> tuple[int, int] | None:
        """(ordinal, category position) of what `next` would give."""
        while self._ready:
            tally = self._in_order[self._ready[0][1]]
            if tally.missing > 0:
                return self._ready[0]
            heapq.heappop(self._ready)
            tally.queued = False
        return None

    def decided(self, item: Item, accepted: int, rejected: int, failed: int) -> None:
        """What came of an item is known; `accepted + rejected + failed == item.want`."""
        tally = self.tallies[item.category]
        tally.running -= item.want
        tally.attempted += item.want
        tally.accepted += accepted
        tally.rejected += rejected
        tally.failed += failed
        self._requeue(tally)

    def saved(self) -> None:
        """The outcome of an item that was decided is saved: it is no longer in progress."""
        self.running_items -= 1

    def dropped(self, item: Item) -> None:
        """An item was given up before it had an outcome (a stop): it counts as never started."""
        self.tallies[item.category].running -= item.want
        self.running_items -= 1

    def counts(self) -> Counts:
        """The task's counts; items in progress are `pending`."""
        total = Counts()
        for tally in self.tallies.values():
            total = total + tally.counts()
        return total

    def _attempts(self, count: int, multiplier: float) -> int:
        return count if self._closed else max(count, math.floor(count * multiplier))

    def _start(self, tally: Tally) -> Item:
        ordinal, generation = self._ahead(tally)
        if again := self._again.get(tally.name):
            again.popleft()
        else:
            tally.cursor = ordinal + 1
        want = min(want_of(ordinal, tally.waves, self._per_item), tally.missing)
        tally.running += want
        self.running_items += 1
        return Item(
            task_seed=self._seed,
            category=tally.name,
            ordinal=ordinal,
            want=want,
            generation=generation,
        )

    def _ahead(self, tally: Tally) -> tuple[int, int]:
        """(ordinal, generation) of the category's next item."""
        if again := self._again.get(tally.name):
            return again[0]
        tried = self._tried.get(tally.name, b"")
        ordinal = tally.cursor
        while ordinal < len(tried) and tried[ordinal]:
            ordinal += 1
        tally.cursor = ordinal
        return ordinal, 0

    def _requeue(self, tally: Tally) -> None:
        if not tally.queued and tally.missing > 0:
            self._queue(tally)

    def _queue(self, tally: Tally) -> None:
        tally.queued = True
        heapq.heappush(self._ready, (self._ahead(tally)[0], tally.position))
