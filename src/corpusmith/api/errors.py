"""Errors as REST says them: one shape, a stable code, a text in the language that was asked for.

Owns: the shape, and the status of each error. Does not own: texts (`locales/`). A text that speaks
of commands has a twin for pages, `page.<its key>`.
What was sent never comes back: a wrong value may be a key.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import compile_path

from corpusmith import errors
from corpusmith.api.speaking import language_of
from corpusmith.errors import CorpusmithError, SpecError
from corpusmith.messages import catalog, for_pages, places_of, say
from corpusmith.places import shown
from corpusmith.service.fields import FieldsError, Problem
from corpusmith.values import Language

log = logging.getLogger("corpusmith.api")

STATUS: tuple[tuple[type[CorpusmithError], int], ...] = (
    (errors.NotFound, 404),
    (errors.ChangedSince, 412),
    (errors.Conflict, 409),
    (errors.UsageError, 422),
    (errors.LoginNeeded, 401),
    (errors.TooOften, 429),
    (errors.AccessError, 403),
    (errors.LeaseHeld, 409),
    (errors.LeaseLost, 409),
    (errors.DiskFull, 507),
    (errors.StoreError, 503),
    (errors.ProviderError, 502),
    (errors.ReplyError, 502),
    (errors.BudgetReached, 409),
    (errors.Stopped, 409),
)
"""The first that fits."""

KIND = "Corpusmith-Error"
"""The header that names the error's class."""
_WORDS = {400: "bad_request_here", 404: "no_such_page", 405: "wrong_method", 413: "body_too_large"}
"""Codes of what the web framework itself refuses."""


class Fault(BaseModel):
    """What went wrong."""

    code: str = Field(description="Stable: programs may look at it.", examples=["unknown_scenario"])
    message: str = Field(
        description="For people, in the language that was asked for.",
        examples=["There is no scenario named “x”."],
    )
    details: dict[str, Any] = Field(
        default_factory=dict,
        description="What the message was made of; of wrong fields `problems`: place, type, text.",
    )
    kind: str | None = Field(
        default=None,
        description="The error's class, where it is a part of an answer; of an answer that is an "
        "error the header `Corpusmith-Error` says it.",
    )


class ErrorBody(BaseModel):
    """Every answer that is no success."""

    error: Fault


def add_handlers(app: FastAPI) -> None:
    """Everything that can go wrong in a request ends in one of these."""
    app.add_exception_handler(CorpusmithError, _ours)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unknown)


def status_of(error: CorpusmithError) -> int:
    """The HTTP status that says what kind of error it is."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def message_of(error: CorpusmithError, language: Language) -> str:
    """The error's text for pages and REST: it names no command of the command line."""
    with for_pages():
        return error.message(language)


def fault_of(error: CorpusmithError, language: Language) -> Fault:
    """The error as it is sent."""
    kept_back = _kept_back(error.reason)
    details = {
        name: _shown(value)
        for name, value in error.data.items()
        if name not in kept_back and _sendable(value)
    }
    if isinstance(error, FieldsError):
        details = {
            "problems": [
                {"place": one.place, "type": one.type, "message": _text_of(one, language)}
                for one in error.data["problems"]
            ]
        }
    message = shown(message_of(error, language))
    return Fault(code=error.reason, message=message, details=details, kind=kind_of(error))


def kind_of(error: CorpusmithError) -> str:
    """Its class among those of `corpusmith.errors`, for the Python client."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == errors.__name__)


def answer(status: int, fault: Fault, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The response that says it."""
    body = ErrorBody(error=fault).model_dump(mode="json", exclude={"error": {"kind"}})
    return JSONResponse(body, status, headers=dict(headers or {}))


def _shown(value: Any) -> Any:
    """Without the server's own places."""
    return shown(value) if isinstance(value, str) else value


def _kept_back(code: str) -> set[str]:
    """What is said at a terminal and not on pages: such as the server's own paths."""
    key, twin = f"error.{code}", f"page.error.{code}"
    return places_of(key) - places_of(twin) if twin in catalog("en") else set()


def _text_of(problem: Problem, language: Language) -> str:
    with for_pages():
        return problem.text(language)


def _sendable(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(isinstance(one, (str, int, float, bool)) for one in value)
    return value is None or isinstance(value, (str, int, float, bool))


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, CorpusmithError)  # noqa: S101  as it is registered
    status = status_of(error)
    headers = {KIND: kind_of(error)}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 429:
        headers["Retry-After"] = str(error.data.get("seconds", 1))
    return answer(status, fault_of(error, language_of(request)), headers)


async def _unreadable(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  as it is registered
    found = [{**one, "loc": one["loc"][1:]} for one in error.errors()]
    ours: SpecError = FieldsError.of_errors(found, source=say("api.source", language_of(request)))
    if any(one["type"] == "json_invalid" for one in found):
        ours = SpecError("body_no_json")
    return answer(422, fault_of(ours, language_of(request)))


async def _framework(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  as it is registered
    code = _WORDS.get(error.status_code, "bad_request_here")
    message = say(f"error.{code}", language_of(request), path=request.url.path[:200])
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(sorted(_methods(request))) or headers.get("Allow", "")
    return answer(error.status_code, Fault(code=code, message=message), headers)


def _methods(request: Request) -> set[str]:
    """What the address knows: the framework tells of the first of its routes alone."""
    path = request.scope["path"]
    table = _documented(request.app)
    exact = [methods for place, _, methods in table if place == path]
    fitting = [methods for _, pattern, methods in table if pattern.match(path)]
    return {one for methods in exact or fitting for one in methods}


@lru_cache(maxsize=8)
def _documented(app: FastAPI) -> tuple[tuple[str, re.Pattern[str], tuple[str, ...]], ...]:
    """Every address of the API with its methods."""
    paths = app.openapi()["paths"]
    return tuple(
        (path, compile_path(path)[0], tuple(method.upper() for method in methods))
        for path, methods in paths.items()
    )


async def _gone(request: Request, error: Exception) -> Response:
    """Whoever asked went away while sending: nothing is wrong, and nobody reads the answer."""
    return Response(status_code=400)


async def _unknown(request: Request, error: Exception) -> JSONResponse:
    number = secrets.token_hex(4)
    # The place alone, never the values: a traceback's text may hold what was sent.
    log.error(
        "fault %s in %s %s", number, request.method, request.scope.get("route"), exc_info=error
    )
    message = say("error.internal_number", language_of(request), number=number)
    return answer(500, Fault(code="internal", message=message, details={"number": number}))
