"""`kill -9` at any moment loses nothing and pays nothing twice (DESIGN.md §8, promise 1).

Two kills of every way on each database; `tests/soak` does the same 40 times each.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from kill_runs import EVERYTHING, kill_and_compare, two_databases

from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import run_in_thread
from recipe_ways import WAYS

KILLS = int(os.environ.get("KILLS", "2"))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", WAYS)
def test_a_killed_task_ends_like_one_that_was_left_in_peace(
    way: str, store_url: str, tmp_path: Path
) -> None:
    peace, killed = two_databases(store_url, tmp_path)
    config = SimulatorConfig(latency_ms=60, jitter=0.9, record=1_000_000)
    with run_in_thread(config) as simulator:
        kills = kill_and_compare(
            way, peace, killed, simulator, folder=tmp_path, kills=KILLS, times=1, seed=0
        )
    assert kills >= KILLS - 1


@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", ["three-a-request", "template", "ratio"])
def test_with_all_checks_on_a_kill_changes_no_verdict_either(
    way: str, store_url: str, tmp_path: Path
) -> None:
    peace, killed = two_databases(store_url, tmp_path)
    config = SimulatorConfig(latency_ms=40, jitter=0.9, record=1_000_000)
    with run_in_thread(config) as simulator:
        embedder = {"base_url": f"{simulator.url}/v1", **EVERYTHING["roles"]["embedder"]}
        kills = kill_and_compare(
            way,
            peace,
            killed,
            simulator,
            folder=tmp_path,
            kills=KILLS,
            times=1,
            seed=0,
            more={**EVERYTHING, "roles": {"embedder": embedder}},
        )
    assert kills >= KILLS - 1
