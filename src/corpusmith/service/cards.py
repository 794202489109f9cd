"""A character by what people call it: a card file, a stored one or a shipped one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from corpusmith.cards.read import read_card
from corpusmith.errors import CardError, NotFound
from corpusmith.nouns import Character
from corpusmith.presets import load as presets
from corpusmith.store.store import SqlStore

CARD_SUFFIXES = (".json", ".png")


def find_character(wish: str, store: SqlStore) -> Character:
    """A card file, a stored character, or a shipped one, in this order. Raises NotFound."""
    path = Path(wish)
    if path.suffix.lower() in CARD_SUFFIXES or os.path.isfile(path):
        return read_card(read_bytes(path), path.name)
    try:
        return store.characters.get(wish)
    except NotFound:
        shipped = presets.characters("zh") + presets.characters("en")
        for character in shipped:
            if character.name == wish:
                return character
        raise


def has(rows: Any, name: str) -> bool:
    """Whether a table of the store has a row of that name."""
    try:
        rows.get(name)
    except NotFound:
        return False
    return True


def read_bytes(path: Path) -> bytes:
    """The file. Raises CardError with the system's reason."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CardError("card_unreadable", file=str(path), problem=error.strerror) from None
