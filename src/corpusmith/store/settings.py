"""Small facts that outlive a run, as JSON by name (not the user's settings: `config.py`)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from corpusmith.store.codec import from_json, to_json
from corpusmith.store.database import Database
from corpusmith.store.schema import settings
from corpusmith.values import Json


class Settings:
    """The `settings` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> Any:
        """The value, or None."""
        query = select(settings.c.value).where(settings.c.name == name)
        with self._database.read() as connection:
            return from_json(connection.scalar(query))

    def all(self, prefix: str) -> dict[str, Any]:
        """Those whose name begins so."""
        query = select(settings.c.name, settings.c.value).where(
            settings.c.name.startswith(prefix, autoescape=True)
        )
        with self._database.read() as connection:
            return {name: from_json(value) for name, value in connection.execute(query)}

    def swap(self, name: str, old: Json, new: Json) -> bool:
        """`new` in place of `old`; False: it is not `old` any more, and stays."""
        mine = (settings.c.name == name, settings.c.value == to_json(old))
        with self._database.write() as connection:
            query = update(settings).where(*mine).values(value=to_json(new))
            return connection.execute(query).rowcount == 1

    def set(self, name: str, value: Json) -> None:
        """Keep it, instead of what was there."""
        text = to_json(value)
        insert = self._database.insert(settings).values(name=name, value=text)
        with self._database.write() as connection:
            connection.execute(
                insert.on_conflict_do_update(index_elements=["name"], set_={"value": text})
            )
