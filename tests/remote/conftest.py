"""A Studio that is beside its store, and one that asks a server for everything, in turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from remote_kit import Site, site

from corpusmith import Studio
from corpusmith.simulator.config import SimulatorConfig
from corpusmith.simulator.thread import Running, run_in_thread


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPUSMITH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CORPUSMITH_REVIEWER", "ann")
    monkeypatch.setenv("SIM_KEY", "sk-sim")
    monkeypatch.delenv("CORPUSMITH_TOKEN", raising=False)


@pytest.fixture(scope="session")
def simulator() -> Iterator[Running]:
    """Answers everything, the same to the same question."""
    with run_in_thread(SimulatorConfig(seed=3)) as found:
        yield found


@pytest.fixture
def server(sqlite_url: str) -> Iterator[Site]:
    """A server with one worker."""
    with site(sqlite_url) as found:
        yield found


@pytest.fixture(params=["local", "remote"])
def studio(request: pytest.FixtureRequest, sqlite_url: str) -> Iterator[Studio]:
    """The same tests over both."""
    if request.param == "local":
        with Studio(sqlite_url, language="en") as found:
            yield found
        return
    server: Site = request.getfixturevalue("server")
    with server.studio() as found:
        yield found
