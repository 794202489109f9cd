"""Google's Gemini protocol, `generateContent`.

Owns: the body of a request, the meaning of a reply and of an error. Does not own: sockets
(`transport.py`), what a status means (`failures.py`), the words that ask for JSON in a prompt
(the engine).

Extra fields are laid over the whole body, so `{"generationConfig": {"topK": 40}}` adds one there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from corpusmith.contracts import Secret
from corpusmith.errors import ProviderError, QuotaExhausted, Unauthorised
from corpusmith.providers.failures import Failures, Fault
from corpusmith.providers.headers import request_headers
from corpusmith.providers.json_shape import (
    as_count,
    as_dict,
    as_list,
    as_text,
    merged,
    parsed,
)
from corpusmith.providers.structured import Formats, modes_of
from corpusmith.providers.transport import Transport
from corpusmith.providers.wire import Headers, WireRequest
from corpusmith.values import (
    ChatRequest,
    Connection,
    Finish,
    Json,
    Reply,
    Sampling,
    StructuredMode,
    Usage,
)

MODES: tuple[StructuredMode, ...] = ("schema", "json", "prompt")

FINISHES: dict[str, Finish] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    "SAFETY": "filter",
    "RECITATION": "filter",
    "LANGUAGE": "filter",
    "BLOCKLIST": "filter",
    "PROHIBITED_CONTENT": "filter",
    "SPII": "filter",
    "ESCALATION": "filter",
    "MODEL_ARMOR": "filter",
}
"""Anything else is `other`."""

_ROLES = {"user": "user", "assistant": "model"}
_VERSION = re.compile(r"/v\d+[a-z0-9]*$")
_PAGES = 100
_PAGE_SIZE = 1000


class Gemini:
    """`POST {base_url}/v1/models/{model}:generateContent`; a version in the base URL wins."""

    def __init__(self, connection: Connection, key: Secret | None) -> None:
        self.modes = modes_of(connection, MODES)
        self._extra = connection.extra
        base_url = connection.base_url
        self._root = base_url if _VERSION.search(base_url) else f"{base_url}/v1"
        self._headers = request_headers(connection, key, "x-goog-api-key: ", {})
        self._formats = Formats(lambda schema: schema.body)
        self._urls: dict[str, str] = {}
        self._failures = Failures(connection, key)
        self._transport = Transport(connection)

    async def chat(self, request: ChatRequest, *, timeout_s: float | None = None) -> Reply:
        """One call. See `contracts.Provider`."""
        self._failures.learn(request.sampling.extra)
        reply = await self._transport.send(self.encode(request), timeout_s)
        return self.decode(reply.status, reply.headers, reply.body, model=request.model)

    async def models(self) -> list[str]:
        """Names of the models that can generate content. Raises ProviderError."""
        names: list[str] = []
        token: str | None = ""
        for _ in range(_PAGES):
            reply = await self._transport.send(self.encode_models(token))
            page, token = self.decode_models(reply.status, reply.headers, reply.body)
            names += page
            if not token:
                break
        return names

    async def close(self) -> None:
        """Give back sockets. May be called twice."""
        await self._transport.close()

    def encode(self, request: ChatRequest) -> WireRequest:
        """The call as it goes over the wire. Pure."""
        body: dict[str, Any] = {
            "contents": [
                {"role": _ROLES[m.role], "parts": [{"text": m.content}]}
                for m in request.messages
                if m.role != "system"
            ]
        }
        system = [{"text": m.content} for m in request.messages if m.role == "system"]
        if system:
            body["systemInstruction"] = {"parts": system, "role": "user"}
        config = _config(request.sampling)
        if request.schema is not None and request.mode in ("schema", "json"):
            config["responseMimeType"] = "application/json"
            if request.mode == "schema":
                config["responseJsonSchema"] = self._formats[request.schema]
        if config:
            body["generationConfig"] = config
        for extra in (self._extra, request.sampling.extra):
            if extra:
                body = merged(body, extra)
        return WireRequest("POST", self._chat_url(request.model), self._headers, orjson.dumps(body))

    def _chat_url(self, model: str) -> str:
        if url := self._urls.get(model):
            return url
        path = model if "/" in model else f"models/{model}"
        url = f"{self._root}/{quote(path, safe='/')}:generateContent"
        return self._urls.setdefault(model, url)

    def encode_models(self, token: str | None = None) -> WireRequest:
        """One page of the model list. `token`: what the page before gave."""
        query = f"pageSize={_PAGE_SIZE}" + (f"&pageToken={quote(token, safe='')}" if token else "")
        return WireRequest("GET", f"{self._root}/models?{query}", self._headers)

    def decode(self, status: int, headers: Headers, body: bytes, *, model: str = "") -> Reply:
        """The reply in a response. Pure. Raises ProviderError."""
        data = parsed(body)
        if status != 200 or not isinstance(data, dict) or "error" in data:
            raise self._failure(status, headers, body, data, "not an object", model)
        usage = usage_of(data.get("usageMetadata"))
        candidates = as_list(data.get("candidates"))
        blocked = as_text(as_dict(data.get("promptFeedback")).get("blockReason"))
        if not candidates and not blocked:
            raise self._failures.malformed(status, body, "no candidates", model, usage)
        candidate = as_dict(candidates[0]) if candidates else {}
        finish = FINISHES.get(as_text(candidate.get("finishReason")), "other")
        text, reasoning = _said(candidate)
        if blocked and not text:
            finish = "filter"
        if finish in ("stop", "other") and not text.strip():
            raise self._failures.empty(status, body, usage, model)
        return Reply(
            text=text,
            reasoning=reasoning or None,
            finish=finish,
            usage=usage,
            model=as_text(data.get("modelVersion")),
            request_id=as_text(data.get("responseId")) or None,
            simulated=headers.get("x-simulated-by") == "corpusmith",
        )

    def decode_models(
        self, status: int, headers: Headers, body: bytes
    ) -> tuple[list[str], str | None]:
        """(names, token of the next page or None). Pure. Raises ProviderError."""
        data = parsed(body)
        models = as_dict(data).get("models")
        if status != 200 or not isinstance(models, list):
            raise self._failure(status, headers, body, data, "no model list")
        names = [_model_name(as_dict(one)) for one in models]
        return [name for name in names if name], as_text(data.get("nextPageToken")) or None

    def _failure(
        self, status: int, headers: Headers, body: bytes, data: Json, missing: str, model: str = ""
    ) -> ProviderError:
        problem = "not JSON" if data is None else missing
        return self._failures.rejected(status, headers, body, fault_of(data), problem, model)


def _config(sampling: Sampling) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if sampling.temperature is not None:
        config["temperature"] = sampling.temperature
    if sampling.top_p is not None:
        config["topP"] = sampling.top_p
    if sampling.max_tokens is not None:
        config["maxOutputTokens"] = sampling.max_tokens
    if sampling.seed is not None:
        config["seed"] = sampling.seed
    if sampling.stop:
        config["stopSequences"] = sampling.stop
    return config


def _said(candidate: Mapping[str, Any]) -> tuple[str, str]:
    """(text, thoughts) of a candidate."""
    text: list[str] = []
    thoughts: list[str] = []
    for part in as_list(as_dict(candidate.get("content")).get("parts")):
        piece = as_dict(part)
        (thoughts if piece.get("thought") is True else text).append(as_text(piece.get("text")))
    return "".join(text), "".join(thoughts)


def usage_of(usage: Json) -> Usage | None:
    """Tokens as our values count them; None when the endpoint counted none."""
    if not isinstance(usage, dict) or not usage:
        return None
    prompt = as_count(usage.get("promptTokenCount"))
    prompt += as_count(usage.get("toolUsePromptTokenCount"))
    # Thoughts are not among the candidates' tokens, but are paid as output.
    thoughts = as_count(usage.get("thoughtsTokenCount"))
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=as_count(usage.get("candidatesTokenCount")) + thoughts,
        cached_tokens=min(as_count(usage.get("cachedContentTokenCount")), prompt),
        reasoning_tokens=thoughts,
    )


def _model_name(model: Mapping[str, Any]) -> str:
    """The name that `chat` takes; empty for a model that cannot generate content."""
    methods = model.get("supportedGenerationMethods")
    if isinstance(methods, list) and "generateContent" not in methods:
        return ""
    return as_text(model.get("name")).removeprefix("models/")


# ------------------------------------------------------------------ errors


def fault_of(data: Json) -> Fault:
    """The error in a parsed body; one with `found` False when there is none that we know."""
    body = as_dict(data[0] if isinstance(data, list) and data else data)
    error = as_dict(body.get("error"))
    if not error:
        words = as_text(body.get("error")) or as_text(body.get("detail"))
        return Fault(found=bool(words) or "error" in body, cause=words)
    details = [as_dict(one) for one in as_list(error.get("details"))]
    code = error.get("code")
    return Fault(
        found=True,
        cause=as_text(error.get("message")),
        status=code if type(code) is int and 400 <= code < 600 else None,
        kind=_kind(details),
        parameter=_parameter(details),
        retry_after_s=_retry_after_s(details),
    )


def _kind(details: list[dict[str, Any]]) -> type[ProviderError] | None:
    """A wrong key is a 400 here, and the end of a day's quota a 429: the details tell."""
    if any(one.get("reason") == "API_KEY_INVALID" for one in details):
        return Unauthorised
    violations = [
        as_dict(violation)
        for one in _of_type(details, "QuotaFailure")
        for violation in as_list(one.get("violations"))
    ]
    if any("PerDay" in as_text(one.get("quotaId")) for one in violations):
        # Waiting for tomorrow would hold the task for hours.
        return QuotaExhausted
    return None


def _parameter(details: list[dict[str, Any]]) -> str | None:
    for one in _of_type(details, "BadRequest"):
        for violation in as_list(one.get("fieldViolations")):
            if field := as_text(as_dict(violation).get("field")):
                return field
    return None


def _retry_after_s(details: list[dict[str, Any]]) -> float | None:
    """`retryDelay` is a protobuf Duration in JSON: decimal seconds and an `s`."""
    for one in _of_type(details, "RetryInfo"):
        delay = _DURATION.fullmatch(as_text(one.get("retryDelay")))
        if delay:
            return float(delay[1])
    return None


_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)s")


def _of_type(details: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [one for one in details if as_text(one.get("@type")).endswith(f"google.rpc.{name}")]
