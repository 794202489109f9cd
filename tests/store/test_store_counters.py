"""Counters and rows agree after any sequence of operations, on both databases."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from store_rows import FAILED, FRESH, REJECTED, entry, new_task, outcome, write

from corpusmith.contracts import Charge, Lease, Quota
from corpusmith.errors import LeaseLost
from corpusmith.store.lease import owner_id
from corpusmith.store.schema import items, records
from corpusmith.store.store import SqlStore
from corpusmith.values import Counts, Miss

CATEGORIES = ("日常", "情感")
numbers = itertools.count()

saves = st.tuples(
    st.just("save"),
    st.sampled_from(CATEGORIES),
    st.integers(0, 4),
    st.integers(0, 2),
    st.lists(st.sampled_from([REJECTED, FAILED, FRESH]), max_size=2).map(tuple),
)
steps = st.one_of(
    saves,
    saves,
    st.tuples(st.just("late")),
    st.tuples(st.just("call"), st.integers(0, 3), st.sampled_from([0.25, None])),
    st.tuples(st.just("charge"), st.sampled_from([0.5, None])),
    st.tuples(st.just("crash")),
    st.tuples(st.just("take over")),
    st.tuples(
        st.just("retry"), st.sampled_from([{"failed"}, {"rejected"}, {"failed", "rejected"}])
    ),
    st.tuples(st.just("extend"), st.integers(1, 9)),
    st.tuples(st.just("discard")),
)


@dataclass
class World:
    """A task in the store, and what we believe of it."""

    store: SqlStore
    task_id: int
    lease: Lease
    prefix: bytes
    now: float = 1000.0
    done: dict[tuple[str, int], tuple[int, tuple[Miss, ...]]] = field(default_factory=dict)
    generations: dict[tuple[str, int], int] = field(default_factory=dict)
    cost: list[float | None] = field(default_factory=list)
    requested: int = 5

    def take(self) -> None:
        self.now += 100.0
        self.lease = self.store.acquire(self.task_id, owner_id(), 60, self.now)

    def save(self, category: str, ordinal: int, good: int, misses: tuple[Miss, ...]) -> None:
        if good + len(misses) == 0:
            return
        key = (category, ordinal)
        one = outcome(
            self.task_id,
            self.lease.fence,
            ordinal,
            category=category,
            accepted=good,
            misses=misses,
            generation=self.generations.get(key, 0),
        )
        (refusal,) = write(self.store, one)
        assert (refusal is None) == (key not in self.done)
        self.done.setdefault(key, (good, misses))

    def late(self) -> None:
        (refusal,) = write(self.store, outcome(self.task_id, self.lease.fence - 1, 9))
        assert isinstance(refusal, LeaseLost)

    def crash(self) -> None:
        transaction = self.store.transaction()
        transaction.begin()
        lost = outcome(self.task_id, self.lease.fence, 8)
        assert transaction.apply([lost, Charge(task_id=self.task_id)]) == [None, None]
        transaction.rollback()

    def call(self, number: int, cost_usd: float | None) -> None:
        write(self.store, entry(self.task_id, self.prefix + bytes([number]), cost_usd=cost_usd))
        self.cost.append(cost_usd)

    def charge(self, cost_usd: float | None) -> None:
        write(self.store, Charge(task_id=self.task_id, cost_usd=cost_usd))
        self.cost.append(cost_usd)

    def retry(self, kinds: set[str]) -> None:
        self.store.release(self.lease, "paused", None)
        back = {
            key: misses
            for key, (good, misses) in self.done.items()
            if good == 0 and any(miss.kind in kinds for miss in misses)
        }
        assert self.store.tasks.retry(self.task_id, kinds) == len(back)
        for key, misses in back.items():
            del self.done[key]
            self.generations[key] = self.generations.get(key, 0) + (FRESH in misses)
        self.take()

    def extend(self, count: int) -> None:
        self.store.release(self.lease, "finished", None)
        self.requested = count
        self.store.tasks.extend(
            self.task_id, requested=count, quotas=[Quota(name="日常", count=count)]
        )
        self.take()

    def counts(self, category: str | None = None) -> Counts:
        mine = [value for key, value in self.done.items() if category in (None, key[0])]
        misses = [miss.kind for _, some in mine for miss in some]
        accepted = sum(good for good, _ in mine)
        return Counts(
            attempted=accepted + len(misses),
            accepted=accepted,
            rejected=misses.count("rejected"),
            failed=misses.count("failed"),
        )


def obey(world: World, step: tuple[object, ...]) -> None:
    actions: dict[object, Callable[..., object]] = {
        "save": world.save,
        "late": world.late,
        "call": world.call,
        "charge": world.charge,
        "crash": world.crash,
        "take over": world.take,
        "retry": world.retry,
        "extend": world.extend,
        "discard": lambda: world.store.records.discard(world.task_id),
    }
    actions[step[0]](*step[1:])


def check(world: World, *, discarded: bool) -> None:
    store, task_id = world.store, world.task_id
    for quota in store.quotas(task_id):
        stored = Counts(
            attempted=quota.attempted,
            accepted=quota.accepted,
            rejected=quota.rejected,
            failed=quota.failed,
        )
        assert stored == world.counts(quota.name)
    task = store.tasks.get(task_id)
    assert task.counts == world.counts() + Counts(requested=world.requested)
    assert task.counts.pending == 0
    known = None if None in world.cost else sum(one for one in world.cost if one)
    assert (task.spend.calls, task.spend.cost_usd) == (len(world.cost), known)
    finished = {(one.category, one.ordinal): one for one in store.finished(task_id)}
    assert {key for key, one in finished.items() if one.done} == set(world.done)
    for key, generation in world.generations.items():
        assert finished[key].generation == generation
    with store._database.read() as connection:
        kept = connection.scalar(
            select(func.count()).select_from(records).where(records.c.task_id == task_id)
        )
        rows = connection.scalar(
            select(func.sum(items.c.accepted)).where(items.c.task_id == task_id)
        )
    assert rows in (world.counts().accepted, None)
    assert discarded or kept == world.counts().accepted


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(plan=st.lists(steps, max_size=14))
def test_counters_agree_with_rows_after_any_sequence(
    store: SqlStore, plan: list[tuple[object, ...]]
) -> None:
    task_id = new_task(store).id
    lease = store.acquire(task_id, owner_id(), 60, 1000.0)
    world = World(store=store, task_id=task_id, lease=lease, prefix=b"%d." % next(numbers))
    for step in plan:
        obey(world, step)
    check(world, discarded=("discard",) in plan)
