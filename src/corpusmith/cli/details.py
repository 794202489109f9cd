"""What a verdict or a miss says in detail, in words: `where: $.answer  found: …`.

Owns: labels of a detail's keys, and values as people read them. Does not own: reasons (the
catalog), details (whoever found the fault).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from corpusmith.cli.session import Session
from corpusmith.messages import catalog
from corpusmith.values import Json

GAP = "  "


def detail_pairs(session: Session, detail: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """(label, text) of all that is said; a key without a label in the catalog is its own."""
    for key, value in detail.items():
        if value not in (None, [], {}):
            yield _word(session, f"detail.{key}", key), _text(session, key, value)


def detail_text(session: Session, detail: Mapping[str, Json]) -> str:
    """All pairs in one line: line breaks in foreign text become blanks."""
    pairs = (
        session.say("detail.pair", label=label, text=text)
        for label, text in detail_pairs(session, detail)
    )
    return GAP.join(" ".join(pair.split()) for pair in pairs)


def verdict_text(session: Session, verdict: Any) -> str:
    """`flag  personal data  kind: phone …`, of a verdict as a record holds it; empty: a pass."""
    if not isinstance(verdict, Mapping) or verdict.get("action") == "pass":
        return ""
    reason = str(verdict.get("reason", ""))
    parts = (
        session.say(f"cli.check.action.{verdict['action']}"),
        _word(session, f"short.{reason}", reason),
        detail_text(session, verdict.get("detail") or {}),
    )
    return GAP.join(part for part in parts if part)


def _text(session: Session, key: str, value: Json) -> str:
    if isinstance(value, Mapping):
        parts = [f"{_text(session, key, name)} {_plain(one)}" for name, one in value.items()]
        return session.say("cli.comma").join(parts)
    if isinstance(value, list | tuple):
        return session.say("cli.comma").join(_text(session, key, one) for one in value)
    return _word(session, f"detail.{key}.{value}", _plain(value))


def _plain(value: Json) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _word(session: Session, key: str, otherwise: str) -> str:
    return session.say(key) if key in catalog(session.language) else otherwise
