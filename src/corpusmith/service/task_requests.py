"""Requests for tasks that are told apart by a key of the asker's own.

Owns: when two requests are the same, and what a second one finds. Does not own: making the task
(`tasks.py`), the row that keeps the key (store).
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import orjson

from corpusmith.errors import SpecError
from corpusmith.store.store import SqlStore
from corpusmith.store.values import Task
from corpusmith.values import Json

Request = tuple[str, str]
"""The asker's key, and what tells its fields from others."""


def request_of(key: str, fields: Mapping[str, Json], *, start: bool) -> Request:
    """The same for the same fields, whatever their order."""
    text = orjson.dumps([fields, start], option=orjson.OPT_SORT_KEYS)
    return key, blake2b(text, digest_size=16).hexdigest()


def task_of_request(store: SqlStore, request: Request | None) -> Task | None:
    """The task that was made for it; None: none yet. Raises SpecError `key_reused` when other
    fields came with that key."""
    found = None if request is None else store.tasks.by_request(request[0])
    if found is None or request is None:
        return None
    if found[1] != request[1]:
        raise SpecError("key_reused")
    return found[0]
