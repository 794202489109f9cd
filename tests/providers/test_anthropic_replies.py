"""What Anthropic's replies and errors become."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

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
    Unauthorised,
)
from corpusmith.providers.anthropic import Anthropic, usage_of
from corpusmith.providers.connect import connection_of
from corpusmith.values import ChatRequest, Message, Reply, Sampling, Schema, Usage

PROVIDER = Anthropic(connection_of(name="test", provider="anthropic"), Secret("sk-ant-canary"))


def message(*content: Any, stop: Any = "end_turn") -> bytes:
    return orjson.dumps(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "m-1",
            "content": list(content),
            "stop_reason": stop,
            "usage": {"input_tokens": 9, "output_tokens": 4},
        }
    )


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def reply(**fields: Any) -> Reply:
    usual = {
        "text": "好",
        "usage": Usage(prompt_tokens=9, completion_tokens=4),
        "model": "m-1",
        "request_id": "msg_1",
    }
    return Reply(**{**usual, **fields})


def error_of(body: bytes | Any, status: int = 200) -> ProviderError:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    with pytest.raises(ProviderError) as caught:
        PROVIDER.decode(status, {}, raw, model="m")
    return caught.value


TOOL = {"type": "tool_use", "id": "t", "name": "x", "input": {"turns": ["你"]}}
REPLIES = {
    "a text": (message(text("好")), reply()),
    "two blocks": (message(text("好"), text("的")), reply(text="好的")),
    "thinking": (
        message(
            {"type": "thinking", "thinking": "想", "signature": "s"},
            {"type": "redacted_thinking", "data": "x"},
            text("好"),
        ),
        reply(reasoning="想"),
    ),
    "a tool call": (
        message(text("Calling."), TOOL, stop="tool_use"),
        reply(text='{"turns":["你"]}'),
    ),
    "stop sequence": (message(text("好"), stop="stop_sequence"), reply()),
    "max tokens": (message(text("好"), stop="max_tokens"), reply(finish="length")),
    "window full": (
        message(text("好"), stop="model_context_window_exceeded"),
        reply(finish="length"),
    ),
    "refusal": (message(stop="refusal"), reply(text="", finish="refusal")),
    "new stop": (message(text("好"), stop="pause_turn"), reply(finish="other")),
}


@pytest.mark.parametrize("name", REPLIES)
def test_an_anthropic_reply_is_read(name: str) -> None:
    body, expected = REPLIES[name]
    assert PROVIDER.decode(200, {}, body) == expected


def test_the_cache_counts_as_input_and_thinking_as_output() -> None:
    counted = {
        "input_tokens": 10,
        "cache_read_input_tokens": 60,
        "cache_creation_input_tokens": 30,
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 20},
    }
    assert usage_of(counted) == Usage(
        prompt_tokens=100, completion_tokens=50, cached_tokens=60, reasoning_tokens=20
    )


def test_an_anthropic_reply_without_text_is_an_error_that_keeps_what_was_paid() -> None:
    for body in (message(), message(text("\n")), message({"type": "thinking", "thinking": "x"})):
        error = error_of(body)
        assert type(error) is EmptyReply
        assert error.usage == Usage(prompt_tokens=9, completion_tokens=4)


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b"{}", b'{"content": "x"}', b"\xff"])
def test_an_anthropic_success_that_is_no_message_is_malformed(body: bytes) -> None:
    assert type(error_of(body)) is MalformedReply


def anthropic_error(kind: str, code: str | None = None) -> dict[str, Any]:
    details = {"error_code": code} if code else None
    return {"type": "error", "error": {"type": kind, "message": "no", "details": details}}


ERRORS: dict[str, tuple[int, Any, type[ProviderError]]] = {
    "bad": (400, anthropic_error("invalid_request_error"), BadRequest),
    "key": (401, anthropic_error("authentication_error"), Unauthorised),
    "money": (402, anthropic_error("billing_error"), QuotaExhausted),
    "forbidden": (403, anthropic_error("permission_error"), Unauthorised),
    "no such model": (404, anthropic_error("not_found_error"), BadRequest),
    "too large": (413, anthropic_error("request_too_large"), BadRequest),
    "slow down": (429, anthropic_error("rate_limit_error"), RateLimited),
    "spend limit": (
        429,
        anthropic_error("rate_limit_error", "enforced_spend_limit_reached"),
        QuotaExhausted,
    ),
    "internal": (500, anthropic_error("api_error"), ServerError),
    "gateway": (504, anthropic_error("timeout_error"), ServerError),
    "busy": (529, anthropic_error("overloaded_error"), Overloaded),
    "busy inside a success": (200, anthropic_error("overloaded_error"), Overloaded),
    "new type": (503, anthropic_error("new_error"), Overloaded),
    "a proxy's page": (502, b"<html>Bad Gateway</html>", ServerError),
    "FastAPI": (404, {"detail": "Not Found"}, BadRequest),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_anthropic_error_is_typed(name: str) -> None:
    status, body, expected = ERRORS[name]
    assert type(error_of(body, status)) is expected


@pytest.mark.parametrize("base_url", ["https://a.example", "https://a.example/v1"])
def test_the_base_url_may_end_in_v1(base_url: str) -> None:
    provider = Anthropic(connection_of(name="t", provider="anthropic", base_url=base_url), None)
    request = ChatRequest(model="m", messages=(Message("user", "x"),))
    assert provider.encode(request).url == "https://a.example/v1/messages"


def test_max_tokens_has_a_default_and_the_seed_is_not_sent() -> None:
    messages = (Message("system", "a"), Message("system", "b"), Message("user", "x"))
    sampling = Sampling(temperature=0.0, seed=7)
    schema = Schema(name="x", body={"type": "object"})
    request = ChatRequest(
        model="m", messages=messages, sampling=sampling, schema=schema, mode="prompt"
    )
    assert orjson.loads(PROVIDER.encode(request).body or b"") == {
        "model": "m",
        "max_tokens": 4096,
        "system": "a\n\nb",
        "messages": [{"role": "user", "content": "x"}],
        "temperature": 0.0,
    }


def test_a_connections_header_may_name_another_version() -> None:
    connection = connection_of(
        name="t", provider="anthropic", headers={"Anthropic-Version": "2023-06-01"}
    )
    request = ChatRequest(model="m", messages=(Message("user", "x"),))
    headers = Anthropic(connection, None).encode(request).headers
    assert headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in headers


def test_an_anthropic_model_list_that_fails_is_typed() -> None:
    with pytest.raises(Unauthorised):
        PROVIDER.decode_models(401, {}, orjson.dumps(anthropic_error("authentication_error")))
    with pytest.raises(MalformedReply):
        PROVIDER.decode_models(200, {}, b"[]")
