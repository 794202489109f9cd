"""Use-cases of tasks: create, look, estimate, run, resume, retry, commit, discard.

Owns: wiring a stored task to providers, limits and the engine. Does not own: deciding and saving
(engine), rows (store), showing (faces).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from corpusmith import registry
from corpusmith.contracts import Quota
from corpusmith.errors import Conflict, NotFound, UsageError
from corpusmith.exports.files import refuse_output
from corpusmith.service import loop
from corpusmith.service.bulk import refuse_ready_made
from corpusmith.service.estimate import Preview, refuse_unknown_price
from corpusmith.service.forms.form import Resolved
from corpusmith.service.new_task import (
    checked_file,
    plan_of,
    ready_endpoints,
    resolve,
    stored_spec,
    usual_name,
)
from corpusmith.service.recipes import recipe_of
from corpusmith.service.sealing import sealed
from corpusmith.service.task_file import TaskFile, common_fields, form_of
from corpusmith.service.task_requests import request_of, task_of_request
from corpusmith.store.connections import connection_of
from corpusmith.store.values import Execution, MissRow, Task
from corpusmith.values import Counts, Json, Record, Spend, Status

if TYPE_CHECKING:
    from corpusmith.engine.calls import Route
    from corpusmith.engine.job import Ended, Job
    from corpusmith.engine.progress import Snapshot
    from corpusmith.engine.runner import Runner
    from corpusmith.service.studio import Studio

Show = Callable[["Snapshot"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How an execution ended."""

    task_id: int
    status: Status
    cause: Mapping[str, Json] | None
    counts: Counts
    spend: Spend
    misses: Mapping[str, int]
    output: Path | None
    """The file that was written, if one was asked for and the task came to its end."""


class Tasks:
    """`studio.tasks`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._running: dict[int, Runner] = {}
        self._just: tuple[TaskFile, Resolved] | None = None
        """The last file that was resolved, and what it stood for."""

    # ------------------------------------------------------------ before

    def create(self, file: TaskFile | Mapping[str, Json] | None = None, **fields: Any) -> Task:
        """A new task, not started. Fields are those of `TaskFile`. Raises UsageError."""
        return loop.run(self.create_async(file, **fields))

    async def create_async(
        self, file: TaskFile | Mapping[str, Json] | None = None, **fields: Any
    ) -> Task:
        """`create`; the endpoint is asked for its model when none is named."""
        return await self._create(checked_file(file, fields))

    def submit(
        self, fields: Mapping[str, Json], *, start: bool = True, key: str | None = None
    ) -> tuple[Task, bool]:
        """A new task for a worker to run (`start` False: when `queue` says so), and False.

        `key`: the asker's own name of this request. Asked again with it, also at the same moment,
        there is still one task; then the second value is True. Raises UsageError, and SpecError
        `key_reused` when other fields came with that key before.
        """
        request = None if key is None else request_of(key, fields, start=start)
        known = task_of_request(self._studio.store, request)
        if known is not None:
            return known, True
        making = self._create(checked_file(fields, {}), queued=start, request=request)
        try:
            return loop.run(making), False
        except Conflict as error:
            known = task_of_request(self._studio.store, request)
            if error.reason != "task_requested" or known is None:
                raise
            return known, True

    async def _create(
        self, checked: TaskFile, *, queued: bool = False, request: tuple[str, str] | None = None
    ) -> Task:
        store = self._studio.store
        resolved = self._resolved(checked)
        endpoints = await ready_endpoints(resolved.endpoints, store)
        refuse_unknown_price(checked.max_cost, endpoints)
        seed = checked.seed if checked.seed is not None else secrets.randbelow(2**31)
        planned = plan_of(checked, resolved, seed)
        if checked.dataset:
            self._studio.datasets.ensure(checked.dataset, resolved.language)
        self._just = None
        return store.tasks.create(
            name=checked.name or usual_name(checked),
            recipe=checked.recipe,
            spec=stored_spec(checked, resolved),
            dataset=checked.dataset,
            requested=resolved.count,
            seed=seed,
            quotas=planned.quotas(),
            connections={role: asdict(sealed(one)) for role, one in endpoints.items()},
            inputs=resolved.inputs,
            queued=queued,
            request=request,
        )

    def preview(
        self, file: TaskFile | Mapping[str, Json] | None = None, *, items: int = 1, **fields: Any
    ) -> Preview:
        """The exact prompts of the first `items` items, and the estimate. Nothing is sent."""
        checked = checked_file(file, fields)
        resolved = self._resolved(checked)
        planned = plan_of(checked, resolved, checked.seed or 0)
        return planned.preview(items, resolved)

    # ------------------------------------------------------------ running

    def run(self, task: Task | int, *, show: Show | None = None) -> Result:
        """Run or go on with a task to its end, its budget, or a stop."""
        return loop.run(self.run_async(task, show=show))

    async def run_async(
        self, task: Task | int, *, show: Show | None = None, asked: bool = False
    ) -> Result:
        """`run`. Cancelling it stops at once; `stop(task)` drains.

        `asked`: only if it is still in the queue. Raises LeaseHeld when another process runs it,
        StoreError, KeyMissing, UsageError for what is not run (again), and Stopped when it is not
        in the queue any more.
        """
        found = self._runnable(task)
        from corpusmith.engine.clock import SystemClock
        from corpusmith.engine.runner import Runner
        from corpusmith.engine.whole import whole
        from corpusmith.service.wiring import job_of, routes_of

        store, limiters = self._studio.store, self._studio.limiters

        def wired() -> tuple[dict[str, Route], Job]:
            routes = routes_of(found, store, limiters)
            return routes, job_of(found, routes, store, limiters, asked=asked)

        # In threads: what takes long here must not hold up the other tasks of a worker.
        routes, job = await asyncio.to_thread(wired)
        runner = Runner(store, job, clock=SystemClock(), show=show or (lambda snapshot: None))
        self._running.setdefault(found.id, runner)
        try:
            ended = await runner.run()
        finally:
            if self._running.get(found.id) is runner:
                del self._running[found.id]
            # Whoever cancels once more, while it ends, leaves no socket behind either.
            await whole(asyncio.gather(*(route.provider.close() for route in routes.values())))
        return await whole(asyncio.to_thread(self._settled, found.id, ended, runner.asked_at))

    def stop(self, task: Task | int, *, again: bool = False) -> bool:
        """Drain a task that runs in this process: calls in flight end, nothing new starts.

        `again`: it is this process that ends; the task stays in the queue, if it was there. False
        when it does not run here.
        """
        runner = self._running.get(_id(task))
        if runner is not None:
            runner.stop("paused", {"code": "server_stopping"} if again else None, again=again)
        return runner is not None

    def resume(self, task: Task | int | None = None, *, show: Show | None = None) -> Result:
        """Go on with `task`, or the last one, with the endpoint that it had."""
        return self.run(task if task is not None else self.last(), show=show)

    def extend(self, task: Task | int, count: int) -> Task:
        """Ask a task for `count` records in all (more than before): only the new ones are paid.

        Raises UsageError when `count` is not more than it has.
        """
        from corpusmith.engine.quota import extended

        found = self._runnable(task)
        if count <= found.requested:
            raise UsageError("count_not_more", task=found.id, count=count, now=found.requested)
        made = recipe_of(found, self._studio.store)
        if made.closed:
            raise UsageError("count_of_given", task=found.id, count=found.requested)
        plan = [(category.name, category.count) for category in made.plan(count)]
        quotas = extended(self._studio.store.quotas(found.id), plan, made.per_item)
        self._studio.store.tasks.extend(found.id, requested=count, quotas=quotas)
        return self.get(found.id)

    def change(self, task: Task | int, **fields: Any) -> Task:
        """Change what does not touch finished records: budget, attempts, limits, output. A run
        takes it over within two seconds, wherever it is.

        Raises UsageError for a field that is fixed once a task is made.
        """
        found = self._runnable(task)
        fixed = sorted(set(fields) - CHANGEABLE)
        if fixed:
            raise UsageError("field_fixed", field=fixed[0], fields=", ".join(sorted(CHANGEABLE)))
        if fields.get("output"):
            refuse_output(fields["output"])
        checked = common_fields(fields, source="the task")
        endpoints = {role: connection_of(one) for role, one in found.connections.items()}
        refuse_unknown_price(checked.max_cost, endpoints)
        given = checked.model_dump(mode="json", include=set(fields))
        self._studio.store.tasks.change_spec(found.id, given)
        return self.get(found.id)

    def retry(
        self, task: Task | int, kinds: Sequence[Literal["failed", "rejected"]] = ("failed",)
    ) -> int:
        """Put back missed items, as many as the task still lacks; returns how many.

        They run at the next `run`. A task that has all its records puts back nothing.
        """
        found = self._runnable(task)
        lacking = {
            quota.name: quota.count - quota.accepted
            for quota in self._studio.store.quotas(found.id)
            if quota.count > quota.accepted
        }
        return self._studio.store.tasks.retry(found.id, set(kinds), lacking)

    # ------------------------------------------------------------ looking and ending

    def get(self, task_id: int) -> Task:
        """Raises NotFound."""
        return self._studio.store.tasks.get(task_id)

    def last(self) -> Task:
        """The newest task. Raises NotFound when there is none."""
        found = self._studio.store.tasks.last()
        if found is None:
            raise NotFound("no_task")
        return found

    def list(self, *, status: Status | None = None, limit: int = 50) -> Sequence[Task]:
        """Newest first."""
        return self._studio.store.tasks.list(status=status, limit=limit)

    def quotas(self, task: Task | int) -> Sequence[Quota]:
        """The task's categories in plan order, with their counters."""
        return self._studio.store.quotas(_id(task))

    def executions(self, task: Task | int) -> Sequence[Execution]:
        """Every start of the task, oldest first."""
        return self._studio.store.tasks.executions(_id(task))

    def misses(
        self,
        task: Task | int,
        kind: Literal["failed", "rejected"] | None = None,
        *,
        limit: int = 50,
        after: tuple[int, int, int] | None = None,
    ) -> Sequence[MissRow]:
        """Samples that did not become records; `after`: `place` of the last one seen."""
        return self._studio.store.tasks.misses(_id(task), kind, limit=limit, after=after)

    def miss_counts(self, task: Task | int) -> Mapping[tuple[str, str], int]:
        """How many samples are missing by (kind, reason), most frequent first."""
        found = self._studio.store.tasks.miss_counts(_id(task))
        return {(kind, reason): count for (kind, reason), count in found.items()}

    def first(self, task: Task | int, n: int = 10) -> Sequence[Record]:
        """The first `n` records of a task."""
        return self._studio.store.records.first(_id(task), n)

    def ask(self, task: Task | int, wish: Literal["pause", "cancel"]) -> Task:
        """Pause or cancel a task wherever it runs; one that runs nowhere changes at once."""
        self._studio.store.queue.wish(_id(task), wish)
        return self.get(_id(task))

    def queue(self, task: Task | int) -> Task:
        """Have a worker run it, or go on with it, also after this process has ended.

        Raises NotFound, UsageError for what is not run (again).
        """
        found = self._runnable(task)
        self._studio.store.queue.put(found.id)
        return self.get(found.id)

    def commit(self, task: Task | int, dataset: str | None = None) -> int:
        """确认入库: put the task's records into `dataset` (or its own), in one transaction."""
        found = self.get(_id(task))
        if found.recipe == "evaluate":
            raise UsageError("scores_no_records", task=found.id)
        name = dataset or found.dataset
        if name is None:
            raise UsageError("no_dataset", task=found.id)
        self._studio.datasets.ensure(name, cast(Any, found.spec.get("language", "zh")))
        return self._studio.store.records.commit(found.id, name)

    def uncommitted(self, task: Task | int) -> int:
        """How many of its records are in no dataset. Of a large task it may be some seconds
        old."""
        return self._studio.store.records.uncommitted(_id(task))

    def discard(self, task: Task | int) -> int:
        """Throw away the task's records that are not in a dataset; returns how many."""
        return self._studio.store.records.discard(_id(task))

    def delete(self, task: Task | int) -> None:
        """Forget a task and what it did not commit. The journal keeps its paid calls."""
        self._studio.store.tasks.delete(_id(task))

    # ------------------------------------------------------------ wiring

    def _runnable(self, task: Task | int) -> Task:
        """The task, if an engine is to run it (again). Raises NotFound, UsageError."""
        found = self.get(_id(task))
        refuse_at_end(found)
        return found

    def _resolved(self, file: TaskFile) -> Resolved:
        registry.load("exporter", file.format)
        if file.output:
            refuse_output(file.output)
        # A preview and the task after it are one look: what is given may be a folder of books.
        if self._just is None or self._just[0] is not file:
            self._just = (file, resolve(file, self._studio.store, self._studio.language))
        return self._just[1]

    def _settled(self, task_id: int, ended: Ended, asked_at: float | None) -> Result:
        task = self.get(task_id)
        finished = ended.status == "finished"
        if finished and task.dataset and task.spec.get("commit", True):
            self._studio.store.records.commit(task.id, task.dataset)
        at_end = finished or str((ended.cause or {}).get("code", "")).startswith("budget_")
        output = form_of(task.recipe).deliver(self._studio, task) if at_end else None
        if finished and asked_at is not None:
            # Only now: a process that died before this point leaves it to the next.
            self._studio.store.queue.done(task_id, asked_at)
        return Result(
            task_id=task.id,
            status=ended.status,
            cause=ended.cause,
            counts=ended.snapshot.counts,
            spend=ended.snapshot.spend,
            misses={reason: n for (_, reason), n in self.miss_counts(task).items()},
            output=output,
        )


# ---------------------------------------------------------------- pure parts

CHANGEABLE = frozenset(
    {
        "max_cost",
        "max_total_tokens",
        "max_calls",
        "max_attempts_multiplier",
        "concurrency",
        "rpm",
        "tpm",
        "output",
        "format",
        "commit",
    }
)


def refuse_at_end(task: Task) -> None:
    """Raises UsageError for a task that is not run (again), and so not changed either: an import,
    a sample, and one that was cancelled, which is for good whatever asks for it."""
    refuse_ready_made(task)
    if task.status == "cancelled" or task.request == "cancel":
        raise UsageError("task_cancelled", task=task.id)


def _id(task: Task | int) -> int:
    return task if isinstance(task, int) else task.id
