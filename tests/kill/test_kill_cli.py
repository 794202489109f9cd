"""The command that was killed, and the command that goes on: what people do (DESIGN.md §8, 1)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from kill_runs import until

from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import Running, run_in_thread
from recipe_ways import CARDS

COUNT = 60


def test_resume_after_kill_9_writes_the_file_that_generate_would_have(tmp_path: Path) -> None:
    with run_in_thread(SimulatorConfig(latency_ms=60, jitter=0.9)) as simulator:
        assert _start(tmp_path / "peace", *_generate(simulator)).wait(60) == 0
        simulator.reset()

        process = _start(tmp_path / "killed", *_generate(simulator))
        until(lambda: simulator.stats()["requests"] >= COUNT // 3)
        process.kill()
        process.wait(30)
        output = tmp_path / "killed" / "out.json"
        assert not output.exists()

        assert _start(tmp_path / "killed", "resume").wait(60) == 0
        assert _records(output) == _records(tmp_path / "peace" / "out.json")
        assert len(_records(output)) == COUNT


def _generate(simulator: Running) -> list[str]:
    return [
        *("generate", "--yes", "--character", str(CARDS / "lin.json"), "--count", str(COUNT)),
        *("--scenario", "日常对话=2", "--scenario", "情感交流=1", "--turns", "2", "--seed", "3"),
        *("--base-url", f"{simulator.url}/v1", "--model", "any", "--concurrency", "4"),
        *("--output", "out.json"),
    ]


def _start(home: Path, *words: str) -> subprocess.Popen[bytes]:
    home.mkdir(exist_ok=True)
    environment = {**os.environ, "CORPUSMITH_HOME": str(home)}
    command = [sys.executable, "-m", "corpusmith.cli.main", *words]
    return subprocess.Popen(
        command, cwd=home, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _records(file: Path) -> list[Any]:
    """The records without what tells the runs apart: when they were made."""
    times = ("batch_id", "generation_time")
    records = json.loads(file.read_text("utf-8"))
    return [{k: v for k, v in record.items() if k not in times} for record in records]
