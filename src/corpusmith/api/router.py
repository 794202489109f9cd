"""Routers of REST, each of whose routes is made once.

Owns: what all routes of `/api/v1` have in common. Does not own: any route (`routes/`).
A route of a router that is included in another is made anew there, for each level of them: at four
hundred routes that was half of the time that a server took to start. So each router knows from the
start where its routes will be, and the application takes them as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from corpusmith.api.errors import ErrorBody

PREFIX = "/api/v1"
MOST_BYTES = 16 * 1024 * 1024
"""Of a request's body, where a route does not say otherwise (uploads do)."""


def rest(prefix: str = "", *, tags: Sequence[str] = ()) -> APIRouter:
    """For the routes of one noun, below `PREFIX`."""
    said: dict[int | str, dict[str, Any]] = {
        "default": {"model": ErrorBody, "description": "What went wrong."},
    }
    named: list[str | Enum] = list(tags)
    return APIRouter(
        prefix=PREFIX + prefix,
        tags=named,
        responses=said,
        max_body_size=MOST_BYTES,
        generate_unique_id_function=name_of,
    )


def name_of(route: APIRoute) -> str:
    """What the document calls an operation: as its function is called."""
    return route.name


def put(app: FastAPI, router: APIRouter) -> None:
    """Give the application these routes, behind those that it has."""
    app.router.routes.extend(router.routes)
