"""Which way of asking for structured output worked at an endpoint, for each model."""

from __future__ import annotations

from typing import cast

from sqlalchemy import select

from corpusmith.store.database import Database
from corpusmith.store.schema import modes
from corpusmith.values import StructuredMode


class Modes:
    """The `modes` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, endpoint: str, model: str) -> StructuredMode | None:
        """The way that worked last, or None."""
        query = select(modes.c.mode).where(modes.c.endpoint == endpoint, modes.c.model == model)
        with self._database.read() as connection:
            return cast(StructuredMode | None, connection.scalar(query))

    def set(self, endpoint: str, model: str, mode: StructuredMode) -> None:
        """Remember it, instead of what was there."""
        insert = self._database.insert(modes).values(endpoint=endpoint, model=model, mode=mode)
        with self._database.write() as connection:
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["endpoint", "model"], set_={"mode": mode}
                )
            )
