"""A character by what people call it: a card file, a stored one or a shipped one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpusmith.archives import is_archive
from corpusmith.cards import png
from corpusmith.cards.charx import cards_in, charx_parts
from corpusmith.cards.read import MAX_BYTES, read_card
from corpusmith.errors import CardError, CorpusmithError, NotFound, UsageError
from corpusmith.nouns import Character
from corpusmith.places import given_path, means_file
from corpusmith.presets import load as presets
from corpusmith.store.store import SqlStore

MOST_LABEL = 300
CARD_SUFFIXES = (".json", ".png", ".charx")


def find_character(wish: str, store: SqlStore) -> Character:
    """A card file, a stored character, or a shipped one, in this order. Raises NotFound."""
    if means_file(wish, CARD_SUFFIXES):
        path = given_path(wish)
        return read_card(read_bytes(path), path.name)
    try:
        return store.characters.get(wish)
    except NotFound:
        shipped = presets.characters("zh") + presets.characters("en")
        for character in shipped:
            if character.name == wish:
                return character
        raise


def cards_of(data: bytes, file: str) -> Iterator[tuple[str, bytes | CorpusmithError]]:
    """(what it is called, its bytes) of each card that a file is or holds; of one that cannot be
    had, why. A zip with a `card.json` is one card, any other a heap of them."""
    if not is_archive(data):
        yield file, data
        return
    try:
        found = charx_parts(data, file, MAX_BYTES)
        if found is not None:
            found[1].close()
            yield file, data
            return
        inside = list(cards_in(data, file, MAX_BYTES))
        if not inside:
            raise UsageError("archive_no_cards", file=file)
    except CorpusmithError as error:
        yield file, error
        return
    yield from ((f"{file}/{name}"[-MOST_LABEL:], one) for name, one in inside)


def picture_of(data: bytes, file: str) -> bytes:
    """A PNG as a character's picture: whole, and without cards in it. Raises CardError."""
    if len(data) > MAX_BYTES:
        raise CardError("card_too_large", file=file, problem=f"> {MAX_BYTES >> 20} MiB")
    return png.with_cards(png.chunks(data, file), {})


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
