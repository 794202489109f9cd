"""Gemini's generateContent on the wire.

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
from corpusmith.values import Json

NAME = "gemini"
_FINISH = {"stop": "STOP", "stop_sequence": "STOP", "length": "MAX_TOKENS", "refusal": "SAFETY"}
_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    529: "UNAVAILABLE",
}
_HARMS = (
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
)


def key(headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    """The caller's key, or ""."""
    return headers.get("x-goog-api-key", "").strip() or query.get("key", "")


def read(body: Mapping[str, Json], model: str, headers: Mapping[str, str]) -> Ask:
    """The request. Raises BadBody as the vendor does."""
    config = mapping(_get(body, "generationConfig"), "generation_config")
    within(config.get("temperature"), "generation_config.temperature", 0, 2)
    within(_get(config, "topP"), "generation_config.top_p", 0, 1)
    within(_get(config, "candidateCount"), "generation_config.candidate_count", 1, 1)
    mode, place, schema, tool = _format(body, config)
    thinking = mapping(_get(config, "thinkingConfig"), "generation_config.thinking_config")
    limit = _get(config, "maxOutputTokens")
    return Ask(
        model=model,
        system=_parts(_get(body, "systemInstruction"), "system_instruction"),
        messages=_messages(body.get("contents")),
        mode=mode,
        schema=schema,
        schema_place=place,
        gemini_schema=place.endswith("response_schema") or mode == "tool",
        tool=tool,
        max_tokens=positive(limit, "generation_config.max_output_tokens"),
        stop=stops(_get(config, "stopSequences"), "generation_config.stop_sequences"),
        thinking=_get(thinking, "includeThoughts") is True,
    )


def good(ask: Ask, answer: Answer) -> Json:
    """The whole reply."""
    visible = answer.completion_tokens - answer.reasoning_tokens
    usage = {
        "promptTokenCount": answer.prompt_tokens,
        "candidatesTokenCount": visible,
        "totalTokenCount": answer.prompt_tokens + answer.completion_tokens,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": answer.prompt_tokens}],
    }
    if answer.cached_tokens:
        usage["cachedContentTokenCount"] = answer.cached_tokens
    if answer.reasoning_tokens:
        usage["thoughtsTokenCount"] = answer.reasoning_tokens
    reply: dict[str, Json] = {"candidates": [_candidate(answer)]}
    if answer.no_choices:
        reply = {}
    return {
        **reply,
        "usageMetadata": usage,
        "modelVersion": ask.model,
        "responseId": answer.id,
    }


def error(problem: Problem, request_id: str) -> Json:
    """An error in the vendor's shape."""
    status = _STATUS.get(problem.status, "UNKNOWN")
    details: list[Json] = []
    if problem.status == 401:
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        details.append({"@type": kind, "reason": "API_KEY_INVALID", "domain": "googleapis.com"})
    if problem.parameter is not None:
        kind = "type.googleapis.com/google.rpc.BadRequest"
        violation = {"field": problem.parameter, "description": problem.message}
        details.append({"@type": kind, "fieldViolations": [violation]})
    if problem.retry_after_s is not None:
        kind = "type.googleapis.com/google.rpc.RetryInfo"
        details.append({"@type": kind, "retryDelay": f"{problem.retry_after_s:.3f}s"})
    shown: dict[str, Json] = {
        "code": problem.status,
        "message": problem.message,
        "status": status,
    }
    return {"error": shown | ({"details": details} if details else {})}


def error_headers(problem: Problem, request_id: str) -> list[tuple[str, str]]:
    """Headers of an error."""
    if problem.retry_after_s is None:
        return []
    return [("retry-after", str(max(1, round(problem.retry_after_s + 0.49))))]


def good_headers(answer: Answer) -> list[tuple[str, str]]:
    """Headers of a reply."""
    return []


def models(names: Sequence[str]) -> Json:
    """The model list."""
    found = [
        {
            "name": f"models/{name}",
            "version": "001",
            "displayName": name,
            "description": "Corpusmith's offline simulator",
            "inputTokenLimit": 1_048_576,
            "outputTokenLimit": 65_536,
            "supportedGenerationMethods": ["generateContent"],
            "temperature": 1,
            "topP": 0.95,
            "topK": 64,
            "maxTemperature": 2,
        }
        for name in names
    ]
    return {"models": found}


# ---------------------------------------------------------------- reading


def _get(values: Mapping[str, Json], name: str) -> Json:
    """A field by its camel case name; the vendor takes snake case too."""
    if name in values:
        return values[name]
    return values.get("".join(f"_{c.lower()}" if c.isupper() else c for c in name))


def _parts(content: Json, place: str) -> str:
    if isinstance(content, str):
        return content
    parts = mapping(content, place).get("parts") or []
    if isinstance(parts, dict):
        parts = [parts]
    if not isinstance(parts, list):
        raise BadBody(f"Invalid value at '{place}.parts'", f"{place}.parts")
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    return "\n".join(text for text in texts if isinstance(text, str))


def _messages(value: Json) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list) or not value:
        raise BadBody("* GenerateContentRequest.contents: contents is not specified", "contents")
    messages = []
    for index, content in enumerate(value):
        role = mapping(content, f"contents[{index}]").get("role", "user")
        if role not in ("user", "model", "function"):
            place = f"contents[{index}].role"
            raise BadBody("Please use a valid role: user, model.", place)
        text = _parts(content, f"contents[{index}]")
        messages.append(("assistant" if role == "model" else "user", text))
    return tuple(messages)


def _format(body: Mapping[str, Json], config: Mapping[str, Json]) -> tuple[Mode, str, Json, str]:
    """(mode, place, schema, tool)."""
    for name, place in (
        ("responseJsonSchema", "generation_config.response_json_schema"),
        ("responseSchema", "generation_config.response_schema"),
    ):
        schema = _get(config, name)
        if schema is not None:
            if _get(config, "responseMimeType") not in ("application/json", "text/x.enum"):
                raise BadBody(f"{place} needs response_mime_type 'application/json'", place)
            return "schema", place, schema, ""
    if _get(config, "responseMimeType") == "application/json":
        return "json", "generation_config.response_mime_type", None, ""
    return _tool(body)


def _tool(body: Mapping[str, Json]) -> tuple[Mode, str, Json, str]:
    outer = mapping(_get(body, "toolConfig"), "tool_config")
    calling = mapping(_get(outer, "functionCallingConfig"), "tool_config")
    if calling.get("mode") != "ANY":
        return "text", "", None, ""
    allowed = _get(calling, "allowedFunctionNames")
    for tool in body.get("tools") or []:
        for function in _get(mapping(tool, "tools"), "functionDeclarations") or []:
            name = mapping(function, "tools").get("name")
            if not allowed or name in allowed:
                schema = _get(function, "parametersJsonSchema") or function.get("parameters")
                return "tool", "tools", schema or {"type": "object"}, str(name)
    raise BadBody("tool_config: no function declaration to call", "tool_config")


# ---------------------------------------------------------------- writing


def _candidate(answer: Answer) -> Json:
    parts: list[Json] = []
    if answer.reasoning is not None:
        parts.append({"text": answer.reasoning, "thought": True})
    if answer.finish == "refusal":
        ratings: list[Json] = [{"category": name, "probability": "NEGLIGIBLE"} for name in _HARMS]
        ratings[3] = {"category": _HARMS[3], "probability": "HIGH", "blocked": True}
        return {"finishReason": "SAFETY", "index": 0, "safetyRatings": ratings}
    if answer.text:
        parts.append(_part(answer))
    content: dict[str, Json] = {"parts": parts, "role": "model"} if parts else {"role": "model"}
    return {"content": content, "finishReason": _FINISH[answer.finish], "index": 0}


def _part(answer: Answer) -> Json:
    if answer.tool:
        try:
            arguments = orjson.loads(answer.text)
        except orjson.JSONDecodeError:
            arguments = None  # not a call: shown as the text that it is
        if isinstance(arguments, dict):
            return {"functionCall": {"name": answer.tool, "args": arguments}}
    return {"text": answer.text}
