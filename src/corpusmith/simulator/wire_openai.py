"""OpenAI's chat completions on the wire.

Owns: how a request is read, and how replies, chunks, errors and model lists are written.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

import orjson

from corpusmith.simulator.asks import (
    Answer,
    Ask,
    BadBody,
    Mode,
    Problem,
    mapping,
    positive,
    stops,
    within,
)
from corpusmith.values import Json

NAME = "openai"
CREATED = 1_735_689_600
_FINISH = {"stop": "stop", "stop_sequence": "stop", "length": "length", "refusal": "stop"}
_CHUNK_CHARS = 12


def key(headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    """The caller's key, or ""."""
    return headers.get("authorization", "").removeprefix("Bearer ").strip()


def read(body: Mapping[str, Json], model: str, headers: Mapping[str, str]) -> Ask:
    """The request. Raises BadBody as the vendor does."""
    system, messages = _messages(body.get("messages"))
    _check_numbers(body)
    mode, place, schema, tool = _format(body)
    if mode == "json" and not _says_json(system, messages):
        raise BadBody(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of "
            "type 'json_object'.",
            "messages",
        )
    wanted = body.get("max_completion_tokens")
    limit = positive(body.get("max_tokens") if wanted is None else wanted, "max_tokens")
    return Ask(
        model=named_model(body),
        system=system,
        messages=messages,
        mode=mode,
        schema=schema,
        schema_place=place,
        tool=tool,
        max_tokens=limit,
        stop=stops(body.get("stop"), "stop"),
        thinking=_thinks(body),
        stream=body.get("stream") is True,
        stream_usage=mapping(body.get("stream_options"), "stream_options").get("include_usage")
        is True,
    )


def good(ask: Ask, answer: Answer) -> Json:
    """The whole reply."""
    message: dict[str, Json] = {"role": "assistant", "content": answer.text, "refusal": None}
    if answer.reasoning is not None:
        message["reasoning_content"] = answer.reasoning
    finish = _FINISH[answer.finish]
    if answer.finish == "refusal":
        message |= {"content": None, "refusal": answer.text}
    elif answer.tool:
        message |= {"content": None, "tool_calls": [_tool_call(answer)]}
        finish = "tool_calls" if finish == "stop" and not ask.tool else finish
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return {
        "id": f"chatcmpl-{answer.id}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": ask.model,
        "choices": [] if answer.no_choices else [choice],
        "usage": _usage(answer),
        "service_tier": "default",
        "system_fingerprint": f"fp_{answer.id[:10]}",
    }


def chunks(ask: Ask, answer: Answer) -> Iterator[bytes]:
    """The reply as server-sent events, `[DONE]` last."""
    frame: dict[str, Json] = {
        "id": f"chatcmpl-{answer.id}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": ask.model,
        "service_tier": "default",
        "system_fingerprint": f"fp_{answer.id[:10]}",
    }
    rest: dict[str, Json] = {"usage": None} if ask.stream_usage else {}
    if not answer.no_choices:
        for delta, finish in _deltas(ask, answer):
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
            yield _event(frame | {"choices": [choice]} | rest)
    if ask.stream_usage:
        yield _event(frame | {"choices": [], "usage": _usage(answer)})
    yield b"data: [DONE]\n\n"


def error(problem: Problem, request_id: str) -> Json:
    """An error in the vendor's shape."""
    kind, code = "invalid_request_error", None
    if problem.status == 401:
        code = "invalid_api_key"
    elif problem.status == 429:
        kind, code = problem.limit or "requests", "rate_limit_exceeded"
    elif problem.status >= 500:
        kind = "server_error"
    elif problem.parameter and problem.parameter.startswith("response_format"):
        code = "unsupported_parameter"
    shown = {"message": problem.message, "type": kind, "param": problem.parameter, "code": code}
    return {"error": shown}


def error_headers(problem: Problem, request_id: str) -> list[tuple[str, str]]:
    """Headers of an error."""
    found = [("x-request-id", f"req_{request_id}")]
    if problem.retry_after_s is not None:
        found.append(("retry-after", str(max(1, round(problem.retry_after_s + 0.49)))))
        found.append(("retry-after-ms", str(max(1, round(problem.retry_after_s * 1000)))))
    return found


def good_headers(answer: Answer) -> list[tuple[str, str]]:
    """Headers of a reply."""
    return [("x-request-id", f"req_{answer.id}")]


def models(names: Sequence[str]) -> Json:
    """The model list."""
    data = [
        {"id": name, "object": "model", "created": CREATED, "owned_by": "corpusmith"}
        for name in names
    ]
    return {"object": "list", "data": data}


# ---------------------------------------------------------------- reading


def named_model(body: Mapping[str, Json]) -> str:
    """The model that a request names. Raises BadBody."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise BadBody("you must provide a model parameter", "model")
    return model


def _messages(value: Json) -> tuple[str, tuple[tuple[str, str], ...]]:
    if not isinstance(value, list) or not value:
        raise BadBody("Missing required parameter: 'messages'.", "messages")
    system: list[str] = []
    messages: list[tuple[str, str]] = []
    for index, message in enumerate(value):
        place = f"messages[{index}]"
        role = mapping(message, place).get("role")
        if role not in ("system", "developer", "user", "assistant", "tool"):
            raise BadBody(f"Invalid value for '{place}.role'.", f"{place}.role")
        text = text_of(message.get("content"), f"{place}.content")
        if role in ("system", "developer"):
            system.append(text)
        else:
            messages.append(("assistant" if role == "assistant" else "user", text))
    return "\n".join(system), tuple(messages)


def text_of(content: Json, place: str) -> str:
    """The text of a message's content: a string, or parts. Raises BadBody."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise BadBody(f"Invalid type for '{place}': expected a string or an array.", place)
    texts = [part.get("text") for part in content if isinstance(part, dict)]
    return "\n".join(text for text in texts if isinstance(text, str))


def _check_numbers(body: Mapping[str, Json]) -> None:
    within(body.get("temperature"), "temperature", 0, 2)
    within(body.get("top_p"), "top_p", 0, 1)
    within(body.get("n"), "n", 1, 1)


def _says_json(system: str, messages: tuple[tuple[str, str], ...]) -> bool:
    return "json" in system.lower() or any("json" in text.lower() for _, text in messages)


def _thinks(body: Mapping[str, Json]) -> bool:
    effort = body.get("reasoning_effort")
    if isinstance(effort, str):
        return effort not in ("none", "minimal")
    return body.get("enable_thinking") is True or "reasoner" in str(body.get("model"))


def _format(body: Mapping[str, Json]) -> tuple[Mode, str, Json, str]:
    """(mode, place, schema, tool)."""
    wish = mapping(body.get("response_format"), "response_format")
    kind = wish.get("type", "text")
    if kind == "json_schema":
        inner = mapping(wish.get("json_schema"), "response_format.json_schema")
        if "schema" not in inner or not isinstance(inner.get("name"), str):
            place = "response_format.json_schema"
            raise BadBody(f"Missing required parameter: '{place}.schema' or '.name'.", place)
        return "schema", "response_format", inner["schema"], ""
    if kind == "json_object":
        return "json", "response_format", None, ""
    if kind != "text":
        place = "response_format.type"
        raise BadBody(f"Invalid value for '{place}'.", place)
    if "guided_json" in body:  # older vLLM
        return "schema", "guided_json", body["guided_json"], ""
    return _tool(body)


def _tool(body: Mapping[str, Json]) -> tuple[Mode, str, Json, str]:
    choice = body.get("tool_choice")
    if choice != "required" and not isinstance(choice, dict):
        return "text", "", None, ""
    wanted = mapping(choice.get("function"), "tool_choice") if isinstance(choice, dict) else {}
    for tool in body.get("tools") or []:
        function = mapping(mapping(tool, "tools").get("function"), "tools")
        if not wanted or function.get("name") == wanted.get("name"):
            return "tool", "tools", function.get("parameters", {}), str(function.get("name"))
    raise BadBody("Tool choice names a tool that is not in 'tools'.", "tool_choice")


# ---------------------------------------------------------------- writing


def _tool_call(answer: Answer) -> Json:
    call = {"name": answer.tool, "arguments": answer.text}
    return {"id": f"call_{answer.id}", "type": "function", "function": call}


def _usage(answer: Answer) -> Json:
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": answer.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": answer.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _deltas(ask: Ask, answer: Answer) -> Iterator[tuple[Json, str | None]]:
    yield {"role": "assistant", "content": "", "refusal": None}, None
    for piece in _pieces(answer.reasoning or ""):
        yield {"reasoning_content": piece}, None
    if answer.tool:
        yield {"tool_calls": [{"index": 0, **_tool_call(answer)}]}, None
    else:
        field = "refusal" if answer.finish == "refusal" else "content"
        for piece in _pieces(answer.text):
            yield {field: piece}, None
    yield {}, _FINISH[answer.finish]


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), _CHUNK_CHARS):
        yield text[start : start + _CHUNK_CHARS]


def _event(value: Json) -> bytes:
    return b"data: " + orjson.dumps(value) + b"\n\n"
