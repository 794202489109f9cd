"""Errors of a server as the errors that they were there: same class, same code, same words.

Owns: from an answer to an exception. Does not own: the shape (`api/errors.py`), texts (`locales/`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from corpusmith import errors
from corpusmith.errors import CorpusmithError, StoreUnavailable
from corpusmith.messages import for_pages
from corpusmith.values import Json, Language

KIND = "Corpusmith-Error"
"""The header that names the error's class."""

_OF_STATUS: Mapping[int, type[CorpusmithError]] = {
    401: errors.LoginNeeded,
    403: errors.NotAllowed,
    404: errors.NotFound,
    409: errors.Conflict,
    412: errors.ChangedSince,
    413: errors.UsageError,
    422: errors.UsageError,
    429: errors.TooOften,
    502: errors.ProviderError,
    503: errors.StoreUnavailable,
    507: errors.DiskFull,
}
_KINDS: Mapping[str, type[CorpusmithError]] = {
    name: one
    for name, one in vars(errors).items()
    if isinstance(one, type) and issubclass(one, CorpusmithError)
}
_OF_CODE = {kind.code: kind for kind in _KINDS.values()}


class _Said:
    """An error in the words of the server, which knows its own names and numbers."""

    said = ""
    spoken: Language = "en"

    def message(self, language: Language) -> str:
        """What the server said; in the other language what our own catalog says of it."""
        if language == self.spoken:
            return self.said
        try:
            with for_pages():
                return super().message(language)  # type: ignore[misc,no-any-return]
        except (KeyError, IndexError, ValueError, TypeError):
            return self.said  # the server keeps some of its data to itself


@lru_cache(maxsize=64)
def _said(kind: type[CorpusmithError]) -> Any:
    return type(kind.__name__, (_Said, kind), {"__doc__": kind.__doc__})


def fault(
    body: Mapping[str, Json], language: Language, *, kind: str | None = None, status: int = 422
) -> CorpusmithError:
    """The error of an answer's `error`. `kind`: its class's name, where it is known."""
    code = str(body["code"])
    named = _KINDS.get(kind or str(body.get("kind")))
    base: Any = named or _OF_CODE.get(code) or _OF_STATUS.get(status, CorpusmithError)
    details = {name: one for name, one in body.get("details", {}).items() if name != "code"}
    error: CorpusmithError = _said(base)(code, **details)
    said: Any = error
    said.said, said.spoken = str(body["message"]), language
    return error


def refusal(status: int, kind: str | None, text: bytes, language: Language) -> CorpusmithError:
    """The error of an answer; one that is not ours (a proxy's page) says its status."""
    try:
        return fault(orjson.loads(text)["error"], language, kind=kind, status=status)
    except (ValueError, KeyError, TypeError, AttributeError):
        return StoreUnavailable("server_odd", status=status)
