"""What can go wrong, on demand.

Owns: which fault a request gets (purely, from the seed and its number) and what it does to the
answer or its bytes. Does not own: sockets (`server.py` obeys) and the words (`author.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b

import orjson

from corpusmith.simulator.asks import Answer, Ask, Problem, count_tokens, cut_tokens
from corpusmith.simulator.author import Author

DRIP_S = 0.5
"""Seconds between two bytes of a slow drip."""
RETRY_AFTER_S = 1.0
HTML = b"""<!DOCTYPE html>
<html><head><title>Just a moment...</title></head>
<body><h1>Checking your connection</h1><p>This page is not what you asked for.</p></body></html>
"""

ERRORS: dict[str, Problem] = {
    "rate_limit": Problem(
        status=429,
        message="Rate limit reached. Please try again later.",
        retry_after_s=RETRY_AFTER_S,
        limit="requests",
    ),
    "rate_limit_bare": Problem(status=429, message="Rate limit reached.", limit="requests"),
    "error_500": Problem(status=500, message="The server had an error processing your request."),
    "error_503": Problem(status=503, message="The service is temporarily unavailable."),
    "error_529": Problem(status=529, message="Overloaded"),
}
"""Faults that are an error reply."""

DELIVERY = frozenset({"hang", "drip", "reset"})
"""Faults of the socket."""


class Dice:
    """Fair draws in [0, 1) by number: the same seed gives the same faults."""

    __slots__ = ("_seed",)

    def __init__(self, seed: int) -> None:
        self._seed = str(seed).encode()

    def draw(self, purpose: bytes, number: int) -> float:
        """A number in [0, 1) for `purpose` and request `number`."""
        text = b"%s\x1f%s\x1f%d" % (self._seed, purpose, number)
        return int.from_bytes(blake2b(text, digest_size=7).digest()) / (1 << 56)


def choose(rates: Mapping[str, float], point: float) -> str | None:
    """The fault at `point` in [0, 1) of the rates laid end to end; None past them."""
    for name, rate in rates.items():
        if point < rate:
            return name
        point -= rate
    return None


def spoil(name: str, ask: Ask, answer: Answer, author: Author, number: int) -> Answer | None:
    """The answer with a fault of content; None when the fault cannot be had here."""
    match name:
        case "fences":
            tag = "json" if answer.structured else ""
            return replace(answer, text=f"```{tag}\n{answer.text}\n```")
        case "think":
            thought = author.thought(ask, answer)
            return replace(answer, text=f"<think>\n{thought}\n</think>\n\n{answer.text}")
        case "empty_content":
            return replace(answer, text="", tool="")
        case "empty_choices":
            return replace(answer, no_choices=True)
        case "truncation":
            return _truncate(answer)
        case "refusal":
            refusal = author.refusal(answer)
            return replace(answer, text=refusal, finish="refusal", tool="", reasoning=None)
        case "refusal_text":
            return _refuse_politely(ask, answer, author, number)
        case "wrong_schema":
            return _break_schema(ask, answer, author, number)
        case "cut_json" if answer.structured and not answer.tool:
            return replace(answer, text=answer.text[: max(1, len(answer.text) * 3 // 5)])
    return answer


def spoil_body(name: str, body: bytes, structured: bool) -> bytes:
    """The reply's bytes with a fault of bytes."""
    if name == "cut_json" and not structured:
        return body[: len(body) * 3 // 5].decode("utf-8", "ignore").encode()
    if name == "invalid_utf8":
        # Inside the reply's own text, where there is one.
        marks = (b'"content":"', b'"text":"', b'"arguments":"')
        ends = [body.find(mark) + len(mark) for mark in marks if mark in body]
        place = min(ends, default=len(body) // 2)
        return body[:place] + b"\xff\xfe\xc3" + body[place:]
    return body


def _truncate(answer: Answer) -> Answer:
    tokens = max(1, count_tokens(answer.text) // 2)
    return replace(
        answer,
        text=cut_tokens(answer.text, tokens) or answer.text[:1],
        finish="length",
        completion_tokens=tokens + answer.reasoning_tokens,
    )


def _refuse_politely(ask: Ask, answer: Answer, author: Author, number: int) -> Answer:
    """A stock refusal; in structured output every other time as the strings of a fitting value."""
    refusal = author.refusal(answer)
    if not answer.structured or number % 2:
        return replace(answer, text=refusal, tool="")
    value = author.rewrite(ask, answer, refusal)
    return replace(answer, text=orjson.dumps(value).decode())


def _break_schema(ask: Ask, answer: Answer, author: Author, number: int) -> Answer | None:
    if not answer.structured:
        return None
    wrong = author.misfit(ask, answer, number)
    return None if wrong is None else replace(answer, text=orjson.dumps(wrong[0]).decode())
