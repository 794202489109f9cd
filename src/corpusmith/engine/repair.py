"""Mends JSON that a model wrote with small faults, without losing or making up a word.

Owns: the proof that a mended value says what the reply says. json_repair guesses: from
`{"a": "press "}" now"}` it makes `{"a": "press "}`. So each string and number of its result must be
found in the reply, in order, each string between its own two quotes, with nothing but
punctuation between them. What cannot be proven is asked for again.
Does not own: finding the JSON in the reply (`text.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import orjson

from corpusmith.values import Json

_PUNCTUATION = " \t\r\n,:{}[]"
_QUOTES = {'"': '"', "'": "'", "“": "”"}
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"""|\\u[0-9a-fA-F]{4}|\\["'\\/bfnrt]"""
)
_SCALAR = re.compile(r"(?:-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|none)(?!\w)", re.I)
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "none": None}
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


def repair(text: str) -> Json:
    """The value of a JSON text with small faults, whose brackets balance.

    Raises ValueError, with the problem as its text, where a faithful value cannot be had.
    """
    import json_repair

    try:
        value: Json = json_repair.loads(text, skip_json_loads=True)
        faithful = _says_the_same(text, value)
    except (ValueError, TypeError, IndexError, KeyError, RecursionError) as error:
        raise ValueError("not valid JSON, and beyond repair") from error
    if not faithful:
        raise ValueError("not valid JSON, and a repair would change the text")
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"a value that cannot be stored: {error}") from error
    return value


def _says_the_same(text: str, value: Json) -> bool:
    plain, shape = _decoded(text)
    at = 0
    for leaf, is_key in _leaves(value):
        after = _after_string(plain, shape, at, leaf, is_key) if isinstance(leaf, str) else (
            _after_scalar(shape, at, leaf)
        )
        if after is None:
            return False
        at = after
    return _is_punctuation(shape[at:])


def _leaves(value: Json) -> Iterator[tuple[Json, bool]]:
    """Keys, strings, numbers and words in the order of the text, with whether each is a key."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, True
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value, False


def _after_string(plain: str, shape: str, at: int, leaf: str, is_key: bool) -> int | None:
    """Where the text goes on after `leaf` and its quote; None: it is not what comes next."""
    opening = at + len(shape[at:]) - len(shape[at:].lstrip(_PUNCTUATION))
    quote = _QUOTES.get(shape[opening : opening + 1])
    if quote is None:
        bare = _IDENTIFIER.match(shape, opening) if is_key else None
        return bare.end() if bare and bare[0] == leaf else None
    end = opening + 1 + len(leaf)
    if plain[opening + 1 : end] == leaf and shape[end : end + 1] == quote:
        return end + 1
    return None


def _after_scalar(shape: str, at: int, leaf: Json) -> int | None:
    opening = at + len(shape[at:]) - len(shape[at:].lstrip(_PUNCTUATION))
    found = _SCALAR.match(shape, opening)
    if found is None:
        return None
    word = found[0].lower()
    if word in _WORDS:
        return found.end() if leaf is _WORDS[word] else None
    is_number = isinstance(leaf, int | float) and not isinstance(leaf, bool)
    return found.end() if is_number and float(word) == leaf else None


def _is_punctuation(text: str) -> bool:
    return not text.strip(_PUNCTUATION)


def _decoded(text: str) -> tuple[str, str]:
    r"""(the text with its escapes decoded, the same with a NUL for each escaped character).

    The second tells a quote that delimits from one that was written `\"`.
    """
    plain: list[str] = []
    shape: list[str] = []
    last = 0
    for escape in _ESCAPE.finditer(text):
        between = text[last : escape.start()]
        plain += between, _character(escape[0])
        shape += between, "\0"
        last = escape.end()
    plain.append(text[last:])
    shape.append(text[last:])
    return "".join(plain), "".join(shape)


def _character(escape: str) -> str:
    # json, not orjson: a lone surrogate is decoded here and refused by name in `repair`.
    return "'" if escape == "\\'" else str(json.loads(f'"{escape}"'))
