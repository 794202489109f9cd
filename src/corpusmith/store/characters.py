"""Characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import RowMapping, select

from corpusmith.errors import Conflict
from corpusmith.nouns import Character
from corpusmith.store.codec import from_json, plain, to_json
from corpusmith.store.database import Database
from corpusmith.store.named import NamedRows
from corpusmith.store.schema import characters, dataset_characters, datasets

_TEXTS = (
    "name",
    "description",
    "personality",
    "background",
    "speaking_style",
    "example_dialogues",
    "greeting",
    "system_prompt",
    "creator",
)
_LISTED = (
    *(characters.c[name] for name in (*_TEXTS, "language", "tags")),
    characters.c.image.is_not(None).label("has_image"),
)
_SEARCHED = ("name", "description", "personality", "background", "tags", "creator")


class Characters:
    """The `characters` table."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = NamedRows(database, characters, "character")

    def add(self, character: Character) -> None:
        """Raises Conflict when the name is taken."""
        self._rows.add(_row(character))

    def get(self, name: str) -> Character:
        """Raises NotFound."""
        return character_of(self._rows.get(name))

    def list(
        self, search: str | None = None, *, limit: int | None = 50, after: str | None = None
    ) -> Sequence[Character]:
        """By name; `after`: the last name of the page before; `limit` None: all."""
        return [character_of(row) for row in self._rows.page(search, _SEARCHED, limit, after)]

    def listed(
        self, search: str | None = None, *, limit: int | None = 50, after: str | None = None
    ) -> Sequence[tuple[Character, bool]]:
        """`list` without cards and pictures, which may be large; beside each whether it has a
        picture."""
        rows = self._rows.page(search, _SEARCHED, limit, after, columns=_LISTED)
        return [(_texts_of(row), bool(row["has_image"])) for row in rows]

    def update(self, character: Character, *, old_name: str | None = None) -> None:
        """In place of the one of this name, or of `old_name`. Raises NotFound, Conflict."""
        self._rows.update(old_name or character.name, _row(character))

    def delete(self, name: str) -> None:
        """Raises NotFound, and Conflict `in_use` with the datasets that bind it."""
        with self._database.write() as connection:
            row = self._rows.row(connection, name)
            users = connection.scalars(
                select(datasets.c.name)
                .join(dataset_characters, dataset_characters.c.dataset_id == datasets.c.id)
                .where(dataset_characters.c.character_id == row["id"])
                .order_by(datasets.c.name)
            ).all()
            if users:
                raise Conflict("in_use", kind="character", name=name, users=", ".join(users))
            self._rows.remove(connection, row["id"])


def character_of(row: RowMapping) -> Character:
    """The Character of a row of `characters`."""
    return replace(
        _texts_of(row),
        card=from_json(row["card"]),
        image=None if row["image"] is None else bytes(row["image"]),
    )


def _texts_of(row: RowMapping) -> Character:
    return Character(
        **{name: row[name] for name in (*_TEXTS, "language")}, tags=tuple(from_json(row["tags"]))
    )


def _row(character: Character) -> dict[str, Any]:
    return {
        **{name: plain(getattr(character, name)) for name in _TEXTS},
        "tags": to_json(character.tags),
        "language": character.language,
        "card": None if character.card is None else to_json(character.card),
        "image": character.image,
    }
