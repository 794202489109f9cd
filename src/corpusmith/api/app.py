"""The application: routes, rules, and what goes wrong.

Owns: putting them together. Does not own: any route (`routes/`, one file a noun), pages (`web`).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from corpusmith import __version__
from corpusmith.api.errors import ErrorBody, add_handlers
from corpusmith.api.guard import Guard
from corpusmith.api.paths import NamesInPaths
from corpusmith.api.serving import Serving

PREFIX = "/api/v1"

ROUTES = (
    "health",
    "scenarios",
)
"""Modules of `corpusmith.api.routes`, each with a `router`, in the order of the documentation."""

MOST_BYTES = 16 * 1024 * 1024
"""Of a request's body, where a route does not say otherwise (uploads do)."""


def create_app(serving: Serving) -> FastAPI:
    """The REST application."""
    app = FastAPI(
        title="Corpusmith",
        version=__version__,
        description="Make training data for language models with language models.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Nothing is measured or sent anywhere, whatever the environment says.
        telemetry={"tracing": False, "metrics": False, "auto_configure": False},
        middleware=[
            Middleware(Guard, serving=serving),
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
            Middleware(NamesInPaths),
        ],
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.serving = serving
    add_handlers(app)
    app.include_router(api_router())
    return app


def api_router() -> APIRouter:
    """All of `/api/v1`."""
    said: dict[int | str, dict[str, Any]] = {
        "default": {"model": ErrorBody, "description": "What went wrong."},
        422: {"model": ErrorBody, "description": "What was sent does not fit."},
    }
    router = APIRouter(prefix=PREFIX, responses=said, max_body_size=MOST_BYTES)
    for name in ROUTES:
        router.include_router(import_module(f"corpusmith.api.routes.{name}").router)
    return router
