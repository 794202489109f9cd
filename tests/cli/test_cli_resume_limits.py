"""Limits that a task was made with can be changed when it goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_kit import Cli

from corpusmith.simulator import SimulatorConfig, run_in_thread

CARD = Path(__file__).parents[2] / "examples" / "cards" / "nora.json"


@pytest.mark.parametrize(("wish", "least", "most"), [("auto", 5, 1000), ("6", 5, 6)])
def test_resume_lifts_the_number_of_calls_at_a_time(
    cli: Cli, wish: str, least: int, most: int
) -> None:
    with run_in_thread(SimulatorConfig(latency_ms=200)) as slow:
        words = ["--character", CARD, "--count", 40, "--base-url", f"{slow.url}/v1"]
        cli("generate", *words, "--model", "any", "--concurrency", 4, "--max-calls", 4)
        assert slow.stats()["max_in_flight"] <= 4
        assert cli("resume", "--concurrency", wish, "--max-calls", 1000).code == 0
        assert least <= slow.stats()["max_in_flight"] <= most
