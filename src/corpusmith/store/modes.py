"""Which way of asking for structured output worked at an endpoint, for each model.

A run learns it in the middle of an event loop, where waiting for the write lock would stop
everything: so it is remembered here at once, and written with the next commit, or at the end.
Losing it costs a few calls, never a record.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import Connection, select

from corpusmith.store.database import Database
from corpusmith.store.schema import modes
from corpusmith.values import StructuredMode

Found = dict[tuple[str, str], StructuredMode]


class Modes:
    """The `modes` table, and what is not in it yet."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._unsaved: Found = {}

    def get(self, endpoint: str, model: str) -> StructuredMode | None:
        """The way that worked last, or None."""
        if (known := self._unsaved.get((endpoint, model))) is not None:
            return known
        query = select(modes.c.mode).where(modes.c.endpoint == endpoint, modes.c.model == model)
        with self._database.read() as connection:
            return cast(StructuredMode | None, connection.scalar(query))

    def set(self, endpoint: str, model: str, mode: StructuredMode) -> None:
        """Remember it, instead of what was there. Never waits."""
        self._unsaved[endpoint, model] = mode

    def write(self, connection: Connection) -> Found:
        """What is not in the table yet, into it; returns what to call `saved` with after."""
        found = dict(self._unsaved)
        if found:
            insert = self._database.insert(modes)
            rows = [
                {"endpoint": endpoint, "model": model, "mode": mode}
                for (endpoint, model), mode in found.items()
            ]
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["endpoint", "model"], set_={"mode": insert.excluded.mode}
                ),
                rows,
            )
        return found

    def saved(self, found: Found) -> None:
        """They are on the disk; what was learned since stays for the next commit."""
        for key, mode in found.items():
            if self._unsaved.get(key) == mode:
                del self._unsaved[key]

    def flush(self) -> None:
        """Write what no commit has taken along. Raises StoreError."""
        if self._unsaved:
            with self._database.write() as connection:
                found = self.write(connection)
            self.saved(found)
