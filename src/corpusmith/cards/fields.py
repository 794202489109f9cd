"""How our words and the community's stand to each other.

Owns: the field names of both, and our few fields that cards have no place for.
Does not own: reading and writing documents (`read.py`, `write.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

from corpusmith.values import Json, Language

SPECS = {"chara_card_v2": "2.0", "chara_card_v3": "3.0"}

TEXTS = {
    "name": "name",
    "description": "description",
    "personality": "personality",
    "background": "scenario",
    "greeting": "first_mes",
    "example_dialogues": "mes_example",
    "system_prompt": "system_prompt",
    "creator": "creator",
}
"""Our name to the card's, for fields that hold text."""

V1_FIELDS = ("name", "description", "personality", "scenario", "first_mes", "mes_example")
COMMUNITY_ONLY = ("scenario", "first_mes", "mes_example")
OWN_ONLY = ("background", "greeting", "example_dialogues", "speaking_style", "language")
"""Fields of our own simple JSON that no community card has."""

EXTENSION = "corpusmith"
"""Our key in a card's `extensions`."""

_STYLE_LEAD: dict[Language, str] = {"zh": "说话方式：", "en": "Way of speaking: "}


def located(card: Mapping[str, Json]) -> tuple[dict[str, Json], Json, bool]:
    """(what stands beside `data`, the card's fields, whether it is our own simple form).

    A flat card is all fields. The fields of a V2 or V3 card may be anything: check them.
    """
    spec = card.get("spec")
    if (isinstance(spec, str) and spec in SPECS) or ("name" not in card and "data" in card):
        beside = ("spec", "spec_version", "data")
        return {k: v for k, v in card.items() if k not in beside}, card.get("data"), False
    return {}, dict(card), not any(name in card for name in COMMUNITY_ONLY)


def with_style(personality: str, style: str, language: Language) -> str:
    """A card's personality with our speaking style at its end, so that other programs use it too.

    `without_style` takes exactly this off again.
    """
    if not style:
        return personality
    tail = _STYLE_LEAD[language] + style
    return f"{personality}\n\n{tail}" if personality else tail


def without_style(personality: str, style: str, language: Language) -> str:
    """Our personality from the card's; unchanged if somebody edited its end."""
    tail = _STYLE_LEAD[language] + style
    if not style or not personality.endswith(tail):
        return personality
    if personality == tail:
        return ""
    return personality.removesuffix(f"\n\n{tail}")


def language_of(*texts: str) -> Language:
    """`zh` if at least a fifth of the letters are Chinese characters, else `en`.

    Chinese says with one character what English says with five letters, and names, tags and
    markup are Latin in Chinese cards too: a half would miss many.
    """
    letters = chinese = 0
    for sign in "".join(texts)[:20_000]:
        if sign.isalpha():
            letters += 1
            chinese += "\u3400" <= sign <= "\u9fff"
    return "zh" if chinese * 5 >= letters > 0 else "en"
