"""An endpoint that repeats the caller's headers, and the fields of the body that it does not know,
in every error it makes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message

from answering import Answer, answering, as_json

_TEXTS = frozenset(("messages", "contents", "system", "systemInstruction", "generationConfig"))
_TEXTS |= {"response_format", "output_config", "tools", "tool_choice"}
"""They are long, and no secret: an error is cut."""


@contextmanager
def echoing(statuses: list[int]) -> Iterator[str]:
    """The server's address. It answers with these statuses, then 401 for ever."""
    left = list(statuses)

    def say(headers: Message, body: bytes) -> Answer:
        status = left.pop(0) if left else 401
        asked = json.loads(body or b"{}").items()
        own = {name: value for name, value in asked if name not in _TEXTS}
        said = f"refused: {own} {json.dumps(own)} {dict(headers)} {headers.as_string()}"
        if status == 200:  # no reply of any protocol, and not even JSON
            return Answer(200, "text/html", f"<html><pre>{said}</pre></html>".encode())
        error = {"message": said, "type": "invalid_request_error", "code": None}
        return as_json({"error": error}, status)

    with answering(say) as url:
        yield url
