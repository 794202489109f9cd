"""A judge over HTTP, in OpenAI's protocol, whose verdicts a test writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from answering import Answer, answering, chat

Verdict = Callable[[str], "dict[str, Any] | str"]
"""From what the judge reads of a row to what it says: an object, or any text."""


@dataclass(slots=True)
class JudgeServer:
    """Where it listens, and what it was asked."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rows(self) -> list[str]:
        """What it was shown, call by call."""
        return [body["messages"][-1]["content"] for body in self.asked]


@contextmanager
def judging(verdict: Verdict) -> Iterator[JudgeServer]:
    """A server that says `verdict` of each row; the text `cut` stands for a reply cut short."""
    made = JudgeServer()

    def say(headers: Message, body: bytes) -> Answer:
        asked = json.loads(body)
        made.asked.append(asked)
        said = verdict(asked["messages"][-1]["content"])
        text = said if isinstance(said, str) else json.dumps(said)
        return chat(text, finish="length" if said == "cut" else "stop", model=asked["model"])

    with answering(say) as url:
        made.url = f"{url}/v1"
        yield made
