"""Whatever an endpoint says, decoding ends in a reply or a ProviderError, and never shows a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmith.contracts import Secret
from corpusmith.errors import ProviderError
from corpusmith.providers.anthropic import Anthropic
from corpusmith.providers.connect import connection_of
from corpusmith.providers.gemini import Gemini
from corpusmith.providers.openai import OpenAI
from corpusmith.values import Reply

KEY = 'sk-ca/na"ry-1234567890'
CLASSES: dict[str, Callable[..., Any]] = {
    "openai": OpenAI,
    "gemini": Gemini,
    "anthropic": Anthropic,
}
PROVIDERS = {
    name: make(connection_of(name="test", provider=name), Secret(KEY))
    for name, make in CLASSES.items()
}

WORDS = [
    "choices",
    "message",
    "content",
    "finish_reason",
    "usage",
    "error",
    "code",
    "type",
    "param",
    "detail",
    "loc",
    "msg",
    "id",
    "data",
    "candidates",
    "parts",
    "text",
    "thought",
    "finishReason",
    "usageMetadata",
    "promptFeedback",
    "blockReason",
    "details",
    "@type",
    "retryDelay",
    "violations",
    "quotaId",
    "reason",
    "fieldViolations",
    "field",
    "models",
    "name",
    "stop_reason",
    "input",
    "tool_use",
    "thinking",
    "base_resp",
    "status_code",
    "metadata",
    "reasons",
    "reasoning",
    "refusal",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "prompt_tokens_details",
    "nextPageToken",
    "has_more",
    "type.googleapis.com/google.rpc.QuotaFailure",
    "type.googleapis.com/google.rpc.RetryInfo",
    "supportedGenerationMethods",
    "last_id",
]
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from([*WORDS, KEY, "999999999999999999999999", "1" * 5000])
)
json_values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5)
    ),
    max_leaves=25,
)
statuses = st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 422, 429, 500, 503, 529, 999])
headers = st.dictionaries(
    st.sampled_from(["retry-after", "retry-after-ms", "date", "location", "x-request-id"]),
    st.text(max_size=30) | st.sampled_from(["1e999", "-1", "nan", "Sat, 99 Nov 2026", KEY]),
)


def check(decode: Callable[..., Any], *said: Any) -> None:
    try:
        result = decode(*said)
    except ProviderError as error:
        shown = f"{error}{error!r}{error.message('zh')}"
        assert KEY not in shown
        assert "1234567890" not in shown + error.raw
        assert len(error.data["cause"]) <= 500
        assert len(error.raw) <= 2_000
        assert error.retry_after_s is None or 0 <= error.retry_after_s < float("inf")
    else:
        assert isinstance(result, Reply | list | tuple)


@pytest.mark.parametrize("name", CLASSES)
@given(status=statuses, sent=headers, value=json_values)
def test_any_json_becomes_a_reply_or_a_provider_error(
    name: str, status: int, sent: dict[str, str], value: Any
) -> None:
    body = orjson.dumps(value)
    check(PROVIDERS[name].decode, status, sent, body)
    check(PROVIDERS[name].decode_models, status, sent, body)


@pytest.mark.parametrize("name", CLASSES)
@given(status=statuses, sent=headers, body=st.binary(max_size=200))
def test_any_bytes_become_a_provider_error(
    name: str, status: int, sent: dict[str, str], body: bytes
) -> None:
    check(PROVIDERS[name].decode, status, sent, body)
    check(PROVIDERS[name].decode_models, status, sent, body)


DEEP = 1000
NESTED = [
    b'{"content": [{"type": "tool_use", "input": {"a": ' + b"[" * DEEP + b"]" * DEEP + b"}}]}",
    b'{"choices": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    b"[" * 100_000,
    b'{"error": {"code": ' + b"[" * DEEP + b"]" * DEEP + b', "message": "x"}}',
    b'{"error": {"message": "' + b"9" * 100_000 + b'", "code": "' + b"9" * 6_000 + b'"}}',
]


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("body", NESTED, ids=["tool", "choices", "brackets", "code", "digits"])
def test_a_hostile_body_becomes_a_provider_error(name: str, body: bytes) -> None:
    with pytest.raises(ProviderError):
        PROVIDERS[name].decode(200, {}, body)
