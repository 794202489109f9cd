"""Every exception of Corpusmith.

CorpusmithError                 has a code, data, and a message in each language
├── UsageError                  the user's input or setup; exit 2
│   ├── SpecError               a file, flag or form that does not fit
│   ├── NotFound                a named thing that is not there
│   ├── Conflict                a name taken, or a thing still in use
│   │   └── ChangedSince        it is not as whoever wants to change it saw it
│   ├── CardError               a character card that cannot be read
│   └── KeyMissing              no key for an endpoint
├── AccessError                 who asks may not
│   ├── LoginNeeded             nobody said who asks, or what was said does not hold
│   ├── NotAllowed              this person or token may not do this
│   └── TooOften                asked too often: wait
├── StoreError                  the database
│   ├── StoreUnavailable        cannot be opened or reached
│   ├── StoreReadOnly
│   ├── StoreTooNew             made by a newer version
│   ├── StoreCorrupt
│   ├── DiskFull
│   ├── LeaseHeld               another process runs this task
│   └── LeaseLost               another process took this task over: our late write is refused
├── ProviderError               an endpoint's answer, or its silence
│   ├── RateLimited             429: wait; uses up no attempt
│   ├── Transient               worth another try
│   │   ├── ConnectionFailed    refused, reset, DNS
│   │   ├── TimedOut
│   │   ├── ServerError         5xx
│   │   │   └── Overloaded      503, 529: slow down too
│   │   ├── MalformedReply      not what the protocol says: HTML, cut JSON, no choices, bad UTF-8
│   │   └── EmptyReply          well-formed, but no text
│   ├── BadRequest              400, 404, 413, 422: the request itself is refused
│   ├── Unauthorised            401, 403: stop at once
│   ├── QuotaExhausted          402, or 429 that says the money is gone: stop at once
│   ├── TlsFailed               the certificate does not verify: stop at once
│   └── AddressNotAllowed       the host leads to an address that may not be called: stop at once
├── ReplyError                  a completed reply that cannot be used (it was paid)
│   ├── Truncated               stopped at max tokens
│   ├── Refused                 the model or the endpoint's filter declined
│   └── InvalidReply            does not parse, or breaks its schema, after re-asking
├── BudgetReached               the money, token or call budget is used up
└── Stopped                     a pause or cancel was asked for

Messages live in `locales/<language>/*.json` under `error.<code>`; `{name}` there is filled from
`data`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from corpusmith.messages import say
from corpusmith.values import Language, Usage


class CorpusmithError(Exception):
    """Base of all. `code` is stable; `data` fills the message and is safe to show."""

    code: ClassVar[str] = "internal"

    def __init__(self, code: str | None = None, **data: Any) -> None:
        self.reason: str = code or self.code
        self.data: dict[str, Any] = data
        super().__init__(self.reason, data)

    def message(self, language: Language) -> str:
        """What happened, to which thing, and what to do next."""
        return say(f"error.{self.reason}", language, **self.data)

    def __str__(self) -> str:
        return self.message("en")


class UsageError(CorpusmithError):
    """The user's input or setup."""

    code = "usage"


class SpecError(UsageError):
    """A file, flag or form that does not fit. Data: `place`, `problem` or as the code says."""

    code = "spec"


class NotFound(UsageError):
    """Data: `kind`, `name`."""

    code = "not_found"


class Conflict(UsageError):
    """Data: `kind`, `name`, and `users` when something uses it."""

    code = "conflict"


class ChangedSince(Conflict):
    """Nothing was done. No data."""

    code = "changed_since"


class CardError(UsageError):
    """Data: `file`, `problem`."""

    code = "card"


class KeyMissing(UsageError):
    """Data: `connection`, `variable`."""

    code = "key_missing"


class AccessError(CorpusmithError):
    """Who asks may not."""

    code = "access"


class LoginNeeded(AccessError):
    code = "login_needed"


class NotAllowed(AccessError):
    """Data: `scope`, what it takes."""

    code = "not_allowed"


class TooOften(AccessError):
    """Data: `seconds` to wait."""

    code = "too_often"


class StoreError(CorpusmithError):
    """The database. Data: `url` (without a password), `cause`."""

    code = "store"


class StoreUnavailable(StoreError):
    code = "store_unavailable"


class StoreReadOnly(StoreError):
    code = "store_read_only"


class StoreTooNew(StoreError):
    code = "store_too_new"


class StoreCorrupt(StoreError):
    code = "store_corrupt"


class DiskFull(StoreError):
    code = "disk_full"


class LeaseHeld(StoreError):
    """Data: `task`, `owner`, `seconds`."""

    code = "lease_held"


class LeaseLost(StoreError):
    """Data: `task`."""

    code = "lease_lost"


class ProviderError(CorpusmithError):
    """An endpoint's answer, or its silence.

    `status`: HTTP status or None. `retry_after_s`: the server's own wish or None.
    `usage`: tokens that were paid all the same, or None. Data: `endpoint`, `model`, `cause`
    (at most 500 characters of what the endpoint said; never a header, never a key).
    """

    code = "provider"

    def __init__(
        self,
        code: str | None = None,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        usage: Usage | None = None,
        parameter: str | None = None,
        raw: str = "",
        **data: Any,
    ) -> None:
        super().__init__(code, status=status, **data)
        self.status = status
        self.retry_after_s = retry_after_s
        self.usage = usage
        self.parameter = parameter
        """The request field that the endpoint blames, if it names one."""
        self.raw = raw
        """Up to 2,000 characters of the body, for the failed item's page."""


class RateLimited(ProviderError):
    code = "rate_limited"


class Transient(ProviderError):
    code = "transient"


class ConnectionFailed(Transient):
    code = "connection_failed"


class TimedOut(Transient):
    code = "timed_out"


class ServerError(Transient):
    code = "server_error"


class Overloaded(ServerError):
    code = "overloaded"


class MalformedReply(Transient):
    code = "malformed_reply"


class EmptyReply(Transient):
    code = "empty_reply"


class BadRequest(ProviderError):
    code = "bad_request"


class Unauthorised(ProviderError):
    code = "unauthorised"


class QuotaExhausted(ProviderError):
    code = "quota_exhausted"


class TlsFailed(ProviderError):
    code = "tls_failed"


class AddressNotAllowed(ProviderError):
    """Data: `address`, where the endpoint's name (or its proxy's) leads."""

    code = "endpoint_address"


class ReplyError(CorpusmithError):
    """A completed reply that cannot be used. `raw` is the model's text."""

    code = "reply"

    def __init__(self, code: str | None = None, *, raw: str = "", **data: Any) -> None:
        super().__init__(code, **data)
        self.raw = raw


class Truncated(ReplyError):
    """Data: `max_tokens`: what was asked for, else where the endpoint cut."""

    code = "truncated"


class Refused(ReplyError):
    code = "refused"


class InvalidReply(ReplyError):
    """Data: `problem`: what the parser or the schema said."""

    code = "invalid_reply"


class BudgetReached(CorpusmithError):
    """Data: `kind` (cost_usd, tokens or calls), `limit`, `spent`."""

    code = "budget_reached"


class Stopped(CorpusmithError):
    """A pause or cancel was asked for."""

    code = "stopped"
