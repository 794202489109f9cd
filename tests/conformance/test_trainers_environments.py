"""What the conformance tests stand on: each trainer with libraries that it asks for itself."""

from __future__ import annotations

import pytest
from trainers import NAMES, Trainers


@pytest.mark.parametrize("trainer", NAMES)
def test_every_library_is_of_a_version_that_the_trainer_asks_for(
    trainer: str, trainers: Trainers
) -> None:
    assert getattr(trainers, trainer).rows("misfits") == []
