"""What the OpenAPI document says of answers that are no success, and of who may ask.

Owns: which statuses an operation may end in. Does not own: which error has which (`errors.py`), who
may what (`access.py`).
A status that is not told here is a fault: the tests send what they can think of and look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from fastapi.security.base import SecurityBase
from starlette.routing import BaseRoute

from corpusmith.api.access import SECURITY, scope_of
from corpusmith.api.etags import IF_MATCH

ANYWHERE = {
    400: "The request cannot be read, or was sent to another host's name.",
    401: "Nobody is logged in, or the token is unknown, revoked or over.",
    403: "The person or token may not do this.",
    422: "What was sent does not fit.",
    429: "Too often: `Retry-After` says how many seconds to wait.",
    503: "The database cannot be reached or read.",
}
NAMED = {404: "There is nothing of this name or number."}
"""Of operations that are told about something."""
CHANGING = {
    409: "It is not in a state for this, or somebody else changed it.",
    507: "The disk is full.",
}
"""Of operations that are no GET."""
GUARDED = {412: "It is not as `If-Match` has it any more: read it again. Nothing was done."}
"""Of those that may be for what was seen alone."""
SENT = {413: "What was sent is too large."}
"""Of operations with a body."""
REACHING = {502: "The model's endpoint refused, or gave no answer."}
"""Of those that ask another server while one waits."""
REACH = frozenset(
    {
        "chat_with_character",
        "connection_models",
        "models_of_unsaved_connection",
        "test_connection",
        "test_template",
        "test_unsaved_connection",
        "test_unsaved_template",
    }
)


class Documented(FastAPI):
    """An application whose document says how each operation may end."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made once."""
        if self.openapi_schema is None:
            document = get_openapi(
                title=self.title,
                version=self.version,
                description=self.description,
                routes=self.routes,
            )
            schemes = {one.scheme_name: _scheme(one) for one in SECURITY}
            document["components"]["securitySchemes"] = schemes
            guarded = {one.unique_id for one in self.routes if _is_guarded(one)}
            for method, operation in _operations(document):
                _add(operation, method)
                if operation["operationId"] in guarded:
                    operation["security"] = [{name: []} for name in schemes]
            self.openapi_schema = document
        return self.openapi_schema


def _scheme(one: SecurityBase) -> dict[str, Any]:
    return one.model.model_dump(mode="json", by_alias=True, exclude_none=True)


def _is_guarded(route: BaseRoute) -> TypeGuard[APIRoute]:
    return isinstance(route, APIRoute) and any(
        one.dependency is not None and scope_of(one.dependency) for one in route.dependencies
    )


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for methods in document["paths"].values():
        yield from methods.items()


def _add(operation: dict[str, Any], method: str) -> None:
    told = dict(ANYWHERE)
    if operation.get("parameters") or "requestBody" in operation:
        told |= NAMED
    if method != "get":
        told |= CHANGING
    if any(one["name"] == IF_MATCH for one in operation.get("parameters", ())):
        told |= GUARDED
    if "requestBody" in operation:
        told |= SENT
    if operation["operationId"] in REACH:
        told |= REACHING
    answers = operation["responses"]
    fault = answers.pop("default")
    # Where an answer is text the framework says that of refusals too.
    (shape,) = fault["content"].values()
    fault["content"] = {"application/json": shape}
    for status, text in sorted(told.items()):
        answers[str(status)] = fault | {"description": text}
