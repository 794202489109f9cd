"""The document's operations: all that is in no other file."""

from __future__ import annotations

import pytest
import schemathesis
from openapi_kit import (
    ABOUT_RECORDS,
    ABOUT_TASKS,
    Places,
    document,
    filled,
    operations,
    places,
    thorough,
)

__all__ = ["document", "filled", "places"]

chosen = operations.exclude(path_regex=f"{ABOUT_RECORDS}|{ABOUT_TASKS}")


@pytest.mark.timeout(600)
@thorough
@chosen.parametrize()
def test_every_operation_does_what_the_document_says(
    case: schemathesis.Case, places: Places
) -> None:
    places.ask(case)
