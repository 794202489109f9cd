"""The trainers' processes, started together once: each takes seconds to get ready; and the studio
with its records."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from stocked import Stock, stock
from tiny_model import write_model
from trainers import NAMES, Trainers, Worker

from corpusmith import Studio
from corpusmith.simulator import SimulatorConfig, run_in_thread

# The kinds of records and what each should give stand there.
sys.path.append(str(Path(__file__).parents[1] / "exports"))


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def trainers(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[Trainers]:
    folder = tmp_path_factory.mktemp("trainers")
    workers = {name: Worker(name, model, folder) for name in NAMES}
    try:
        yield Trainers(**workers)
    finally:
        for worker in workers.values():
            worker.end()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for a data set and its `dataset_info.json`."""
    made = tmp_path / "data"
    made.mkdir()
    return made


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    folder = tmp_path_factory.mktemp("studio")
    with (
        run_in_thread(SimulatorConfig(seed=3)) as running,
        Studio(f"sqlite:///{folder}/studio.db", language="zh") as studio,
    ):
        yield stock(studio, running.url, folder)
