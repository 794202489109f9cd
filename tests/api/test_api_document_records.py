"""The document's operations: records and what is said of them."""

from __future__ import annotations

import pytest
import schemathesis
from openapi_kit import ABOUT_RECORDS, Places, document, filled, operations, places, thorough

__all__ = ["document", "filled", "places"]

chosen = operations.include(path_regex=ABOUT_RECORDS)


@pytest.mark.timeout(600)
@thorough
@chosen.parametrize()
def test_every_operation_does_what_the_document_says(
    case: schemathesis.Case, places: Places
) -> None:
    places.ask(case)
