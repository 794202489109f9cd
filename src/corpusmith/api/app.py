"""The application: routes, rules, and what goes wrong.

Owns: putting them together. Does not own: any route (`routes/`, one file a noun), pages (`web`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from corpusmith import __version__
from corpusmith.api.audit_trail import AuditTrail
from corpusmith.api.direct import Direct
from corpusmith.api.documented import Documented
from corpusmith.api.door import Door
from corpusmith.api.downloads import Tickets
from corpusmith.api.driving import Driver
from corpusmith.api.errors import add_handlers
from corpusmith.api.gate import UploadsOnly
from corpusmith.api.guard import Guard
from corpusmith.api.jobs import Jobs
from corpusmith.api.paths import NamesInPaths
from corpusmith.api.router import PREFIX, name_of, put
from corpusmith.api.serving import Serving
from corpusmith.api.streams import Hub
from corpusmith.api.sweeping import sweeping
from corpusmith.api.turns import AT_ONCE, Turns

ROUTES = (
    "health",
    "overview",
    "tasks",
    "task_results",
    "events",
    "login",
    "users",
    "tokens",
    "audit",
    "jobs",
    "datasets",
    "records",
    "reviews",
    "exports",
    "checks_runs",
    "cleanings",
    "reports",
    "kept_reports",
    "evaluations",
    "imports",
    "sampling",
    "feedback",
    "rounds",
    "chains",
    "push",
    "uploads",
    "connections",
    "characters",
    "scenarios",
    "templates",
    "shipped",
    "catalogue",
    "settings",
    "journal",
    "backup",
    "kept_backups",
)
"""Modules of `corpusmith.api.routes`, each with a `router`, in the order of the documentation."""


def create_app(serving: Serving) -> FastAPI:
    """The REST application."""
    app = Documented(
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
            Middleware(Guard),
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=1),
            Middleware(NamesInPaths),
            Middleware(UploadsOnly),
            Middleware(AuditTrail),
            Middleware(Turns),
        ],
        generate_unique_id_function=name_of,
        lifespan=_living,
    )
    furnish(app, serving)
    add_handlers(app)
    for name in ROUTES:
        put(app, import_module(f"corpusmith.api.routes.{name}").router)
    app.router.middleware_stack = Direct(app)
    if serving.metrics:
        from corpusmith.api import metrics

        seconds = metrics.durations()
        # The innermost: only there the route is known.
        app.user_middleware.append(Middleware(metrics.Durations, durations=seconds))
        metrics.add_metrics(app, seconds)
    return app


def furnish(app: FastAPI, serving: Serving) -> None:
    """Give the application its store, its rules, and what it keeps in memory: all that one server
    has and another does not."""
    app.state.serving = serving
    app.state.audit_pruned = float("-inf")
    app.state.door = Door(serving)
    app.state.jobs = Jobs()
    app.state.hub = Hub(serving.store)
    app.state.tickets = Tickets()
    app.state.turns = asyncio.Semaphore(AT_ONCE)
    app.state.driver = Driver(serving.store, serving.language)


@asynccontextmanager
async def _living(app: FastAPI) -> AsyncIterator[None]:
    """From the start of a server to its end."""
    app.state.driver.start()
    async with sweeping(app.state.serving):
        yield
    await run_in_threadpool(app.state.driver.close)
    await run_in_threadpool(app.state.jobs.close)
