"""Tasks: creating, reading, asking, extending, deleting.

Owns: the `tasks`, `quotas` and `executions` rows. Does not own: leases (`lease.py`), the queue
(`queue.py`), lists (`task_states.py`), items that are put back or missing (`misses.py`), a run's
own writes (`transaction.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, cast

from sqlalchemy import Connection, Select, bindparam, delete, insert, or_, select, update

from corpusmith.contracts import Quota
from corpusmith.errors import Conflict, NotFound
from corpusmith.hidden import revived
from corpusmith.store.codec import from_json, iso, plain, to_json
from corpusmith.store.database import Database
from corpusmith.store.inputs import Rows, copy_rows
from corpusmith.store.lease import human, locked, require_idle, since, surely_dead
from corpusmith.store.misses import Kind, Misses, Place
from corpusmith.store.schema import datasets, executions, quotas, records, tasks
from corpusmith.store.tally import COUNTERS, counts_of, spend_of
from corpusmith.store.values import Execution, MissRow, Task
from corpusmith.values import Counts, Json, Status

Request = Literal["pause", "cancel"]

_OWN_FIELDS = (tasks.c.connections, tasks.c.spec)
_TASKS = select(tasks, datasets.c.name.label("dataset")).outerjoin(
    datasets, datasets.c.id == tasks.c.dataset_id
)
_THIS = _TASKS.where(tasks.c.id == bindparam("id"))


class Tasks:
    """The `tasks` table and what hangs on it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._misses = Misses(database)

    def create(
        self,
        *,
        name: str,
        recipe: str,
        spec: Mapping[str, Json],
        dataset: str | None,
        requested: int,
        seed: int,
        quotas: Sequence[Quota],
        connections: Mapping[str, Json],
        inputs: Iterable[Json] = (),
        queued: bool = False,
        request: tuple[str, str] | None = None,
    ) -> Task:
        """A new task with its categories and a copy of its rows; counters start at 0.

        `queued`: a worker is to run it. `request`: (key, digest) of what asked for it; when a task
        was made by that key, also at this very moment, no other is: see `by_request`.
        Raises NotFound (dataset), Conflict `task_requested`, and whatever reading `inputs` raises:
        then there is no task.
        """
        now = self._database.now()
        with self._database.write() as connection:
            row = {
                "name": plain(name),
                "recipe": recipe,
                "spec": to_json(spec),
                "connections": to_json(connections),
                "dataset_id": _dataset_id(connection, dataset),
                "status": "created",
                "requested": requested,
                "seed": seed,
                "created_at": now,
                "updated_at": now,
                "queued_at": now if queued else None,
                "request_key": request[0] if request else None,
                "request_digest": request[1] if request else None,
            }
            once = self._database.insert(tasks).on_conflict_do_nothing(
                index_elements=["request_key"]
            )
            task_id = connection.scalar(once.values(row).returning(tasks.c.id))
            if task_id is None:
                raise Conflict("task_requested", kind="request", name="")
            _insert_quotas(connection, task_id, quotas, first=0)
            copy_rows(connection, task_id, inputs)
        return self.get(task_id)

    def get(self, task_id: int) -> Task:
        """Raises NotFound."""
        found = self._read(_THIS, {"id": task_id})
        if not found:
            raise NotFound("unknown_task", kind="task", name=task_id)
        return found[0]

    def by_request(self, key: str) -> tuple[Task, str] | None:
        """The task that a request made, and the digest of what was sent; None: none did."""
        query = select(tasks.c.id, tasks.c.request_digest).where(tasks.c.request_key == key)
        with self._database.read() as connection:
            found = connection.execute(query).first()
        return None if found is None else (self.get(found[0]), found[1])

    def rows(self, task_id: int) -> Sequence[Json]:
        """The rows that the task was given, read as they are looked at; empty: it has none."""
        return Rows(self._database, task_id)

    def last(self) -> Task | None:
        """The newest task; None when there is none."""
        found = self._read(_TASKS.order_by(tasks.c.id.desc()).limit(1))
        return found[0] if found else None

    def list(
        self, status: Status | None = None, *, limit: int = 50, after: int | None = None
    ) -> Sequence[Task]:
        """Newest first; `after`: the id of the last one of the page before."""
        query = _TASKS.order_by(tasks.c.id.desc()).limit(limit)
        if status is not None:
            query = query.where(tasks.c.status == status)
        if after is not None:
            query = query.where(tasks.c.id < after)
        return self._read(query)

    def change_spec(self, task_id: int, fields: Mapping[str, Json]) -> None:
        """These fields in place of its own, also while it runs: who runs it is told by its next
        beat. Raises NotFound."""
        with self._database.write() as connection:
            row = locked(connection, task_id)
            spec = {**from_json(row["spec"]), **fields}
            self._set(connection, task_id, spec=to_json(spec), revision=row["revision"] + 1)

    def with_own_fields(self) -> Iterator[Task]:
        """Those that may hold headers or body fields of a user's, the newest first."""
        signs = ('%"headers":{"%', '%"extra":{"%')
        held = or_(*(column.like(one) for column in _OWN_FIELDS for one in signs))
        with self._database.read() as connection:
            numbers = connection.scalars(select(tasks.c.id).where(held).order_by(tasks.c.id)).all()
        for number in reversed(numbers):
            yield self.get(number)

    def change_secrets(
        self, task_id: int, connections: Mapping[str, Json], extra: Mapping[str, Json]
    ) -> None:
        """The same, written in another way: nobody who runs it is told. Raises NotFound."""
        with self._database.write() as connection:
            spec = from_json(locked(connection, task_id)["spec"])
            spec |= {"extra": extra} if extra else {}
            self._set(connection, task_id, connections=to_json(connections), spec=to_json(spec))

    def ask(self, task_id: int, request: Request | None) -> None:
        """What is wanted of the process that runs it; None takes it back. Raises NotFound."""
        with self._database.write() as connection:
            self._set(connection, task_id, request=request)

    def settle(self, task_id: int, status: Status, cause: Mapping[str, Json] | None) -> None:
        """The status of a task that nobody runs. Raises NotFound, LeaseHeld while it runs."""
        text = None if cause is None else to_json(cause)
        settled = {"status": status, "cause": text, "request": None, "queued_at": None}
        with self._database.write() as connection:
            require_idle(connection, task_id, self._database.now())
            self._set(connection, task_id, **settled)

    def extend(self, task_id: int, *, requested: int, quotas: Sequence[Quota]) -> Task:
        """New counts and waves; counters are kept, and a category that is not named is too.

        A new category comes after those there are. Raises NotFound, LeaseHeld while it runs.
        """
        with self._database.write() as connection:
            require_idle(connection, task_id, self._database.now())
            self._set(connection, task_id, requested=requested)
            known = _positions(connection, task_id)
            for quota in quotas:
                if quota.name in known:
                    _update_quota(connection, task_id, known[quota.name], quota)
            new = [quota for quota in quotas if quota.name not in known]
            _insert_quotas(connection, task_id, new, first=len(known))
        return self.get(task_id)

    def retry(
        self,
        task_id: int,
        kinds: Collection[Kind] = ("failed", "rejected"),
        limit_per_category: Mapping[str, int] | None = None,
    ) -> int:
        """Puts items back that a resume will run again; returns how many.

        Only items with a miss of `kinds` and no accepted sample: what gave a record stays as it
        is. An item with a `fresh` miss gets a new generation (fresh samples); the others replay
        what was paid. Counters go down by what the item had added. `limit_per_category`: at most
        so many samples of each category, 0 where it is silent; None: no limit.
        Raises NotFound, LeaseHeld while it runs.
        """
        return self._misses.put_back(task_id, kinds, limit_per_category)

    def misses(
        self,
        task_id: int,
        kind: Kind | None = None,
        *,
        reason: str | None = None,
        limit: int = 50,
        after: Place | None = None,
    ) -> Sequence[MissRow]:
        """Samples that did not become records, with their reasons, in the order of the plan.

        `after`: `place` of the last one of the page before.
        """
        return self._misses.list(task_id, kind, reason=reason, limit=limit, after=after)

    def miss_counts(self, task_id: int) -> Mapping[tuple[Kind, str], int]:
        """How many samples are missing, by (kind, reason), most frequent first."""
        return self._misses.counts(task_id)

    def executions(self, task_id: int) -> Sequence[Execution]:
        """Every start of the task, oldest first; an open one with what it did so far."""
        query = select(executions).where(executions.c.task_id == task_id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(executions.c.id)).mappings().all()
            task = connection.execute(select(tasks).where(tasks.c.id == task_id)).mappings()
            totals = dict(task.first() or {})
        return [_execution_of(row, totals) for row in rows]

    def delete(self, task_id: int) -> None:
        """The task, its items and its uncommitted records. Committed records stay in their
        dataset, and calls in the journal. Raises NotFound, LeaseHeld while it runs."""
        with self._database.write() as connection:
            require_idle(connection, task_id, self._database.now())
            connection.execute(
                delete(records).where(records.c.task_id == task_id, records.c.dataset_id.is_(None))
            )
            connection.execute(delete(tasks).where(tasks.c.id == task_id))

    def _read(self, query: Select[Any], given: Mapping[str, Any] | None = None) -> Sequence[Task]:
        with self._database.read() as connection:
            rows = connection.execute(query, given).mappings().all()
        now = self._database.now()
        return [_task_of(row, now) for row in rows]

    def _set(self, connection: Connection, task_id: int, **columns: Any) -> None:
        changed = connection.execute(
            update(tasks)
            .where(tasks.c.id == task_id)
            .values(updated_at=self._database.now(), **columns)
        )
        if changed.rowcount == 0:
            raise NotFound("unknown_task", kind="task", name=task_id)


def _dataset_id(connection: Connection, name: str | None) -> int | None:
    if name is None:
        return None
    found = connection.scalar(select(datasets.c.id).where(datasets.c.name == name))
    if found is None:
        raise NotFound("unknown_dataset", kind="dataset", name=name)
    return int(found)


def _positions(connection: Connection, task_id: int) -> dict[str, int]:
    query = select(quotas.c.name, quotas.c.position).where(quotas.c.task_id == task_id)
    return {name: position for name, position in connection.execute(query)}


def _insert_quotas(
    connection: Connection, task_id: int, new: Sequence[Quota], *, first: int
) -> None:
    rows = [
        {"task_id": task_id, "position": position, "name": quota.name, **_quota_row(quota)}
        for position, quota in enumerate(new, first)
    ]
    if rows:
        connection.execute(insert(quotas), rows)


def _update_quota(connection: Connection, task_id: int, position: int, quota: Quota) -> None:
    connection.execute(
        update(quotas)
        .where(quotas.c.task_id == task_id, quotas.c.position == position)
        .values(_quota_row(quota))
    )


def _quota_row(quota: Quota) -> dict[str, Any]:
    return {
        "count": quota.count,
        "labels": to_json(quota.labels),
        "waves": to_json(quota.waves),
    }


def _task_of(row: Mapping[Any, Any], now: float) -> Task:
    owner, until = row["lease_owner"], row["lease_until"]
    alive = owner is not None and until > now and not surely_dead(owner)
    return Task(
        id=row["id"],
        name=row["name"],
        recipe=row["recipe"],
        spec=_spec_of(row),
        connections=revived(from_json(row["connections"])),
        dataset=row["dataset"],
        status=cast(Status, row["status"]),
        cause=from_json(row["cause"]),
        request=row["request"],
        requested=row["requested"],
        seed=row["seed"],
        counts=counts_of(row, row["requested"]),
        spend=spend_of(row),
        lease_owner=owner,
        lease_until=until,
        queued_at=row["queued_at"],
        revision=row["revision"],
        interrupted=row["status"] == "running" and not alive,
        created_at=iso(row["created_at"]),
        updated_at=iso(row["updated_at"]),
    )


def _spec_of(row: Mapping[Any, Any]) -> Any:
    """Only its own body fields hold what is sealed: the rest, which may be long, is as it is."""
    spec = from_json(row["spec"])
    return {**spec, "extra": revived(spec["extra"])} if spec.get("extra") else spec


def _execution_of(row: Mapping[Any, Any], totals: Mapping[str, Any]) -> Execution:
    ended = row["ended_at"] is not None
    added = from_json(row["result"]) if ended else since(totals, row["before"])
    return Execution(
        id=row["id"],
        task_id=row["task_id"],
        owner=human(row["owner"]),
        started_at=iso(row["started_at"]),
        ended_at=iso(row["ended_at"]) if ended else None,
        status=row["status"],
        cause=from_json(row["cause"]),
        counts=Counts(**{name: added[name] for name in COUNTERS}),
        spend=spend_of(added),
    )
