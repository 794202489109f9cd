"""An OpenAI endpoint that always says the same, and keeps what it was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message

from answering import Answer, answering, chat
from corpusmith.values import Json


class Saying:
    """`text` may be changed between two tasks."""

    def __init__(self) -> None:
        self.text = ""
        self.asked: list[Json] = []
        """The messages of each request."""
        self.url = ""


@contextmanager
def saying() -> Iterator[Saying]:
    """The endpoint, for the length of a `with`."""
    found = Saying()

    def say(headers: Message, body: bytes) -> Answer:
        found.asked.append(json.loads(body)["messages"])
        return chat(found.text)

    with answering(say) as url:
        found.url = f"{url}/v1"
        yield found
