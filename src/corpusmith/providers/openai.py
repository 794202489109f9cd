"""The OpenAI protocol, chat completions: OpenAI itself and everything that speaks like it.

Owns: the body of a request and the meaning of a reply. Does not own: sockets (`transport.py`),
what a status means (`failures.py`), the words that ask for JSON in a prompt (the engine).

`max_tokens` is sent in the field of that name. For an endpoint that wants
`max_completion_tokens`, a connection's `extra` says `{"max_tokens_field":
"max_completion_tokens"}`; that entry chooses and is not sent itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from corpusmith.contracts import Secret
from corpusmith.errors import (
    Overloaded,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    ServerError,
    Unauthorised,
)
from corpusmith.providers.failures import Failures, Fault
from corpusmith.providers.headers import request_headers
from corpusmith.providers.json_shape import as_count, as_dict, as_list, as_text, merged
from corpusmith.providers.modes import modes_of
from corpusmith.providers.schemas import SchemaCache, fits_strict
from corpusmith.providers.transport import Transport
from corpusmith.providers.wire import Headers, WireRequest
from corpusmith.values import (
    ChatRequest,
    Connection,
    Finish,
    Json,
    Reply,
    Sampling,
    Schema,
    StructuredMode,
    Usage,
)

MODES: tuple[StructuredMode, ...] = ("schema", "json", "prompt")

FINISHES: dict[str, Finish] = {
    "stop": "stop",
    "eos": "stop",
    "length": "length",
    "content_filter": "filter",
    "sensitive": "filter",  # Zhipu
}
"""Anything else is `other`."""

GAVE_UP = frozenset({"insufficient_system_resource", "network_error", "error"})
"""Finish reasons of DeepSeek, Zhipu and OpenRouter for an answer cut by the endpoint itself."""

FILTER_CODES = frozenset({"content_filter", "content_policy_violation", "data_inspection_failed"})
"""Codes of a 400 that says: this prompt is filtered. It is the item's end, not the task's."""

CODES: dict[str, type[ProviderError]] = {
    "insufficient_quota": QuotaExhausted,
    "billing_hard_limit_reached": QuotaExhausted,
    "billing_not_active": QuotaExhausted,
    "exceeded_current_quota_error": QuotaExhausted,  # Moonshot
    "Arrearage": QuotaExhausted,  # DashScope
    "1113": QuotaExhausted,  # Zhipu
    "AccountOverdueError": QuotaExhausted,  # Volcengine Ark
    "rate_limit_exceeded": RateLimited,
    "engine_overloaded_error": Overloaded,  # Moonshot
    "invalid_api_key": Unauthorised,
    "server_error": ServerError,
}
"""What the vendors' codes and types mean, where it is not what the status says."""


class OpenAI:
    """`POST {base_url}/chat/completions`."""

    def __init__(self, connection: Connection, key: Secret | None) -> None:
        self.modes = modes_of(connection, MODES)
        self._connection = connection
        self._extra = {k: v for k, v in connection.extra.items() if k != "max_tokens_field"}
        self._max_tokens = str(connection.extra.get("max_tokens_field", "max_tokens"))
        self._chat_url = f"{connection.base_url}/chat/completions"
        self._headers = request_headers(connection, key, "Authorization: Bearer ", {})
        self._formats = SchemaCache(_json_schema)
        self._failures = Failures(connection, key)
        self._transport = Transport(connection)

    async def chat(self, request: ChatRequest, *, timeout_s: float | None = None) -> Reply:
        """One call. See `contracts.Provider`."""
        reply = await self._transport.send(self.encode(request), timeout_s)
        return self.decode(reply.status, reply.headers, reply.body, model=request.model)

    async def models(self) -> list[str]:
        """Names of the models, in the endpoint's order. Raises ProviderError."""
        request = WireRequest("GET", f"{self._connection.base_url}/models", self._headers)
        reply = await self._transport.send(request)
        return self.decode_models(reply.status, reply.headers, reply.body)

    async def close(self) -> None:
        """Give back sockets. May be called twice."""
        await self._transport.close()

    def encode(self, request: ChatRequest) -> WireRequest:
        """The call as it goes over the wire. Pure."""
        body: dict[str, Any] = {
            "model": request.model,
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        }
        self._add_sampling(body, request.sampling)
        if request.schema is not None and request.mode == "schema":
            body["response_format"] = self._formats[request.schema]
        elif request.schema is not None and request.mode == "json":
            body["response_format"] = {"type": "json_object"}
        for extra in (self._extra, request.sampling.extra):
            if extra:
                body = merged(body, extra)
        return WireRequest("POST", self._chat_url, self._headers, orjson.dumps(body))

    def _add_sampling(self, body: dict[str, Any], sampling: Sampling) -> None:
        if sampling.temperature is not None:
            body["temperature"] = sampling.temperature
        if sampling.top_p is not None:
            body["top_p"] = sampling.top_p
        if sampling.max_tokens is not None:
            body[self._max_tokens] = sampling.max_tokens
        if sampling.seed is not None:
            body["seed"] = sampling.seed
        if sampling.stop:
            body["stop"] = sampling.stop

    def decode(self, status: int, headers: Headers, body: bytes, *, model: str = "") -> Reply:
        """The reply in a response. Pure. Raises ProviderError."""
        try:
            data = orjson.loads(body)
        except orjson.JSONDecodeError:
            data = None
        if status != 200 or not isinstance(data, dict) or not data.get("choices"):
            return self._not_a_completion(status, headers, body, data, model)
        choice = as_dict(as_list(data["choices"])[0] if as_list(data["choices"]) else None)
        message = choice.get("message")
        if not isinstance(message, dict):
            raise self._failures.malformed(status, body, "a choice without a message", model)
        usage = usage_of(data.get("usage"))
        reason = as_text(choice.get("finish_reason"))
        if reason in GAVE_UP:
            raise self._failures.interrupted(status, body, reason, usage, model)
        text, reasoning, finish = _said(message, FINISHES.get(reason, "other"))
        if not text.strip() and finish in ("stop", "other"):
            raise self._failures.empty(status, body, usage, model)
        return Reply(
            text=text,
            reasoning=reasoning or None,
            finish=finish,
            usage=usage,
            model=as_text(data.get("model")),
            request_id=headers.get("x-request-id") or as_text(data.get("id")) or None,
            simulated=headers.get("x-simulated-by") == "corpusmith",
        )

    def _not_a_completion(
        self, status: int, headers: Headers, body: bytes, data: Json, model: str
    ) -> Reply:
        fault = fault_of(data)
        if fault.filtered:
            return Reply(text="", finish="filter", request_id=headers.get("x-request-id"))
        if not 200 <= status < 300 or fault.named:
            raise self._failures.refused(status, headers, body, fault, model)
        problem = "not JSON" if data is None else "no choices"
        raise self._failures.malformed(status, body, problem, model)

    def decode_models(self, status: int, headers: Headers, body: bytes) -> list[str]:
        """The names in a model list. Pure. Raises ProviderError."""
        try:
            data = orjson.loads(body)
        except orjson.JSONDecodeError:
            data = None
        # Together AI answers with the bare array.
        models = data if isinstance(data, list) else as_dict(data).get("data")
        if not 200 <= status < 300 or not isinstance(models, list):
            self._not_a_completion(status, headers, body, data, "")
            raise self._failures.malformed(status, body, "no model list")
        return [name for one in models if (name := as_text(as_dict(one).get("id")))]
