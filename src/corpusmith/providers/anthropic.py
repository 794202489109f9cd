"""Anthropic's protocol, Messages.

Owns: the body of a request, the meaning of a reply and of an error. Does not own: sockets
(`transport.py`), what a status means (`failures.py`), the words that ask for JSON in a prompt
(the engine).

The protocol has no seed: ours is not sent. It requires `max_tokens`: 4096 when none is set.
Neighbours of the same role are sent as they are: the endpoint joins them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from corpusmith.contracts import Secret
from corpusmith.errors import (
    BadRequest,
    Overloaded,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    ServerError,
    Unauthorised,
)
from corpusmith.providers.failures import Failures, Fault
from corpusmith.providers.headers import request_headers
from corpusmith.providers.json_shape import (
    as_count,
    as_dict,
    as_json,
    as_text,
    merged,
    parsed,
)
from corpusmith.providers.structured import Formats, for_anthropic, modes_of
from corpusmith.providers.transport import Transport
from corpusmith.providers.wire import Headers, WireRequest
from corpusmith.values import (
    ChatRequest,
    Connection,
    Finish,
    Json,
    Reply,
    Schema,
    StructuredMode,
    Usage,
)

MODES: tuple[StructuredMode, ...] = ("schema", "tool", "prompt")
VERSION = "2026-10-21"
"""`anthropic-version` as the vendor's SDK 2.12 sends it; a connection's headers may say another."""
MAX_TOKENS = 4096

FINISHES: dict[str, Finish] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
}
"""Anything else is `other`."""

KINDS: dict[str, type[ProviderError]] = {
    "invalid_request_error": BadRequest,
    "not_found_error": BadRequest,
    "request_too_large": BadRequest,
    "authentication_error": Unauthorised,
    "permission_error": Unauthorised,
    "billing_error": QuotaExhausted,
    "rate_limit_error": RateLimited,
    "timeout_error": ServerError,
    "api_error": ServerError,
    "overloaded_error": Overloaded,
}
"""What an error's `type` means."""

SPENT = frozenset(
    {
        "contract_spend_limit_reached",
        "enforced_spend_limit_reached",
        "linked_organization_spend_limit_reached",
        "linked_organization_billing_unavailable",
    }
)
"""`details.error_code`s that say the money is gone, whatever the type."""

_PAGES = 100
_PAGE_SIZE = 1000


class Anthropic:
    """`POST {base_url}/v1/messages`."""

    def __init__(self, connection: Connection, key: Secret | None) -> None:
        self.modes = modes_of(connection, MODES)
        self._extra = connection.extra
        self._root = connection.base_url.removesuffix("/v1") + "/v1"
        # The vendor's SDK sends the key as a bearer token, no longer as `x-api-key`.
        self._headers = request_headers(
            connection, key, "Authorization: Bearer ", {"anthropic-version": VERSION}
        )
        self._formats = Formats(_output_config)
        self._tools = Formats(_tool)
        self._failures = Failures(connection, key)
        self._transport = Transport(connection)

    async def chat(self, request: ChatRequest, *, timeout_s: float | None = None) -> Reply:
        """One call. See `contracts.Provider`."""
        self._failures.learn(request.sampling.extra)
        reply = await self._transport.send(self.encode(request), timeout_s)
        return self.decode(reply.status, reply.headers, reply.body, model=request.model)

    async def models(self) -> list[str]:
        """Names of the models, in the endpoint's order. Raises ProviderError."""
        names: list[str] = []
        last: str | None = None
        for _ in range(_PAGES):
            reply = await self._transport.send(self.encode_models(last))
            page, last = self.decode_models(reply.status, reply.headers, reply.body)
            names += page
            if last is None:
                break
        return names

    async def close(self) -> None:
        """Give back sockets. May be called twice."""
        await self._transport.close()

    def encode(self, request: ChatRequest) -> WireRequest:
        """The call as it goes over the wire. Pure."""
        sampling = request.sampling
        body: dict[str, Any] = {
            "model": request.model,
            "max_tokens": MAX_TOKENS if sampling.max_tokens is None else sampling.max_tokens,
            "messages": [
                {"role": m.role, "content": m.content}
                for m in request.messages
                if m.role != "system"
            ],
        }
        system = "\n\n".join(m.content for m in request.messages if m.role == "system")
        if system:
            body["system"] = system
        if sampling.temperature is not None:
            body["temperature"] = sampling.temperature
        if sampling.top_p is not None:
            body["top_p"] = sampling.top_p
        if sampling.stop:
            body["stop_sequences"] = sampling.stop
        if request.schema is not None:
            self._add_schema(body, request.schema, request.mode)
        for extra in (self._extra, sampling.extra):
            if extra:
                body = merged(body, extra)
        return WireRequest("POST", f"{self._root}/messages", self._headers, orjson.dumps(body))

    def _add_schema(
        self, body: dict[str, Any], schema: Schema, mode: StructuredMode | None
    ) -> None:
        if mode == "schema":
            body["output_config"] = {"format": self._formats[schema]}
        elif mode == "tool":
            body["tools"] = [self._tools[schema]]
            body["tool_choice"] = {"type": "tool", "name": schema.name}

    def encode_models(self, last: str | None = None) -> WireRequest:
        """One page of the model list, after the model `last`."""
        query = f"limit={_PAGE_SIZE}" + (f"&after_id={quote(last, safe='')}" if last else "")
        return WireRequest("GET", f"{self._root}/models?{query}", self._headers)

    def decode(self, status: int, headers: Headers, body: bytes, *, model: str = "") -> Reply:
        """The reply in a response. Pure. Raises ProviderError."""
        data = parsed(body)
        if status != 200 or not isinstance(data, dict) or "error" in data:
            raise self._failure(status, headers, body, data, "not an object", model)
        content = data.get("content")
        if not isinstance(content, list):
            raise self._failures.malformed(status, body, "no content", model)
        usage = usage_of(data.get("usage"))
        finish = FINISHES.get(as_text(data.get("stop_reason")), "other")
        text, reasoning = _said(content)
        if finish in ("stop", "other") and not text.strip():
            raise self._failures.empty(status, body, usage, model)
        return Reply(
            text=text,
            reasoning=reasoning or None,
            finish=finish,
            usage=usage,
            model=as_text(data.get("model")),
            request_id=headers.get("request-id") or as_text(data.get("id")) or None,
            simulated=headers.get("x-simulated-by") == "corpusmith",
        )

    def decode_models(
        self, status: int, headers: Headers, body: bytes
    ) -> tuple[list[str], str | None]:
        """(names, the last one when there are more pages, else None). Raises ProviderError."""
        data = parsed(body)
        models = as_dict(data).get("data")
        if status != 200 or not isinstance(models, list):
            raise self._failure(status, headers, body, data, "no model list")
        names = [name for one in models if (name := as_text(as_dict(one).get("id")))]
        more = data.get("has_more") is True
        return names, (as_text(data.get("last_id")) or None) if more else None

    def _failure(
        self, status: int, headers: Headers, body: bytes, data: Json, missing: str, model: str = ""
    ) -> ProviderError:
        problem = "not JSON" if data is None else missing
        return self._failures.rejected(status, headers, body, fault_of(data), problem, model)


def _output_config(schema: Schema) -> Json:
    return {"type": "json_schema", "schema": for_anthropic(schema.body)}


def _tool(schema: Schema) -> Json:
    return {"name": schema.name, "input_schema": schema.body}


def _said(content: list[Json]) -> tuple[str, str]:
    """(text, thinking) of the content blocks; a tool call's input is the text."""
    text: list[str] = []
    thinking: list[str] = []
    call: str | None = None
    for block in map(as_dict, content):
        match block.get("type"):
            case "text":
                text.append(as_text(block.get("text")))
            case "thinking":
                thinking.append(as_text(block.get("thinking")))
            case "tool_use" if call is None:
                call = as_json(block.get("input"))
    return call if call is not None else "".join(text), "".join(thinking)


def usage_of(usage: Json) -> Usage | None:
    """Tokens as our values count them; None when the endpoint counted none."""
    if not isinstance(usage, dict) or not usage:
        return None
    # `input_tokens` is only what the cache neither gave nor took.
    cached = as_count(usage.get("cache_read_input_tokens"))
    written = as_count(usage.get("cache_creation_input_tokens"))
    completion = as_count(usage.get("output_tokens"))
    details = as_dict(usage.get("output_tokens_details"))
    return Usage(
        prompt_tokens=as_count(usage.get("input_tokens")) + cached + written,
        completion_tokens=completion,
        cached_tokens=cached,
        reasoning_tokens=min(as_count(details.get("thinking_tokens")), completion),
    )


def fault_of(data: Json) -> Fault:
    """The error in a parsed body; one with `found` False when there is none that we know."""
    body = as_dict(data)
    error = as_dict(body.get("error"))
    if not error:
        words = as_text(body.get("error")) or as_text(body.get("detail"))
        return Fault(found=bool(words) or "error" in body, cause=words)
    return Fault(found=True, cause=as_text(error.get("message")), kind=_kind(error))


def _kind(error: Mapping[str, Any]) -> type[ProviderError] | None:
    if as_text(as_dict(error.get("details")).get("error_code")) in SPENT:
        return QuotaExhausted
    return KINDS.get(as_text(error.get("type")))
