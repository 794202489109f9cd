"""Reading foreign JSON without trusting its shape.

Owns: "this value if it has that type, else an empty one". Does not own: what the fields mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

_MOST = 2**53  # more tokens than that is no count


def parsed(body: bytes) -> Any:
    """The JSON value in `body`; None when it is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def as_json(value: Any) -> str:
    """`value`, an object, as JSON text; empty for anything else."""
    try:
        return orjson.dumps(value).decode() if isinstance(value, dict) else ""
    except orjson.JSONEncodeError:  # nested deeper than orjson writes
        return ""


def as_dict(value: Any) -> dict[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """`value` if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """`value` if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def as_count(value: Any) -> int:
    """`value` if it is a believable count (a whole number >= 0), else 0."""
    return value if type(value) is int and 0 <= value < _MOST else 0


def merged(body: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """`body` with `extra` laid over it: objects are merged, everything else is replaced."""
    result = dict(body)
    for name, value in extra.items():
        below = result.get(name)
        if isinstance(below, dict) and isinstance(value, Mapping):
            result[name] = merged(below, value)
        else:
            result[name] = value
    return result
