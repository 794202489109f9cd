"""A token bucket: the simulator's hidden limits.

Owns: how much is left. Does not own: the clock (passed in) and what a refusal looks like.
"""

from __future__ import annotations


class Bucket:
    """Refills evenly at `per_min / 60` a second up to `burst_s` seconds' worth, at least 1."""

    __slots__ = ("_at", "_level", "_per_s", "size")

    def __init__(self, per_min: float, burst_s: float, now: float) -> None:
        self._per_s = per_min / 60
        self.size = max(1.0, self._per_s * burst_s)
        self._level = self.size
        self._at = now

    def wait_s(self, amount: float, now: float) -> float:
        """Seconds until `amount` may be taken; 0.0: now.

        More than the bucket holds may be taken from a full one; it is paid back afterwards.
        """
        self._level = min(self.size, self._level + (now - self._at) * self._per_s)
        self._at = now
        missing = min(amount, self.size) - self._level
        # A billionth is the dust of many float additions, not a missing token.
        return missing / self._per_s if missing > 1e-9 else 0.0

    def take(self, amount: float) -> None:
        """Take `amount`; the level may go below zero."""
        self._level -= amount
