"""The user's own concurrency, requests/min and tokens/min are obeyed, and used."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpusmith import Studio
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.server import Simulator
from corpusmith.values import Json

CARD = Path(__file__).parents[2] / "examples" / "cards" / "lin.json"


async def _run(folder: Path, name: str, **fields: Json) -> tuple[Mapping[str, Any], float]:
    """(the simulator's counters, seconds) of a task under these limits."""
    simulator = Simulator(SimulatorConfig(latency_ms=60))
    await simulator.start()
    loop = asyncio.get_running_loop()
    try:
        with Studio(f"sqlite:///{folder / name}.db") as studio:
            connection = {"base_url": f"{simulator.url}/v1", "model": "any"}
            given = {"characters": [str(CARD)], "scenarios": ["日常对话"], "checks": "none"}
            task = await studio.tasks.create_async(
                {**given, "turns": 1, "connection": connection, **fields}
            )
            began_s = loop.time()
            result = await studio.tasks.run_async(task)
            assert result.counts.accepted == fields["count"]
            return simulator.stats(), loop.time() - began_s
    finally:
        await simulator.stop()


async def test_the_users_own_limits_are_obeyed_and_used(tmp_path: Path) -> None:
    (narrow, _), (few, few_s), (short, short_s) = await asyncio.gather(
        _run(tmp_path, "concurrency", count=40, concurrency=3),
        _run(tmp_path, "rpm", count=21, rpm=300),
        _run(tmp_path, "tpm", count=21, tpm=300_000),
    )
    assert narrow["max_in_flight"] == 3

    # The first goes at once, the other 20 at five a second. Twice as long: the machine is busy.
    assert few["requests"] == 21
    assert 20 / 5 * 0.95 < few_s < 20 / 5 * 2

    # All but the first and the last call's tokens wait for 5,000 tokens a second.
    tokens = short["prompt_tokens"] + short["completion_tokens"]
    waited_s = tokens * 19 / 21 / 5000
    assert waited_s * 0.9 < short_s < waited_s * 2 + 1
