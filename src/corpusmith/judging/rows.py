"""A row of any shape as a text that is read.

Owns: how conversations, questions with answers, rounds and everything else are laid out, and where
a long one is cut. Does not own: what is said around it (`judging/prompts.py`). Pure.

A row is laid out field by field, in its own order, each under its label; bookkeeping (an id, a
time, an earlier rating) is left out: it tells nothing of the text, it would sway the judge, and
the same text in another batch would be paid again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from corpusmith.placeholders import fill
from corpusmith.presets.load import prompts
from corpusmith.tokens import tokens_of
from corpusmith.values import Json, Language

BOOKKEEPING = frozenset(
    {
        "id", "batch_id", "generation_time", "turn_count", "feedback_id", "timestamp", "rating",
        "model_name",
        # The last step is the final answer, the first the initial one: both have their fields.
        "refinement_process",
    }
)  # fmt: skip
SPEAKERS = {"human": "user", "gpt": "assistant", "observation": "tool", "function_call": "tool"}
"""ShareGPT's names for who speaks."""
OPTIONAL = frozenset({"input", "system", "history", "tools"})
"""Fields that stand empty in good rows; where another is empty, the judge must see that."""
_NOTHING: tuple[Json, ...] = (None, "", [], {})


def shown(row: Json, language: Language) -> str:
    """The whole row as a judge reads it."""
    texts = prompts("evaluate", language)
    if not isinstance(row, Mapping):
        return _value(row, texts)
    told = {k: v for k, v in row.items() if not (k in OPTIONAL and v in _NOTHING)}
    parts = {name: value for name, value in told.items() if name not in BOOKKEEPING} or told
    return "\n\n".join(
        f"[{texts.get(f'label.{name}', name)}]\n{_value(value, texts)}"
        for name, value in parts.items()
    )


def cut(text: str, max_tokens: int, language: Language) -> str:
    """The beginning (two thirds) and the end of a text longer than `max_tokens`, with a note."""
    whole = tokens_of(text)
    if whole <= max_tokens:
        return text
    kept = len(text) * max_tokens // whole
    while True:
        head, tail = text[: kept * 2 // 3], text[len(text) - kept // 3 :]
        tokens = tokens_of(head) + tokens_of(tail)
        if tokens <= max_tokens:
            break
        kept = kept * 9 // 10  # what is left is denser than the whole
    note = fill(prompts("evaluate", language)["left_out"], tokens=whole - tokens)
    return f"{head}\n{note}\n{tail}"


def _value(value: Json, texts: Mapping[str, str]) -> str:
    if value in _NOTHING:
        return texts["empty"]
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and _speaker(value):
        return _line(value, texts)
    if isinstance(value, list):
        if all(isinstance(one, Mapping) and _speaker(one) for one in value):
            return "\n".join(_line(one, texts) for one in value)
        if all(_is_round(one) for one in value):
            return _rounds(value, texts)
        if all(_is_pair(one) for one in value):
            return "\n".join(_line(one, texts) for pair in value for one in _messages(pair))
        if all(isinstance(one, str) for one in value):
            return value[0] if len(value) == 1 else "\n".join(f"- {one}" for one in value)
    return _json(value)


def _speaker(message: Mapping[str, Any]) -> str | None:
    """Who speaks; None when this is no message."""
    for role, content in (("role", "content"), ("from", "value")):
        if isinstance(message.get(role), str) and content in message:
            return str(message[role])
    return None


def _line(message: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    """`User: …`; parts of a message beside its words follow as JSON."""
    speaker = str(_speaker(message))
    names = {"role", "from"}
    said = message.get("content", message.get("value"))
    words = _value(said, texts) if isinstance(said, str) or said is None else _json(said)
    rest = {k: v for k, v in message.items() if k not in names | {"content", "value"} and v}
    more = f"\n{_json(rest)}" if rest else ""
    who = texts.get(f"speaker.{SPEAKERS.get(speaker, speaker)}", speaker)
    return fill(texts["line"], who=who, words=words + more)


def _is_round(value: Json) -> bool:
    return isinstance(value, Mapping) and {"question", "answer"} <= set(value)


def _rounds(rounds: list[Any], texts: Mapping[str, str]) -> str:
    parts = []
    for number, one in enumerate(rounds, 1):
        lines = [
            fill(texts["line"], who=texts.get(f"label.{name}", name), words=_value(value, texts))
            for name, value in one.items()
        ]
        parts.append("\n".join([fill(texts["round"], number=number), *lines]))
    return "\n\n".join(parts)


def _is_pair(value: Json) -> bool:
    """Alpaca's history: a question with its answer."""
    return isinstance(value, list) and len(value) == 2 and all(isinstance(x, str) for x in value)


def _messages(pair: list[str]) -> list[dict[str, str]]:
    return [{"role": "user", "content": pair[0]}, {"role": "assistant", "content": pair[1]}]


def _json(value: Json) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode()
