"""When to try again, and what of an endpoint's words is shown."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from corpusmith.contracts import Secret
from corpusmith.providers.connect import connection_of
from corpusmith.providers.failures import Failures, Fault, retry_after_s
from corpusmith.values import Language

NOW = "Sat, 21 Nov 2026 13:00:00 GMT"

WISHES: dict[str, tuple[dict[str, str], float | None]] = {
    "nothing": ({}, None),
    "seconds": ({"retry-after": "7"}, 7.0),
    "parts of a second": ({"retry-after": "0.5"}, 0.5),
    "at once": ({"retry-after": "0"}, 0.0),
    "milliseconds win": ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
    "a date by the server's clock": (
        {"retry-after": "Sat, 21 Nov 2026 13:01:30 GMT", "date": NOW},
        90.0,
    ),
    "a date gone by": ({"retry-after": "Sat, 21 Nov 2026 12:00:00 GMT", "date": NOW}, 0.0),
    "an odd date": ({"retry-after": "tomorrow", "date": NOW}, None),
    "an odd clock": ({"retry-after": "Sat, 21 Nov 2026 13:01:30 GMT", "date": "?"}, None),
    "negative": ({"retry-after": "-5"}, None),
    "for ever": ({"retry-after": "inf"}, None),
    "no number": ({"retry-after": "nan"}, None),
}


@pytest.mark.parametrize("name", WISHES)
def test_the_servers_wish_is_read(name: str) -> None:
    headers, expected = WISHES[name]
    assert retry_after_s(headers) == expected


def test_a_date_without_the_servers_clock_is_measured_by_ours() -> None:
    wait_s = retry_after_s({"retry-after": formatdate(time.time() + 100, usegmt=True)})
    assert wait_s is not None
    assert 90 < wait_s < 105


KEY = 'sk-canary/12+34"567890'
ECHOES = {
    "plain": KEY,
    "in JSON": 'sk-canary/12+34\\"567890',
    "in JSON with slashes": 'sk-canary\\/12+34\\"567890',
    "in a URL": "sk-canary%2F12%2B34%22567890",
}


@pytest.mark.parametrize("name", ECHOES)
def test_a_key_that_is_echoed_is_not_shown(name: str) -> None:
    failures = Failures(connection_of(name="test"), Secret(KEY))
    body = f"Incorrect API key: {ECHOES[name]}.".encode()
    error = failures.refused(401, {}, body, Fault())
    assert (error.data["cause"], error.raw) == ("Incorrect API key: ***.",) * 2


def test_a_key_across_the_cut_is_not_shown_in_part() -> None:
    failures = Failures(connection_of(name="test"), Secret(KEY))
    for length in range(440, 520):
        cause = failures.clean("x" * length + KEY)
        assert "sk-" not in cause
    for length in range(1_970, 2_010):
        error = failures.refused(500, {}, ("x" * length + KEY).encode(), Fault())
        assert "sk-" not in error.raw


def test_a_key_in_a_redirect_is_not_shown() -> None:
    failures = Failures(connection_of(name="test"), Secret(KEY))
    error = failures.refused(302, {"location": f"https://evil.example/?k={KEY}"}, b"", Fault())
    assert error.data["cause"] == "redirects to https://evil.example/?k=***"


MESSAGES: dict[Language, str] = {
    "en": "The endpoint https://x.example/v1 refuses the request (HTTP 400): "
    '"no such model". Check the model\'s name and the parameters.',
    "zh": "模型服务 https://x.example/v1 拒绝了这个请求（HTTP 400）：“no such model”。"
    "请检查模型名称和参数。",
}


@pytest.mark.parametrize("language", MESSAGES)
def test_a_message_says_what_which_and_what_next(language: Language) -> None:
    failures = Failures(connection_of(name="test", base_url="https://x.example/v1"), None)
    error = failures.refused(400, {}, b"", Fault(cause="no such model"))
    assert error.message(language) == MESSAGES[language]
