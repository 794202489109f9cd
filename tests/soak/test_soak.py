"""Forty kills of every recipe, in each of its ways, on each database (`make soak`).

Not part of `make test`: it takes minutes. Prints what it did; `-s` shows it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from kill_runs import kill_and_compare, two_databases

from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import run_in_thread
from recipe_ways import WAYS

KILLS = 40
"""Of each way on each database: sixteen of them make 640."""
TIMES = 8

_done: list[int] = []


@pytest.mark.parametrize("way", WAYS)
def test_forty_kills_change_nothing(way: str, store_url: str, tmp_path: Path) -> None:
    peace, killed = two_databases(store_url, tmp_path)
    config = SimulatorConfig(latency_ms=60, jitter=0.9, record=1_000_000)
    with run_in_thread(config) as simulator:
        kills = kill_and_compare(
            way, peace, killed, simulator, folder=tmp_path, kills=KILLS, times=TIMES, seed=1
        )
    _done.append(kills)
    print(f"{way} on {store_url.partition(':')[0]}: {kills} kills")


def test_each_recipe_was_killed_often() -> None:
    assert len(_done) == 2 * len(WAYS)
    assert sum(_done) >= 30 * len(_done)
