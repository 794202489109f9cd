"""Mends JSON that a model wrote with small faults, without losing or making up a word.

Owns: the proof that a mended value says what the reply says. json_repair guesses: from
`{"a": "press "}" now"}` it makes `{"a": "press "}`. So each string and number of its result must be
found in the reply, in order, each string between its own two quotes, with nothing but
punctuation between them. What cannot be proven is asked for again.
Does not own: finding the JSON in the reply (`text.py`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator

import orjson

from corpusmith.values import Json

_GAP = re.compile(r"[ \t\r\n,:{}\[\]]*+")
_QUOTES = {'"': '"', "'": "'", "“": "”"}
_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_ESCAPE = re.compile(r"""\\u[0-9a-fA-F]{4}|\\["'\\/bfnrt]""")
_SCALAR = re.compile(r"(?:-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|none)(?!\w)", re.I)
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "none": None}
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


def repair(text: str) -> Json:
    """The value of a JSON text with small faults, whose brackets balance.

    Raises ValueError, with the problem as its text, where a faithful value cannot be had.
    """
    import json_repair

    # json_repair leaves the halves of an escaped pair (an emoji) apart, as two broken characters.
    text = _PAIR.sub(lambda pair: _character(pair[0]), text)
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
    if "\\u" in shape:  # a broken escape, such as \u00e: which character was meant is unknown
        return False
    at = 0
    for leaf, is_key in _leaves(value):
        opening = _skip_gap(shape, at)
        if isinstance(leaf, str):
            after = _after_string(plain, shape, opening, leaf, is_key)
        else:
            after = _after_scalar(shape, opening, leaf)
        if after is None:
            return False
        at = after
    return _skip_gap(shape, at) == len(shape)


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


def _skip_gap(shape: str, at: int) -> int:
    gap = _GAP.match(shape, at)
    return gap.end() if gap else at


def _after_string(plain: str, shape: str, opening: int, leaf: str, is_key: bool) -> int | None:
    """Where the text goes on after `leaf` and its quote; None: it is not what stands there."""
    quote = _QUOTES.get(shape[opening : opening + 1])
    if quote is None:  # only a key may come without quotes: {name: "Lin"}
        bare = _IDENTIFIER.match(shape, opening) if is_key else None
        return bare.end() if bare and bare[0] == leaf else None
    end = opening + 1 + len(leaf)
    if plain[opening + 1 : end] == leaf and shape[end : end + 1] == quote:
        return end + 1
    return None


def _after_scalar(shape: str, opening: int, leaf: Json) -> int | None:
    """Where the text goes on after a number or word; None: it is not what stands there."""
    found = _SCALAR.match(shape, opening)
    if found is None:
        return None
    word = found[0].lower()
    if word in _WORDS:
        return found.end() if leaf is _WORDS[word] else None
    is_number = isinstance(leaf, int | float) and not isinstance(leaf, bool)
    number = float(word)
    return found.end() if is_number and number == leaf and math.isfinite(number) else None


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
