"""The way from an address to its route.

Owns: a table of the routes by how their addresses begin. Does not own: any route, and what the
framework does where none fits (404, 405, documents): that is asked then.
The framework asks every route of every router in turn, and once more on each level of them: at four
hundred routes that is a millisecond, as much as a small answer takes in all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.convertors import Convertor
from starlette.types import ASGIApp, Receive, Scope, Send

_PREFIX = ("", "api", "v1")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """One route."""

    path: re.Pattern[str]
    names: Mapping[str, Convertor[Any]]
    methods: frozenset[str]
    route: APIRoute
    app: ASGIApp


class Direct:
    """ASGI application in place of the router's own."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._otherwise = app.router.middleware_stack
        self._ways: dict[str, list[_Way]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope.get("root_path"):
            if self._ways is None:
                # Only now: pages come after the routes of REST.
                self._ways = ways_of(self._app)
            path, method = scope["path"], scope["method"]
            for way in self._ways.get(head_of(path), ()):
                found = way.path.match(path) if method in way.methods else None
                if found is not None:
                    texts = found.groupdict()
                    names = {name: way.names[name].convert(one) for name, one in texts.items()}
                    scope["path_params"] = names
                    scope["route"] = way.route
                    scope["endpoint"] = way.route.endpoint
                    await way.app(scope, receive, send)
                    return
        await self._otherwise(scope, receive, send)


def ways_of(app: FastAPI) -> dict[str, list[_Way]]:
    """All routes in their order, by the head of their addresses."""
    found: dict[str, list[_Way]] = {}
    for one in iter_route_contexts(app.routes):
        if isinstance(one.route, APIRoute) and one.path is not None:
            found.setdefault(head_of(one.path), []).append(_way(one.route, one))
    return found


def _way(route: APIRoute, one: RouteContext) -> _Way:
    return _Way(
        path=one.path_regex,
        names=one.param_convertors,
        methods=frozenset(one.methods or ()),
        route=route,
        app=one.app,
    )


def head_of(path: str) -> str:
    """The first piece of a path, of REST's the one behind its prefix: no route has a name there."""
    pieces = path.split("/", 4)
    if tuple(pieces[:3]) == _PREFIX:
        return "/".join(pieces[:4])
    return pieces[1] if len(pieces) > 1 else ""
