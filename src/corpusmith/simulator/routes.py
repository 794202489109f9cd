"""What a request is: a chat or not, in whose protocol, and whether it was asked before.

Owns: paths, bodies, a request's identity. Does not own: what it gets (`server.py`), what a body
means (`wire_*.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from types import ModuleType
from urllib.parse import unquote

import orjson

from corpusmith.simulator import wire_anthropic, wire_embeddings, wire_gemini, wire_openai
from corpusmith.simulator.asks import BadBody
from corpusmith.simulator.http import Exchange
from corpusmith.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A chat on its way through the server."""

    exchange: Exchange
    wire: ModuleType
    path: str
    query: Mapping[str, str]
    model: str
    number: int
    """1, 2, 3, … in order of arrival since the start or the last reset."""


def find_chat(exchange: Exchange, path: str, query: Mapping[str, str], number: int) -> Chat | None:
    """The chat that a POST to `path` is, the `number`th to come; None: it is none."""
    model = ""
    if path.endswith("/chat/completions"):
        wire: ModuleType = wire_openai
    elif path.endswith("/embeddings"):
        wire = wire_embeddings
    elif path.endswith("/messages"):
        wire = wire_anthropic
    elif path.endswith(":generateContent") and "/models/" in path:
        wire = wire_gemini
        model = unquote(path.rpartition("/models/")[2].removesuffix(":generateContent"))
    else:
        return None
    return Chat(exchange=exchange, wire=wire, path=path, query=query, model=model, number=number)


def wire_of(exchange: Exchange, path: str, query: Mapping[str, str]) -> ModuleType:
    """The protocol of a request that is no chat, by what its vendor's clients send."""
    if "anthropic-version" in exchange.headers or path.endswith("/messages"):
        return wire_anthropic
    gemini_path = "/v1beta/" in path and "/openai/" not in path
    if gemini_path or "x-goog-api-key" in exchange.headers or "key" in query:
        return wire_gemini
    return wire_openai


def parse(body: bytes) -> Mapping[str, Json]:
    """The body as an object. Raises BadBody."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadBody("We could not parse the JSON body of your request.") from error
    if not isinstance(found, dict):
        raise BadBody("The JSON body of your request must be an object.")
    return found


_TRANSPORT_FIELDS = ("stream", "stream_options")


def digest_of(chat: Chat, body: Mapping[str, Json]) -> bytes:
    """Identity of what is asked: the same however the body is ordered, spaced or streamed."""
    content = {name: value for name, value in body.items() if name not in _TRANSPORT_FIELDS}
    text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    return blake2b(
        text, digest_size=16, person=chat.wire.NAME.encode(), key=chat.model.encode()[:64]
    ).digest()


def temperature_of(body: Mapping[str, Json]) -> Json:
    config = body.get("generationConfig")
    return (config if isinstance(config, dict) else body).get("temperature")
