"""Endpoints in virtual time with limits that they do not tell, and callers that use a limiter.

Each stub has `async call(tokens)`: it returns after its latency, or raises as a provider would.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from virtual_time import VirtualClock

from corpusmith.engine.limits import Limiter
from corpusmith.engine.retry import delay_s
from corpusmith.errors import Overloaded, ProviderError, RateLimited

Latency = Callable[[], float]


class Endpoint(Protocol):
    async def call(self, tokens: int) -> None: ...


def fixed(seconds: float) -> Latency:
    return lambda: seconds


def tailed(seconds: float, rng: random.Random, share: float = 0.01, times: float = 30) -> Latency:
    """`share` of the calls take `times` as long."""
    return lambda: seconds * (times if rng.random() < share else 1)


def varied(seconds: float, rng: random.Random, sigma: float = 0.8) -> Latency:
    """Log-normal with mean `seconds`, as language models answer."""
    return lambda: seconds * rng.lognormvariate(-sigma * sigma / 2, sigma)


@dataclass(kw_only=True)
class Open:
    """No limit at all; counts the calls in flight."""

    latency: Latency
    now: int = 0
    peak: int = 0

    async def call(self, tokens: int) -> None:
        self.now += 1
        self.peak = max(self.peak, self.now)
        try:
            await asyncio.sleep(self.latency())
        finally:
            self.now -= 1


@dataclass(kw_only=True)
class Slots:
    """`slots` calls at once; the others queue, as in llama.cpp."""

    slots: int
    latency: Latency
    gate: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.gate = asyncio.Semaphore(self.slots)

    async def call(self, tokens: int) -> None:
        async with self.gate:
            await asyncio.sleep(self.latency())


@dataclass(kw_only=True)
class Refusing:
    """At most `most` calls at once; one more is refused with `error`."""

    most: int
    latency: Latency
    feedback_s: float = 0.01
    error: Callable[[], ProviderError] = RateLimited
    now: int = 0
    refused: int = 0

    async def call(self, tokens: int) -> None:
        if self.now >= self.most:
            self.refused += 1
            await asyncio.sleep(self.feedback_s)
            raise self.error()
        self.now += 1
        try:
            await asyncio.sleep(self.latency())
        finally:
            self.now -= 1


@dataclass(kw_only=True)
class Bucket:
    """A hidden token bucket: `per_s` units flow in, `capacity` fit. Starts full."""

    clock: VirtualClock
    per_s: float
    capacity: float
    latency: Latency
    retry_after: bool = False
    feedback_s: float = 0.01
    in_tokens: bool = False
    level: float = field(init=False)
    at: float = 0.0
    refused: int = 0

    def __post_init__(self) -> None:
        self.level = self.capacity

    async def call(self, tokens: int) -> None:
        now = self.clock.monotonic()
        self.level = min(self.capacity, self.level + (now - self.at) * self.per_s)
        self.at = now
        need = tokens if self.in_tokens else 1
        if self.level < need - 1e-9:
            self.refused += 1
            wish = max(1.0, (need - self.level) / self.per_s) if self.retry_after else None
            await asyncio.sleep(self.feedback_s)
            raise RateLimited(retry_after_s=wish)
        self.level -= need
        await asyncio.sleep(self.latency())


@dataclass(kw_only=True)
class Window:
    """A hidden limit per window of fixed length; Retry-After is its end."""

    clock: VirtualClock
    most: int
    latency: Latency
    length_s: float = 60.0
    offset_s: float = 0.0
    retry_after: bool = False
    feedback_s: float = 0.01
    window: int = -1
    used: int = 0
    refused: int = 0

    async def call(self, tokens: int) -> None:
        now = self.clock.monotonic() + self.offset_s
        if int(now / self.length_s) != self.window:
            self.window, self.used = int(now / self.length_s), 0
        if self.used >= self.most:
            self.refused += 1
            wish = (self.window + 1) * self.length_s - now if self.retry_after else None
            await asyncio.sleep(self.feedback_s)
            raise RateLimited(retry_after_s=wish)
        self.used += 1
        await asyncio.sleep(self.latency())


@dataclass(kw_only=True)
class Sliding:
    """A hidden limit over the last `length_s` seconds."""

    clock: VirtualClock
    most: int
    latency: Latency
    length_s: float = 60.0
    feedback_s: float = 0.01
    sent: deque[float] = field(default_factory=deque)
    refused: int = 0

    async def call(self, tokens: int) -> None:
        now = self.clock.monotonic()
        while self.sent and self.sent[0] <= now - self.length_s:
            self.sent.popleft()
        if len(self.sent) >= self.most:
            self.refused += 1
            await asyncio.sleep(self.feedback_s)
            raise RateLimited
        self.sent.append(now)
        await asyncio.sleep(self.latency())


@dataclass(kw_only=True)
class Dice:
    """Refuses a share of the calls whatever the load."""

    rng: random.Random
    share: float
    latency: Latency
    error: Callable[[], ProviderError] = Overloaded
    refused: int = 0

    async def call(self, tokens: int) -> None:
        if self.rng.random() < self.share:
            self.refused += 1
            await asyncio.sleep(0.01)
            raise self.error()
        await asyncio.sleep(self.latency())


@dataclass(kw_only=True)
class Tally:
    """What callers saw."""

    done: int = 0
    refused: int = 0
    lost: int = 0
    ends: list[float] = field(default_factory=list)

    def per_s(self, begin_s: float, end_s: float) -> float:
        """Calls done per second between two moments."""
        return sum(begin_s <= one < end_s for one in self.ends) / (end_s - begin_s)


async def drive(
    limiter: Limiter,
    endpoint: Endpoint,
    clock: VirtualClock,
    *,
    seconds: float,
    callers: int,
    tokens: Callable[[], int] = lambda: 100,
    seed: int = 7,
) -> Tally:
    """`callers` call as often as they may for `seconds`, retrying as the engine does."""
    tally = Tally()
    rng = random.Random(seed)
    end = clock.monotonic() + seconds

    async def one_call() -> None:
        attempt, waited_s, amount = 1, 0.0, tokens()
        while True:
            permit = await limiter.acquire(amount)
            try:
                await endpoint.call(amount)
            except ProviderError as error:
                permit.failed(error)
                tally.refused += 1
                wait_s = delay_s(error, attempt, waited_s, rng)
                if wait_s is None:
                    tally.lost += 1
                    return
                waited_s += wait_s
                await clock.sleep(wait_s)
            except asyncio.CancelledError:
                permit.abandoned()
                raise
            else:
                permit.succeeded(amount)
                tally.done += 1
                tally.ends.append(clock.monotonic())
                return

    async def caller() -> None:
        while clock.monotonic() < end:
            await one_call()

    tasks = [asyncio.create_task(caller()) for _ in range(callers)]
    await clock.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return tally
