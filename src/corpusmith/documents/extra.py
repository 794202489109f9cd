"""Loads a library of the `documents` extra on use, or says how to install it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from corpusmith.errors import UsageError


def library(module: str, file: str) -> Any:
    """The module that reads `file`. Raises UsageError naming the extra when it is not installed."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise UsageError("document_extra_missing", file=file, module=error.name) from error
