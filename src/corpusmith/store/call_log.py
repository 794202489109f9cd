"""Calls as people look them up: those of a task, of an item, of a record.

Owns: reading the journal. Does not own: finding a run's own calls (`journal.py`), writing them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, or_, select

from corpusmith.errors import NotFound
from corpusmith.store.codec import from_json, iso, reply_of
from corpusmith.store.database import Database
from corpusmith.store.schema import calls, records
from corpusmith.store.values import CallRow, WholeCall

_SHORT = (
    *("id", "task_id", "item", "role", "endpoint", "model", "mode"),
    *("prompt_tokens", "completion_tokens", "cost_usd", "latency_s", "created_at"),
)
_ROW = select(*(calls.c[name] for name in _SHORT))

CallPlace = tuple[str, int]
"""(item, number): `after` of the next page."""


class CallLog:
    """`store.call_log`"""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(
        self,
        task_id: int,
        *,
        item: str | None = None,
        limit: int = 50,
        after: CallPlace | None = None,
    ) -> Sequence[CallRow]:
        """The task's calls, item by item, each item's in the order they were made."""
        query = _ROW.where(calls.c.task_id == task_id).order_by(calls.c.item, calls.c.id)
        if item is not None:
            query = query.where(calls.c.item == item)
        if after is not None:
            name, number = after
            query = query.where(
                calls.c.item >= name,
                or_(calls.c.item > name, and_(calls.c.item == name, calls.c.id > number)),
            )
        with self._database.read() as connection:
            rows = connection.execute(query.limit(limit)).mappings().all()
        return [_row_of(row) for row in rows]

    def keys_of_record(self, number: int) -> Sequence[object]:
        """What its provenance says of calls: their keys in hexadecimal. Raises NotFound."""
        query = select(records.c.provenance).where(records.c.id == number)
        with self._database.read() as connection:
            text = connection.scalar(query)
        if text is None:
            raise NotFound("unknown_record", kind="record", name=number)
        keys = from_json(text).get("calls")
        return keys if isinstance(keys, list) else ()

    def by_keys(self, keys: Sequence[bytes]) -> Sequence[WholeCall]:
        """The calls of these keys that are journalled, in their order."""
        query = select(calls).where(calls.c.key.in_(keys))
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        found = {bytes(row["key"]): _whole_of(row) for row in rows}
        return [found[key] for key in dict.fromkeys(keys) if key in found]

    def get(self, number: int) -> WholeCall:
        """One call with all that was said. Raises NotFound."""
        with self._database.read() as connection:
            row = connection.execute(select(calls).where(calls.c.id == number)).mappings().first()
        if row is None:
            raise NotFound("unknown_call", kind="call", name=number)
        return _whole_of(row)


def _row_of(row: Mapping[Any, Any]) -> CallRow:
    return CallRow(**{**{name: row[name] for name in _SHORT}, "created_at": iso(row["created_at"])})


def _whole_of(row: Mapping[Any, Any]) -> WholeCall:
    return WholeCall(
        call=_row_of(row), request=from_json(row["request"]), reply=reply_of(row["reply"])
    )
