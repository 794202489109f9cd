"""Whether the server can work."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from corpusmith import __version__
from corpusmith.api.asking import StudioOf
from corpusmith.api.router import rest
from corpusmith.errors import StoreError
from corpusmith.messages import say

router = rest(tags=["health"])


class Health(BaseModel):
    """Says so when all is well; else the answer is an error."""

    status: Literal["ok"] = "ok"
    version: str = __version__


@router.get("/health")
def health(studio: StudioOf) -> Health:
    """`ok` when the server can work: its database answers and is up to date, there is room on the
    disk, and no task waits in vain for a worker. Else 503, with `problems`. Anybody may ask."""
    problems = studio.watch.problems()
    if problems:
        said = "; ".join(say(f"health.{one}", studio.language) for one in problems)
        raise StoreError("unwell", problems=list(problems), what=said)
    return Health()
