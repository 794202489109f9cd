"""`/metrics` for Prometheus, where the server was started with it.

Owns: the text, and how long requests took. Does not own: the figures (`service/figures.py`).
Labels are codes, methods and the templates of routes: never a name, a path or an address.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from fastapi import FastAPI, Response
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from corpusmith import __version__
from corpusmith.api.access import needs
from corpusmith.api.asking import StudioOf
from corpusmith.service.figures import Figure

PREFIX = "corpusmith_"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.005, 0.02, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0, 60.0)
REST = "/api/v1"
OTHER = "(none)"
"""The route of a request that no route takes."""


class Durations:
    """ASGI middleware: how long each request took until its answer was sent; of a stream of events,
    which is open as long as its page, until it began."""

    def __init__(
        self, app: ASGIApp, durations: Histogram, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._app, self._durations, self._clock = app, durations, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = self._clock()
        status, took_s = 500, None

        async def look(message: Message) -> None:
            nonlocal status, took_s
            if message["type"] == "http.response.start":
                status = message["status"]
                if _is_stream(message):
                    took_s = self._clock() - began_s
            await send(message)

        try:
            await self._app(scope, receive, look)
        finally:
            route = _template(scope)
            method = scope["method"] if scope["method"] in _METHODS else OTHER
            labels = self._durations.labels(method, route, str(status))
            labels.observe(self._clock() - began_s if took_s is None else took_s)


def _is_stream(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith("text/event-stream")


def _template(scope: Scope) -> str:
    """Of the route that took the request; one of REST has its prefix, which the route does not
    know."""
    found: str | None = getattr(scope.get("route"), "path", None)
    if found is None:
        return OTHER
    below = scope["path"].startswith(f"{REST}/") and not found.startswith(REST)
    return REST + found if below else found


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def durations() -> Histogram:
    """One server's own, in no registry yet."""
    return Histogram(
        f"{PREFIX}request_seconds",
        "Seconds that requests took.",
        ("method", "route", "status"),
        registry=None,
        buckets=BUCKETS,
    )


def add_metrics(app: FastAPI, seconds: Histogram) -> None:
    """The address of the figures. It is no part of the API's description."""

    @app.get("/metrics", dependencies=[needs("read")], include_in_schema=False)
    def metrics(studio: StudioOf) -> Response:
        registry = CollectorRegistry()
        registry.register(_Now(studio.watch.figures()))
        registry.register(seconds)
        return Response(generate_latest(registry), media_type=TEXT)


class _Now(Collector):
    def __init__(self, figures: list[Figure]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[GaugeMetricFamily]:
        version = GaugeMetricFamily(f"{PREFIX}info", "This server.", labels=("version",))
        version.add_metric((__version__,), 1)
        yield version
        for one in self._figures:
            labels = () if one.label is None else (one.label,)
            family = GaugeMetricFamily(PREFIX + one.name, one.help, labels=labels)
            for label, value in sorted(one.values.items()):
                family.add_metric(() if one.label is None else (label,), value)
            yield family
