"""`corpusmith serve`: its address, its workers, and its end, in good order and by force."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from corpusmith import Studio
from corpusmith.cli.serve import PORT
from corpusmith.messages import say
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import Running, run_in_thread
from corpusmith.values import Language
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
        made = httpx2.post(f"{url}/api/v1/tasks", json=fields, trust_env=False, timeout=60)
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
        (("--trusted-proxy", "proxy.example.com"), "cli_address"),
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


@pytest.mark.parametrize(
    ("trusted", "address", "secure"),
    [("127.0.0.0/8", "198.51.100.9", True), ("10.0.0.7", "127.0.0.1", False)],
)
def test_only_a_trusted_proxy_says_where_requests_come_from(
    tmp_path: Path, trusted: str, address: str, secure: bool
) -> None:
    home = tmp_path / "home"
    with Studio(f"sqlite:///{home / 'corpusmith.db'}", language="en") as studio:
        studio.users.add("lin", "correct horse battery", "admin")
        process, url = serve(home, "--port", "0", "--workers", "0", "--trusted-proxy", trusted)
        try:
            said = {"X-Forwarded-For": "203.0.113.1, 198.51.100.9", "X-Forwarded-Proto": "https"}
            body = {"name": "lin", "password": "correct horse battery"}
            answer = httpx2.post(
                f"{url}/api/v1/login", json=body, headers=said, trust_env=False, timeout=60
            )
            assert answer.status_code == 200
            assert ("Secure" in answer.headers["set-cookie"]) is secure
            assert [one.address for one in studio.audit.list(action="login")] == [address]
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_stranger_is_told_the_address_where_the_data_lies_and_how_to_stop(
    tmp_path: Path, language: Language
) -> None:
    home = tmp_path / "home"
    with socket.socket() as taken:
        with contextlib.suppress(OSError):  # somebody else has it: all the better
            taken.bind(("127.0.0.1", PORT))
        taken.listen(1)
        process = program("--lang", language, "serve", "--no-browser", home=home)
        assert process.stderr is not None
        told = [process.stderr.readline().rstrip("\n") for _ in range(4)]
        process.terminate()
        rest = process.communicate(timeout=60)[1].splitlines()
    address = re.search(r"http://127\.0\.0\.1:(\d+)", told[1])
    assert address is not None and int(address[1]) != PORT
    ready = say("cli.serve.ready", language, url=address[0], data=str(home))
    assert told == [say("cli.serve.other_port", language, port=PORT), *ready.split("\n")]
    assert rest == [say("cli.serve.draining", language), say("cli.serve.stopped", language)]
