"""Which records belong together, so that no split parts them.

Owns: a record's group. Does not own: which part a group goes to (`export_parts.py`).

A group that is larger than it need be does no harm; one that is smaller lets a model be examined on
what it was trained on. So groups are named by what is in them (a conversation's id, a document, an
input row, a request) and not by numbers of the database: also two tasks that used one document
share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from corpusmith.digests import digest
from corpusmith.store.store import SqlStore
from corpusmith.values import Json, Record

Key = tuple[Json, ...]
T = TypeVar("T")

_AT_ONCE = 500
_MOST_COPIES = 20
"""A copy of a copy …: so often the record that it came from is looked for."""


class Groups:
    """Finds the groups of records as they pass."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._inputs: dict[int, Sequence[Json]] = {}

    def keyed(self, pairs: Iterable[tuple[Record, T]]) -> Iterator[tuple[Record, T, Key]]:
        """Each record, and what comes with it, with its group. Streams."""
        waiting = iter(pairs)
        while some := list(islice(waiting, _AT_ONCE)):
            origins = self._origins([record for record, _ in some])
            for (record, more), origin in zip(some, origins, strict=True):
                yield record, more, self._key(origin)

    def _origins(self, records: list[Record]) -> list[Record]:
        """The records that these are copies of (a sample's are), else themselves."""
        found = records
        for _ in range(_MOST_COPIES):
            wanted = sorted({number for one in found if (number := _copied(one)) is not None})
            if not wanted:
                break
            known = {one.id: one for one in self._store.records.some(wanted)}
            if not known:
                break  # the originals were deleted: the copies name them all the same
            found = [known.get(_copied(one) or 0, one) for one in found]
        return found

    def _key(self, record: Record) -> Key:
        content, provenance = record.content, record.provenance
        if isinstance(content, dict) and "rounds" in content and content.get("id"):
            return ("conversation", content["id"])
        if isinstance(row := provenance.get("row"), int):
            return self._row_key(record.task_id, row)
        if (original := _copied(record)) is not None:
            return ("record", original)
        if provenance.get("recipe") == "import":
            return _imported(record)
        if "item" in provenance and "seed" in provenance:
            return ("item", provenance["seed"], provenance["item"])
        return ("item", record.task_id, record.category, record.ordinal)

    def _row_key(self, task_id: int, place: int) -> Key:
        """Of a document's chunk the document; of any other row what it says."""
        row = self._row(task_id, place)
        if isinstance(row, dict) and "chunk" in row and row.get("source"):
            return ("document", row["source"])
        return ("row", task_id, place) if row is None else ("row", digest(row))

    def _row(self, task_id: int, place: int) -> Json:
        """The row that the task was given; None: the task was deleted, and its rows with it."""
        if task_id not in self._inputs:
            self._inputs[task_id] = self._store.tasks.rows(task_id)
        rows = self._inputs[task_id]
        return rows[place] if place < len(rows) else None


def _copied(record: Record) -> int | None:
    """The number of the record that this one is a copy of."""
    origin = record.provenance.get("from")
    number = origin.get("record") if isinstance(origin, dict) else None
    return number if isinstance(number, int) else None


def _imported(record: Record) -> Key:
    """The row of the file; of rows that judge an answer, whatever was asked."""
    content = record.content
    if isinstance(content, dict) and content.keys() & {"chosen", "rejected", "label", "rating"}:
        for name in ("prompt", "instruction", "user_input", "messages", "conversations"):
            if content.get(name):
                return ("asked", digest(_asked(content[name])))
    return ("line", record.provenance.get("file"), record.provenance.get("line"))


def _asked(value: Json) -> Json:
    """A chat without the reply at its end; anything else as it is."""
    if isinstance(value, list) and value and isinstance(value[-1], dict):
        last = value[-1].get("role", value[-1].get("from"))
        return value[:-1] if last in ("assistant", "gpt") else value
    return value
