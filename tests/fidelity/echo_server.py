"""An endpoint that repeats the caller's headers in every error it makes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message

from answering import Answer, answering, as_json


@contextmanager
def echoing(statuses: list[int]) -> Iterator[str]:
    """The server's address. It answers with these statuses, then 401 for ever."""
    left = list(statuses)

    def say(headers: Message, body: bytes) -> Answer:
        status = left.pop(0) if left else 401
        said = f"refused: {dict(headers)} {headers.as_string()}"
        if status == 200:  # no reply of any protocol, and not even JSON
            return Answer(200, "text/html", f"<html><pre>{said}</pre></html>".encode())
        error = {"message": said, "type": "invalid_request_error", "code": None}
        return as_json({"error": error}, status)

    with answering(say) as url:
        yield url
