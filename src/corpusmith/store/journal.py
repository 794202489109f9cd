"""The journal: calls that were completed and paid.

Owns: looking calls up. Does not own: writing them (`transaction.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, func, select

from corpusmith.store.codec import reply_of
from corpusmith.store.database import Database
from corpusmith.store.schema import calls
from corpusmith.values import Reply

_FIND = select(calls.c.key, calls.c.reply).where(calls.c.key.in_(bindparam("keys", expanding=True)))
# Well under the number of parameters that either database takes in one statement.
_AT_ONCE = 1000


class Journal:
    """The `calls` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, keys: Sequence[bytes]) -> dict[bytes, Reply]:
        """The replies that are journalled, by key; a key that is not there is left out."""
        found: dict[bytes, Reply] = {}
        with self._database.read() as connection:
            for start in range(0, len(keys), _AT_ONCE):
                names = {"keys": keys[start : start + _AT_ONCE]}
                for key, reply in connection.execute(_FIND, names):
                    found[bytes(key)] = reply_of(reply)
        return found

    def count(self, task_id: int) -> int:
        """How many calls a task journalled. Scans the journal: for reports, not for the run."""
        query = select(func.count()).select_from(calls).where(calls.c.task_id == task_id)
        with self._database.read() as connection:
            return connection.scalar(query) or 0
