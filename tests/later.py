"""Modules that take a second to import: imported when a test uses them.

Every worker of a run collects every test, and few run those that need a vendor's SDK.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Later:
    """A module that is imported at the first look at one of its names."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._name), name)
