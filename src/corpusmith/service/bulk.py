"""Writes the records of a task that asks no model, in groups; whole or not at all.

Owns: the task's lease while it is written, the size of a group, the undo when anything fails.
Does not own: where the records come from (`imports.py`, `sampling.py`).

Records are in no dataset until `finish` puts them there in one transaction. Groups, because one
transaction over a million rows would lock every other writer out for its whole time.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

from corpusmith.contracts import Quota, Save
from corpusmith.errors import Stopped, StoreError, UsageError
from corpusmith.store.lease import owner_id
from corpusmith.store.store import SqlStore
from corpusmith.store.values import Task
from corpusmith.values import Draft, Item, Json, Language, Miss, Outcome

RECIPES = ("import", "sample")
"""Recipes that no engine runs: their tasks are made here."""

AT_ONCE = 2000
"""Samples in a transaction."""

TTL_S = 300.0
RENEW_S = 10.0


class Bulk:
    """One task while its records are written: a context that undoes it all on any exception."""

    def __init__(
        self,
        store: SqlStore,
        *,
        recipe: str,
        name: str,
        dataset: str | None,
        language: Language,
        recipe_spec: Mapping[str, Json],
        quotas: Sequence[Quota],
        seed: int = 0,
        output: str | None = None,
        format: str = "json",
    ) -> None:
        """Makes the task. Raises NotFound (dataset)."""
        self._store = store
        self.task = store.tasks.create(
            name=name,
            recipe=recipe,
            spec={
                "language": language,
                "commit": True,
                "checks": [],
                "output": output,
                "format": format,
                "recipe_spec": dict(recipe_spec),
            },
            dataset=dataset,
            requested=sum(quota.count for quota in quotas),
            seed=seed,
            quotas=quotas,
            connections={},
        )
        self._lease = store.acquire(self.task.id, owner_id(), TTL_S, time.time())
        self._renewed_s = time.monotonic()
        self._waiting: list[Save] = []
        self._samples = 0

    def put(
        self, category: str, ordinal: int, drafts: Sequence[Draft], misses: Sequence[Miss] = ()
    ) -> None:
        """One item: written with the others of its group.

        Raises LeaseLost, StoreError, and Stopped when somebody asked for the task's end.
        """
        want = len(drafts) + len(misses)
        item = Item(task_seed=self.task.seed, category=category, ordinal=ordinal, want=want)
        self._waiting.append(
            Save(
                task_id=self.task.id,
                fence=self._lease.fence,
                outcome=Outcome(item=item, drafts=tuple(drafts), misses=tuple(misses)),
                accepted=tuple(drafts),
                misses=tuple(misses),
            )
        )
        self._samples += want
        if self._samples >= AT_ONCE:
            self._flush()

    def finish(self, *, as_attempted: bool = False) -> Task:
        """Everything is in the dataset and the task is finished; returns it as it is then.

        `as_attempted`: what was asked for is what came.
        """
        self._flush()
        self._store.imports.finish(self._lease, as_attempted=as_attempted)
        return self._store.tasks.get(self.task.id)

    def __enter__(self) -> Bulk:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            # A database that is away must not hide why we are here; `sweep` takes it back later.
            with contextlib.suppress(StoreError):
                self._store.imports.undo(self.task.id, self._lease)

    def _flush(self) -> None:
        waiting, self._waiting, self._samples = self._waiting, [], 0
        if not waiting:
            return
        transaction = self._store.transaction()
        transaction.begin()
        try:
            refused = next((one for one in transaction.apply(waiting) if one is not None), None)
            if refused is not None:
                raise refused
            transaction.commit()
        finally:
            transaction.rollback()
        self._renew()

    def _renew(self) -> None:
        if time.monotonic() - self._renewed_s < RENEW_S:
            return
        self._renewed_s = time.monotonic()
        if self._store.renew(self._lease, TTL_S, time.time()).wish is not None:
            raise Stopped("import_stopped", task=self.task.id)


def refuse_ready_made(task: Task) -> None:
    """Raises UsageError for a task that no engine runs: there is nothing to do again in it."""
    if task.recipe in RECIPES:
        raise UsageError(f"task_is_{task.recipe}", task=task.id)


def sweep(store: SqlStore) -> list[int]:
    """Takes back what a killed process left of imports and samples; returns the tasks' numbers."""
    left = [
        task.id
        for task in store.tasks.list(status="running", limit=1000)
        if task.recipe in RECIPES and task.interrupted
    ]
    for task_id in left:
        store.imports.undo(task_id)
    return left
