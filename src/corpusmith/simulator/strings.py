"""Strings that match a pattern or a format.

Owns: making them. Does not own: prose (`scribe.py`) and the checking of a whole value.
"""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

# The standard library's own reading of a pattern. It is not a public module, but its shape has
# been the same since Python 2; `tests/simulator/test_sim_strings.py` would notice a change.
_PARSER: Any = import_module("re._parser")

_CLASSES = {
    "L": "a-zA-Z\u4e00-\u9fa5",
    "Lu": "A-Z",
    "Ll": "a-z",
    "N": "0-9",
    "Nd": "0-9",
    "P": "!,.?;:",
    "Han": "\u4e00-\u9fa5",
    "sc=Han": "\u4e00-\u9fa5",
    "Script=Han": "\u4e00-\u9fa5",
    "Letter": "a-zA-Z\u4e00-\u9fa5",
}
_PROPERTY = re.compile(r"\\p\{([A-Za-z=_]+)\}")
_ANY = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_CATEGORIES = {
    "CATEGORY_DIGIT": "0123456789",
    "CATEGORY_WORD": _ANY + "_",
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_DIGIT": "abcdefghijkmnpqrstuvwxyz",
    "CATEGORY_NOT_WORD": " -.,",
    "CATEGORY_NOT_SPACE": _ANY,
}


class NoPattern(Exception):
    """The pattern cannot be read here."""


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    """The ECMA pattern as a Python one, ASCII classes. Raises NoPattern."""
    try:
        return re.compile(_python(pattern), re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise NoPattern(str(error)) from error


def matching(pattern: str, rng: random.Random, stretch: int) -> str:
    """A string that probably matches; open repetitions go up to `stretch`. Raises NoPattern."""
    tree = _tree(pattern)
    out: list[str] = []
    _walk(tree, rng, stretch, out, {})
    return "".join(out)


@lru_cache(maxsize=512)
def _tree(pattern: str) -> Any:
    try:
        return _PARSER.parse(_python(pattern), re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise NoPattern(str(error)) from error


def _python(pattern: str) -> str:
    """ECMA's spelling in Python's."""
    text = pattern.replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!")
    text = re.sub(r"\\u\{?([0-9a-fA-F]{4,6})\}?", lambda m: re.escape(chr(int(m[1], 16))), text)
    text = re.sub(r"\\k<(\w+)>", r"(?P=\1)", text)
    # `$` alone also matches before a last line feed in Python.
    if text.endswith("$") and not text.endswith("\\$"):
        text = text[:-1] + r"\Z"
    out, inside, place = [], False, 0
    while place < len(text):
        found = _PROPERTY.match(text, place)
        if found:
            members = _CLASSES.get(found[1], _ANY)
            out.append(members if inside else f"[{members}]")
            place = found.end()
            continue
        step = 2 if text[place] == "\\" else 1
        if step == 1 and text[place] in "[]":
            inside = text[place] == "["
        out.append(text[place : place + step])
        place += step
    return "".join(out)


def _walk(tree: Any, rng: random.Random, stretch: int, out: list[str], groups: Any) -> None:
    for code, argument in tree:
        _STEPS.get(str(code), _skip)(argument, rng, stretch, out, groups)


def _skip(argument: Any, rng: random.Random, stretch: int, out: list[str], groups: Any) -> None:
    """Anchors and negative look-arounds write nothing; the checker decides."""


def _literal(argument: Any, rng: random.Random, stretch: int, out: list[str], groups: Any) -> None:
    out.append(chr(argument))


def _not_literal(
    argument: Any, rng: random.Random, stretch: int, out: list[str], groups: Any
) -> None:
    out.append(rng.choice([c for c in _ANY if ord(c) != argument]))


def _any(argument: Any, rng: random.Random, stretch: int, out: list[str], groups: Any) -> None:
    out.append(rng.choice(_ANY))


def _in(argument: Any, rng: random.Random, stretch: int, out: list[str], groups: Any) -> None:
    negated = str(argument[0][0]) == "NEGATE"
    if negated:
        banned = argument[1:]
        pool = [c for c in _ANY + " -_.,\u5b57\u8bcd" if not any(_has(m, c) for m in banned)]
        out.append(rng.choice(pool) if pool else "\u6587")
        return
    code, member = rng.choice(argument)
    match str(code):
        case "LITERAL":
            out.append(chr(member))
        case "RANGE":
            out.append(chr(rng.randint(*member)))
        case _:
            out.append(rng.choice(_CATEGORIES.get(str(member), _ANY)))


def _has(member: Any, char: str) -> bool:
    code, value = str(member[0]), member[1]
    if code == "LITERAL":
        return bool(ord(char) == value)
    if code == "RANGE":
        return bool(value[0] <= ord(char) <= value[1])
    negated = "_NOT_" in str(value)
    base = _CATEGORIES[str(value).replace("_NOT_", "_")]
    return (char in base) != negated


def _repeat(argument: Any, rng: random.Random, stretch: int, out: list[str], groups: Any) -> None:
    low, high, inner = argument
    most = min(int(high), max(int(low), int(low) + stretch))
    for _ in range(rng.randint(int(low), max(int(low), most))):
        _walk(inner, rng, stretch, out, groups)


def _group(argument: Any, rng: random.Random, stretch: int, out: list[str], groups: Any) -> None:
    start = len(out)
    _walk(argument[3], rng, stretch, out, groups)
    if argument[0] is not None:
        groups[argument[0]] = "".join(out[start:])


def _backreference(
    argument: Any, rng: random.Random, stretch: int, out: list[str], groups: Any
) -> None:
    out.append(groups.get(argument, ""))


def _branch(argument: Any, rng: random.Random, stretch: int, out: list[str], groups: Any) -> None:
    _walk(rng.choice(argument[1]), rng, stretch, out, groups)


_STEPS: dict[str, Callable[[Any, random.Random, int, list[str], Any], None]] = {
    "LITERAL": _literal,
    "NOT_LITERAL": _not_literal,
    "ANY": _any,
    "IN": _in,
    "MAX_REPEAT": _repeat,
    "MIN_REPEAT": _repeat,
    "POSSESSIVE_REPEAT": _repeat,
    "SUBPATTERN": _group,
    "GROUPREF": _backreference,
    "BRANCH": _branch,
}

# ---------------------------------------------------------------- formats

_WORDS = ("amber", "brook", "cedar", "delta", "ember", "fern", "grove", "harbor", "iris", "juniper")


def formatted(name: str, rng: random.Random) -> str | None:
    """A string of a known format; None for an unknown one."""
    make = _FORMATS.get(name)
    return None if make is None else make(rng)


def _date(rng: random.Random) -> str:
    return f"20{rng.randint(15, 29)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def _time(rng: random.Random) -> str:
    return f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}Z"


def _host(rng: random.Random) -> str:
    return f"{rng.choice(_WORDS)}{rng.randint(1, 999)}.example.com"


def _ipv4(rng: random.Random) -> str:
    return f"192.0.2.{rng.randint(1, 254)}"


def _ipv6(rng: random.Random) -> str:
    return f"2001:db8::{rng.randint(1, 65535):x}"


def _uri(rng: random.Random) -> str:
    return f"https://{_host(rng)}/{rng.choice(_WORDS)}/{rng.randint(1, 9999)}"


_FORMATS: dict[str, Callable[[random.Random], str]] = {
    "date": _date,
    "time": _time,
    "date-time": lambda rng: f"{_date(rng)}T{_time(rng)}",
    "duration": lambda rng: f"P{rng.randint(1, 30)}DT{rng.randint(1, 23)}H",
    "email": lambda rng: f"{rng.choice(_WORDS)}{rng.randint(1, 999)}@example.com",
    "idn-email": lambda rng: f"{rng.choice(_WORDS)}{rng.randint(1, 999)}@example.com",
    "hostname": _host,
    "idn-hostname": _host,
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "uri": _uri,
    "url": _uri,
    "uri-reference": lambda rng: f"/{rng.choice(_WORDS)}/{rng.randint(1, 9999)}",
    "iri": _uri,
    "iri-reference": lambda rng: f"/{rng.choice(_WORDS)}/{rng.randint(1, 9999)}",
    "uri-template": lambda rng: "https://example.com/" + rng.choice(_WORDS) + "/{id}",
    "uuid": lambda rng: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
    "json-pointer": lambda rng: f"/{rng.choice(_WORDS)}/{rng.randint(0, 9)}",
    "relative-json-pointer": lambda rng: f"{rng.randint(0, 3)}/{rng.choice(_WORDS)}",
    "regex": lambda rng: f"^{rng.choice(_WORDS)}[0-9]+$",
}
