"""Writes a character as a community card.

Owns: from a Character to bytes. A field that we know is the Character's; every other field is
the imported card's, as it came.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Literal

from corpusmith.cards import fields, png
from corpusmith.cards.document import written
from corpusmith.nouns import Character
from corpusmith.values import Json

Form = Literal["v1", "v2", "v3"]

_SPEC = {"v2": "chara_card_v2", "v3": "chara_card_v3"}
_REQUIRED: dict[str, Json] = {
    "creator_notes": "",
    "system_prompt": "",
    "post_history_instructions": "",
    "alternate_greetings": [],
    "tags": [],
    "creator": "",
    "character_version": "",
    "extensions": {},
}


def write_card(character: Character, form: Form, *, png: bytes | None = None) -> bytes:
    """The card as JSON; with `png`, that picture with the card in it. Raises CardError.

    A V3 PNG holds a V2 card too, for programs that read only that.
    """
    if png is None:
        return written(_document(character, form))
    return _pictured(character, form, png)


def _pictured(character: Character, form: Form, picture: bytes) -> bytes:
    parts = png.chunks(picture, f"{character.name}.png")
    texts = {"chara": _packed(_document(character, "v2" if form == "v3" else form))}
    if form == "v3":
        texts["ccv3"] = _packed(_document(character, "v3"))
    return png.with_cards(parts, texts)


def _packed(document: Json) -> bytes:
    return base64.b64encode(written(document))


def _document(character: Character, form: Form) -> dict[str, Json]:
    card = character.card or {}
    outer, data = _kept(card)
    known = _known(character, data)
    if form == "v1":
        return outer | data | _filled(known, data)
    # Some programs repeat the V1 fields beside `data`: they must not go stale there.
    repeated = {name: value for name, value in known.items() if name in outer}
    spec = _SPEC[form]
    version = card.get("spec_version") if card.get("spec") == spec else None
    required = _REQUIRED | ({"group_only_greetings": []} if form == "v3" else {})
    return {
        **outer,
        **repeated,
        "spec": spec,
        "spec_version": version if isinstance(version, str) else fields.SPECS[spec],
        "data": known | required | data | known,
    }


def _kept(card: Mapping[str, Json]) -> tuple[dict[str, Json], dict[str, Json]]:
    """(fields beside `data`, fields) of the imported card, without those of our own form."""
    outer, data, own = fields.located(card)
    kept = data if isinstance(data, dict) else {}
    return outer, {k: v for k, v in kept.items() if not (own and k in fields.OWN_ONLY)}


def _known(character: Character, data: Mapping[str, Json]) -> dict[str, Json]:
    known: dict[str, Json] = {
        theirs: getattr(character, ours) for ours, theirs in fields.TEXTS.items()
    }
    known["personality"] = fields.with_style(
        character.personality, character.speaking_style, character.language
    )
    known["tags"] = list(character.tags)
    known["extensions"] = _extensions(character, data.get("extensions"))
    return known


def _extensions(character: Character, others: Json) -> dict[str, Json]:
    """The card's own extensions, with ours where a reader would miss something without it."""
    extensions = dict(others) if isinstance(others, dict) else {}
    ours = extensions.pop(fields.EXTENSION, None)
    mine: dict[str, Json] = dict(ours) if isinstance(ours, dict) else {}
    mine = {k: v for k, v in mine.items() if k not in ("speaking_style", "language")}
    texts = [str(getattr(character, name)) for name in fields.TEXTS]
    style = character.speaking_style
    if style or fields.language_of(*texts) != character.language:
        mine |= {"speaking_style": style, "language": character.language}
    return extensions | {fields.EXTENSION: mine} if mine else extensions


def _filled(known: Mapping[str, Json], data: Mapping[str, Json]) -> dict[str, Json]:
    """For V1, which knows six fields: those, and of the others what holds something."""
    return {
        name: value
        for name, value in known.items()
        if name in fields.V1_FIELDS or name in data or value
    }
