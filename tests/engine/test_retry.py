"""Retry decisions: pure, and complete over every error."""

from __future__ import annotations

import random

import pytest

from corpusmith import errors
from corpusmith.engine.retry import (
    PATIENCE_S,
    UNBROKEN_FAILURES,
    Decision,
    StopRule,
    delay_s,
    rule,
    stops_task,
    uses_attempt,
)
from corpusmith.errors import CorpusmithError

# Every class by name, so that a new one fails here until somebody decides.
TABLE: dict[str, tuple[Decision, int]] = {
    "CorpusmithError": ("give_up", 1),
    "UsageError": ("give_up", 1),
    "SpecError": ("give_up", 1),
    "NotFound": ("give_up", 1),
    "Conflict": ("give_up", 1),
    "ChangedSince": ("give_up", 1),
    "CardError": ("give_up", 1),
    "KeyMissing": ("stop_task", 1),
    "AccessError": ("give_up", 1),
    "LoginNeeded": ("give_up", 1),
    "NotAllowed": ("give_up", 1),
    "TooOften": ("give_up", 1),
    "StoreError": ("stop_task", 1),
    "StoreUnavailable": ("stop_task", 1),
    "StoreReadOnly": ("stop_task", 1),
    "StoreTooNew": ("stop_task", 1),
    "StoreCorrupt": ("stop_task", 1),
    "DiskFull": ("stop_task", 1),
    "LeaseHeld": ("stop_task", 1),
    "LeaseLost": ("stop_task", 1),
    "ProviderError": ("give_up", 1),
    "RateLimited": ("wait", 1),
    "Transient": ("retry", 5),
    "ConnectionFailed": ("retry", 5),
    "TimedOut": ("retry", 5),
    "ServerError": ("retry", 5),
    "Overloaded": ("retry", 8),
    "MalformedReply": ("retry", 5),
    "EmptyReply": ("retry", 5),
    "BadRequest": ("give_up", 1),
    "Unauthorised": ("stop_task", 1),
    "QuotaExhausted": ("stop_task", 1),
    "TlsFailed": ("stop_task", 1),
    "AddressNotAllowed": ("stop_task", 1),
    "ReplyError": ("give_up", 1),
    "Truncated": ("give_up", 1),
    "Refused": ("give_up", 1),
    "InvalidReply": ("give_up", 1),
    "BudgetReached": ("give_up", 1),
    "Stopped": ("give_up", 1),
}


def every_error() -> list[type[CorpusmithError]]:
    """All classes of `errors.py`, found by walking the tree."""
    found: list[type[CorpusmithError]] = []
    todo: list[type[CorpusmithError]] = [CorpusmithError]
    while todo:
        kind = todo.pop()
        todo.extend(kind.__subclasses__())
        if kind.__module__ == errors.__name__:
            found.append(kind)
    return found


ALL = every_error()


def test_the_table_names_every_error_and_nothing_else() -> None:
    assert sorted(TABLE) == sorted({kind.__name__ for kind in ALL})


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_each_error_is_decided_as_the_table_says(kind: type[CorpusmithError]) -> None:
    decided = rule(kind())
    assert (decided.decision, decided.attempts) == TABLE[kind.__name__]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_the_three_questions_agree_with_the_decision(kind: type[CorpusmithError]) -> None:
    decision, attempts = TABLE[kind.__name__]
    error, rng = kind(), random.Random(1)
    tried_again = [delay_s(error, n, 0.0, rng) is not None for n in range(1, 11)]
    expected = [decision == "wait" or (decision == "retry" and n < attempts) for n in range(1, 11)]
    assert (tried_again, uses_attempt(error), stops_task(error)) == (
        expected,
        decision != "wait",
        decision == "stop_task",
    )


def test_a_transient_failure_is_tried_five_times_with_growing_full_jitter() -> None:
    rng = random.Random(1)
    error = errors.TimedOut()
    drawn = [[delay_s(error, n, 0.0, rng) or 0.0 for _ in range(2000)] for n in (1, 2, 3, 4)]
    tops = [round(max(one), 1) for one in drawn]
    lows = [min(one) < 0.05 * max(one) for one in drawn]
    assert (tops, lows) == ([0.5, 1.0, 2.0, 4.0], [True] * 4)


def test_backoff_is_capped_at_thirty_seconds() -> None:
    rng = random.Random(1)
    worst = max(delay_s(errors.Overloaded(), 7, 0.0, rng) or 0.0 for _ in range(2000))
    assert 29 < worst <= 30


def test_the_servers_own_retry_after_wins() -> None:
    waits = [
        delay_s(errors.RateLimited(retry_after_s=7.0), 1, 0.0, random.Random(n)) for n in range(50)
    ]
    assert all(wait is not None and 7.0 <= wait <= 7.5 for wait in waits)


def test_an_absurd_retry_after_is_capped_at_an_hour() -> None:
    wait = delay_s(errors.RateLimited(retry_after_s=1e9), 1, 0.0, random.Random(1))
    assert wait is not None and 3600 <= wait <= 3601


def test_a_rate_limit_without_end_is_given_up_after_an_hour() -> None:
    rng, waited_s, waits = random.Random(1), 0.0, []
    while (wait := delay_s(errors.RateLimited(), 1, waited_s, rng)) is not None:
        waited_s += wait
        waits.append(wait)
    assert waits[0] <= 0.5 and max(waits) <= 30 and PATIENCE_S < waited_s <= PATIENCE_S + 30, waits


def _bad(cause: str = "no such field") -> errors.BadRequest:
    return errors.BadRequest(status=400, cause=cause)


def test_five_identical_bad_requests_in_a_row_stop_the_task() -> None:
    stop = StopRule()
    assert [stop.note(_bad()) for _ in range(5)] == [False, False, False, False, True]


def test_different_bad_requests_do_not() -> None:
    stop = StopRule()
    assert not any(stop.note(_bad(f"prompt {n} is too long")) for n in range(20))


def test_a_success_between_starts_the_count_anew() -> None:
    stop = StopRule()
    ends = [_bad()] * 4 + [None] + [_bad()] * 4
    assert not any(stop.note(end) for end in ends)


def test_an_endpoint_that_was_never_reached_stops_the_task() -> None:
    stop = StopRule(3)
    assert [stop.note(errors.ConnectionFailed(cause=str(n))) for n in range(3)] == [
        False,
        False,
        True,
    ]


def test_an_endpoint_that_once_answered_may_be_away_for_a_while() -> None:
    stop = StopRule(3)
    stop.note(None)
    assert not any(stop.note(errors.ConnectionFailed()) for _ in range(20))


def test_failures_of_single_items_never_stop_the_task() -> None:
    stop = StopRule(2)
    assert not any(stop.note(errors.Truncated(max_tokens=5)) for _ in range(20))


def test_a_long_row_of_one_reason_stops_the_task_and_a_success_ends_the_row() -> None:
    stop = StopRule()
    tripped = [stop.note(errors.ServerError(status=500)) for _ in range(UNBROKEN_FAILURES - 1)]
    assert not any(tripped)
    stop.note(None)
    tripped = [stop.note(errors.Truncated()) for _ in range(UNBROKEN_FAILURES)]
    assert tripped == [False] * (UNBROKEN_FAILURES - 1) + [True]
