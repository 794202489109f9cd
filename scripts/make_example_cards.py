"""Writes the example cards from the shipped characters.

python scripts/make_example_cards.py        writes examples/cards/
"""

from __future__ import annotations

from pathlib import Path

from corpusmith.cards.write import write_card
from corpusmith.nouns import Character
from corpusmith.presets.load import character
from corpusmith.values import Language

FOLDER = Path(__file__).parent.parent / "examples" / "cards"


def cards() -> dict[str, bytes]:
    """Every example card by its file name."""
    lin, he, wren, nora = (
        _shipped(name, language)
        for name, language in (("lin", "zh"), ("he", "zh"), ("wren", "en"), ("nora", "en"))
    )
    return {
        "lin.json": write_card(lin, "v2"),
        "he.png": write_card(he, "v3", png=he.image),
        "nora.json": write_card(nora, "v2"),
        "wren.png": write_card(wren, "v3", png=wren.image),
    }


def _shipped(name: str, language: Language) -> Character:
    found = character(name, language)
    if found is None:
        raise SystemExit(f"no shipped character {name} ({language})")
    return found


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, data in cards().items():
        (FOLDER / name).write_bytes(data)
        print(f"{name}: {len(data)} bytes")
