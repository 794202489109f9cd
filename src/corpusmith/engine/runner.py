"""Runs one task from where it stands to its end, a pause or a cause.

Owns: the life of an execution: lease, items in progress, outcomes into records, stopping.
Does not own: what is tried next (`quota.py`), calls (`calls.py`), where items run (`executor.py`),
what a record is (the recipe and the checks).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Literal

from corpusmith.contracts import Clock, Executor, Lease, Save, Store
from corpusmith.engine.budget import Budget
from corpusmith.engine.calls import Calls, Route
from corpusmith.engine.executor import LocalExecutor
from corpusmith.engine.job import Ended, Job
from corpusmith.engine.journal import Journal
from corpusmith.engine.outcomes import (
    cause_of,
)
from corpusmith.engine.progress import CategoryProgress, Pace, Snapshot, Speed, live_of
from corpusmith.engine.quota import Quotas
from corpusmith.engine.terms import put_in_force
from corpusmith.engine.turns import Turns
from corpusmith.engine.whole import whole
from corpusmith.engine.work import Work
from corpusmith.engine.writer import Writer
from corpusmith.errors import (
    CorpusmithError,
    LeaseLost,
    StoreError,
)
from corpusmith.values import Item, Json, Outcome, Status

LEASE_S = 30.0
BEAT_S = 1.0
"""How often the lease is prolonged and a pause or cancel from another process is seen."""
SHOW_S = 0.25
MOST_WAITING = 20_000
"""Items that only wait for their turn at most: each holds its drafts in memory."""
MOST_ITEMS = 20_000
"""Items in progress at most: a dialogue waiting for its next turn holds a few kilobytes."""


class Runner:
    """One execution of one task. `await run()` once."""

    def __init__(
        self,
        store: Store,
        job: Job,
        *,
        clock: Clock,
        show: Callable[[Snapshot], None] = lambda snapshot: None,
        executor: Executor | None = None,
    ) -> None:
        self._store = store
        self._job = job
        self._clock = clock
        self._show = show
        self._executor = executor or LocalExecutor()
        self._stop_status: Status | None = None
        self._again = False
        self._revision = job.revision
        self._shown: Snapshot | None = None
        self._cause: Mapping[str, Json] | None = None
        self._changed = asyncio.Event()
        self._misses: Counter[str] = Counter()
        self._speed = Speed()
        self._ahead: Item | None = None
        self._quotas: Quotas
        self._calls: Calls
        self._budget: Budget
        self._turns: Turns
        self._produce: Work
        self._writer: Writer
        self._lease: Lease

    # ------------------------------------------------------------ from outside

    @property
    def asked_at(self) -> float | None:
        """When the queue was asked for this run; None: it was not. Of a run that has begun."""
        return self._lease.asked_at

    def stop(
        self,
        status: Literal["paused", "cancelled"],
        cause: Mapping[str, Json] | None = None,
        *,
        again: bool = False,
    ) -> None:
        """Drain: calls in flight end and are journalled, nothing new starts.

        `again`: nobody wished it to stop, so it stays in the queue.
        """
        if self._stop_status is None:
            self._again = again
        self._stop(status, cause or {"code": status})

    async def run(self) -> Ended:
        """Runs until the quota, the attempts or the budget are used up, or a stop.

        Raises LeaseHeld, LeaseLost, StoreError, and Stopped when nobody asks for it any more (see
        `Job.asked`). Every other end is in the result.
        """
        began_s = self._clock.monotonic()
        async with Writer(self._store) as self._writer:
            await self._take_lease()
            try:
                await self._prepare()
                await self._work()
            except BaseException as error:
                await self._let_go(error)
                raise
            status, cause = self._verdict()
            await whole(self._end(status, cause))
        snapshot = self._snapshot(status, cause, began_s)
        self._show(snapshot)
        return Ended(status=status, cause=cause, snapshot=snapshot)

    # ------------------------------------------------------------ the execution

    async def _take_lease(self) -> None:
        job = self._job
        taking = asyncio.ensure_future(
            self._writer.on_thread(
                lambda: self._store.acquire(
                    job.task_id, job.owner, LEASE_S, self._clock.time(), asked=job.asked
                )
            )
        )
        try:
            self._lease = await whole(taking)
        except asyncio.CancelledError as error:
            self._lease = taking.result()
            await self._let_go(error)
            raise

    async def _prepare(self) -> None:
        job, store = self._job, self._store
        quotas, spent = await self._writer.on_thread(
            lambda: (store.quotas(job.task_id), store.spend(job.task_id))
        )
        self._quotas = Quotas(
            quotas,
            task_seed=job.seed,
            per_item=job.recipe.per_item,
            closed=job.recipe.closed,
            max_attempts_multiplier=job.max_attempts_multiplier,
        )
        if self._quotas.counts().shortfall:
            await self._writer.on_thread(lambda: self._quotas.load(store.finished(job.task_id)))
        if job.checks.comparing and self._quotas.counts().shortfall:
            await self._writer.on_thread(lambda: job.checks.learn(store.earlier(job.task_id)))
        self._turns = Turns(self._quotas, in_order=job.checks.comparing)
        self._budget = Budget(job.ceilings, spent)
        self._calls = Calls(
            journal=Journal(store),
            writer=self._writer,
            budget=self._budget,
            clock=self._clock,
            rng=random.Random(),  # noqa: S311  jitter of waiting times, not secrecy
        )
        self._produce = Work(
            task_id=job.task_id,
            recipe=job.recipe,
            checks=job.checks,
            routes=job.routes,
            max_attempts_multiplier=job.max_attempts_multiplier,
            calls=self._calls,
            turns=self._turns,
            stop=self._stop,
            waits=self._changed.set,
            decided=self._decided,
        )

    async def _work(self) -> None:
        side = [
            asyncio.create_task(self._beat(), name="lease"),
            asyncio.create_task(self._tick(), name="progress"),
        ]
        main = asyncio.create_task(
            self._executor.run(self, self._produce, self._done), name="items"
        )
        try:
            await asyncio.wait({main, side[0]}, return_when=asyncio.FIRST_COMPLETED)
            if side[0].done() and not main.done():
                side[0].result()  # raises why the lease was lost
            await main
        except BaseExceptionGroup as group:
            raise _first(group) from group
        finally:
            await _cancelled([main, *side])

    def take(self) -> Item | None:
        """See contracts.Source."""
        item, self._ahead = self._ahead or self._next(), None
        if item is None or self._busy < self._room():
            self._changed.set()  # the end, or room for one more: `more` shall look
        return item

    async def more(self) -> bool:
        """See contracts.Source."""
        while self._stop_status is None:
            self._changed.clear()
            self._ahead = self._next()
            if self._ahead is not None:
                return True
            if self._quotas.running_items == 0:
                return False
            await self._changed.wait()
        return False

    def _next(self) -> Item | None:
        if self._stop_status is not None or self._busy >= self._room():
            return None
        if self._turns.waiting >= MOST_WAITING and not self._turns.stuck:
            return None
        return self._quotas.next()

    @property
    def _busy(self) -> int:
        """Items in progress that need calls; not those that only wait for their turn."""
        return self._quotas.running_items - self._turns.waiting

    def _room(self) -> int:
        """Items in progress: enough to fill every slot while others are saved, and no more."""
        slots = sum(route.limiter.limit for route in self._limited_routes)
        return min(MOST_ITEMS, slots + slots // 2 + 32)

    async def _done(self, item: Item, outcome: Outcome | None) -> None:
        if outcome is None:
            self._quotas.dropped(item)
            self._turns.look()
            return
        await self._writer.save(
            Save(
                task_id=self._job.task_id,
                fence=self._lease.fence,
                outcome=outcome,
                accepted=outcome.drafts,
                misses=outcome.misses,
            )
        )
        if not self._job.checks.comparing:
            self._decided(outcome)
        self._quotas.saved()

    def _decided(self, outcome: Outcome) -> None:
        rejected = sum(miss.kind == "rejected" for miss in outcome.misses)
        failed = len(outcome.misses) - rejected
        self._misses.update(miss.reason for miss in outcome.misses)
        self._quotas.decided(outcome.item, len(outcome.drafts), rejected, failed)

    # ------------------------------------------------------------ stopping

    def _stop(self, status: Status, cause: Mapping[str, Json]) -> None:
        if self._stop_status is not None:
            return
        self._stop_status, self._cause = status, cause
        if hasattr(self, "_calls"):
            self._calls.stop()
            self._turns.stop()
        self._changed.set()

    def _verdict(self) -> tuple[Status, Mapping[str, Json] | None]:
        counts = self._quotas.counts()
        if counts.shortfall == 0:
            return "finished", None
        if self._stop_status is not None:
            return self._stop_status, self._cause
        code = "items_missed" if self._job.recipe.closed else "attempts_used"
        return "finished", {"code": code, "shortfall": counts.shortfall}

    async def _let_go(self, error: BaseException) -> None:
        """An execution that cannot go on says so in the store, if the store still listens."""
        if isinstance(error, LeaseLost):
            return
        cause: Mapping[str, Json] = {"code": "interrupted"}
        if isinstance(error, CorpusmithError):
            cause = cause_of(error)
        with contextlib.suppress(StoreError):
            await whole(self._release("paused", cause, again=self._again))

    async def _end(self, status: Status, cause: Mapping[str, Json] | None) -> None:
        await self._remember_modes()
        # What is finished still has to be put where it was asked for: then it leaves the queue.
        await self._release(status, cause, again=self._again or status == "finished")

    async def _remember_modes(self) -> None:
        for route in self._job.routes.values():
            mode = route.ladder.news()
            if mode is not None:
                remember = partial(self._store.remember_mode, route.endpoint, route.model, mode)
                await self._writer.on_thread(remember)

    async def _release(
        self, status: Status, cause: Mapping[str, Json] | None, *, again: bool
    ) -> None:
        await self._writer.on_thread(
            lambda: self._store.release(self._lease, status, cause, again=again)
        )

    # ------------------------------------------------------------ beside the work

    async def _beat(self) -> None:
        while True:
            await self._clock.sleep(BEAT_S)
            await self._remember_modes()
            live = None if self._shown is None else live_of(self._shown)
            beat = await self._writer.on_thread(
                partial(self._store.renew, self._lease, LEASE_S, self._clock.time(), live)
            )
            if beat.wish == "pause":
                self._stop("paused", {"code": "paused"})
            elif beat.wish == "cancel":
                self._stop("cancelled", {"code": "cancelled"})
            if beat.revision != self._revision:
                await self._change()

    async def _change(self) -> None:
        """Take over what of the task was changed."""
        if self._job.terms is None:
            return
        terms = await self._writer.on_thread(self._job.terms)
        self._revision = terms.revision
        put_in_force(
            terms,
            budget=self._budget,
            quotas=self._quotas,
            work=self._produce,
            routes=self._job.routes,
            calls=self._calls,
        )
        self.__dict__.pop("_limited_routes", None)  # they may share other limiters now
        self._changed.set()

    async def _tick(self) -> None:
        began_s = self._clock.monotonic()
        while True:
            self._shown = self._snapshot("running", None, began_s)
            self._show(self._shown)
            # A limit may have grown: long items leave no other sign that there is room for more.
            self._changed.set()
            await self._clock.sleep(SHOW_S)

    @cached_property
    def _limited_routes(self) -> list[Route]:
        """One route for each limiter: roles may share an endpoint."""
        return list({id(route.limiter): route for route in self._job.routes.values()}.values())

    def _snapshot(
        self, status: Status, cause: Mapping[str, Json] | None, began_s: float
    ) -> Snapshot:
        counts = self._quotas.counts()
        now_s = self._clock.monotonic()
        speed = self._speed.note(now_s, counts.accepted)
        return Snapshot(
            task_id=self._job.task_id,
            status=status,
            counts=counts,
            categories=[
                CategoryProgress(name=tally.name, labels=tally.labels, counts=tally.counts())
                for tally in self._quotas.tallies.values()
            ],
            spend=self._budget.spent(),
            records_per_s=speed,
            remaining_s=counts.shortfall / speed if speed > 0 else None,
            paces=[_pace(route) for route in self._limited_routes],
            replayed=self._calls.replayed,
            misses=dict(self._misses),
            retries=dict(self._calls.retries),
            cause=cause,
            elapsed_s=now_s - began_s,
        )


def _pace(route: Route) -> Pace:
    state = route.limiter.state
    return Pace(
        endpoint=route.endpoint,
        model=route.model,
        in_flight=state.in_flight,
        limit=state.limit,
        waiting=state.waiting,
        reason=state.reason,
        wait_s=state.wait_s,
    )


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The cause inside nested groups: our own errors before others."""
    flat: list[BaseException] = []
    for error in group.exceptions:
        flat.append(_first(error) if isinstance(error, BaseExceptionGroup) else error)
    ours = [error for error in flat if isinstance(error, CorpusmithError)]
    return (ours or flat)[0]


async def _cancelled(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
