"""Who may call an endpoint now, and who waits for what.

Owns: the queue in front of one (endpoint, key, model), and the gates: calls in flight
(`adaptive.py`), the user's requests/min and tokens/min (`buckets.py`), the rate learned from 429s
(`pacing.py`), Retry-After. Does not own: sending, retrying (`retry.py`), sleeping between retries.

A limiter belongs to one event loop at a time. Its timers are the loop's; the time is the clock's.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Literal

from corpusmith.contracts import Clock
from corpusmith.engine.adaptive import InFlight
from corpusmith.engine.buckets import TokenBucket
from corpusmith.engine.pacing import Pace
from corpusmith.errors import (
    MalformedReply,
    Overloaded,
    ProviderError,
    RateLimited,
    ServerError,
    TimedOut,
)
from corpusmith.values import Limits

AUTO_CEILING = 1000
RETRY_AFTER_MAX_S = 3600.0

Reason = Literal[
    "free", "in_flight", "requests_per_min", "tokens_per_min", "retry_after", "learned_rate"
]

_IN_FLIGHT: Reason = "in_flight"
_RETRY_AFTER: Reason = "retry_after"
_LEARNED: Reason = "learned_rate"
_REQUESTS: Reason = "requests_per_min"
_TOKENS: Reason = "tokens_per_min"
_FREE: tuple[float, Reason] = (0.0, "free")

# Fewer calls than this since the last 429 say too little of how many at once are taken.
PEAK_CALLS = 20

_CONGESTED = (Overloaded, TimedOut)
# These were worked on by the server, so their tokens were most likely counted.
_WORKED_ON = (TimedOut, MalformedReply, ServerError)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimiterState:
    """Why it is as fast as it is. The rates are those in force, None where there is none."""

    in_flight: int
    limit: int
    waiting: int
    requests_per_min: float | None
    """The user's or the learned one, whichever is lower."""
    tokens_per_min: float | None
    reason: Reason
    """What the next call waits for; `free` when it would start at once."""
    wait_s: float
    """Seconds until a gate of time opens; 0.0 when it is not time that is waited for."""


class Permit:
    """The right to make one call. End it once: `succeeded`, `failed` or `abandoned`."""

    __slots__ = ("_limiter", "_tokens", "level", "open", "ordinal", "sent_at")

    def __init__(
        self, limiter: Limiter, tokens: int, sent_at: float, ordinal: int, level: int
    ) -> None:
        self._limiter = limiter
        self._tokens = tokens
        self.sent_at = sent_at
        self.ordinal = ordinal
        self.level = level
        """Calls in flight when it was sent, itself included."""
        self.open = True

    def succeeded(self, tokens: int | None) -> None:
        """The call was answered and used `tokens`; None: not told, the estimate counts."""
        if self._close():
            actual = self._tokens if tokens is None else tokens
            self._limiter._succeeded(self, self._tokens - actual)

    def failed(self, error: ProviderError) -> None:
        """The call failed. The slot is free again before anybody sleeps."""
        if self._close():
            if error.usage is not None:
                refund = self._tokens - error.usage.total_tokens
            else:
                refund = 0 if isinstance(error, _WORKED_ON) else self._tokens
            self._limiter._failed(self, refund, error)

    def abandoned(self) -> None:
        """Cancelled: slot and reservation go back, and nothing is learned."""
        if self._close():
            self._limiter._abandoned(self._tokens)

    def _close(self) -> bool:
        was_open, self.open = self.open, False
        return was_open


class _Waiter:
    __slots__ = ("future", "gone", "order", "tokens")

    def __init__(self, order: tuple[int, int], tokens: int) -> None:
        self.order = order
        self.tokens = tokens
        self.future: asyncio.Future[Permit] = asyncio.get_running_loop().create_future()
        self.gone = False

    def __lt__(self, other: _Waiter) -> bool:
        return self.order < other.order


class Limiter:
    """The gates of one (endpoint, key, model), shared by all tasks of the process."""

    def __init__(self, limits: Limits, clock: Clock, *, auto_ceiling: int = AUTO_CEILING) -> None:
        now = clock.monotonic()
        self._now = clock.monotonic
        asked = limits.concurrency
        self._width = InFlight(asked or auto_ceiling, now, vouched=asked is not None)
        self._pace = Pace(now)
        self._requests = _bucket(limits.requests_per_min, now)
        self._tokens = _bucket(limits.tokens_per_min, now)
        self._paused_until = now
        self._in_flight = 0
        self._peak = 0
        """Most calls in flight at which one was let through since the last 429."""
        self._queue: list[_Waiter] = []
        self._waiting = 0
        self._arrivals = 0
        self._peak_refused = 0
        """The number in flight at which the last 429 came, if it was above all others; else 0."""
        self._held: Reason | None = None
        """What the head of the queue waits for; None: nobody waits."""
        self._timer: asyncio.TimerHandle | None = None

    async def acquire(self, tokens: int, *, priority: int = 0) -> Permit:
        """Wait until a call of about `tokens` may be made.

        Lower `priority` goes first, first come first served within. Cancelling it loses nothing.
        """
        return self.acquire_now(tokens) or await self._wait(tokens, priority)

    def acquire_now(self, tokens: int) -> Permit | None:
        """A permit if a call may start at once and nobody waits before it; else None."""
        if self._waiting:
            return None
        now = self._now()
        return self._grant(tokens, now) if self._gate(tokens, now)[0] <= 0 else None

    @property
    def limit(self) -> int:
        """How many calls may be in flight now, or soon if the endpoint stays silent."""
        return self._width.soon

    async def _wait(self, tokens: int, priority: int) -> Permit:
        self._arrivals += 1
        waiter = _Waiter((priority, self._arrivals), tokens)
        heappush(self._queue, waiter)
        self._waiting += 1
        try:
            if self._queue[0] is waiter:
                self._serve(self._now())
            return await waiter.future
        except asyncio.CancelledError:
            self._leave(waiter)
            raise

    def _leave(self, waiter: _Waiter) -> None:
        if waiter.future.done() and not waiter.future.cancelled():
            waiter.future.result().abandoned()
            return
        waiter.gone = True
        self._waiting -= 1
        self._serve(self._now())

    def _gate(self, tokens: int, now: float) -> tuple[float, Reason]:
        """Seconds until a call may start, and what holds it longest; infinite for a slot."""
        if self._in_flight >= self._width.limit and (silence_s := self._width.silence_s(now)):
            return silence_s, _IN_FLIGHT
        wait_s, reason = self._paused_until - now, _RETRY_AFTER
        pace = self._pace
        if pace.per_s is not None and (pace_s := pace.wait_s(now)) > wait_s:
            wait_s, reason = pace_s, _LEARNED if pace.state != "start" else _IN_FLIGHT
        if self._requests and (requests_s := self._requests.wait_s(1, now)) > wait_s:
            wait_s, reason = requests_s, _REQUESTS
        if self._tokens and (tokens_s := self._tokens.wait_s(tokens, now)) > wait_s:
            wait_s, reason = tokens_s, _TOKENS
        return (wait_s, reason) if wait_s > 0 else _FREE

    def _grant(self, tokens: int, now: float) -> Permit:
        self._in_flight += 1
        self._width.sent(now)
        if self._requests:
            self._requests.take(1)
        if self._tokens:
            self._tokens.take(tokens)
        return Permit(self, tokens, now, self._pace.send(now), self._in_flight)

    def _serve(self, now: float) -> None:
        """Let in whoever may go in, and set the timer for the next."""
        queue = self._queue
        self._held = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while queue:
            head = queue[0]
            if head.gone or head.future.done():
                heappop(queue)
                continue
            wait_s, reason = self._gate(head.tokens, now)
            if wait_s > 0:
                self._held = reason
                if wait_s != float("inf"):
                    self._timer = asyncio.get_running_loop().call_later(wait_s, self._ring)
                return
            heappop(queue)
            self._waiting -= 1
            head.future.set_result(self._grant(head.tokens, now))

    def _ring(self) -> None:
        self._timer = None
        self._serve(self._now())

    def _give_slot(self, refund: float) -> bool:
        """Take a slot and tokens back; True when the limit was what held others back."""
        saturated = self._in_flight >= self._width.limit or self._held is _IN_FLIGHT
        self._in_flight -= 1
        if self._tokens and refund:
            self._tokens.give(refund)
        return saturated

    def _succeeded(self, permit: Permit, refund: float) -> None:
        now = self._now()
        saturated = self._give_slot(refund)
        if permit.level > self._peak:
            self._peak = permit.level
        width = self._width
        width.answered(now)
        was_slow_start = width.slow_start
        width.succeeded(permit.sent_at, now, saturated)
        if was_slow_start:
            self._pace.spread(width.start_per_s)
        if self._waiting:
            self._serve(now)

    def _failed(self, permit: Permit, refund: float, error: ProviderError) -> None:
        now = self._now()
        self._give_slot(refund)
        self._width.answered(now)
        if error.retry_after_s is not None:
            wish = min(max(error.retry_after_s, 0.0), RETRY_AFTER_MAX_S)
            self._paused_until = max(self._paused_until, now + wish)
        if isinstance(error, RateLimited):
            self._refused(permit, now, error.retry_after_s)
        elif isinstance(error, _CONGESTED):
            self._width.congested(permit.sent_at, now)
            self._pace.spread(self._width.start_per_s)
        if self._waiting:
            self._serve(now)

    def _refused(self, permit: Permit, now: float, wish_s: float | None) -> None:
        """A 429: for the rate, or for the number in flight?"""
        pace = self._pace
        self._width.end_slow_start(now)
        if pace.is_hit(permit.ordinal):
            if self._is_same_peak(permit):
                self._width.refused_at(permit.level, now)
            self._peak = 0
        pace.refused(permit.ordinal, permit.sent_at, now, wish_s)

    def _is_same_peak(self, permit: Permit) -> bool:
        """Whether it was refused at a number in flight at which none was let through lately.

        Twice in a row at the same number, because a rate's 429 comes at any number.
        """
        pace = self._pace
        if pace.state != "learned" or pace.passed(permit.ordinal) < PEAK_CALLS:
            return False
        before, self._peak_refused = self._peak_refused, 0
        if permit.level > self._peak:
            self._peak_refused = permit.level
        return self._peak_refused > 0 and abs(before - permit.level) <= permit.level // 32

    def _abandoned(self, tokens: int) -> None:
        self._give_slot(tokens)
        if self._requests:
            self._requests.give(1)
        if self._waiting:
            self._serve(self._now())

    @property
    def state(self) -> LimiterState:
        """What is in flight, what is waited for, and why."""
        now = self._now()
        head = min((one for one in self._queue if not one.gone), default=None)
        wait_s, reason = self._gate(head.tokens if head else 0, now)
        rates = [self._requests.per_min] if self._requests else []
        pace = self._pace
        learned = [] if pace.per_s is None or pace.state == "start" else [pace.per_s * 60]
        return LimiterState(
            in_flight=self._in_flight,
            limit=self._width.limit,
            waiting=self._waiting,
            requests_per_min=min([*rates, *learned], default=None),
            tokens_per_min=self._tokens.per_min if self._tokens else None,
            reason=reason,
            wait_s=0.0 if wait_s == float("inf") else wait_s,
        )


def _bucket(per_min: int | None, now: float) -> TokenBucket | None:
    return None if per_min is None else TokenBucket(per_min, now)


class LimiterPool:
    """One limiter per (endpoint, key, model), made on first use."""

    def __init__(self, clock: Clock, *, auto_ceiling: int = AUTO_CEILING) -> None:
        self._clock = clock
        self._auto_ceiling = auto_ceiling
        self._limiters: dict[tuple[str, str, str, Limits], Limiter] = {}
        # Tasks of a worker are put together in threads.
        self._lock = threading.Lock()

    def get(self, endpoint: str, key_id: str, model: str, limits: Limits) -> Limiter:
        """The limiter of these; other `limits` are another limiter."""
        name = (endpoint, key_id, model, limits)
        with self._lock:
            found = self._limiters.get(name)
            if found is None:
                found = Limiter(limits, self._clock, auto_ceiling=self._auto_ceiling)
                self._limiters[name] = found
        return found
