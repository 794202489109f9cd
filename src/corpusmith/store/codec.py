"""Values to column text and back.

Owns: JSON as text, text that any database takes, times as people read them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from corpusmith.values import PASS, Json, Reply, Usage, Verdict


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
    """What `to_json` wrote; None for None. A whole number of more than 64 bits may come back as
    the nearest float."""
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        # A whole number of some hundred digits: one row with it must not hide all others.
        return json.loads(text)


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


def verdicts_text(verdicts: Mapping[str, Verdict]) -> str | None:
    """`{check: "pass" | {action, reason, detail, …}}` as JSON; None: nothing checked it."""
    if not verdicts:
        return None
    # Nearly every record passes everything, by the same few checks.
    if all(verdict is PASS for verdict in verdicts.values()):
        return _all_passed(tuple(verdicts))
    return to_json({name: verdict_json(one) for name, one in verdicts.items()})


@lru_cache
def _all_passed(names: tuple[str, ...]) -> str:
    return to_json(dict.fromkeys(names, "pass"))


def verdict_json(verdict: Verdict) -> Json:
    """`"pass"`, or an object that says more."""
    if verdict.action == "pass" and not verdict.detail and verdict.score is None:
        return "pass"
    body = {"action": verdict.action, "reason": verdict.reason, "detail": verdict.detail}
    return body if verdict.score is None else {**body, "score": verdict.score}


def flags_text(verdicts: Mapping[str, Verdict]) -> str | None:
    """The checks that flagged it, sorted, each between blanks; None: none did."""
    names = [name for name, verdict in verdicts.items() if verdict.action == "flag"]
    return flags_of(sorted(names))


def flags_of(names: Sequence[str]) -> str | None:
    """Names between blanks; None for none."""
    return f" {' '.join(names)} " if names else None


@lru_cache(4096)
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
