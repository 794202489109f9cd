"""`corpusmith serve`: its address, its workers, and its end, in good order and by force."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from corpusmith import Studio
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import Running, run_in_thread
from running_kit import dialogue, program, until

Process = subprocess.Popen[str]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig(latency_ms=40)) as running:
        yield running


def serve(home: Path, *words: str) -> tuple[Process, str]:
    """The server as a process, and its address once it listens."""
    process = program("serve", "--json", "--no-browser", *words, home=home)
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "listening":
            return process, event["url"]
    raise AssertionError(process.communicate()[1])


def test_a_server_that_is_killed_goes_on_where_it_was(tmp_path: Path, simulator: Running) -> None:
    home = tmp_path / "home"
    with Studio(f"sqlite:///{home / 'corpusmith.db'}", language="en") as studio:
        process, url = serve(home, "--port", "0")
        fields = dialogue(simulator, 80, concurrency=3, dataset="夜谈")
        made = httpx2.post(f"{url}/api/v1/tasks", json=fields, trust_env=False)
        number = made.json()["id"]
        until(lambda: studio.tasks.get(number).counts.accepted > 5)
        process.kill()  # its worker drains: the pipe to it has ended
        process.communicate(timeout=60)
        until(lambda: studio.tasks.get(number).lease_owner is None)
        between = studio.tasks.get(number)
        assert between.queued_at is not None and between.counts.accepted < 80

        process, _ = serve(home, "--port", "0")
        until(lambda: studio.tasks.get(number).queued_at is None)
        task = studio.tasks.get(number)
        assert (task.status, task.counts.accepted) == ("finished", 80)
        assert studio.store.records.count(dataset="夜谈") == 80
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
        assert studio.workers.alive().workers == 0


def test_a_worker_that_dies_is_started_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    process = program("serve", "--json", "--no-browser", "--port", "0", home=home)
    try:
        assert process.stdout is not None
        told: list[dict[str, Any]] = []
        for line in process.stdout:
            told.append(json.loads(line))
            started = [one["code"] for one in told if one["event"] == "worker_started"]
            if len(started) == 1 and told[-1]["event"] == "worker_started":
                os.kill(started[0], signal.SIGKILL)
            if len(started) == 2:
                break
        assert "worker_died" in [one["event"] for one in told]
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--workers", "2"), "workers_sqlite"),
        (("--host", "0.0.0.0"), "open_door"),
        (("--workers", "-1"), None),
        (("--port", "99999"), "cannot_listen"),
    ],
)
def test_what_cannot_be_served_is_refused(
    tmp_path: Path, words: tuple[str, ...], code: str | None
) -> None:
    process = program("serve", "--json", "--no-browser", *words, home=tmp_path / "home")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    if code is not None:
        assert json.loads(err)["error"]["code"] == code


def test_a_taken_port_is_refused_when_it_was_asked_for(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        process = program("serve", "--json", "--no-browser", "--port", port, home=tmp_path)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert json.loads(err)["error"]["code"] == "port_taken"
