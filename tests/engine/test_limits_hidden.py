"""Servers that do not tell their limit: >= 90% of it used, < 3% of the calls refused, none lost."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from limit_stubs import Bucket, Dice, Endpoint, Latency, Sliding, Tally, Window, drive, fixed
from limit_stubs import varied as varying
from virtual_time import VirtualClock, run_virtual

from corpusmith.engine.limits import Limiter
from corpusmith.errors import RateLimited
from corpusmith.values import Limits

Maker = Callable[[VirtualClock], Endpoint]


def run(
    make: Maker, *, seconds: float, callers: int = 1200, tokens: Callable[[], int] = lambda: 100
) -> Tally:
    async def main(clock: VirtualClock) -> Tally:
        limiter = Limiter(Limits(), clock)
        server = make(clock)
        return await drive(limiter, server, clock, seconds=seconds, callers=callers, tokens=tokens)

    return run_virtual(main)


def verdict(tally: Tally, ideal: float) -> tuple[bool, bool, int]:
    """(enough used, few refused, lost)"""
    share = tally.refused / (tally.done + tally.refused)
    return tally.done >= 0.9 * ideal, share < 0.03, tally.lost


# The longer, the smaller the limit: the first burst costs some 30 refusals at any scale.
SCALES = [(60, 3600), (600, 600), (6000, 300), (60_000, 30)]


@pytest.mark.parametrize("retry_after", [False, True], ids=["untold", "retry-after"])
@pytest.mark.parametrize(
    "latency",
    [fixed(0.05), varying(0.5, random.Random(3)), fixed(1.0)],
    ids=["50ms", "500ms varied", "1s"],
)
@pytest.mark.parametrize(("per_min", "seconds"), SCALES)
def test_a_bucket_with_one_second_of_burst(
    per_min: int, seconds: float, latency: Latency, retry_after: bool
) -> None:
    def make(clock: VirtualClock) -> Endpoint:
        per_s = per_min / 60
        return Bucket(
            clock=clock,
            per_s=per_s,
            capacity=max(1.0, per_s),
            latency=latency,
            retry_after=retry_after,
        )

    tally = run(make, seconds=seconds)
    # At a second of latency, a thousand in flight are all that the ceiling allows.
    assert verdict(tally, min(per_min / 60, 900) * seconds) == (True, True, 0)


@pytest.mark.parametrize("latency_s", [0.05, 2.0])
@pytest.mark.parametrize(("per_min", "seconds"), SCALES[:3])
def test_a_bucket_that_starts_with_a_whole_minute(
    per_min: int, seconds: float, latency_s: float
) -> None:
    def make(clock: VirtualClock) -> Endpoint:
        return Bucket(clock=clock, per_s=per_min / 60, capacity=per_min, latency=fixed(latency_s))

    assert verdict(run(make, seconds=seconds), per_min / 60 * seconds) == (True, True, 0)


@pytest.mark.parametrize("retry_after", [False, True], ids=["untold", "retry-after"])
@pytest.mark.parametrize(("per_min", "seconds"), [(600, 1200), (6000, 300)])
def test_windows_of_a_fixed_minute(per_min: int, seconds: float, retry_after: bool) -> None:
    def make(clock: VirtualClock) -> Endpoint:
        return Window(
            clock=clock,
            most=per_min,
            latency=fixed(0.5),
            offset_s=20,
            retry_after=retry_after,
        )

    assert verdict(run(make, seconds=seconds), per_min / 60 * seconds) == (True, True, 0)


def test_a_sliding_minute() -> None:
    def make(clock: VirtualClock) -> Endpoint:
        return Sliding(clock=clock, most=600, latency=fixed(0.5))

    assert verdict(run(make, seconds=1200), 12_000) == (True, True, 0)


def test_a_limit_of_tokens_with_calls_of_very_different_size() -> None:
    rng = random.Random(3)

    def make(clock: VirtualClock) -> Endpoint:
        return Bucket(
            clock=clock,
            per_s=20_000,
            capacity=200_000,
            latency=fixed(1.0),
            in_tokens=True,
        )

    tally = run(make, seconds=600, tokens=lambda: int(rng.lognormvariate(6.2, 0.8)) + 1)
    mean_tokens = 680
    assert verdict(tally, 20_000 / mean_tokens * 600) == (True, True, 0)


def test_a_limit_that_falls_and_rises_again_is_followed() -> None:
    class Changing(Bucket):
        async def call(self, tokens: int) -> None:
            self.per_s = 20.0 if 200 <= self.clock.monotonic() < 500 else 100.0
            await super().call(tokens)

    tally = run(
        lambda clock: Changing(clock=clock, per_s=100, capacity=50, latency=fixed(0.5)),
        seconds=900,
    )
    speeds = [tally.per_s(100, 200), tally.per_s(300, 500), tally.per_s(700, 900)]
    least = [90, 18, 90]
    assert [one >= two for one, two in zip(speeds, least, strict=True)] == [True] * 3, speeds


@pytest.mark.parametrize(("share", "least"), [(0.01, 70), (0.05, 40), (0.1, 30)])
def test_429s_that_come_by_chance_are_not_taken_for_a_limit(share: float, least: float) -> None:
    def make(clock: VirtualClock) -> Endpoint:
        return Dice(rng=random.Random(3), share=share, latency=fixed(1.0), error=RateLimited)

    tally = run(make, seconds=300, callers=100)
    assert tally.per_s(150, 300) >= least


def test_the_state_names_the_learned_rate() -> None:
    async def main(clock: VirtualClock) -> tuple[str, bool]:
        limiter = Limiter(Limits(), clock)
        server = Bucket(clock=clock, per_s=10, capacity=10, latency=fixed(0.5))
        await drive(limiter, server, clock, seconds=60, callers=100)
        for _ in range(5):
            (await limiter.acquire(1)).succeeded(1)
        state = limiter.state
        return state.reason, 500 < (state.requests_per_min or 0) < 800

    assert run_virtual(main) == ("learned_rate", True)
