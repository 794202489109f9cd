"""What the OpenAI protocol's replies and errors become."""

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
    Transient,
    Unauthorised,
)
from corpusmith.providers.connect import connection_of
from corpusmith.providers.openai import OpenAI, usage_of
from corpusmith.values import ChatRequest, Message, Reply, Sampling, Usage

KEY = "sk-canary-1234567890"
PROVIDER = OpenAI(connection_of(name="test", base_url="https://x.example/v1"), Secret(KEY))
USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}


def completion(message: Any = None, finish: Any = "stop", **more: Any) -> bytes:
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return orjson.dumps({"id": "c-1", "model": "m-1", "choices": [choice], "usage": USAGE, **more})


def said(text: Any = "好", **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **more}


def reply(**fields: Any) -> Reply:
    usual = {
        "text": "好",
        "usage": Usage(prompt_tokens=9, completion_tokens=4),
        "model": "m-1",
        "request_id": "c-1",
    }
    return Reply(**{**usual, **fields})


def error_of(
    body: bytes | Any, status: int = 200, headers: dict[str, str] | None = None
) -> ProviderError:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    with pytest.raises(ProviderError) as caught:
        PROVIDER.decode(status, headers or {}, raw, model="m")
    return caught.value


REPLIES = {
    "a text": (completion(said()), reply()),
    "reasoning_content": (
        completion(said(reasoning_content="想")),
        reply(reasoning="想"),
    ),
    "reasoning": (completion(said(reasoning="想")), reply(reasoning="想")),
    "text in parts": (
        completion(said([{"type": "text", "text": "好"}, {"type": "text", "text": "的"}])),
        reply(text="好的"),
    ),
    "length": (completion(said(), "length"), reply(finish="length")),
    "length without a text": (completion(said(None), "length"), reply(text="", finish="length")),
    "refusal": (
        completion(said(None, refusal="I can't.")),
        reply(text="I can't.", finish="refusal"),
    ),
    "filter": (completion(said(None), "content_filter"), reply(text="", finish="filter")),
    "filter of Zhipu": (completion(said(""), "sensitive"), reply(text="", finish="filter")),
    "an unknown finish": (completion(said(), "tool_calls"), reply(finish="other")),
    "no finish": (completion(said(), None), reply(finish="other")),
    "no usage": (completion(said(), usage=None), reply(usage=None)),
}


@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_is_read(name: str) -> None:
    body, expected = REPLIES[name]
    assert PROVIDER.decode(200, {}, body) == expected


def test_the_headers_of_a_reply_tell_its_id_and_that_it_is_simulated() -> None:
    headers = {"x-request-id": "req-1", "x-simulated-by": "corpusmith"}
    expected = reply(request_id="req-1", simulated=True)
    assert PROVIDER.decode(200, headers, completion(said())) == expected


COUNTS = {
    "openai": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "total_tokens": 150,
            "prompt_tokens_details": {"cached_tokens": 64},
            "completion_tokens_details": {"reasoning_tokens": 30},
        },
        Usage(prompt_tokens=100, completion_tokens=50, cached_tokens=64, reasoning_tokens=30),
    ),
    "deepseek": (
        {"prompt_tokens": 100, "completion_tokens": 50, "prompt_cache_hit_tokens": 64},
        Usage(prompt_tokens=100, completion_tokens=50, cached_tokens=64),
    ),
    "moonshot": (
        {"prompt_tokens": 100, "completion_tokens": 50, "cached_tokens": 64},
        Usage(prompt_tokens=100, completion_tokens=50, cached_tokens=64),
    ),
    "reasoning beside the completion": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 45,
            "completion_tokens_details": {"reasoning_tokens": 30},
        },
        Usage(prompt_tokens=10, completion_tokens=35, reasoning_tokens=30),
    ),
    "nonsense": (
        {"prompt_tokens": -1, "completion_tokens": "5", "prompt_tokens_details": [], "x": 10**17},
        Usage(),
    ),
    "more cached than sent": (
        {"prompt_tokens": 1, "cached_tokens": 7},
        Usage(prompt_tokens=1, cached_tokens=1),
    ),
    "empty": ({}, None),
    "a text": ("many", None),
}


@pytest.mark.parametrize("name", COUNTS)
def test_tokens_are_counted(name: str) -> None:
    counted, expected = COUNTS[name]
    assert usage_of(counted) == expected


def test_a_reply_without_text_is_an_error_that_keeps_what_was_paid() -> None:
    for text in (None, "", " \n", [], 7):
        error = error_of(completion(said(text)))
        assert type(error) is EmptyReply
        assert error.usage == Usage(prompt_tokens=9, completion_tokens=4)


def test_an_answer_that_the_endpoint_gave_up_is_overload() -> None:
    error = error_of(completion(said("half"), "insufficient_system_resource"))
    assert type(error) is Overloaded
    assert error.usage == Usage(prompt_tokens=9, completion_tokens=4)


MALFORMED = {
    "HTML": b"<!doctype html><title>Welcome to nginx!</title>",
    "nothing": b"",
    "invalid UTF-8": b'{"choices": [{"message": {"content": "\xff\xfe"}}]}',
    "cut": b'{"choices": [{"mess',
    "no choices": b'{"id": "x"}',
    "empty choices": b'{"choices": []}',
    "choices no list": b'{"choices": {"a": 1}}',
    "a choice no object": b'{"choices": [7]}',
    "a choice without a message": b'{"choices": [{"text": "old"}]}',
    "null": b"null",
    "a number": b"42",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_success_that_is_no_completion_is_malformed(name: str) -> None:
    error = error_of(MALFORMED[name])
    assert (type(error), error.status) == (MalformedReply, 200)
    assert error.raw == MALFORMED[name].decode("utf-8", "replace")


def error_body(message: str = "no", **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "t", "param": None, "code": None, **fields}}


STATUSES: dict[int, type[ProviderError]] = {
    400: BadRequest,
    401: Unauthorised,
    402: QuotaExhausted,
    403: Unauthorised,
    404: BadRequest,
    405: BadRequest,
    408: Transient,
    409: Transient,
    413: BadRequest,
    422: BadRequest,
    425: Transient,
    429: RateLimited,
    451: BadRequest,
    500: ServerError,
    502: ServerError,
    503: Overloaded,
    504: ServerError,
    529: Overloaded,
    599: ServerError,
}


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_becomes_its_error(status: int) -> None:
    error = error_of(error_body("too bad"), status)
    assert type(error) is STATUSES[status]
    assert (error.status, error.data) == (
        status,
        {
            "status": status,
            "cause": "too bad",
            "model": "m",
            "endpoint": "https://x.example/v1",
            "connection": "test",
        },
    )


CODES = {
    "OpenAI: no money": (429, error_body(code="insufficient_quota"), QuotaExhausted),
    "OpenAI: slow down": (429, error_body(code="rate_limit_exceeded"), RateLimited),
    "Moonshot: no money": (429, error_body(type="exceeded_current_quota_error"), QuotaExhausted),
    "Moonshot: busy": (429, error_body(type="engine_overloaded_error"), Overloaded),
    "DashScope: no money": (400, error_body(code="Arrearage"), QuotaExhausted),
    "Zhipu: no money": (429, error_body(code="1113"), QuotaExhausted),
    "Zhipu: slow down": (429, error_body(code="1302"), RateLimited),
    "wrong key as a 400": (400, error_body(code="invalid_api_key"), Unauthorised),
    "OpenRouter: 429 in a 200": (200, error_body(code=429), RateLimited),
    "OpenRouter: 502 in a 200": (200, error_body(code=502), ServerError),
    "OpenRouter: 402 in a 200": (200, error_body(code=402), QuotaExhausted),
    "code as text in a 200": (200, error_body(code="503"), Overloaded),
    "no code in a 200": (200, error_body(), Transient),
    "Gemini's compatible face": (429, [error_body(code=429)], RateLimited),
    "vLLM, flat": (404, {"object": "error", "message": "x", "code": 404}, BadRequest),
    "MiniMax: no money": (
        200,
        {"choices": None, "base_resp": {"status_code": 1008, "status_msg": "x"}},
        QuotaExhausted,
    ),
    "MiniMax: slow down": (200, {"base_resp": {"status_code": 1002}}, RateLimited),
    "MiniMax: wrong key": (200, {"base_resp": {"status_code": 1004}}, Unauthorised),
    "MiniMax: new": (200, {"base_resp": {"status_code": 9999}}, Transient),
}


@pytest.mark.parametrize("name", CODES)
def test_a_vendors_code_becomes_its_error(name: str) -> None:
    status, body, expected = CODES[name]
    assert type(error_of(body, status)) is expected


FILTERED = {
    "Azure": (400, error_body(code="content_filter")),
    "DashScope": (400, error_body(code="data_inspection_failed")),
    "Zhipu": (400, error_body(code="1301")),
    "OpenRouter": (403, error_body(code=403, metadata={"reasons": ["violence"]})),
    "MiniMax": (200, {"base_resp": {"status_code": 1026, "status_msg": "x"}}),
}


@pytest.mark.parametrize("name", FILTERED)
def test_a_prompt_that_is_filtered_is_the_items_end_and_not_the_tasks(name: str) -> None:
    status, body = FILTERED[name]
    assert PROVIDER.decode(status, {}, orjson.dumps(body)) == Reply(text="", finish="filter")


PARAMETERS = {
    "OpenAI": (error_body(param="temperature"), "temperature", "no"),
    "FastAPI, a list": (
        {"detail": [{"loc": ["body", "messages", 0, "role"], "msg": "bad", "type": "x"}]},
        "messages.0.role",
        "messages.0.role: bad",
    ),
    "FastAPI, a text": ({"detail": "Not Found"}, None, "Not Found"),
    "FastAPI, an object": ({"detail": {"message": "x", "param": "n"}}, "n", "x"),
    "a text": ({"error": "model 'x' not found"}, None, "model 'x' not found"),
    "unknown": ({"oops": [1]}, None, '{"oops":[1]}'),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_refused_parameter_is_named(name: str) -> None:
    body, parameter, cause = PARAMETERS[name]
    error = error_of(body, 422)
    assert (type(error), error.parameter, error.data["cause"]) == (BadRequest, parameter, cause)


def test_an_error_in_plain_text_is_shown_without_control_characters() -> None:
    error = error_of(b"\x1b[31mupstream\x00 down\r\n" + b"x" * 900, 502)
    assert error.data["cause"] == ("[31mupstream down " + "x" * 900)[:500]


def test_an_empty_error_names_its_status() -> None:
    assert error_of(b"", 404).data["cause"] == "HTTP 404"


def test_a_redirect_says_where_to() -> None:
    error = error_of(b"", 301, {"location": "https://x.example/v2/"})
    assert (type(error), error.reason, error.data["cause"]) == (
        BadRequest,
        "redirected",
        "redirects to https://x.example/v2/",
    )


def test_a_model_list_is_read() -> None:
    rows = [{"id": "b"}, {"id": "a"}, {"name": "nameless"}, 7]
    assert PROVIDER.decode_models(200, {}, orjson.dumps({"data": rows})) == ["b", "a"]
    assert PROVIDER.decode_models(200, {}, orjson.dumps(rows)) == ["b", "a"]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"<html>", MalformedReply),
        (200, b"{}", MalformedReply),
        (200, b'{"error": {"code": 401}}', Unauthorised),
        (404, b'{"detail": "Not Found"}', BadRequest),
        (500, b"Internal Server Error", ServerError),
        (400, b'{"error": {"code": "content_filter"}}', BadRequest),
    ],
)
def test_a_model_list_that_fails_is_typed(
    status: int, body: bytes, expected: type[ProviderError]
) -> None:
    with pytest.raises(ProviderError) as caught:
        PROVIDER.decode_models(status, {}, body)
    assert type(caught.value) is expected


def test_extra_fields_are_laid_over_the_body_and_the_calls_win() -> None:
    connection = connection_of(
        name="test",
        base_url="https://x.example/v1",
        extra={"enable_thinking": False, "options": {"a": 1, "b": 1}},
    )
    sampling = Sampling(temperature=0.0, extra={"options": {"b": 2}, "temperature": 1.5})
    request = ChatRequest(model="m", messages=(Message("user", "x"),), sampling=sampling)
    assert orjson.loads(OpenAI(connection, None).encode(request).body or b"") == {
        "model": "m",
        "messages": [{"role": "user", "content": "x"}],
        "temperature": 1.5,
        "enable_thinking": False,
        "options": {"a": 1, "b": 2},
    }


def test_what_is_not_set_is_not_sent() -> None:
    request = ChatRequest(model="m", messages=(Message("user", "x"),))
    assert orjson.loads(PROVIDER.encode(request).body or b"") == {
        "model": "m",
        "messages": [{"role": "user", "content": "x"}],
    }
