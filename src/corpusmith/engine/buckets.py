"""A token bucket with continuous refill, for a user's own requests/min and tokens/min.

Owns: the arithmetic. Does not own: the clock, waiting, or whose turn it is.
"""

from __future__ import annotations

# With these two, no window of 60 s sees more than the limit (`1 + 0.02 r + 0.98 * 60 r <= 60 r`,
# and as whole calls below 51/min too), and a loop that wakes up 20 ms late loses nothing.
REFILL_SHARE = 0.98
BURST_S = 0.02


class TokenBucket:
    """`per_min` units a minute. Its level may go below zero: what was taken is then waited for."""

    __slots__ = ("_at", "_capacity", "_level", "_per_s", "per_min")

    def __init__(self, per_min: int, now: float) -> None:
        self.per_min = per_min
        self._per_s = per_min * REFILL_SHARE / 60
        self._capacity = 1 + per_min * BURST_S / 60
        self._level = self._capacity
        self._at = now

    def wait_s(self, amount: float, now: float) -> float:
        """Seconds until `take(amount)` is due; 0.0 is now.

        An amount above the capacity is due when the bucket is full: it leaves a debt, and those
        behind it wait the longer. So the mean rate holds and nobody waits for ever.
        """
        self._refill(now)
        missing = min(amount, self._capacity) - self._level
        # Below a millionth it is rounding of floats, and a timer would fire for ever.
        return missing / self._per_s if missing > 1e-6 else 0.0

    def take(self, amount: float) -> None:
        self._level -= amount

    def give(self, amount: float) -> None:
        """Put `amount` back; a negative amount takes more."""
        self._level = min(self._capacity, self._level + amount)

    def _refill(self, now: float) -> None:
        elapsed = now - self._at
        if elapsed > 0:
            self._level = min(self._capacity, self._level + elapsed * self._per_s)
            self._at = now
