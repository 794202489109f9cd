"""What a chat asks for and what it gets, before any protocol.

Owns: the values between the protocols (`wire_*.py`) and the author of the replies (`author.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Literal

from corpusmith.values import Json, Language

Mode = Literal["text", "json", "schema", "tool"]
Finish = Literal["stop", "length", "stop_sequence", "refusal"]


class BadBody(Exception):
    """A request that the real endpoint would refuse with 400 (or `status`)."""

    def __init__(self, message: str, parameter: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.parameter = parameter
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One chat request."""

    model: str
    system: str
    messages: tuple[tuple[str, str], ...]
    """(`user` or `assistant`, text), in order."""
    mode: Mode = "text"
    schema: Json = None
    """The JSON Schema in modes `schema` and `tool`."""
    schema_place: str = ""
    """The request field that holds the schema, as the vendor's error names it."""
    gemini_schema: bool = False
    """The schema is in Gemini's own dialect (`nullable`)."""
    tool: str = ""
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    thinking: bool = False
    stream: bool = False
    stream_usage: bool = False

    @property
    def last(self) -> str:
        """The text of the last message, or ""."""
        return self.messages[-1][1] if self.messages else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the model says."""

    id: str
    """24 hex digits, the same for the same request."""
    text: str
    finish: Finish = "stop"
    stop_sequence: str | None = None
    reasoning: str | None = None
    tool: str = ""
    """The called tool's name; `text` is then its arguments as JSON."""
    no_choices: bool = False
    language: Language = "en"
    value: Json = None
    """What `text` says as JSON, when `structured`."""
    structured: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error to be put in a vendor's shape."""

    status: int
    message: str
    parameter: str | None = None
    retry_after_s: float | None = None
    limit: Literal["requests", "tokens", ""] = ""


def count_tokens(text: str) -> int:
    """About one token a Chinese character and one for four Latin ones; 0 for ""."""
    # Two bytes over one a character: what UTF-8 needs more for Chinese.
    wide = (len(text.encode("utf-8", "surrogatepass")) - len(text)) // 2
    return wide + ceil((len(text) - wide) / 4)


def cut_tokens(text: str, tokens: int) -> str:
    """The start of `text` that has at most `tokens` tokens."""
    low, high = 0, min(len(text), tokens * 4 + 4)
    while low < high:
        middle = (low + high + 1) // 2
        if count_tokens(text[:middle]) <= tokens:
            low = middle
        else:
            high = middle - 1
    return text[:low]


def mapping(value: Json, place: str) -> Mapping[str, Json]:
    """`value` if it is an object, empty if it is absent. Raises BadBody."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadBody(f"Invalid type for '{place}': expected an object.", place)
    return value


def positive(value: Json, place: str) -> int | None:
    """`value` if it is a whole number above zero, None if absent. Raises BadBody."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadBody(f"Invalid value for '{place}': expected an integer above 0.", place)
    return value


def within(value: Json, place: str, low: float, high: float) -> None:
    """Raises BadBody unless `value` is absent or a number from `low` to `high`."""
    if value is None:
        return
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        raise BadBody(f"Invalid value for '{place}': expected {low:g} to {high:g}.", place)


def stops(value: Json, place: str) -> tuple[str, ...]:
    """Stop sequences from a string, a list or nothing. Raises BadBody."""
    if value is None:
        return ()
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise BadBody(f"Invalid type for '{place}': expected strings.", place)
    return tuple(one for one in found if one)
