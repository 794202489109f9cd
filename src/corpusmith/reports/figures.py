"""Numbers as people read them, the same in both languages. Pure."""

from __future__ import annotations

NONE = "–"


def number(value: float | None) -> str:
    """`12,345`"""
    return NONE if value is None else f"{value:,.0f}"


def decimal(value: float | None, digits: int = 2) -> str:
    """`3.14`"""
    # Rounded first: what rounds to nothing has no sign.
    return NONE if value is None else f"{round(value, digits) + 0.0:,.{digits}f}"


def percent(share: float | None) -> str:
    """`3.2%`; what is there, but rounds to nothing, is `<0.1%`."""
    if share is None:
        return NONE
    if 0 < share < 0.001:
        return "<0.1%"
    if 0.999 < share < 1:
        return ">99.9%"
    return f"{share:.1%}".replace(".0%", "%")


def money(cost_usd: float | None) -> str:
    """`$0.0123`, to three digits where it is small."""
    if cost_usd is None:
        return NONE
    if cost_usd == 0:
        return "$0"
    if cost_usd >= 1:
        return f"${cost_usd:,.2f}"
    digits = 2
    while cost_usd < 10.0 ** (1 - digits) and digits < 8:
        digits += 1
    return f"${cost_usd:.{digits + 1}f}"


def share_of(part: float, whole: float) -> float:
    """0 of nothing."""
    return part / whole if whole else 0.0
