"""Decides whether to try again, after how long, and when a whole task must stop.

Owns: the decisions, as pure functions of an error. Does not own: sleeping and calling
(`calls.py`), waiting together for an endpoint (`limits.py`).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from corpusmith.errors import (
    AddressNotAllowed,
    BadRequest,
    ConnectionFailed,
    CorpusmithError,
    KeyMissing,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    StoreError,
    TlsFailed,
    Transient,
    Unauthorised,
)

PATIENCE_S = 3600.0
RETRY_AFTER_MAX_S = 3600.0
BASE_S = 0.5
CAP_S = 30.0
TRANSIENT_ATTEMPTS = 5
OVERLOADED_ATTEMPTS = 8

Decision = Literal["wait", "retry", "give_up", "stop_task"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one kind of error leads to. `attempts` counts the first call too."""

    decision: Decision
    attempts: int = 1


# The nearest class in an error's own line of ancestors counts.
RULES: dict[type[CorpusmithError], Rule] = {
    CorpusmithError: Rule(decision="give_up"),
    KeyMissing: Rule(decision="stop_task"),
    StoreError: Rule(decision="stop_task"),
    RateLimited: Rule(decision="wait"),
    Transient: Rule(decision="retry", attempts=TRANSIENT_ATTEMPTS),
    Overloaded: Rule(decision="retry", attempts=OVERLOADED_ATTEMPTS),
    Unauthorised: Rule(decision="stop_task"),
    QuotaExhausted: Rule(decision="stop_task"),
    TlsFailed: Rule(decision="stop_task"),
    AddressNotAllowed: Rule(decision="stop_task"),
}


def rule(error: CorpusmithError) -> Rule:
    """The rule for `error`; an error that no rule names is given up."""
    return next(RULES[kind] for kind in type(error).__mro__ if kind in RULES)


def delay_s(
    error: CorpusmithError, attempt: int, waited_s: float, rng: random.Random
) -> float | None:
    """Seconds to wait after `attempt` (from 1) failed with `error`; None means give up.

    `waited_s`: what this call has waited so far. The server's own Retry-After wins over our
    backoff. Being rate limited uses up no attempt, only patience.
    """
    kind = rule(error)
    wish = getattr(error, "retry_after_s", None)
    if kind.decision == "wait":
        return _patient(wish, waited_s, rng)
    if kind.decision != "retry" or attempt >= kind.attempts:
        return None
    backoff = rng.uniform(0, min(CAP_S, BASE_S * 2 ** (attempt - 1)))
    return backoff if wish is None else min(max(wish, 0.0), RETRY_AFTER_MAX_S) + backoff


def _patient(wish: float | None, waited_s: float, rng: random.Random) -> float | None:
    """Waits for a rate limit: each about as long as all before it, at most 30 s."""
    if waited_s > PATIENCE_S:
        return None
    if wish is not None:
        # All who were refused were told the same moment: spread them a little.
        return min(max(wish, 0.0), RETRY_AFTER_MAX_S) + rng.uniform(0, BASE_S)
    return rng.uniform(0.5, 1.0) * min(CAP_S, max(BASE_S, waited_s))


def uses_attempt(error: CorpusmithError) -> bool:
    """False for a rate limit: waiting for one's turn is no failed attempt."""
    return rule(error).decision != "wait"


def stops_task(error: CorpusmithError) -> bool:
    """True when every further call would end like this one."""
    return rule(error).decision == "stop_task"


IDENTICAL_FAILURES = 5


UNBROKEN_FAILURES = 200
"""Items failed in a row for one reason: an outage, or max tokens too small for any answer. Going
on would burn the attempts of a large task, and its money; a resume goes on where it was."""


class StopRule:
    """Trips on a row of identical failures that no success interrupts.

    Counts items that failed for good: soon for bad requests with one status and cause (the request
    itself is wrong, so all will be refused) and for an endpoint that was never reached at all,
    late for any other one reason.
    """

    __slots__ = ("_count", "_last", "_limit", "_reached", "_reason", "_row")

    def __init__(self, limit: int = IDENTICAL_FAILURES) -> None:
        self._limit = limit
        self._reason = ""
        self._row = 0
        self._count = 0
        self._last: object = None
        self._reached = False

    def note(self, error: CorpusmithError | None) -> bool:
        """Note a call's end (None: a success). True when the task must stop."""
        if error is None:
            self._count, self._last, self._reached, self._row = 0, None, True, 0
            return False
        self._row = self._row + 1 if error.reason == self._reason else 1
        self._reason = error.reason
        kind = self._kind(error)
        self._count = self._count + 1 if kind is not None and kind == self._last else 1
        self._last = kind
        identical = kind is not None and self._count >= self._limit
        return identical or self._row >= UNBROKEN_FAILURES

    def _kind(self, error: CorpusmithError) -> object:
        """What makes failures identical; None: of a kind that only a long row makes stop a task."""
        if isinstance(error, BadRequest):
            return (BadRequest, error.status, error.data.get("cause"))
        if isinstance(error, ConnectionFailed) and not self._reached:
            return ConnectionFailed
        return None
