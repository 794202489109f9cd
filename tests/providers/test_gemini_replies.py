"""What Gemini's replies and errors become."""

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
from corpusmith.providers.connect import connection_of
from corpusmith.providers.gemini import Gemini, usage_of
from corpusmith.values import ChatRequest, Message, Reply, Sampling, Usage

PROVIDER = Gemini(connection_of(name="test", provider="gemini"), Secret("AIza-canary"))


def generated(*parts: Any, finish: Any = "STOP", **more: Any) -> bytes:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": finish}
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 4}
    return orjson.dumps(
        {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m-1", **more}
    )


def reply(**fields: Any) -> Reply:
    usage = Usage(prompt_tokens=9, completion_tokens=4)
    return Reply(**{"text": "好", "usage": usage, "model": "m-1", **fields})


def error_of(body: bytes | Any, status: int = 200) -> ProviderError:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    with pytest.raises(ProviderError) as caught:
        PROVIDER.decode(status, {}, raw, model="m")
    return caught.value


BLOCKED = orjson.dumps(
    {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 9}}
)

REPLIES = {
    "a text": (generated({"text": "好"}), reply()),
    "two parts": (generated({"text": "好"}, {"text": "的"}), reply(text="好的")),
    "thoughts": (
        generated({"text": "想", "thought": True}, {"text": "好"}),
        reply(reasoning="想"),
    ),
    "max tokens": (generated({"text": "好"}, finish="MAX_TOKENS"), reply(finish="length")),
    "max tokens in the thoughts": (
        generated(finish="MAX_TOKENS"),
        reply(text="", finish="length"),
    ),
    "blocked prompt": (
        BLOCKED,
        Reply(text="", finish="filter", usage=Usage(prompt_tokens=9)),
    ),
    "new finish": (generated({"text": "好"}, finish="LATER"), reply(finish="other")),
    "no finish": (generated({"text": "好"}, finish=None), reply(finish="other")),
    **{
        name: (generated(finish=name), reply(text="", finish="filter"))
        for name in ("SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII")
    },
}


@pytest.mark.parametrize("name", REPLIES)
def test_a_gemini_reply_is_read(name: str) -> None:
    body, expected = REPLIES[name]
    assert PROVIDER.decode(200, {}, body) == expected


def test_thoughts_count_as_output_and_cached_tokens_as_input() -> None:
    counted = {
        "promptTokenCount": 100,
        "toolUsePromptTokenCount": 10,
        "cachedContentTokenCount": 60,
        "candidatesTokenCount": 20,
        "thoughtsTokenCount": 30,
        "totalTokenCount": 160,
    }
    expected = Usage(prompt_tokens=110, completion_tokens=50, cached_tokens=60, reasoning_tokens=30)
    assert usage_of(counted) == expected
    assert expected.total_tokens == 160


def test_a_gemini_reply_without_text_is_an_error_that_keeps_what_was_paid() -> None:
    for body in (generated(), generated({"text": " "}), generated({"inlineData": {}})):
        error = error_of(body)
        assert type(error) is EmptyReply
        assert error.usage == Usage(prompt_tokens=9, completion_tokens=4)


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"", b"[]", b"{}", b'{"candidates": []}', b'{"candidates": "x"}', b'{"a": "\xff"}'],
)
def test_a_gemini_success_that_is_no_answer_is_malformed(body: bytes) -> None:
    assert type(error_of(body)) is MalformedReply


def google_error(code: int, status: str, *details: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": "no", "status": status, "details": list(details)}}


def rpc(name: str, **fields: Any) -> dict[str, Any]:
    return {"@type": f"type.googleapis.com/google.rpc.{name}", **fields}


def quota(name: str) -> dict[str, Any]:
    return rpc("QuotaFailure", violations=[{"quotaId": name, "quotaMetric": "x"}])


EXHAUSTED = "RESOURCE_EXHAUSTED"
WAIT = rpc("RetryInfo", retryDelay="34.5s")
ERRORS = {
    "slow down": (
        429,
        google_error(429, EXHAUSTED, quota("GenerateRequestsPerMinutePerProject"), WAIT),
        (RateLimited, 34.5, None),
    ),
    "the day is over": (
        429,
        google_error(429, EXHAUSTED, quota("GenerateRequestsPerDayPerProjectPerModel"), WAIT),
        (QuotaExhausted, 34.5, None),
    ),
    "wrong key": (
        400,
        google_error(400, "INVALID_ARGUMENT", rpc("ErrorInfo", reason="API_KEY_INVALID")),
        (Unauthorised, None, None),
    ),
    "wrong field": (
        400,
        google_error(
            400,
            "INVALID_ARGUMENT",
            rpc("BadRequest", fieldViolations=[{"field": "generation_config.top_k"}]),
        ),
        (BadRequest, None, "generation_config.top_k"),
    ),
    "no such model": (404, google_error(404, "NOT_FOUND"), (BadRequest, None, None)),
    "forbidden": (403, google_error(403, "PERMISSION_DENIED"), (Unauthorised, None, None)),
    "internal": (500, google_error(500, "INTERNAL"), (ServerError, None, None)),
    "busy": (503, google_error(503, "UNAVAILABLE"), (Overloaded, None, None)),
    "deadline": (504, google_error(504, "DEADLINE_EXCEEDED"), (ServerError, None, None)),
    "in a list": (503, [google_error(503, "UNAVAILABLE")], (Overloaded, None, None)),
    "inside a success": (200, google_error(429, EXHAUSTED, WAIT), (RateLimited, 34.5, None)),
    "odd delay": (
        429,
        google_error(429, EXHAUSTED, rpc("RetryInfo", retryDelay="soon"), "x", {"@type": 7}),
        (RateLimited, None, None),
    ),
    "a text": (400, {"error": "bad"}, (BadRequest, None, None)),
    "FastAPI": (404, {"detail": "Not Found"}, (BadRequest, None, None)),
}


@pytest.mark.parametrize("name", ERRORS)
def test_a_gemini_error_is_typed(name: str) -> None:
    status, body, expected = ERRORS[name]
    error = error_of(body, status)
    assert (type(error), error.retry_after_s, error.parameter) == expected


URLS = {
    "https://g.example": "https://g.example/v1/models/m:generateContent",
    "https://g.example/v1beta": "https://g.example/v1beta/models/m:generateContent",
    "https://g.example/v1": "https://g.example/v1/models/m:generateContent",
    "https://g.example/gate": "https://g.example/gate/v1/models/m:generateContent",
}


@pytest.mark.parametrize("base_url", URLS)
def test_a_version_in_the_base_url_wins(base_url: str) -> None:
    provider = Gemini(connection_of(name="t", provider="gemini", base_url=base_url), None)
    request = ChatRequest(model="m", messages=(Message("user", "x"),))
    assert provider.encode(request).url == URLS[base_url]


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("models/m", "models/m"),
        ("tunedModels/m", "tunedModels/m"),
        ("模型?x=1#y", "models/%E6%A8%A1%E5%9E%8B%3Fx%3D1%23y"),
    ],
)
def test_a_models_name_is_quoted_in_the_path(model: str, path: str) -> None:
    request = ChatRequest(model=model, messages=(Message("user", "x"),))
    url = PROVIDER.encode(request).url
    assert url == f"https://generativelanguage.googleapis.com/v1/{path}:generateContent"


def test_gemini_extra_fields_are_merged_into_the_body() -> None:
    sampling = Sampling(temperature=0.0, extra={"generationConfig": {"topK": 4}, "a": 1})
    request = ChatRequest(model="m", messages=(Message("user", "x"),), sampling=sampling)
    assert orjson.loads(PROVIDER.encode(request).body or b"") == {
        "contents": [{"role": "user", "parts": [{"text": "x"}]}],
        "generationConfig": {"temperature": 0.0, "topK": 4},
        "a": 1,
    }


def test_a_gemini_model_list_that_fails_is_typed() -> None:
    with pytest.raises(Unauthorised):
        PROVIDER.decode_models(403, {}, orjson.dumps(google_error(403, "PERMISSION_DENIED")))
    with pytest.raises(MalformedReply):
        PROVIDER.decode_models(200, {}, b"{}")
