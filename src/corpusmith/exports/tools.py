"""Functions that an assistant may call, and its calls, as LLaMA-Factory reads them.

Owns: refusing those at which it stops, and with them the whole file: a call is an object with
`name` and `arguments` (or a list of such), a function has `name` and `parameters.properties`.
Does not own: where calls stand in a chat (`turns.py`).
"""

from __future__ import annotations

from typing import Any

import orjson

from corpusmith.errors import UsageError
from corpusmith.values import Record


def refuse_call(record: Record, at: int, text: str) -> None:
    """Raises UsageError for a call, at turn `at`, that is none."""
    found = _loaded(text)
    calls = found if isinstance(found, list) else [found]
    if not calls or not all(isinstance(one, dict) and one.keys() >= _CALL for one in calls):
        raise UsageError("export_call_shape", record=record.id, at=at)


def refuse_functions(record: Record, text: str) -> None:
    """Raises UsageError for a list of functions that is none; empty: there are no functions."""
    found = _loaded(text) if text else []
    if not isinstance(found, list) or not all(map(_is_function, found)):
        raise UsageError("export_tools_shape", record=record.id)


_CALL = {"name", "arguments"}


def _is_function(one: Any) -> bool:
    told = one.get("function") if isinstance(one, dict) and one.get("type") == "function" else one
    if not isinstance(told, dict) or not isinstance(told.get("name"), str):
        return False
    parameters = told.get("parameters")
    named = parameters.get("properties") if isinstance(parameters, dict) else None
    return isinstance(named, dict) and all(isinstance(own, dict) for own in named.values())


def _loaded(text: str) -> Any:
    """None: it is no JSON."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
