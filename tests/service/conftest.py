"""A Studio on a fresh file, and a place to write to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from export_kit import studio

from corpusmith import Studio


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Studio]:
    with studio(tmp_path) as found:
        yield found


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"
