"""A hidden limit is found, used, and hardly ever hit (DESIGN.md §8, promise 4), in real time.

Small: 20 requests a second, 20 seconds after the first 5, in which the limit is still looked for.
A machine that others slow down can make a good engine look bad, never a bad one good: so when
one window does not show it, the next one is looked at, three at most.
The long runs are the bench's and `tests/engine`'s (there in virtual time).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
from fault_runs import endpoint, task_fields

from corpusmith import Studio
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.server import Simulator
from corpusmith.values import Counts

PER_S = 20
FIND_S = 5.0
WINDOW_S = 20.0
WINDOWS = 3
LEAST_SHARE = 0.90
MOST_REFUSED = 0.03
LIMITS = {
    "with Retry-After": SimulatorConfig(rpm=60 * PER_S, latency_ms=100, jitter=0.5),
    "without Retry-After": SimulatorConfig(
        rpm=60 * PER_S, latency_ms=100, jitter=0.5, retry_after=False
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a run made of a hidden limit, within the window."""

    share: float
    """Of what the limit allowed, how much was served."""
    refused: float
    """Of the calls, how many were answered 429."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """The windows that were looked at, and what became of the task."""

    windows: list[Used]
    counts: Counts
    misses: dict[str, int]


@pytest.mark.timeout(120)
async def test_a_hidden_limit_is_used_and_hardly_ever_hit(tmp_path: Path) -> None:
    runs = [_run(config, tmp_path / f"{n}.db") for n, config in enumerate(LIMITS.values())]
    for name, ran in zip(LIMITS, await asyncio.gather(*runs), strict=True):
        assert is_good(ran.windows[-1]), (name, ran.windows)
        assert ran.counts.accepted + ran.counts.rejected == ran.counts.attempted, name
        assert set(ran.misses) <= {"refusal", "placeholder"}, name


def is_good(used: Used) -> bool:
    return used.share >= LEAST_SHARE and used.refused < MOST_REFUSED


async def _run(config: SimulatorConfig, database: Path) -> Ran:
    simulator = Simulator(config)
    await simulator.start()
    try:
        with Studio(f"sqlite:///{database}") as studio:
            fields = task_fields("single", 100_000, database.parent)
            fields["connection"] = endpoint(simulator.url, "openai")
            task = await studio.tasks.create_async(fields)
            run = asyncio.create_task(studio.tasks.run_async(task))
            await asyncio.sleep(FIND_S)
            windows = [await _look(simulator)]
            while not is_good(windows[-1]) and len(windows) < WINDOWS:
                windows.append(await _look(simulator))
            studio.tasks.stop(task)
            result = await run
    finally:
        await simulator.stop()
    return Ran(windows=windows, counts=result.counts, misses=dict(result.misses))


async def _look(simulator: Simulator) -> Used:
    loop = asyncio.get_running_loop()
    began_s, before = loop.time(), simulator.stats()
    await asyncio.sleep(WINDOW_S)
    took_s, after = loop.time() - began_s, simulator.stats()
    served = after["by_status"]["200"] - before["by_status"]["200"]
    refused = after["rejected_429"] - before["rejected_429"]
    return Used(
        share=served / (PER_S * took_s),
        refused=refused / (after["requests"] - before["requests"]),
    )
