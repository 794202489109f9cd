"""How many calls may be in flight: found by trying, from what came back.

Owns: the limit and its reasons to grow, stay or shrink. Pure: time is passed in.
Does not own: waiting, rates (`pacing.py`), or the user's own limits (`buckets.py`).

Throughput decides. Slow start doubles the limit each round while throughput follows; it ends at
the ceiling, at a sign of congestion, or when three rounds brought no more throughput: a server
that only queues gains nothing from a longer queue. Where the ceiling is a person's own number, an
endpoint that takes long for its first reply is not waited for: the limit grows with time.

After that the limit grows by one a round, in trials of a quarter: a trial that brings no throughput
is taken back, and the next waits longer. Congestion cuts the limit once a round. Cuts that cost
throughput in proportion, while the failures go on, are taken back too: such failures come by
chance, not from our number.
"""

from __future__ import annotations

START = 32
# A model that thinks for a second would hold slow start back by a second for each doubling. Who
# names a number vouches for it; without one, silence may be a queue (a local server with one slot).
SILENCE_S = 0.15
SILENT_PER_S = 1000.0
SHRINK = 0.7
COOLDOWN_S = 1.0
CUT_CALLS = 10

# A round doubles the limit; as in BBR's start-up, less than a quarter more throughput in three
# rounds says that the pipe is full. One round alone is noise: 32 calls, of which some are long.
FOLLOWS = 1.25
STALE_ROUNDS = 3
# The throughput of a round is known when the next has begun, so growth runs two rounds ahead.
AHEAD = 4

TRIAL = 1.25
TRIAL_FOLLOWS = 1.10
TRIAL_CALLS = 50
HOLD_S = 15.0
HOLD_MAX_S = 600.0

NEVER = -1e9


class InFlight:
    """The adaptive limit. `limit` is whole and at least 1."""

    __slots__ = (
        "_began",
        "_best_limit",
        "_best_rate",
        "_calls",
        "_cut_at",
        "_cut_bad",
        "_cut_ok",
        "_cuts",
        "_deaf_s",
        "_deaf_until",
        "_first_sent",
        "_full",
        "_growing",
        "_hold_s",
        "_hold_until",
        "_need",
        "_round_limit",
        "_silent",
        "_stale",
        "_trip_s",
        "_width",
        "ceiling",
        "limit",
        "slow_start",
    )

    def __init__(self, ceiling: int, now: float, *, vouched: bool = False) -> None:
        """`vouched`: the ceiling is a person's, who knows what the endpoint takes."""
        self.ceiling = max(1, ceiling)
        self.limit = min(START, self.ceiling)
        self.slow_start = self.limit < self.ceiling
        self._width = float(self.limit)
        self._silent = self.slow_start and vouched
        self._first_sent: float | None = None
        self._trip_s = 0.0
        self._best_limit = self.limit
        self._best_rate = 0.0
        self._stale = 0
        self._growing = False
        self._hold_s = HOLD_S
        self._hold_until = now
        self._cut_at = NEVER
        self._cut_ok = 0
        self._cut_bad = 0
        self._cuts: list[tuple[float, float]] = []
        """(width, successes per second) after each cut of the present row of cuts."""
        self._deaf_s = HOLD_S
        self._deaf_until = now
        self._begin_round(now)

    @property
    def soon(self) -> int:
        """The limit, or what it will be if the endpoint stays silent."""
        return self.ceiling if self._silent else self.limit

    def sent(self, now: float) -> None:
        """A call was sent."""
        if self._first_sent is None:
            self._first_sent = now

    def silence_s(self, now: float) -> float:
        """Seconds until the limit grows though nobody has answered; infinite: it does not.

        0.0: it has just grown.
        """
        if not self._silent or self._first_sent is None or self.limit >= self.soon:
            return float("inf")
        due = self._first_sent + SILENCE_S + (self.limit - START) / SILENT_PER_S
        if due > now:
            return due - now
        self._set(self._width + 1)
        return 0.0

    def answered(self, now: float) -> None:
        """The endpoint has said something, good or bad: from now on it is what counts."""
        if self._silent:
            self._silent = False
            self._best_limit = self.limit
            self._begin_round(now)

    def succeeded(self, sent_at: float, now: float, saturated: bool) -> None:
        """A call came back well. `saturated`: the limit was what held others back."""
        self._calls += 1
        if sent_at >= self._cut_at:
            self._cut_ok += 1
        if saturated:
            self._full += 1
            if self.limit < self.ceiling:
                self._grow(now - sent_at)
        # Also a call of this round must have come back: else the round is shorter than a trip.
        if self._calls >= self._need and sent_at >= self._began:
            self._end_round(now)

    @property
    def start_per_s(self) -> float | None:
        """Sends per second that spread a round of slow start over half a trip; None: no need."""
        return 2 * self._width / self._trip_s if self.slow_start and self._trip_s > 0 else None

    def congested(self, sent_at: float, now: float) -> None:
        """A 503, 529 or timeout: cut, once a round and at most once a second.

        Calls sent before the last cut say nothing new.
        """
        if sent_at < self._cut_at or now < self._deaf_until:
            return
        self._cut_bad += 1
        if self._cut_at != NEVER and not self._cut_is_measured(now):
            return
        if self._cuts_are_no_use(now):
            self._deaf_until = now + self._deaf_s
            self._deaf_s = min(HOLD_MAX_S, self._deaf_s * 2)
            self._restart(self._cuts[0][0], now)
            self._cuts.clear()
            return
        self._cut_at, self._cut_ok, self._cut_bad = now, 0, 0
        self._hold_until = now
        self._restart(max(1.0, self._width * SHRINK), now)

    def refused_at(self, level: int, now: float) -> None:
        """The server takes fewer than `level` calls at once: stay below for a while."""
        self._hold(max(1.0, min(self._width, level - 1.0)), now)

    def end_slow_start(self, now: float) -> None:
        """Growth by doubling is over; the limit stays."""
        if self.slow_start:
            self._restart(self._width, now)

    def _cut_is_measured(self, now: float) -> bool:
        calls = self._cut_ok + self._cut_bad
        return now >= self._cut_at + COOLDOWN_S and calls >= max(CUT_CALLS, self.limit)

    def _cuts_are_no_use(self, now: float) -> bool:
        """Note the throughput since the last cut; whether it fell with the limit."""
        if self._cut_at == NEVER:
            return False
        if now > self._cut_at + 60 or (self._cuts and self._width > self._cuts[0][0]):
            self._cuts.clear()
        self._cuts.append((self._width, self._cut_ok / (now - self._cut_at)))
        (first_width, first_rate), (width, rate) = self._cuts[0], self._cuts[-1]
        return width <= 0.5 * first_width and rate < 0.7 * first_rate

    def _grow(self, trip_s: float) -> None:
        if self.slow_start:
            self._trip_s += (trip_s - self._trip_s) / 16 if self._trip_s else trip_s
            top = min(self.ceiling, self._best_limit * AHEAD)
            self._set(min(top, self._width + 1))
        elif self._growing:
            top = min(self.ceiling, max(self._best_limit + 1, int(self._best_limit * TRIAL)))
            self._set(min(top, self._width + 1 / self._width))

    def _set(self, width: float) -> None:
        self._width = width
        self.limit = int(width + 1e-9)

    def _begin_round(self, now: float) -> None:
        self._began = now
        self._round_limit = self.limit
        self._calls = 0
        self._full = 0
        self._need = self.limit if self.slow_start else max(2 * self.limit, TRIAL_CALLS)

    def _end_round(self, now: float) -> None:
        rate = self._calls / max(now - self._began, 1e-9)
        # A round that the limit did not hold back says nothing of the limit.
        if self._full >= 0.8 * self._calls:
            if self.slow_start:
                self._judge_start(rate, now)
            else:
                self._judge_trial(rate, now)
        self._begin_round(now)

    def _judge_start(self, rate: float, now: float) -> None:
        if rate > self._best_rate * FOLLOWS:
            self._best_rate, self._best_limit, self._stale = rate, self._round_limit, 0
        elif self._round_limit >= self._best_limit * TRIAL:
            self._stale += 1
        if self.limit >= self.ceiling:
            self._restart(self._width, now)
        elif self._stale >= STALE_ROUNDS:
            self._hold(float(self._best_limit), now)

    def _judge_trial(self, rate: float, now: float) -> None:
        if not self._growing:
            self._best_rate = rate
            self._growing = now >= self._hold_until
        elif self._round_limit <= self._best_limit or self._round_limit < self.limit:
            return  # still on its way up
        elif rate >= self._best_rate * TRIAL_FOLLOWS:
            self._best_rate, self._best_limit = rate, self._round_limit
            self._hold_s = max(HOLD_S, self._hold_s / 2)
        else:
            self._hold(float(self._best_limit), now)

    def _hold(self, width: float, now: float) -> None:
        """Stay at `width`; each time in a row for twice as long."""
        self._hold_until = now + self._hold_s
        self._hold_s = min(HOLD_MAX_S, self._hold_s * 2)
        self._restart(width, now)

    def _restart(self, width: float, now: float) -> None:
        """Go on from `width`, with its throughput to be measured first."""
        self.slow_start = False
        self._growing = False
        self._set(width)
        self._best_limit = self.limit
        self._best_rate = 0.0
        self._begin_round(now)
