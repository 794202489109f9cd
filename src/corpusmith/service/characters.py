"""Use-cases of characters: keep them, cards in and out, pictures.

Owns: what becomes of a card whose name is taken. Does not own: rows (store), the cards' format
(cards), trying a character out (`character_talk.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from corpusmith.cards.read import read_card
from corpusmith.cards.write import Form as CardForm
from corpusmith.cards.write import write_card
from corpusmith.errors import CorpusmithError, UsageError
from corpusmith.nouns import Character
from corpusmith.places import given_output, given_path
from corpusmith.presets import load as presets
from corpusmith.service.cards import cards_of, find_character, has, picture_of, read_bytes
from corpusmith.service.library import changed, named
from corpusmith.values import Language

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

OnConflict = Literal["refuse", "replace", "rename"]
"""What becomes of a card whose name is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedCard:
    """What became of one card."""

    file: str
    outcome: Literal["made", "replaced", "renamed", "refused"]
    name: str | None
    """The character's; None: it is none."""
    error: CorpusmithError | None = None
    """Why it was refused."""


class Characters:
    """`studio.characters`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def add(self, character: Character) -> Character:
        """Raises Conflict when the name is taken."""
        named(character.name, "character")
        self._studio.store.characters.add(character)
        return character

    def import_file(self, path: str | Path, *, replace_existing: bool = False) -> Character:
        """A card (JSON or PNG; V1, V2, V3, or our own fields). Raises CardError, Conflict."""
        source = given_path(path)
        character = read_card(read_bytes(source), source.name)
        if replace_existing and has(self._studio.store.characters, character.name):
            self._studio.store.characters.update(character)
            return character
        return self.add(character)

    def import_bytes(
        self, data: bytes, file: str, *, on_conflict: OnConflict = "refuse"
    ) -> Sequence[ImportedCard]:
        """The card that `data` is, or each card of a zip: what became of it. Raises nothing for a
        card: one that cannot be read is in the result. `file`: what it is called, for messages."""
        return [self._imported(one, name, on_conflict) for name, one in cards_of(data, file)]

    def card(self, name: str, *, form: CardForm = "v2", kind: Literal["json", "png"]) -> bytes:
        """A character's card. Raises NotFound, UsageError for a PNG without a picture."""
        character = self.find(name)
        if kind == "png" and character.image is None:
            raise UsageError("no_picture", name=name)
        return write_card(character, form, png=character.image if kind == "png" else None)

    def copy(self, wish: str, new_name: str | None = None) -> Character:
        """A stored or shipped character as a new stored one. Raises NotFound, Conflict."""
        found = self.find(wish)
        return self.add(replace(found, name=new_name or found.name))

    def set_picture(self, name: str, picture: bytes | None) -> Character:
        """A PNG as its picture, without cards that may be in it; None: none. Raises NotFound,
        CardError."""
        old = self.get(name)
        image = None if picture is None else picture_of(picture, f"{name}.png")
        fresh = replace(old, image=image)
        self._studio.store.characters.update(fresh)
        return fresh

    def _imported(
        self, card: bytes | CorpusmithError, file: str, on_conflict: OnConflict
    ) -> ImportedCard:
        try:
            if isinstance(card, CorpusmithError):
                raise card
            found = read_card(card, file)
            named(found.name, "character")
            return ImportedCard(file=file, **self._placed(found, on_conflict))
        except UsageError as error:
            return ImportedCard(file=file, outcome="refused", name=None, error=error)

    def _placed(self, character: Character, on_conflict: OnConflict) -> dict[str, Any]:
        """Raises Conflict."""
        rows = self._studio.store.characters
        if on_conflict == "replace" and has(rows, character.name):
            rows.update(character)
            return {"outcome": "replaced", "name": character.name}
        free = _free_name(character.name, rows) if on_conflict == "rename" else character.name
        self.add(replace(character, name=free))
        return {"outcome": "made" if free == character.name else "renamed", "name": free}

    def export_file(
        self, name: str, path: str | Path, *, form: Literal["v1", "v2", "v3"] = "v2"
    ) -> Path:
        """Write a card; `.png` puts it into the character's picture. Raises UsageError."""
        character = self.find(name)
        target = given_output(path)
        png = None
        if target.suffix.lower() == ".png":
            if character.image is None:
                raise UsageError("no_picture", name=name)
            png = character.image
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(write_card(character, form, png=png))
        except OSError as error:
            raise UsageError("cannot_write", path=str(target), cause=error.strerror) from None
        return target

    def get(self, name: str) -> Character:
        """A stored character. Raises NotFound."""
        return self._studio.store.characters.get(name)

    def find(self, wish: str) -> Character:
        """A card file, a stored character or a shipped one. Raises NotFound, CardError."""
        return find_character(wish, self._studio.store)

    def list(
        self, search: str | None = None, *, limit: int | None = None, after: str | None = None
    ) -> Sequence[Character]:
        """By name; `after`: the last name of the page before; `limit` None: all."""
        return self._studio.store.characters.list(search=search, limit=limit, after=after)

    def listed(
        self, search: str | None = None, *, limit: int | None = None, after: str | None = None
    ) -> Sequence[tuple[Character, bool]]:
        """`list` for many: without cards and pictures; beside each whether it has a picture."""
        return self._studio.store.characters.listed(search=search, limit=limit, after=after)

    def shipped(self, language: Language | None = None) -> Sequence[Character]:
        """The characters that come with Corpusmith."""
        languages: tuple[Language, ...] = (language,) if language else ("zh", "en")
        return [one for chosen in languages for one in presets.characters(chosen)]

    def update(self, name: str, **fields: Any) -> Character:
        """Change the given fields. Raises NotFound, UsageError for an unknown field."""
        fresh = changed(self.get(name), fields)
        self._studio.store.characters.update(fresh)
        return fresh

    def delete(self, name: str) -> None:
        """Raises Conflict naming what uses it."""
        self._studio.store.characters.delete(name)


def _free_name(name: str, rows: Any) -> str:
    """`name`, or with the first number that is free: `name (2)`."""
    numbered = (f"{name[:190]} ({number})" for number in count(2))
    return next(one for one in chain([name], numbered) if not has(rows, one))
