"""The number in flight: it finds the endpoint's own, from below and without help."""

from __future__ import annotations

import random

import pytest
from limit_stubs import Dice, Endpoint, Latency, Open, Refusing, Slots, Tally, drive, fixed, tailed
from limit_stubs import varied as varying
from virtual_time import VirtualClock, run_virtual

from corpusmith.engine.adaptive import InFlight
from corpusmith.engine.limits import Limiter
from corpusmith.errors import Overloaded, ProviderError, RateLimited, TimedOut
from corpusmith.values import Limits


def run(
    endpoint: Endpoint, *, seconds: float, callers: int = 1500, concurrency: int | None = 500
) -> tuple[Tally, int]:
    """What callers saw, and the limit at the end."""

    async def main(clock: VirtualClock) -> tuple[Tally, int]:
        limiter = Limiter(Limits(concurrency=concurrency), clock)
        tally = await drive(limiter, endpoint, clock, seconds=seconds, callers=callers)
        return tally, limiter.state.limit

    return run_virtual(main)


def test_a_fixed_latency_of_200_ms_is_filled_to_500_in_flight_in_1_2_seconds() -> None:
    endpoint = Open(latency=fixed(0.2))
    run(endpoint, seconds=1.2)
    assert endpoint.peak == 500


def test_the_users_concurrency_is_a_ceiling() -> None:
    endpoint = Open(latency=fixed(0.05))
    run(endpoint, seconds=5, concurrency=20)
    assert endpoint.peak == 20


@pytest.mark.parametrize("sigma", [0.3, 0.8, 1.2])
def test_replies_of_very_different_length_do_not_look_like_a_plateau(sigma: float) -> None:
    endpoint = Open(latency=varying(1.0, random.Random(3), sigma))
    _, limit = run(endpoint, seconds=20)
    assert limit == 500


def test_one_percent_of_slow_calls_neither_stops_nor_cuts() -> None:
    endpoint = Open(latency=tailed(0.2, random.Random(3)))
    tally, limit = run(endpoint, seconds=20)
    ideal_per_s = 500 / (0.2 * (0.99 + 0.01 * 30))
    assert (limit, tally.per_s(10, 20) > 0.95 * ideal_per_s) == (500, True)


@pytest.mark.parametrize("slots", [1, 4, 16])
def test_a_server_that_only_queues_does_not_make_us_grow(slots: int) -> None:
    tally, limit = run(Slots(slots=slots, latency=fixed(1.0)), seconds=900, concurrency=None)
    assert (limit < 100, tally.done > 0.98 * slots * 900) == (True, True)


def test_an_endpoint_at_zero_latency_is_not_held_back() -> None:
    width, now = InFlight(500, 0.0), 0.0
    for _ in range(50_000):  # a busy client: 5,000 calls/s whatever is in flight
        now += 0.0002
        width.succeeded(now - width.limit * 0.0002, now, saturated=True)
    assert width.limit >= 32


def test_a_limit_that_nobody_uses_does_not_grow() -> None:
    _, limit = run(Open(latency=fixed(0.2)), seconds=10, callers=20)
    assert limit == 32


@pytest.mark.parametrize(
    ("error", "latency", "used"),
    [
        (RateLimited, fixed(1.0), 0.85),
        (RateLimited, varying(1.0, random.Random(3)), 0.8),
        (Overloaded, fixed(1.0), 0.7),
        (Overloaded, varying(1.0, random.Random(3)), 0.7),
    ],
    ids=["429", "429 varied", "503", "503 varied"],
)
def test_a_server_that_takes_50_at_once_is_used_with_few_refusals(
    error: type[ProviderError], latency: Latency, used: float
) -> None:
    endpoint = Refusing(most=50, latency=latency, error=error)
    tally, _ = run(endpoint, seconds=300, concurrency=None)
    share = endpoint.refused / (tally.done + endpoint.refused)
    assert (tally.per_s(60, 300) >= used * 50, share < 0.01) == (True, True)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("error", [Overloaded, TimedOut])
def test_failures_by_chance_do_not_bring_it_to_its_knees(
    share: float, error: type[ProviderError]
) -> None:
    endpoint = Dice(rng=random.Random(3), share=share, latency=fixed(1.0), error=error)
    tally, _ = run(endpoint, seconds=300, callers=100)
    assert tally.per_s(60, 300) > 60


def test_congestion_cuts_once_a_round_and_never_below_one() -> None:
    width, limits = InFlight(100, 0.0), []
    for second in range(30):
        for _ in range(40):
            width.congested(float(second), float(second))
        limits.append(width.limit)
    assert (limits[:3], limits[-1]) == ([22, 15, 10], 1)


def test_failures_of_calls_sent_before_a_cut_do_not_cut_again() -> None:
    width = InFlight(100, 0.0)
    width.congested(0.0, 5.0)
    for _ in range(100):
        width.congested(4.9, 60.0)
    assert width.limit == 22


def test_after_a_503_in_slow_start_the_spreading_of_sends_ends() -> None:
    async def main(clock: VirtualClock) -> float:
        limiter = Limiter(Limits(concurrency=500), clock)
        await drive(limiter, Open(latency=fixed(2.0)), clock, seconds=3.9, callers=200)
        (await limiter.acquire(1)).failed(Overloaded())
        begin, server = clock.monotonic(), Open(latency=fixed(0.01))
        tally = await drive(limiter, server, clock, seconds=5, callers=200)
        return tally.per_s(begin, begin + 5)

    assert run_virtual(main) > 3000


def test_who_names_a_number_does_not_wait_for_the_first_reply() -> None:
    endpoint = Open(latency=fixed(1.0))
    tally, _ = run(endpoint, seconds=6.5, callers=200, concurrency=200)
    # 200 at once from 0.32 s on; doubling from 32 would have reached them after three replies.
    assert (endpoint.peak, tally.done) == (200, 1200)


def test_without_a_number_silence_may_be_a_queue() -> None:
    endpoint = Slots(slots=1, latency=fixed(30.0))
    _, limit = run(endpoint, seconds=29, concurrency=None)
    assert limit == 32


def test_a_refusal_ends_the_growth_in_silence() -> None:
    endpoint = Refusing(most=50, latency=fixed(1.0), error=RateLimited)
    run(endpoint, seconds=0.9, callers=500, concurrency=500)
    assert endpoint.refused < 20
