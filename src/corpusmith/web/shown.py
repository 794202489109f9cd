"""A record's content as a page shows and edits it.

Owns: a conversation or fields, texts of a form into a content. Does not own: which texts there are
(`service/review_content.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corpusmith.service.review_content import texts_of, with_text
from corpusmith.values import Json
from corpusmith.web.form import Form

_TALKS = {
    "dialogues": ("role", "content"),
    "messages": ("role", "content"),
    "conversations": ("from", "value"),
}
"""The key of a conversation → of a turn, who says it and what."""
_ROLES = {"human": "user", "gpt": "assistant"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A conversation, and whatever else the content holds."""

    talk: list[dict[str, str]]
    fields: list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Editable:
    """One text in a form."""

    field: str
    label: str
    text: str
    speaker: str
    """Who says it; empty: it is no turn."""


def shown(content: Json) -> Shown:
    """All that is in it."""
    if not isinstance(content, Mapping):
        return Shown(talk=[], fields=[("", _text(content))])
    for key, names in _TALKS.items():
        if talk := _talk(content.get(key), names):
            rest = [(str(name), _text(one)) for name, one in content.items() if name != key]
            return Shown(talk=talk, fields=rest)
    return Shown(talk=[], fields=[(str(name), _text(one)) for name, one in content.items()])


def _talk(said: Json, names: tuple[str, str]) -> list[dict[str, str]]:
    who, what = names
    if not isinstance(said, list):
        return []
    if not all(isinstance(one, Mapping) and set(one) == {who, what} for one in said):
        return []
    if not all(isinstance(one[who], str) and isinstance(one[what], str) for one in said):
        return []
    return [{"role": _ROLES.get(one[who], one[who]), "content": one[what]} for one in said]


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def editable(content: Json, form: Form | None = None) -> list[Editable]:
    """Its texts, or what was typed in their place."""
    found = []
    for place, one in enumerate(texts_of(content)):
        typed = None if form is None else _typed(form, place)
        text = one.text if typed is None else typed
        speaker = _speaker(content, one.path)
        found.append(Editable(field=f"t{place}", label=one.label, text=text, speaker=speaker))
    return found


def _speaker(content: Json, path: tuple[str | int, ...]) -> str:
    turn: Any = content
    for step in path[:-1]:
        turn = turn[step]
    said = (
        next((turn.get(who) for who, _ in _TALKS.values() if turn.get(who)), "")
        if isinstance(turn, Mapping)
        else ""
    )
    return _ROLES.get(said, said) if isinstance(said, str) else ""


def edited(content: Json, form: Form) -> Json:
    """The content with what was typed. A text that looks the same in a form stays as it is: a
    form turns every line end into its own."""
    fresh = content
    for place, one in enumerate(texts_of(content)):
        typed = _typed(form, place)
        if typed is not None and typed != _plain(one.text):
            fresh = with_text(fresh, one.path, typed)
    return fresh


def _typed(form: Form, place: int) -> str | None:
    found = form.data.get(f"t{place}")
    return _plain(found) if isinstance(found, str) else None


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
