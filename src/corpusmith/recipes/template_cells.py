"""Spreading a number over crossed values, and walking over rows and models. Pure.

Owns: exact shares, of each value and not only of each combination; which row and which model an
item gets. Does not own: what the values are (`template_spec.py`).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import product

from corpusmith.shares import largest_remainder

_ROTATION = 1000
"""Longest rotation: weights are kept to a tenth of a percent."""


def spread(weights: Sequence[Sequence[float]], total: int) -> list[int]:
    """Shares of `total` for each combination of one value of each list, in `product`'s order.

    They sum to `total`, and so do the shares of each list's values by themselves, each of them
    what `largest_remainder` gives: 10 over three topics and two levels is 4, 3, 3 and 5, 5.
    """
    sums = [math.fsum(one) for one in weights]
    cells = list(product(*(range(len(one)) for one in weights)))
    exact = [
        total * math.prod(weights[at][v] / sums[at] for at, v in enumerate(cell)) for cell in cells
    ]
    shares = [math.floor(one) for one in exact]
    lacking = [_lacking(one, total, cells, shares, at) for at, one in enumerate(weights)]
    waiting = [(shares[place] - exact[place], place) for place in range(len(cells))]
    heapq.heapify(waiting)
    # Each list lacks the same sum, so there is always a cell all of whose values lack something.
    for _ in range(total - sum(shares)):
        while True:
            surplus, place = heapq.heappop(waiting)
            if all(lacking[at][value] > 0 for at, value in enumerate(cells[place])):
                break
        shares[place] += 1
        for at, value in enumerate(cells[place]):
            lacking[at][value] -= 1
        heapq.heappush(waiting, (surplus + 1, place))
    return shares


def _lacking(
    weights: Sequence[float],
    total: int,
    cells: Sequence[tuple[int, ...]],
    shares: Sequence[int],
    at: int,
) -> list[int]:
    """For each value of the list `at`: its exact share less what its cells have already."""
    wanted = largest_remainder({str(v): weight for v, weight in enumerate(weights)}, total)
    lacking = list(wanted.values())
    for cell, share in zip(cells, shares, strict=True):
        lacking[cell[at]] -= share
    return lacking


def met(place: int, period: int, length: int) -> int:
    """Which of `length` things comes at `place`, so that all of them come to each of the `period`
    places before any comes again there.

    The two cycles meet in step when they have a common divisor; so after each common round the
    second one is put off by one.
    """
    place %= period * length
    return (place + place // math.lcm(period, length)) % length


@lru_cache(maxsize=256)
def rotation(weights: tuple[float, ...]) -> tuple[int, ...]:
    """An order of turns in which each takes part by weight, spread as evenly as can be.

    After any number of turns each has had its share to within one turn or so. Source: smooth
    weighted round robin.
    """
    turns = _turns(weights)
    credit = [0] * len(turns)
    order: list[int] = []
    for _ in range(sum(turns)):
        credit = [have + more for have, more in zip(credit, turns, strict=True)]
        chosen = max(range(len(turns)), key=lambda one: credit[one])
        credit[chosen] -= sum(turns)
        order.append(chosen)
    return tuple(order)


def _turns(weights: tuple[float, ...]) -> list[int]:
    """Whole numbers in the proportion of the weights, as small as they can be."""
    whole: Mapping[str, int] = {str(at): round(one) for at, one in enumerate(weights)}
    exact = all(weight == turns for weight, turns in zip(weights, whole.values(), strict=True))
    if not exact or sum(whole.values()) // math.gcd(*whole.values()) > _ROTATION:
        named = {str(at): one for at, one in enumerate(weights)}
        # A weight of a ten-thousandth still gets its turn.
        shares = largest_remainder(named, _ROTATION)
        whole = {name: max(1, turns) for name, turns in shares.items()}
    least = math.gcd(*whole.values())
    return [turns // least for turns in whole.values()]
