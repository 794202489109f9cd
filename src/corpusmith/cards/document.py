"""A card's JSON document: text to sound values, and back.

Owns: what JSON we take. Does not own: which field means what (`fields.py`).
"""

from __future__ import annotations

import json
import math
from typing import NoReturn

from corpusmith.errors import CardError
from corpusmith.values import Json

MAX_DEPTH = 64
_MAX_INT = 2**64 - 1
_MIN_INT = -(2**63)


def parsed(data: bytes, file: str) -> dict[str, Json]:
    """The object that `data` (UTF-8, with or without a byte order mark) holds. Raises CardError.

    What no database and no JSON writer takes is made harmless: NUL and halves of surrogate pairs
    become U+FFFD, integers beyond 64 bits become floats.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CardError("card_encoding", file=file, problem=f"byte {error.start}") from error
    try:
        value = json.loads(text, parse_constant=_refused)
    except RecursionError as error:
        raise CardError("card_too_deep", file=file, problem=f"> {MAX_DEPTH}") from error
    except json.JSONDecodeError as error:
        raise CardError("card_json", file=file, problem=f"{error.lineno}:{error.colno}") from error
    except ValueError as error:  # NaN, Infinity, or a number of more than 4,300 digits
        raise CardError("card_json", file=file, problem="number") from error
    if not isinstance(value, dict):
        raise CardError("card_not_object", file=file, problem=json_type(value))
    sound: dict[str, Json] = _sound(value, file, MAX_DEPTH)
    return sound


def written(document: Json) -> bytes:
    """UTF-8, indented, in the given order, with a newline at the end."""
    return json.dumps(document, ensure_ascii=False, indent=2).encode("utf-8", "replace") + b"\n"


def json_type(value: Json) -> str:
    """JSON's own word for what `value` is."""
    names = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def _sound(value: Json, file: str, depth: int) -> Json:
    if depth < 0:
        raise CardError("card_too_deep", file=file, problem=f"> {MAX_DEPTH}")
    if isinstance(value, str):
        return _sound_text(value)
    if isinstance(value, list):
        return [_sound(one, file, depth - 1) for one in value]
    if isinstance(value, dict):
        return {_sound_text(k): _sound(one, file, depth - 1) for k, one in value.items()}
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return _sound_number(value, file)


def _sound_number(value: float, file: str) -> int | float:
    if isinstance(value, int) and not _MIN_INT <= value <= _MAX_INT:
        try:
            return float(value)
        except OverflowError as error:
            raise CardError("card_json", file=file, problem="number") from error
    if isinstance(value, float) and not math.isfinite(value):  # 1e400
        raise CardError("card_json", file=file, problem="number")
    return value


def _sound_text(text: str) -> str:
    if not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "\ufffd")


def _refused(constant: str) -> NoReturn:
    raise ValueError(constant)
