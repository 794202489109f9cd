"""Tasks as lists and live pages see them: cheap to read, however large their parameters are.

Owns: reading states, by filter or by number. Does not own: writing any of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, Literal, cast

from sqlalchemy import Select, bindparam, func, or_, select

from corpusmith.store.codec import from_json, iso
from corpusmith.store.database import Database
from corpusmith.store.lease import surely_dead
from corpusmith.store.schema import datasets, live, tasks
from corpusmith.store.tally import BILL, COUNTERS, counts_of, spend_of
from corpusmith.store.values import TaskState
from corpusmith.values import Status

_NAMES = (
    *("id", "name", "recipe", "status", "request", "queued_at", "cause", "requested"),
    *("lease_owner", "lease_until", "created_at", "updated_at"),
    *(*COUNTERS, *BILL),
)
_STATES = (
    select(
        *(tasks.c[name] for name in _NAMES),
        datasets.c.name.label("dataset"),
        live.c.at.label("live_at"),
        live.c.body.label("live"),
    )
    .outerjoin(datasets, datasets.c.id == tasks.c.dataset_id)
    .outerjoin(live, live.c.task_id == tasks.c.id)
)
_NEWEST = _STATES.order_by(tasks.c.id.desc())
_ACTIVE = _NEWEST.where(or_(tasks.c.status == "running", tasks.c.queued_at.is_not(None)))
_THIS = _STATES.where(tasks.c.id == bindparam("id"))
_FITS = {
    "status": tasks.c.status == bindparam("status"),
    "recipe": tasks.c.recipe == bindparam("recipe"),
    "dataset": datasets.c.name == bindparam("dataset"),
    "after": tasks.c.id < bindparam("after"),
}


@cache
def _listed(queued: bool, given: frozenset[str]) -> Select[Any]:
    waiting = (tasks.c.queued_at.is_not(None), tasks.c.status != "running") if queued else ()
    fits = [_FITS[name] for name in sorted(given)]
    return _NEWEST.where(*waiting, *fits).limit(bindparam("limit"))


class TaskStates:
    """`store.task_states`"""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(
        self,
        *,
        status: Status | Literal["queued"] | None = None,
        recipe: str | None = None,
        dataset: str | None = None,
        search: str | None = None,
        limit: int = 50,
        after: int | None = None,
    ) -> Sequence[TaskState]:
        """Newest first; `after`: the number of the last one of the page before."""
        given: dict[str, Any] = {"dataset": dataset, "recipe": recipe, "after": after}
        if status != "queued":
            given["status"] = status
        given = {name: one for name, one in given.items() if one is not None}
        query = _listed(status == "queued", frozenset(given))
        if search:
            text = func.lower(tasks.c.name)
            query = query.where(text.contains(search.lower(), autoescape=True))
        return self._read(query, {**given, "limit": limit})

    def get(self, task_id: int) -> TaskState | None:
        """None: there is no such task."""
        found = self._read(_THIS, {"id": task_id})
        return found[0] if found else None

    def of(self, task_ids: Collection[int]) -> dict[int, TaskState]:
        """Those of these that there are."""
        if not task_ids:
            return {}
        found = self._read(_STATES.where(tasks.c.id.in_(sorted(task_ids))), {})
        return {one.id: one for one in found}

    def active(self) -> Sequence[TaskState]:
        """Those that run or wait in the queue, newest first."""
        return self._read(_ACTIVE, {})

    def _read(self, query: Select[Any], given: Mapping[str, Any]) -> Sequence[TaskState]:
        with self._database.read() as connection:
            rows = connection.execute(query, given).mappings().all()
        now = self._database.now()
        return [_state_of(row, now) for row in rows]


def _state_of(row: Mapping[Any, Any], now: float) -> TaskState:
    owner, until, queued_at = row["lease_owner"], row["lease_until"], row["queued_at"]
    return TaskState(
        id=row["id"],
        name=row["name"],
        recipe=row["recipe"],
        dataset=row["dataset"],
        status=cast(Status, row["status"]),
        alive=owner is not None and until > now and not surely_dead(owner),
        request=row["request"],
        queued_at=None if queued_at is None else iso(queued_at),
        cause=from_json(row["cause"]),
        counts=counts_of(row, row["requested"]),
        spend=spend_of(row),
        created_at=iso(row["created_at"]),
        updated_at=iso(row["updated_at"]),
        live_at=row["live_at"],
        live=from_json(row["live"]),
    )
