"""Splitting a whole number by weight. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping


def largest_remainder(weights: Mapping[str, float], total: int) -> dict[str, int]:
    """Shares of `total` by weight that sum to it exactly; ties go to the earlier name.

    Weights that sum to zero share evenly. Source: Hamilton's method of apportionment.
    """
    whole = math.fsum(weights.values())
    if whole <= 0:
        weights, whole = dict.fromkeys(weights, 1.0), float(len(weights))
    exact = {name: total * weight / whole for name, weight in weights.items()}
    shares = {name: math.floor(value) for name, value in exact.items()}
    order = {name: place for place, name in enumerate(weights)}
    by_rest = sorted(weights, key=lambda name: (shares[name] - exact[name], order[name]))
    for name in by_rest[: total - sum(shares.values())]:
        shares[name] += 1
    return shares
