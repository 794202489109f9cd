"""OpenAI's embeddings on the wire: texts as vectors that are near for texts that share words.

Owns: how a request is read, and how vectors are made and written. Errors and headers are those of
`wire_openai.py`.

A vector counts a text's characters, pairs and threes of them, each in a place that its hash names:
nothing is understood, but texts alike in wording are alike here, and the same text is always the
same vector.
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Iterator, Mapping
from zlib import crc32

from corpusmith.simulator.asks import Answer, Ask, BadBody, count_tokens
from corpusmith.simulator.wire_openai import (
    NAME,
    error,
    error_headers,
    good_headers,
    key,
    models,
    named_model,
)
from corpusmith.values import Json

__all__ = [
    "NAME",
    "chunks",
    "error",
    "error_headers",
    "good",
    "good_headers",
    "key",
    "models",
    "read",
    "vector",
]

DIMENSIONS = 256
MOST_TEXTS = 2048


def read(body: Mapping[str, Json], model: str, headers: Mapping[str, str]) -> Ask:
    """The request; each text is a message. Raises BadBody as the vendor does."""
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not 1 <= len(texts) <= MOST_TEXTS:
        raise BadBody("'input' must be a string or a list of 1 to 2048 strings.", "input")
    if not all(isinstance(text, str) and text for text in texts):
        raise BadBody("'input' cannot hold an empty string.", "input")
    encoding = body.get("encoding_format", "float")
    if encoding not in ("float", "base64"):
        raise BadBody("'encoding_format' must be 'float' or 'base64'.", "encoding_format")
    return Ask(
        model=named_model(body),
        system=str(encoding),
        messages=tuple(("user", text) for text in texts),
    )


def good(ask: Ask, answer: Answer) -> Json:
    """The vectors, in the order of the texts."""
    data = [
        {"object": "embedding", "index": index, "embedding": _written(text, ask.system)}
        for index, (_, text) in enumerate(ask.messages)
    ]
    tokens = sum(count_tokens(text) for _, text in ask.messages)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": ask.model, "usage": usage}


def chunks(ask: Ask, answer: Answer) -> Iterator[bytes]:
    """Vectors are never streamed."""
    raise BadBody("'stream' is not supported here.", "stream")


def vector(text: str) -> list[float]:
    """`DIMENSIONS` numbers, of length 1 together."""
    sums = [0.0] * DIMENSIONS
    plain = "".join(text.lower().split()) or text
    for size in (1, 2, 3):
        for start in range(len(plain) - size + 1):
            digest = crc32(plain[start : start + size].encode("utf-8", "surrogatepass"))
            sums[digest % DIMENSIONS] += 1.0 if digest & 0x10000 else -1.0
    length = math.sqrt(sum(one * one for one in sums))
    return [one / length for one in sums] if length else [1.0, *[0.0] * (DIMENSIONS - 1)]


def _written(text: str, encoding: str) -> Json:
    numbers = vector(text)
    if encoding == "float":
        return numbers
    return base64.b64encode(struct.pack(f"<{DIMENSIONS}f", *numbers)).decode()
