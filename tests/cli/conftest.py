"""The program in this process, with a data folder of its own, and an endpoint to talk to."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from cli_kit import ENDPOINT_VARIABLES, Cli, Ran, clean_environment

from corpusmith.cli.main import main
from corpusmith.simulator import Running, SimulatorConfig, run_in_thread


@pytest.fixture(scope="session")
def simulator() -> Iterator[Running]:
    with run_in_thread(SimulatorConfig()) as running:
        yield running


@pytest.fixture
def url(simulator: Running) -> str:
    return f"{simulator.url}/v1"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def cli(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """`cli("tasks", "list")` runs the program here; more variables by `env=`."""
    for name in list(os.environ):
        if ENDPOINT_VARIABLES.match(name.upper()):
            monkeypatch.delenv(name)
    for name, value in clean_environment(home).items():
        monkeypatch.setenv(name, value)

    def run(*words: object, env: Mapping[str, str] | None = None) -> Ran:
        for name, value in (env or {}).items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        return Ran(code=code, out=said.out, err=said.err)

    return run


@pytest.fixture
def program(home: Path, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """`program("demo")` starts the real program in a process of its own, in `tmp_path`."""

    def start(*words: object, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "corpusmith.cli.main", *(str(word) for word in words)],
            cwd=tmp_path,
            env={**clean_environment(home), **(env or {})},
            text=True,
            encoding="utf-8",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return start
