"""Numbers within a shape. Owns the arithmetic; what is plausible, `scribe.py` knows."""

from __future__ import annotations

import math
import random
from fractions import Fraction

from corpusmith.simulator.scribe import Scribe
from corpusmith.simulator.shape import Impossible, Shape

_SAFE = 2**53
"""Beyond this, readers that use doubles disagree."""


def make(shape: Shape, kind: str, name: str, rng: random.Random, scribe: Scribe) -> int | float:
    """A number that keeps all bounds and steps. Raises Impossible."""
    low, high = _window(shape, kind, name, scribe)
    if low > high:
        raise Impossible
    if shape.steps or kind == "integer":
        return _stepped(shape, _step(shape, kind), low, high, rng)
    for digits in (2, 4, 8):
        found = round(float(low) + rng.random() * float(high - low), digits)
        if _inside(shape, Fraction(found), low, high):
            return found
    for share in (rng.random(), 0.5, 0.0, 1.0):
        found = float(low) + share * float(high - low)
        if _inside(shape, Fraction(found), low, high):
            return found
    raise Impossible


def _window(shape: Shape, kind: str, name: str, scribe: Scribe) -> tuple[Fraction, Fraction]:
    """Where to look: what is plausible for the name, moved into what is allowed."""
    wish_low, wish_high = scribe.range_of(name, kind)
    span = wish_high - wish_low
    if shape.low is not None and shape.high is not None:
        if shape.high - shape.low > 10 * max(span, 1) and shape.low <= wish_low <= shape.high:
            return Fraction(wish_low), min(shape.high, Fraction(wish_high))
        return shape.low, shape.high
    if shape.low is not None:
        return shape.low, max(Fraction(wish_high), shape.low + _reach(shape, span))
    if shape.high is not None:
        return min(Fraction(wish_low), shape.high - _reach(shape, span)), shape.high
    return Fraction(wish_low), Fraction(wish_low) + _reach(shape, span)


def _reach(shape: Shape, span: int) -> Fraction:
    """Wide enough for a few multiples of every step."""
    return max(Fraction(span), 3 * _common(shape.steps)) if shape.steps else Fraction(span)


def _step(shape: Shape, kind: str) -> Fraction:
    steps = [*shape.steps, Fraction(1)] if kind == "integer" else shape.steps
    return _common(steps)


def _common(steps: list[Fraction]) -> Fraction:
    """The least common multiple."""
    found = steps[0]
    for step in steps[1:]:
        over = math.lcm(found.denominator, step.denominator)
        found = Fraction(math.lcm(int(found * over), int(step * over)), over)
    return found


def _stepped(
    shape: Shape, step: Fraction, low: Fraction, high: Fraction, rng: random.Random
) -> int | float:
    # A wish that holds no multiple gives way to the bounds themselves.
    for below, above in ((low, high), (_or(shape.low, low), _or(shape.high, high))):
        first, last = math.ceil(below / step), math.floor(above / step)
        if shape.low_open and first * step == shape.low:
            first += 1
        if shape.high_open and last * step == shape.high:
            last -= 1
        if first <= last:
            value = rng.randint(first, last) * step
            return int(value) if value.denominator == 1 else float(value)
    raise Impossible


def _or(bound: Fraction | None, wish: Fraction) -> Fraction:
    return wish if bound is None else bound


def _inside(shape: Shape, value: Fraction, low: Fraction, high: Fraction) -> bool:
    if not low <= value <= high:
        return False
    # As floats: the bound 0.88 is 22/25 exactly, and the number 0.88 is a hair beside it.
    below = shape.low_open and shape.low is not None and float(value) <= float(shape.low)
    above = shape.high_open and shape.high is not None and float(value) >= float(shape.high)
    return not (below or above)
