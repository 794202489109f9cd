"""What the engine needs of the store: the same on both databases."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from store_rows import entry, new_task, outcome, write

from corpusmith.contracts import Beat, Charge, Finished, Quota, Save
from corpusmith.errors import Conflict, LeaseHeld, LeaseLost, NotFound, StoreError, UsageError
from corpusmith.store.lease import owner_id
from corpusmith.store.store import SqlStore
from corpusmith.values import Counts, Draft, Miss, Spend, Usage


def test_a_new_task_is_read_back_whole(store: SqlStore) -> None:
    task = new_task(store)
    assert store.tasks.get(task.id) == task
    assert (task.spec, task.status, task.counts) == ({"turns": 3}, "created", Counts(requested=5))
    assert store.quotas(task.id) == [Quota(name="日常", count=3), Quota(name="情感", count=2)]


def test_a_journalled_reply_is_found_by_its_key(store: SqlStore) -> None:
    task = new_task(store)
    one = entry(task.id, b"one")
    assert write(store, one) == [None]
    assert store.find_calls([one.key, b"?" * 32]) == {one.key: one.reply}


def test_a_reply_with_a_nul_and_a_lone_surrogate_is_kept(store: SqlStore) -> None:
    task = new_task(store)
    write(store, entry(task.id, b"nul", "a\0b"), entry(task.id, b"half", "a\ud83db"))
    found = store.find_calls([b"nul".ljust(32, b"."), b"half".ljust(32, b".")])
    assert sorted(reply.text for reply in found.values()) == ["a\0b", "a?b"]


def test_a_call_that_is_there_already_stays_and_is_paid_again(store: SqlStore) -> None:
    task = new_task(store)
    write(store, entry(task.id, b"one", "first"))
    assert write(store, entry(task.id, b"one", "second")) == [None]
    found = store.find_calls([b"one".ljust(32, b".")])
    assert [reply.text for reply in found.values()] == ["first"]
    assert store.spend(task.id) == Spend(
        calls=2,
        usage=Usage(prompt_tokens=20, completion_tokens=10, cached_tokens=4, reasoning_tokens=2),
        cost_usd=1.0,
    )


def test_one_unknown_price_makes_the_cost_unknown(store: SqlStore) -> None:
    task = new_task(store)
    write(store, entry(task.id, b"one"), Charge(task_id=task.id, cost_usd=None))
    spend = store.spend(task.id)
    assert (spend.calls, spend.cost_usd) == (2, None)


def test_an_outcome_its_records_and_counters_change_together(store: SqlStore) -> None:
    task = new_task(store)
    lease = store.acquire(task.id, owner_id(), 60, 1e9)
    reject = Miss(kind="rejected", reason="turns", detail={"got": 2}, raw="…")
    fail = Miss(kind="failed", reason="timed_out")
    refusals = write(
        store,
        outcome(task.id, lease.fence, 0, accepted=2, misses=(reject,)),
        outcome(task.id, lease.fence, 0, category="情感", accepted=0, misses=(fail,)),
    )
    assert refusals == [None, None]
    assert store.quotas(task.id) == [
        Quota(name="日常", count=3, attempted=3, accepted=2, rejected=1),
        Quota(name="情感", count=2, attempted=1, failed=1),
    ]
    assert store.tasks.get(task.id).counts == Counts(
        requested=5, attempted=4, accepted=2, rejected=1, failed=1
    )
    assert list(store.finished(task.id)) == [
        Finished(category="日常", ordinal=0, generation=0, done=True),
        Finished(category="情感", ordinal=0, generation=0, done=True),
    ]


def test_an_item_that_is_done_is_never_saved_twice(store: SqlStore) -> None:
    task = new_task(store)
    lease = store.acquire(task.id, owner_id(), 60, 1e9)
    save = outcome(task.id, lease.fence)
    first, second = write(store, save, save)
    (third,) = write(store, save)
    assert first is None
    assert [type(second), type(third)] == [Conflict, Conflict]
    assert store.tasks.get(task.id).counts.accepted == 1


def test_a_poison_write_is_refused_alone(store: SqlStore) -> None:
    task = new_task(store)
    lease = store.acquire(task.id, owner_id(), 60, 1e9)
    draft = Draft(content={"bad": {1, 2}})
    poison = outcome(task.id, lease.fence, 0)
    poison = Save(
        task_id=task.id, fence=lease.fence, outcome=poison.outcome, accepted=(draft,), misses=()
    )
    other = outcome(task.id, lease.fence, 1)
    unknown = outcome(task.id, lease.fence, 1, category="?")
    refusals = write(store, poison, other, unknown)
    assert [type(one) for one in refusals] == [StoreError, type(None), NotFound]
    assert store.tasks.get(task.id).counts.attempted == 1


def test_of_two_that_want_a_task_one_gets_it(
    store_url: str, opened: Callable[[str], SqlStore]
) -> None:
    first, second = opened(store_url), opened(store_url)
    task = new_task(first)
    first.acquire(task.id, owner_id(), 60, 1000.0)
    with pytest.raises(LeaseHeld) as caught:
        second.acquire(task.id, owner_id(), 60, 1010.0)
    assert (caught.value.data["task"], caught.value.data["seconds"]) == (task.id, 50)


def test_a_run_that_died_before_it_heard_of_its_cancel_is_not_taken_up(store: SqlStore) -> None:
    task = new_task(store)
    store.acquire(task.id, owner_id(), 60, 1000.0)
    store.tasks.ask(task.id, "cancel")
    with pytest.raises(UsageError, match="was cancelled"):
        store.acquire(task.id, owner_id(), 60, 1061.0)
    assert store.tasks.get(task.id).request == "cancel"


def test_a_late_write_after_a_takeover_is_refused(store: SqlStore) -> None:
    task = new_task(store)
    old = store.acquire(task.id, owner_id(), 60, 1000.0)
    new = store.acquire(task.id, owner_id(), 60, 1061.0)
    late, good = write(store, outcome(task.id, old.fence, 0), outcome(task.id, new.fence, 1))
    assert (type(late), good) == (LeaseLost, None)
    with pytest.raises(LeaseLost):
        store.renew(old, 60, 1062.0)
    with pytest.raises(LeaseLost):
        store.release(old, "finished", None)
    assert store.tasks.get(task.id).counts.attempted == 1


def test_renew_brings_what_another_process_asks(store: SqlStore) -> None:
    task = new_task(store)
    lease = store.acquire(task.id, owner_id(), 60, 1000.0)
    assert store.renew(lease, 60, 1001.0) == Beat(wish=None, revision=0)
    store.tasks.ask(task.id, "pause")
    assert store.renew(lease, 60, 1002.0) == Beat(wish="pause", revision=0)
    store.tasks.change_spec(task.id, {"max_calls": 3})
    assert store.renew(lease, 60, 1003.0) == Beat(wish="pause", revision=1)
    assert store.tasks.get(task.id).spec["max_calls"] == 3
    store.release(lease, "paused", {"code": "asked"})
    after = store.tasks.get(task.id)
    assert (after.status, after.cause, after.request) == ("paused", {"code": "asked"}, None)


def test_the_way_that_worked_is_remembered(store: SqlStore) -> None:
    assert store.mode("e", "m") is None
    store.remember_mode("e", "m", "json")
    store.remember_mode("e", "m", "schema")
    assert store.mode("e", "m") == "schema"


def test_what_worked_outlives_the_process(
    store_url: str, opened: Callable[[str], SqlStore]
) -> None:
    first = opened(store_url)
    first.remember_mode("e", "m", "json")
    write(first, entry(new_task(first).id, b"1"))
    assert opened(store_url).mode("e", "m") == "json"
    first.remember_mode("e", "m", "tool")
    first.close()
    assert opened(store_url).mode("e", "m") == "tool"


def test_remembering_never_waits_for_an_open_transaction(store: SqlStore) -> None:
    transaction = store.transaction()
    transaction.begin()
    store.remember_mode("e", "m", "json")
    assert store.mode("e", "m") == "json"
    transaction.rollback()


def test_a_transaction_may_begin_apply_and_commit_in_three_threads(store: SqlStore) -> None:
    task = new_task(store)
    transaction = store.transaction()
    steps = (
        transaction.begin,
        lambda: transaction.apply([entry(task.id, b"1")]),
        transaction.commit,
    )
    for step in steps:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(step).result()
    assert store.journal.count(task.id) == 1


def test_many_threads_and_two_stores_write_and_read_at_once(
    store_url: str, opened: Callable[[str], SqlStore]
) -> None:
    stores = (opened(store_url), opened(store_url))
    tasks = [new_task(stores[n % 2]) for n in range(6)]

    def work(number: int) -> int:
        store, task = stores[number % 2], tasks[number]
        lease = store.acquire(task.id, owner_id(), 600, 4e9)
        for n in range(15):
            # The same keys from everywhere, in opposite orders: nobody may wait in a circle.
            keys = [str(k).encode() for k in (n, n + 1, n + 2)]
            calls = [entry(task.id, key) for key in (keys if number % 2 else reversed(keys))]
            assert write(store, *calls, outcome(task.id, lease.fence, n)) == [None] * 4
            store.renew(lease, 600, 4e9)
            assert len(store.find_calls([call.key for call in calls])) == 3
        return store.spend(task.id).calls

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(work, range(6))) == [45] * 6
    assert sum(stores[0].journal.count(task.id) for task in tasks) == 17


def test_of_many_that_acquire_at_once_one_wins(
    store_url: str, opened: Callable[[str], SqlStore]
) -> None:
    stores = [opened(store_url) for _ in range(4)]
    task = new_task(stores[0])

    def take(store: SqlStore) -> str:
        try:
            store.acquire(task.id, owner_id(), 60, 1000.0)
        except LeaseHeld:
            return "held"
        return "won"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(take, stores)) == ["held", "held", "held", "won"]


def test_a_failed_write_lets_the_next_one_in(store: SqlStore) -> None:
    transaction = store.transaction()
    transaction.begin()
    with pytest.raises(AttributeError):
        transaction.apply([Save(task_id=1, fence=1, outcome=None, accepted=(), misses=())])  # type: ignore[arg-type]
    transaction.rollback()
    transaction.rollback()
    assert new_task(store).counts == Counts(requested=5)


def test_commit_without_begin_is_a_mistake_of_ours(store: SqlStore) -> None:
    with pytest.raises(RuntimeError):
        store.transaction().commit()


def test_numbers_that_json_lacks_become_null(store: SqlStore) -> None:
    task = new_task(store)
    lease = store.acquire(task.id, owner_id(), 60, 1e9)
    save = outcome(task.id, lease.fence)
    odd = Draft(content={"x": float("nan"), "y": 2**70, "z": (1, 2)})
    kept = Save(
        task_id=task.id, fence=lease.fence, outcome=save.outcome, accepted=(odd,), misses=()
    )
    assert write(store, kept) == [None]
    assert store.records.first(task.id, 1)[0].content["x"] is None
