"""Whether the server can work."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from corpusmith import __version__
from corpusmith.api.serving import serving_of

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """Says so when all is well; else the answer is an error."""

    status: Literal["ok"] = "ok"
    version: str = __version__


@router.get("/health")
def health(request: Request) -> Health:
    """`ok` when the server runs and its database answers. Anybody may ask."""
    serving_of(request).store.settings.get("health")
    return Health()
