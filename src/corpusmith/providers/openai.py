"""The OpenAI protocol, chat completions: OpenAI itself and everything that speaks like it.

Owns: the body of a request and the meaning of a reply. Does not own: sockets (`transport.py`),
what an error means (`openai_faults.py`,
`failures.py`), the words that ask for JSON in a prompt (the engine).

`max_tokens` is sent in the field of that name. For an endpoint that wants
`max_completion_tokens`, a connection's `extra` says `{"max_tokens_field":
"max_completion_tokens"}`; that entry chooses and is not sent itself.
"""

from __future__ import annotations

from typing import Any

import orjson

from corpusmith.contracts import Secret
from corpusmith.errors import ProviderError
from corpusmith.providers.embeddings import Embeddings
from corpusmith.providers.failures import Failures
from corpusmith.providers.headers import request_headers
from corpusmith.providers.json_shape import as_count, as_dict, as_text, merged, parsed
from corpusmith.providers.openai_faults import fault_of
from corpusmith.providers.structured import Formats, fits_strict, modes_of
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


class OpenAI:
    """`POST {base_url}/chat/completions`."""

    def __init__(self, connection: Connection, key: Secret | None) -> None:
        self.modes = modes_of(connection, MODES)
        self._connection = connection
        self._extra = {k: v for k, v in connection.extra.items() if k != "max_tokens_field"}
        self._max_tokens = str(connection.extra.get("max_tokens_field", "max_tokens"))
        self._chat_url = f"{connection.base_url}/chat/completions"
        self._headers = request_headers(connection, key, "Authorization: Bearer ", {})
        self._formats = Formats(_json_schema)
        self._failures = Failures(connection, key)
        self._embeddings = Embeddings(
            connection.base_url, self._headers, self._extra, self._failures
        )
        self._transport = Transport(connection)

    async def chat(self, request: ChatRequest, *, timeout_s: float | None = None) -> Reply:
        """One call. See `contracts.Provider`."""
        self._failures.learn(request.sampling.extra)
        if request.embed:
            reply = await self._transport.send(self._embeddings.encode(request), timeout_s)
            return self._embeddings.decode(reply, request.model)
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
        data = parsed(body)
        choices = data.get("choices") if isinstance(data, dict) and status == 200 else None
        if not isinstance(choices, list) or not choices:
            return self._stopped(status, headers, body, data, model)
        choice = as_dict(choices[0])
        message = choice.get("message")
        if not isinstance(message, dict):
            raise self._failures.malformed(
                status, body, "a choice without a message", model, usage_of(data.get("usage"))
            )
        usage = usage_of(data.get("usage"))
        reason = as_text(choice.get("finish_reason"))
        if reason in GAVE_UP:
            raise self._failures.interrupted(status, body, reason, usage, model)
        text, reasoning, finish = _said(message, FINISHES.get(reason, "other"))
        if finish in ("stop", "other") and not text.strip():
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

    def decode_models(self, status: int, headers: Headers, body: bytes) -> list[str]:
        """The names in a model list. Pure. Raises ProviderError."""
        data = parsed(body)
        # Together AI answers with the bare array.
        models = data if isinstance(data, list) else as_dict(data).get("data")
        if status != 200 or not isinstance(models, list):
            raise self._failure(status, headers, body, data, "no model list")
        return [name for one in models if (name := as_text(as_dict(one).get("id")))]

    def _stopped(self, status: int, headers: Headers, body: bytes, data: Json, model: str) -> Reply:
        if fault_of(data).filtered:
            return Reply(text="", finish="filter", request_id=headers.get("x-request-id"))
        raise self._failure(status, headers, body, data, "no choices", model)

    def _failure(
        self, status: int, headers: Headers, body: bytes, data: Json, missing: str, model: str = ""
    ) -> ProviderError:
        problem = "not JSON" if data is None else missing
        usage = usage_of(as_dict(data).get("usage"))
        return self._failures.rejected(status, headers, body, fault_of(data), problem, model, usage)


def _json_schema(schema: Schema) -> Json:
    return {
        "type": "json_schema",
        "json_schema": {
            "name": schema.name,
            "schema": schema.body,
            "strict": fits_strict(schema.body),
        },
    }


def _said(message: dict[str, Any], finish: Finish) -> tuple[str, str, Finish]:
    """(text, reasoning, finish) of a message."""
    content = message.get("content")
    reasoning = as_text(message.get("reasoning_content")) or as_text(message.get("reasoning"))
    text = content if isinstance(content, str) else _joined(content)
    refusal = as_text(message.get("refusal"))
    return (refusal, reasoning, "refusal") if refusal else (text, reasoning, finish)


def _joined(parts: Json) -> str:
    """The text of a content that came in parts; empty for anything else."""
    if not isinstance(parts, list):
        return ""
    return "".join(as_text(as_dict(part).get("text")) for part in parts)


def usage_of(usage: Json) -> Usage | None:
    """Tokens as our values count them; None when the endpoint counted none."""
    if not isinstance(usage, dict) or not usage:
        return None
    prompt = as_count(usage.get("prompt_tokens"))
    completion = as_count(usage.get("completion_tokens"))
    cached = (
        as_count(as_dict(usage.get("prompt_tokens_details")).get("cached_tokens"))
        or as_count(usage.get("prompt_cache_hit_tokens"))  # DeepSeek
        or as_count(usage.get("cached_tokens"))  # Moonshot
    )
    reasoning = as_count(as_dict(usage.get("completion_tokens_details")).get("reasoning_tokens"))
    if reasoning and as_count(usage.get("total_tokens")) == prompt + completion + reasoning:
        completion += reasoning  # an endpoint that counts reasoning beside the completion
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=min(cached, prompt),
        reasoning_tokens=min(reasoning, completion),
    )
