"""Values to column text and back."""

from __future__ import annotations

import pytest

from corpusmith.store.codec import from_json, to_json
from corpusmith.values import Json


@pytest.mark.parametrize("value", [10**400, -(2**63), 2**64 - 1, {"a": [10**400, "b", 1.5, None]}])
def test_what_was_written_can_be_read(value: Json) -> None:
    assert from_json(to_json(value)) == value
