"""The trainers' processes, started together once: each takes seconds to get ready."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_model import write_model
from trainers import NAMES, Trainers, Worker


@pytest.fixture(scope="session")
def trainers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trainers]:
    folder = tmp_path_factory.mktemp("trainers")
    model = write_model(folder / "model")
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
