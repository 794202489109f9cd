"""A hidden limit is found, used, and hardly ever hit (DESIGN.md §8, promise 4), in real time.

Small: 20 requests a second, 20 seconds after the first 5, in which the limit is still looked for.
The long runs are the bench's and `tests/engine`'s (there in virtual time).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
from fault_runs import task_fields

from corpusmith import Studio
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.server import Simulator
from corpusmith.values import Counts

PER_S = 20
FIND_S = 5.0
WINDOW_S = 20.0
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
    counts: Counts
    misses: dict[str, int]


@pytest.mark.xdist_group("timing")
@pytest.mark.timeout(120)
async def test_a_hidden_limit_is_used_and_hardly_ever_hit(tmp_path: Path) -> None:
    runs = [_run(config, tmp_path / f"{n}.db") for n, config in enumerate(LIMITS.values())]
    for name, used in zip(LIMITS, await asyncio.gather(*runs), strict=True):
        print(name, used)
        assert used.share >= 0.90, name
        assert used.refused < 0.03, name
        counts = used.counts
        assert counts.accepted + counts.rejected == counts.attempted, name
        assert set(used.misses) <= {"refusal", "placeholder"}, name


async def _run(config: SimulatorConfig, database: Path) -> Used:
    simulator = Simulator(config)
    await simulator.start()
    try:
        with Studio(f"sqlite:///{database}") as studio:
            fields = task_fields(simulator.url, mode="single", count=100_000)
            task = await studio.tasks.create_async(fields)
            run = asyncio.create_task(studio.tasks.run_async(task))
            await asyncio.sleep(FIND_S)
            loop = asyncio.get_running_loop()
            began_s, before = loop.time(), simulator.stats()
            await asyncio.sleep(WINDOW_S)
            took_s, after = loop.time() - began_s, simulator.stats()
            studio.tasks.stop(task)
            result = await run
    finally:
        await simulator.stop()
    served = after["by_status"]["200"] - before["by_status"]["200"]
    refused = after["rejected_429"] - before["rejected_429"]
    return Used(
        share=served / (PER_S * took_s),
        refused=refused / (after["requests"] - before["requests"]),
        counts=result.counts,
        misses=dict(result.misses),
    )
