"""From what stands in a connection's form to its own headers and body fields, and back.

Owns: their texts: a header a line, fields as JSON; which of it may stand in a page. Does not own:
what is secret (`hidden.py`), what a hidden value stands for (`service/sealing.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from corpusmith import hidden
from corpusmith.errors import SpecError
from corpusmith.values import HIDDEN, Json

INDENT = 2


def headers_in(text: str) -> dict[str, str]:
    """The headers of `Name: value` lines. Raises SpecError, which shows no value."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not line.strip():
            continue
        if not (name and colon):
            raise SpecError("header_line", line=number)
        if name.lower() in (one.lower() for one in found):
            raise SpecError("header_twice", line=number)
        found[name] = value
    return found


def extra_in(text: str) -> dict[str, Json]:
    """The body fields of a JSON object; nothing: none. Raises SpecError."""
    if not text:
        return {}
    try:
        found = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise SpecError("extra_no_json", line=getattr(error, "lineno", 1)) from None
    if not isinstance(found, dict):
        raise SpecError("extra_no_object")
    return found


def texts_of(headers: Sequence[str], extra: Mapping[str, Json]) -> dict[str, str]:
    """How a stored connection's stand in the form; `extra` is as it may be shown."""
    return {"headers": _lines(headers), "extra": _written(extra)}


def texts_again(headers: str, extra: str) -> dict[str, str]:
    """The same of a form that was refused: what was typed, with secrets hidden. What cannot be
    read and may hold one does not come back."""
    try:
        fields = hidden.shown(extra_in(extra))
    except SpecError:
        return {"headers": _again(headers), "extra": "" if hidden.may_hold(extra) else extra}
    return {"headers": _again(headers), "extra": _written(fields)}


def _again(headers: str) -> str:
    try:
        return _lines(list(headers_in(headers)))
    except SpecError:
        names = (line.partition(":") for line in headers.splitlines())
        return "\n".join(f"{name}: {HIDDEN}" if colon else "" for name, colon, _ in names)


def _lines(names: Sequence[str]) -> str:
    return "\n".join(f"{name}: {HIDDEN}" for name in names)


def _written(fields: Any) -> str:
    return json.dumps(fields, ensure_ascii=False, indent=INDENT) if fields else ""


def _refused(name: str) -> Any:
    """NaN and its like are no JSON."""
    raise ValueError(name)
