"""Use-cases of calls: what was asked of a model, and what it said.

Owns: finding the calls of a task, an item or a record. Does not own: making them (engine), rows
(store). A journalled request never held a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeGuard

from corpusmith.errors import NotFound
from corpusmith.store.call_log import CallPlace
from corpusmith.store.values import CallRow, WholeCall

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

MOST_OF_RECORD = 500
"""Calls of one record that are looked up: a dialogue of twenty turns has forty."""


class Calls:
    """`studio.calls`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def list(
        self,
        task_id: int,
        *,
        item: str | None = None,
        limit: int = 50,
        after: CallPlace | None = None,
    ) -> Sequence[CallRow]:
        """The calls that a task made, item by item. One that an earlier task had made and paid
        is that task's. Raises NotFound (task)."""
        self._studio.tasks.get(task_id)
        return self._studio.store.call_log.list(task_id, item=item, limit=limit, after=after)

    def get(self, task_id: int, number: int) -> WholeCall:
        """One call of a task, whole. Raises NotFound."""
        found = self._studio.store.call_log.get(number)
        if found.call.task_id != task_id:
            raise NotFound("unknown_call", kind="call", name=number)
        return found

    def of_record(self, number: int) -> Sequence[WholeCall]:
        """What a record was made from, in the order it was said; empty for one that was imported,
        or whose calls were pruned. Raises NotFound."""
        keys = self._studio.store.call_log.keys_of_record(number)
        known = [bytes.fromhex(key) for key in keys[:MOST_OF_RECORD] if _is_key(key)]
        return self._studio.store.call_log.by_keys(known) if known else ()


def _is_key(text: object) -> TypeGuard[str]:
    return isinstance(text, str) and len(text) == 64 and set(text) <= set("0123456789abcdef")
