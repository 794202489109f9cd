"""The shares of a ratio task: percent or numbers, and how many records they come to. Pure.

Owns: reading and checking shares. Does not own: splitting the number (the recipe, exactly).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from corpusmith.errors import UsageError

PERCENT_SLACK = 0.5
"""33.3% three times is 99.9%: near enough to be meant as all."""

Share = float | str | None


def weights_of(shares: Mapping[str, Share], total: int | None) -> tuple[dict[str, float], int]:
    """The weight of each category, and the number of all records.

    All percent, or all numbers, or none at all: even. Without `total`, whole numbers are counts.
    Raises UsageError for mixtures, percent that do not make 100, and shares of nothing.
    """
    read = {name: _read(name, share) for name, share in shares.items()}
    kinds = {kind for kind, _ in read.values()}
    if len(kinds) > 1:
        raise UsageError("template_share_mixed", categories=", ".join(shares))
    kind = kinds.pop()
    weights = {name: number for name, (_, number) in read.items()}
    if kind == "percent":
        _refuse_no_hundred(weights)
    if total is None:
        if kind != "number" or any(one != int(one) for one in weights.values()):
            raise UsageError("template_no_total")
        total = int(math.fsum(weights.values()))
    return weights, total


def _read(name: str, share: Share) -> tuple[Literal["percent", "number", "even"], float]:
    if share is None:
        return "even", 1.0
    text = str(share).strip().replace("％", "%")
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number <= 0:
        raise UsageError("template_share_bad", category=name, share=text[:40])
    return ("percent" if text.endswith("%") else "number"), number


def _refuse_no_hundred(weights: Mapping[str, float]) -> None:
    whole = math.fsum(weights.values())
    if abs(whole - 100) > PERCENT_SLACK:
        raise UsageError("template_share_sum", sum=f"{whole:g}")
