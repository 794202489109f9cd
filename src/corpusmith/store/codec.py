"""Values to column text and back.

Owns: JSON as text, text that any database takes, times as people read them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from corpusmith.values import Json, Reply, Usage


def to_json(value: Json) -> str:
    """`value` as JSON text. Raises TypeError for what JSON cannot hold.

    A lone surrogate, which lenient JSON parsers let through, becomes `?`: no UTF-8 can hold it.
    NaN and infinities become null.
    """
    try:
        return orjson.dumps(value, default=_plain_value).decode()
    except orjson.JSONEncodeError:
        loose = json.dumps(value, ensure_ascii=False, default=_plain_value)
        sound = loose.encode("utf-8", "replace")
        return json.dumps(json.loads(sound, parse_constant=lambda _: None), ensure_ascii=False)


def from_json(text: str | None) -> Any:
    """What `to_json` wrote; None for None."""
    return None if text is None else orjson.loads(text)


def plain(text: str) -> str:
    """`text` without what a text column cannot hold: a NUL goes, a lone surrogate becomes `?`."""
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def reply_of(text: str) -> Reply:
    """The Reply that `to_json` wrote."""
    body = orjson.loads(text)
    usage = body.pop("usage")
    return Reply(**body, usage=None if usage is None else Usage(**usage))


def iso(seconds: float) -> str:
    """ISO 8601 in UTC, to the millisecond: `2026-11-21T13:00:00.123Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
