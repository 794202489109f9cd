"""A dependency for expensive routes: one person's many requests do not slow everybody.

Owns: that. Does not own: the numbers (`rates.py`).
"""

from __future__ import annotations

from typing import Any

from fastapi import Depends, Request

from corpusmith.api.access import Asker
from corpusmith.api.door import door_of


async def _counted(request: Request, principal: Asker) -> None:
    door_of(request).rates.costly(principal)


def costly() -> Any:
    """A route's dependency, after `needs(…)`: 60 requests a minute for a person or token, over all
    such routes together; 600 for the one person of a server without users. Raises TooOften."""
    return Depends(_counted)
