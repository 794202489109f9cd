"""The application with its pages: REST, and what people see in a browser.

Owns: putting them together. Does not own: REST (`api`), any page (`pages/`, one module a group).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from importlib import import_module
from typing import Any

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from corpusmith.api import app as api
from corpusmith.api.router import put
from corpusmith.api.serving import Serving
from corpusmith.errors import CorpusmithError
from corpusmith.service.simulator_process import SimulatorProcess
from corpusmith.service.studio import Studio
from corpusmith.web import assets
from corpusmith.web.errors import add_page_handlers, face_of_refusal
from corpusmith.web.nav import PAGES

Lifespan = Callable[[Any], AbstractAsyncContextManager[Any]]


def create_app(serving: Serving) -> FastAPI:
    """REST and pages."""
    app = api.create_app(serving)
    app.state.simulator = SimulatorProcess()
    app.router.lifespan_context = _living(app.router.lifespan_context)
    put(app, assets.router)
    for group in PAGES:
        put(app, import_module(f"corpusmith.web.pages.{group.name}").router)
    add_page_handlers(app)
    app.state.refusal_face = face_of_refusal
    return app


def furnish(app: FastAPI, serving: Serving) -> None:
    """As `api.app.furnish`, and a simulator of its own."""
    api.furnish(app, serving)
    app.state.simulator = SimulatorProcess()


def _living(inner: Lifespan) -> Lifespan:
    """The REST application's own life, and the simulator's inside it."""

    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[Any]:
        async with inner(app) as state:
            serving: Serving = app.state.serving
            simulator: SimulatorProcess = app.state.simulator
            studio = Studio.over(serving.store, serving.language)
            # A simulator that does not start again must not keep the server from starting.
            with suppress(CorpusmithError):
                await run_in_threadpool(simulator.start_again, studio)
            try:
                yield state
            finally:
                await run_in_threadpool(simulator.close)

    return living
