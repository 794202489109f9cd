"""Anthropic's messages on the wire.

Owns: how a request is read, and how replies, errors and model lists are written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from corpusmith.simulator.wire_openai import text_of
from corpusmith.values import Json

NAME = "anthropic"
_FINISH = {
    "stop": "end_turn",
    "length": "max_tokens",
    "stop_sequence": "stop_sequence",
    "refusal": "refusal",
}
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def key(headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    """The caller's key, or ""."""
    bearer = headers.get("authorization", "").removeprefix("Bearer ").strip()
    return headers.get("x-api-key", "").strip() or bearer


def read(body: Mapping[str, Json], model: str, headers: Mapping[str, str]) -> Ask:
    """The request. Raises BadBody as the vendor does."""
    if "anthropic-version" not in headers:
        raise BadBody("anthropic-version: header is required", "anthropic-version")
    if not isinstance(body.get("model"), str):
        raise BadBody("model: Field required", "model")
    if body.get("max_tokens") is None:
        raise BadBody("max_tokens: Field required", "max_tokens")
    if body.get("stream") is True:
        raise BadBody("stream: the simulator streams the OpenAI protocol only", "stream")
    within(body.get("temperature"), "temperature", 0, 1)
    within(body.get("top_p"), "top_p", 0, 1)
    mode, place, schema, tool = _format(body)
    thinking = mapping(body.get("thinking"), "thinking").get("type")
    return Ask(
        model=body["model"],
        system=text_of(body.get("system"), "system"),
        messages=_messages(body.get("messages")),
        mode=mode,
        schema=schema,
        schema_place=place,
        tool=tool,
        max_tokens=positive(body["max_tokens"], "max_tokens"),
        stop=stops(body.get("stop_sequences"), "stop_sequences"),
        thinking=thinking in ("enabled", "adaptive"),
    )


def good(ask: Ask, answer: Answer) -> Json:
    """The whole reply."""
    stop_reason = _FINISH[answer.finish]
    if answer.tool and answer.finish == "stop":
        stop_reason = "tool_use"
    details = None
    if answer.finish == "refusal":
        details = {"type": "refusal", "category": None, "explanation": answer.text}
    return {
        "id": f"msg_{answer.id}",
        "type": "message",
        "role": "assistant",
        "model": ask.model,
        "content": _blocks(answer),
        "stop_reason": stop_reason,
        "stop_sequence": answer.stop_sequence,
        "stop_details": details,
        "usage": {
            "input_tokens": answer.prompt_tokens - answer.cached_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": answer.cached_tokens,
            "output_tokens": answer.completion_tokens,
            "output_tokens_details": {"thinking_tokens": answer.reasoning_tokens},
            "service_tier": "standard",
        },
    }


def error(problem: Problem, request_id: str) -> Json:
    """An error in the vendor's shape."""
    default = "api_error" if problem.status >= 500 else "invalid_request_error"
    shown = {"type": _KINDS.get(problem.status, default), "message": problem.message}
    return {"type": "error", "error": shown, "request_id": f"req_{request_id}"}


def error_headers(problem: Problem, request_id: str) -> list[tuple[str, str]]:
    """Headers of an error."""
    found = [("request-id", f"req_{request_id}")]
    if problem.retry_after_s is not None:
        found.append(("retry-after", str(max(1, round(problem.retry_after_s + 0.49)))))
    return found


def good_headers(answer: Answer) -> list[tuple[str, str]]:
    """Headers of a reply."""
    return [("request-id", f"req_{answer.id}")]


def models(names: Sequence[str]) -> Json:
    """The model list."""
    data = [
        {
            "type": "model",
            "id": name,
            "display_name": name,
            "created_at": "2025-01-01T00:00:00Z",
            "lifecycle": "active",
        }
        for name in names
    ]
    ends = {"first_id": names[0] if names else None, "last_id": names[-1] if names else None}
    return {"data": data, "has_more": False, **ends}


# ---------------------------------------------------------------- reading and writing


def _messages(value: Json) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list) or not value:
        raise BadBody("messages: Field required", "messages")
    messages = []
    for index, message in enumerate(value):
        role = mapping(message, f"messages.{index}").get("role")
        if role not in ("user", "assistant"):
            place = f"messages.{index}.role"
            raise BadBody(f"{place}: Input should be 'user' or 'assistant'", place)
        text = text_of(message.get("content"), f"messages.{index}.content")
        messages.append((role, text))
    return tuple(messages)


def _format(body: Mapping[str, Json]) -> tuple[Mode, str, Json, str]:
    """(mode, place, schema, tool)."""
    config = mapping(body.get("output_config"), "output_config")
    for place, wish in (
        ("output_config.format", config.get("format")),
        ("output_format", body.get("output_format")),  # the beta's older name
    ):
        if wish is not None:
            found = mapping(wish, place)
            if found.get("type") != "json_schema" or "schema" not in found:
                raise BadBody(f"{place}: Input should be a json_schema format", place)
            return "schema", place, found["schema"], ""
    return _tool(body)


def _tool(body: Mapping[str, Json]) -> tuple[Mode, str, Json, str]:
    choice = mapping(body.get("tool_choice"), "tool_choice")
    if choice.get("type") not in ("tool", "any"):
        return "text", "", None, ""
    for tool in body.get("tools") or []:
        found = mapping(tool, "tools")
        if choice["type"] == "any" or found.get("name") == choice.get("name"):
            return "tool", "tools", found.get("input_schema", {}), str(found.get("name"))
    raise BadBody("tool_choice: Tool not found in provided tools", "tool_choice")


def _blocks(answer: Answer) -> list[Json]:
    blocks: list[Json] = []
    if answer.reasoning is not None:
        signature = f"sim{answer.id}"
        blocks.append({"type": "thinking", "thinking": answer.reasoning, "signature": signature})
    if answer.finish == "refusal" or answer.no_choices or not answer.text:
        return blocks
    arguments = _arguments(answer)
    if arguments is None:
        blocks.append({"type": "text", "text": answer.text})
    else:
        use = {"type": "tool_use", "id": f"toolu_{answer.id}", "name": answer.tool}
        blocks.append({**use, "input": arguments})
    return blocks


def _arguments(answer: Answer) -> Json:
    """A tool's arguments as an object; None: the text is not that, so it is shown as text."""
    if not answer.tool:
        return None
    try:
        found = orjson.loads(answer.text)
    except orjson.JSONDecodeError:
        # Cut at max tokens: the vendor then sends what it has, here nothing.
        return {} if answer.finish == "length" else None
    return found if isinstance(found, dict) else None
