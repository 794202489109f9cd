"""What goes over the wire, before any HTTP library.

Owns: the two values that the protocols and the transport exchange.
Does not own: what is in a body (`openai.py`, `gemini.py`, `anthropic.py`), sockets
(`transport.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Headers = Mapping[str, str]
"""Response headers: looked up in lower case; the transport's mapping ignores case."""


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One HTTP request. `url` is complete and encoded; `headers` hold the key, so no repr."""

    method: Literal["GET", "POST"]
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class WireResponse:
    """One HTTP response, read to its end."""

    status: int
    headers: Headers
    body: bytes
