"""Which texts a draft holds, and which of them are a model's answers.

Owns: the table of known shapes, one line each; of an unknown shape every text counts.
Does not own: whether a shape is kept exactly (`format.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from corpusmith.values import Json


def texts(content: Json) -> list[str]:
    """The texts that people wrote to be read, in order."""
    return _pick(TEXTS, content)


def answers(content: Json) -> list[str]:
    """The texts that a model answered, in order."""
    return _pick(ANSWERS, content)


def strings(content: Json) -> Iterator[tuple[str, str]]:
    """(path, text) of every string value, such as `$.a[0]`; keys are not values."""
    stack: list[tuple[str, Json]] = [("$", content)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict):
            stack += reversed([(f"{path}.{key}", inner) for key, inner in value.items()])
        elif isinstance(value, list):
            stack += reversed([(f"{path}[{at}]", inner) for at, inner in enumerate(value)])


def _pick(table: dict[str, Callable[[Any], list[str]]], content: Json) -> list[str]:
    if isinstance(content, dict):
        for key, pick in table.items():
            if key in content:
                try:
                    return pick(content[key])
                except (TypeError, KeyError):  # a broken shape, which is the format check's to name
                    break
    return [text for _, text in strings(content)]


def _contents(turns: Any) -> list[str]:
    return [text for turn in turns if isinstance(text := turn["content"], str)]


# The key that tells a shape -> how to take its texts from that key's value. Both sides of a
# dialogue are a model's: the user's lines too are answers to a prompt, and may be a refusal.
TEXTS: dict[str, Callable[[Any], list[str]]] = {"dialogues": _contents}
ANSWERS: dict[str, Callable[[Any], list[str]]] = {"dialogues": _contents}
