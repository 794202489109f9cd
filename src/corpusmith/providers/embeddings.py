"""OpenAI's embeddings: a text as a vector. What local servers and most vendors offer as well.

Owns: the body of a request and the meaning of a reply. Does not own: sockets (`transport.py`), what
an error means (`openai_faults.py`, `failures.py`), comparing vectors (the checks).
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Mapping

import orjson

from corpusmith.providers.failures import Failures
from corpusmith.providers.json_shape import as_count, as_dict, as_list, as_text, merged, parsed
from corpusmith.providers.openai_faults import fault_of
from corpusmith.providers.wire import WireRequest, WireResponse
from corpusmith.values import ChatRequest, Json, Reply, Usage


class Embeddings:
    """`POST {base_url}/embeddings`, one text a call."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        extra: Mapping[str, Json],
        failures: Failures,
    ) -> None:
        self._url = f"{base_url}/embeddings"
        self._headers = headers
        self._extra = extra
        self._failures = failures

    def encode(self, request: ChatRequest) -> WireRequest:
        """The call as it goes over the wire. Pure."""
        body: dict[str, Json] = {
            "model": request.model,
            "input": request.messages[0].content,
            "encoding_format": "float",
        }
        if self._extra:
            body = merged(body, self._extra)
        return WireRequest("POST", self._url, self._headers, orjson.dumps(body))

    def decode(self, response: WireResponse, model: str) -> Reply:
        """The vector in a response. Pure. Raises ProviderError."""
        status, headers, body = response
        data = parsed(body)
        rows = as_list(as_dict(data).get("data")) if status == 200 else []
        numbers = as_list(as_dict(rows[0]).get("embedding")) if rows else []
        if not _is_vector(numbers):
            raise self._failures.rejected(
                status, headers, body, fault_of(data), "no embedding", model
            )
        tokens = as_count(as_dict(as_dict(data).get("usage")).get("prompt_tokens"))
        return Reply(
            text=base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode(),
            usage=Usage(prompt_tokens=tokens),
            model=as_text(as_dict(data).get("model")),
            request_id=headers.get("x-request-id"),
            simulated=headers.get("x-simulated-by") == "corpusmith",
        )


def _is_vector(numbers: list[Json]) -> bool:
    return bool(numbers) and all(
        isinstance(one, int | float) and math.isfinite(one) and abs(one) < 3e38 for one in numbers
    )
