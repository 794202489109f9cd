"""From an endpoint's refusal to our typed errors.

Owns: which error a status or a vendor's error code means, when to try again, and that no key is
ever in what we show. Does not own: where a vendor writes its code (each protocol's `fault`),
whether to retry (the engine).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import quote

import orjson

from corpusmith.contracts import Secret
from corpusmith.errors import (
    BadRequest,
    EmptyReply,
    MalformedReply,
    Overloaded,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    ServerError,
    Transient,
    Unauthorised,
)
from corpusmith.hidden import secrets_in
from corpusmith.providers.wire import Headers
from corpusmith.values import Connection, Json, Usage

_Error = TypeVar("_Error", bound=ProviderError)

CAUSE_CHARACTERS = 500
RAW_CHARACTERS = 2_000
_LEAST_SECRET = 8
"""Signs: a shorter header's value is no key, and taking it out of a text would spoil the text."""
# A cut must not leave half a key behind: redact far more than is shown, then cut.
_RAW_BYTES = 16 * RAW_CHARACTERS

BY_STATUS: dict[int, type[ProviderError]] = {
    401: Unauthorised,
    402: QuotaExhausted,
    403: Unauthorised,
    408: Transient,
    409: Transient,
    425: Transient,
    429: RateLimited,
    503: Overloaded,
    529: Overloaded,
}
"""What is not here: 5xx ServerError, everything else BadRequest."""


def _kind_of(status: int) -> type[ProviderError]:
    if status < 400:  # an error inside a success, that says no more of itself
        return Transient
    return BY_STATUS.get(status) or (ServerError if status >= 500 else BadRequest)


def _narrower(
    named: type[ProviderError] | None, by_status: type[ProviderError], status: int
) -> type[ProviderError]:
    """What a vendor's code and the status mean together.

    Anthropic's 503 is an `api_error`, and an overload too; a proxy's 401 may call itself an
    `invalid_request_error`.
    """
    if named is None or issubclass(by_status, named):
        return by_status
    return by_status if named is BadRequest and status >= 400 else named


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An endpoint's error body, as far as its protocol could read it."""

    found: bool = False
    """True when the body is an error, whatever its HTTP status."""
    filtered: bool = False
    """True when it says that a filter stopped this prompt: the item's end, not the task's."""
    cause: str = ""
    """The endpoint's own words; empty: the whole body is shown."""
    status: int | None = None
    """The status that the body names (proxies answer 200 with an error inside)."""
    kind: type[ProviderError] | None = None
    """What the vendor's own code means; None: go by the status."""
    parameter: str | None = None
    retry_after_s: float | None = None


class Failures:
    """Makes the typed errors of one connection."""

    def __init__(self, connection: Connection, key: Secret | None) -> None:
        self._about: dict[str, Any] = {
            "endpoint": connection.base_url,
            "connection": connection.name,
        }
        self._secrets: list[str] = []
        self._learnt: Mapping[str, Json] | None = None
        # A gateway's key comes in a header or a body field of the connection's own.
        own = _long(secrets_in(connection.headers, connection.extra))
        self._hide([*([key.reveal()] if key else ()), *own])

    def learn(self, extra: Mapping[str, Json]) -> None:
        """A task's own body fields are about to be sent: what is secret in them is not shown
        either."""
        if extra and extra is not self._learnt:
            self._learnt = extra
            self._hide(_long(secrets_in({}, extra)))

    def _hide(self, secrets: Iterable[str]) -> None:
        forms = {*self._secrets, *(form for one in secrets for form in _forms(one))}
        self._secrets = sorted(forms, key=len, reverse=True)

    def refused(
        self, status: int, headers: Headers, body: bytes, fault: Fault, model: str = ""
    ) -> ProviderError:
        """The error for a reply that is not a success."""
        if 300 <= status < 400:
            return self._redirected(status, headers, body, model)
        meant = fault.status if fault.status is not None and status < 400 else status
        kind = _narrower(fault.kind, _kind_of(meant), meant)
        wait_s = retry_after_s(headers)
        return self._error(
            kind,
            fault.cause or text_of(body) or f"HTTP {status}",
            body,
            model,
            status=meant,
            parameter=fault.parameter,
            retry_after_s=fault.retry_after_s if wait_s is None else wait_s,
        )

    def rejected(
        self,
        status: int,
        headers: Headers,
        body: bytes,
        fault: Fault,
        problem: str,
        model: str,
        usage: Usage | None = None,
    ) -> ProviderError:
        """The error for a reply without an answer; `problem`: why, when it is no error either."""
        if fault.found or not 200 <= status < 300:
            return self.refused(status, headers, body, fault, model)
        return self.malformed(status, body, problem, model, usage)

    def malformed(
        self, status: int, body: bytes, problem: str, model: str = "", usage: Usage | None = None
    ) -> MalformedReply:
        """A success by its status, but not what the protocol says. `usage`: what it cost."""
        cause = f"{problem}: {text_of(body)}" if body else problem
        return self._error(MalformedReply, cause, body, model, status=status, usage=usage)

    def empty(self, status: int, body: bytes, usage: Usage | None, model: str = "") -> EmptyReply:
        """Well-formed, paid, and without text."""
        return self._error(EmptyReply, "no text", body, model, status=status, usage=usage)

    def interrupted(
        self, status: int, body: bytes, reason: str, usage: Usage | None, model: str = ""
    ) -> Overloaded:
        """The endpoint gave up in the middle of its answer, and says so."""
        return self._error(Overloaded, reason, body, model, status=status, usage=usage)

    def _redirected(self, status: int, headers: Headers, body: bytes, model: str) -> ProviderError:
        target = headers.get("location") or "?"
        return self._error(
            BadRequest, f"redirects to {target}", body, model, code="redirected", status=status
        )

    def _error(
        self,
        kind: type[_Error],
        cause: str,
        body: bytes,
        model: str,
        *,
        code: str | None = None,
        **facts: Any,
    ) -> _Error:
        return kind(
            code,
            cause=self.clean(cause),
            raw=self._redacted(text_of(body))[:RAW_CHARACTERS],
            model=model or None,
            **facts,
            **self._about,
        )

    def clean(self, text: str) -> str:
        """`text` on one line, at most 500 characters, without control characters or our key."""
        return " ".join(_CONTROL.sub(" ", self._redacted(text)).split())[:CAUSE_CHARACTERS]

    def _redacted(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


_RUN = re.compile(r"[A-Za-z0-9]{8,}")

# C0, C1, and the signs that turn the direction of text in a terminal.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def text_of(body: bytes) -> str:
    """The start of a body as text, whatever it is."""
    return body[:_RAW_BYTES].decode("utf-8", "replace")


def _long(secrets: Iterable[str]) -> Iterator[str]:
    return (one for one in secrets if len(one) >= _LEAST_SECRET)


def _forms(key: str) -> tuple[str, ...]:
    """The key as an endpoint could echo it: plain, in JSON (two ways), in a URL; and each long
    run of letters and digits in it, which every other way of writing leaves as it is."""
    escaped = orjson.dumps(key).decode()[1:-1]
    written = (key, escaped, escaped.replace("/", "\\/"), quote(key, safe=""))
    forms = dict.fromkeys((*written, *_RUN.findall(key)))
    return tuple(sorted(filter(None, forms), key=len, reverse=True))


def retry_after_s(headers: Headers) -> float | None:
    """Seconds that the headers ask us to wait, >= 0; None when they do not say."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    if text is None:
        return None
    seconds = _number(text)
    return seconds if seconds is not None else _until(text, headers.get("date"))


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _until(text: str, now: str | None) -> float | None:
    """Seconds from `now` to the HTTP date `text`, by the server's own clock if it shows it."""
    try:
        moment = parsedate_to_datetime(text).timestamp()
        start = parsedate_to_datetime(now).timestamp() if now else time.time()
    except (ValueError, OverflowError, OSError):
        return None
    return max(0.0, moment - start)
