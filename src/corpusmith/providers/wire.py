"""What goes over the wire, before any HTTP library.

Owns: the two values that the protocols and the transport exchange.
Does not own: what is in a body (`openai.py`, `gemini.py`, `anthropic.py`), sockets
(`transport.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Headers = Mapping[str, str]
"""Response headers: looked up in lower case; the transport's mapping ignores case."""


# Named tuples: two of them are made in every call, and a frozen dataclass takes twice the time.


class WireRequest(NamedTuple):
    """One HTTP request. `url` is complete and encoded. Its repr shows no headers: the key."""

    method: Literal["GET", "POST"]
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None

    def __repr__(self) -> str:
        return f"WireRequest({self.method} {self.url})"


class WireResponse(NamedTuple):
    """One HTTP response, read to its end."""

    status: int
    headers: Headers
    body: bytes
