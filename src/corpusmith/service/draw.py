"""Who gets which records when several categories draw from the same ones. Pure.

Owns: a fair draw without replacement that falls short only where there is no way around it.

Records that the same categories may take form a pool, named by the bits of those categories. Each
category draws at random over its pools in turn; one that is short then takes records from another
that can make up for them elsewhere (augmenting paths, as in any maximum flow).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from itertools import accumulate
from random import Random

Pool = int
"""Bit n is set when category n may take the pool's records."""


def draw(sizes: Mapping[Pool, int], quotas: Sequence[int], rng: Random) -> list[Counter[Pool]]:
    """How many records of each pool each category gets."""
    state = _Draw(sizes, quotas)
    for at, quota in enumerate(quotas):
        state.take_at_random(at, quota, rng)
    for at in range(len(quotas)):
        while state.lacking(at) and state.exchange(at):
            pass
    return state.taken


class _Draw:
    """A draw in progress."""

    def __init__(self, sizes: Mapping[Pool, int], quotas: Sequence[int]) -> None:
        self._left = dict(sizes)
        self._quotas = quotas
        self.taken: list[Counter[Pool]] = [Counter() for _ in quotas]

    def lacking(self, at: int) -> int:
        return self._quotas[at] - self.taken[at].total()

    def take_at_random(self, at: int, quota: int, rng: Random) -> None:
        """Each record that `at` may still take is equally likely."""
        pools = self._pools(at)
        ends = list(accumulate(self._left[pool] for pool in pools))
        whole = ends[-1] if ends else 0
        for place in rng.sample(range(whole), min(quota, whole)):
            pool = pools[bisect_right(ends, place)]
            self.taken[at][pool] += 1
            self._left[pool] -= 1

    def exchange(self, at: int) -> bool:
        """Get `at` some more by the shortest chain of exchanges; False: there is none."""
        came_from: dict[int, tuple[int, Pool]] = {}
        waiting = deque([at])
        while waiting:
            one = waiting.popleft()
            for pool in self._pools(one):
                if self._left[pool]:
                    self._pass_on(at, one, pool, came_from)
                    return True
                for other, taken in enumerate(self.taken):
                    if other != at and other not in came_from and taken[pool]:
                        came_from[other] = (one, pool)
                        waiting.append(other)
        return False

    def _pass_on(
        self, at: int, last: int, free: Pool, came_from: Mapping[int, tuple[int, Pool]]
    ) -> None:
        chain = []
        giver = last
        while giver != at:
            taker, pool = came_from[giver]
            chain.append((giver, taker, pool))
            giver = taker
        amount = min(
            self.lacking(at), self._left[free], *(self.taken[one][pool] for one, _, pool in chain)
        )
        self._left[free] -= amount
        self.taken[last][free] += amount
        for giver, taker, pool in chain:
            self.taken[giver][pool] -= amount
            self.taken[taker][pool] += amount

    def _pools(self, at: int) -> list[Pool]:
        return [pool for pool in self._left if pool >> at & 1]
