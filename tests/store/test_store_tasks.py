"""A task's life around its runs: retry, extend, executions, records, deletion; on both."""

from __future__ import annotations

import pytest
from store_rows import FAILED, FRESH, REJECTED, Save, entry, new_task, outcome, write

from corpusmith.contracts import Finished, Quota
from corpusmith.errors import Conflict, LeaseHeld, NotFound
from corpusmith.nouns import Dataset
from corpusmith.store.lease import owner_id
from corpusmith.store.store import SqlStore
from corpusmith.store.values import Statistics, Task
from corpusmith.values import Counts, Draft, Item, Miss, Outcome


def run_some(store: SqlStore, *parts: tuple[str, int, int, tuple[Miss, ...]]) -> Task:
    """A paused task with items of (category, ordinal, accepted, misses)."""
    task = new_task(store)
    lease = store.acquire(task.id, owner_id(), 60, 1000.0)
    saves = [
        outcome(task.id, lease.fence, ordinal, category=category, accepted=good, misses=misses)
        for category, ordinal, good, misses in parts
    ]
    assert write(store, *saves) == [None] * len(saves)
    store.release(lease, "paused", None)
    return store.tasks.get(task.id)


def test_retry_puts_back_what_failed_and_only_that(store: SqlStore) -> None:
    task = run_some(
        store,
        ("日常", 0, 1, ()),
        ("日常", 1, 0, (FAILED,)),
        ("日常", 2, 0, (REJECTED,)),
        ("情感", 0, 0, (FRESH,)),
        ("情感", 1, 1, (FAILED,)),
    )
    assert store.tasks.retry(task.id, {"failed"}) == 2
    assert list(store.finished(task.id)) == [
        Finished(category="日常", ordinal=0, generation=0, done=True),
        Finished(category="日常", ordinal=1, generation=0, done=False),
        Finished(category="日常", ordinal=2, generation=0, done=True),
        Finished(category="情感", ordinal=0, generation=1, done=False),
        Finished(category="情感", ordinal=1, generation=0, done=True),
    ]
    assert store.quotas(task.id) == [
        Quota(name="日常", count=3, attempted=2, accepted=1, rejected=1),
        Quota(name="情感", count=2, attempted=2, accepted=1, failed=1),
    ]
    assert store.tasks.get(task.id).counts == Counts(
        requested=5, attempted=4, accepted=2, rejected=1, failed=1
    )


def test_an_item_that_was_put_back_is_saved_as_its_new_generation(store: SqlStore) -> None:
    task = run_some(store, ("日常", 0, 0, (FRESH,)))
    store.tasks.retry(task.id)
    lease = store.acquire(task.id, owner_id(), 60, 2000.0)
    assert write(store, outcome(task.id, lease.fence, 0, generation=1)) == [None]
    assert list(store.finished(task.id)) == [
        Finished(category="日常", ordinal=0, generation=1, done=True)
    ]
    assert store.tasks.get(task.id).counts == Counts(requested=5, attempted=1, accepted=1)
    assert store.tasks.misses(task.id) == ()


def test_retry_stops_at_the_limit_of_each_category(store: SqlStore) -> None:
    task = run_some(
        store,
        ("日常", 0, 0, (FAILED, FAILED)),
        ("日常", 1, 0, (FAILED,)),
        ("日常", 2, 0, (FAILED,)),
        ("情感", 0, 0, (FAILED,)),
    )
    assert store.tasks.retry(task.id, {"failed"}, {"日常": 1}) == 1
    assert [one.ordinal for one in store.finished(task.id) if not one.done] == [1]


def test_misses_come_page_by_page_with_their_reasons(store: SqlStore) -> None:
    task = run_some(
        store,
        ("日常", 0, 1, (REJECTED, FAILED)),
        ("日常", 3, 0, (FAILED,)),
        ("情感", 0, 0, (FRESH,)),
    )
    first = store.tasks.misses(task.id, limit=2)
    rest = store.tasks.misses(task.id, limit=9, after=first[-1].place)
    found = [(miss.item, miss.kind, miss.reason, miss.raw) for miss in (*first, *rest)]
    assert found == [
        ("日常#0", "rejected", "turns", "…"),
        ("日常#0", "failed", "timed_out", ""),
        ("日常#3", "failed", "timed_out", ""),
        ("情感#0", "failed", "invalid_reply", "{"),
    ]
    assert [miss.item for miss in store.tasks.misses(task.id, "rejected")] == ["日常#0"]
    assert store.tasks.miss_counts(task.id) == {
        ("failed", "timed_out"): 2,
        ("rejected", "turns"): 1,
        ("failed", "invalid_reply"): 1,
    }


def test_extend_keeps_counters_and_adds_categories_behind(store: SqlStore) -> None:
    task = run_some(store, ("日常", 0, 1, ()))
    waves = ((0, 3), (3, 2))
    store.tasks.extend(
        task.id,
        requested=9,
        quotas=[Quota(name="新", count=4), Quota(name="日常", count=5, waves=waves)],
    )
    assert store.quotas(task.id) == [
        Quota(name="日常", count=5, waves=waves, attempted=1, accepted=1),
        Quota(name="情感", count=2),
        Quota(name="新", count=4),
    ]
    assert store.tasks.get(task.id).requested == 9


def test_a_running_task_is_not_changed_by_others(store: SqlStore) -> None:
    task = new_task(store)
    store.acquire(task.id, owner_id(), 60, 4e9)
    for change in (
        lambda: store.tasks.retry(task.id),
        lambda: store.tasks.extend(task.id, requested=9, quotas=()),
        lambda: store.tasks.delete(task.id),
    ):
        with pytest.raises(LeaseHeld):
            change()


def test_each_execution_counts_its_own(store: SqlStore) -> None:
    task = new_task(store)
    first = store.acquire(task.id, owner_id(), 60, 1000.0)
    write(store, entry(task.id, b"1"), outcome(task.id, first.fence, 0))
    second = store.acquire(task.id, owner_id(), 60, 1100.0)
    write(store, entry(task.id, b"2"), outcome(task.id, second.fence, 1, misses=(FAILED,)))
    store.release(second, "finished", {"code": "done"})
    store.acquire(task.id, owner_id(), 60, 4e9)
    found = [
        (one.status, one.cause, one.counts, one.spend.calls, one.ended_at is None)
        for one in store.tasks.executions(task.id)
    ]
    assert found == [
        ("interrupted", None, Counts(attempted=1, accepted=1), 1, False),
        ("finished", {"code": "done"}, Counts(attempted=2, accepted=1, failed=1), 1, False),
        ("running", None, Counts(), 0, True),
    ]


def test_a_task_whose_process_is_silent_is_interrupted(store: SqlStore) -> None:
    task = new_task(store)
    store.acquire(task.id, owner_id(), 60, 1000.0)
    assert store.tasks.get(task.id).interrupted
    store.acquire(task.id, owner_id(), 60, 4e9)
    assert not store.tasks.get(task.id).interrupted


def test_tasks_are_listed_newest_first(store: SqlStore) -> None:
    assert store.tasks.last() is None
    ids = [new_task(store).id for _ in range(3)]
    last = store.tasks.last()
    assert last is not None
    assert last.id == ids[2]
    assert [task.id for task in store.tasks.list(limit=2)] == [ids[2], ids[1]]
    assert [task.id for task in store.tasks.list(after=ids[1])] == [ids[0]]
    assert store.tasks.list("running") == []


def test_a_task_that_is_not_there_is_named(store: SqlStore) -> None:
    for action in (
        lambda: store.tasks.get(77),
        lambda: store.tasks.ask(77, "pause"),
        lambda: store.tasks.delete(77),
        lambda: store.acquire(77, "me", 1, 1.0),
        lambda: store.spend(77),
    ):
        with pytest.raises(NotFound) as caught:
            action()
        assert caught.value.reason == "unknown_task"


def labelled(store: SqlStore, task: Task) -> None:
    """Six records: 4 of 日常 and 2 of 情感, with two characters in turn."""
    lease = store.acquire(task.id, owner_id(), 60, 1000.0)
    for category, count in (("日常", 2), ("情感", 1)):
        for ordinal in range(count):
            drafts = tuple(
                Draft(
                    content={"text": f"{category}{ordinal}{who}"},
                    provenance={"model": "m"},
                    labels={"scenario": category, "character": who},
                )
                for who in ("林", "哲")
            )
            item = Item(
                task_seed=7, category=category, ordinal=ordinal, generation=0, want=len(drafts)
            )
            done = Outcome(item=item, drafts=drafts)
            write(
                store,
                Save(task_id=task.id, fence=lease.fence, outcome=done, accepted=drafts, misses=()),
            )
    store.release(lease, "finished", None)


def test_records_come_in_the_order_of_the_plan(store: SqlStore) -> None:
    task = new_task(store)
    labelled(store, task)
    texts = [record.content["text"] for record in store.records.iterate(task_id=task.id)]
    assert texts == ["日常0林", "日常0哲", "情感0林", "情感0哲", "日常1林", "日常1哲"]
    first = store.records.first(task.id, 1)[0]
    assert (first.sample, first.provenance, first.committed) == (0, {"model": "m"}, False)


def test_committed_records_fill_the_dataset_and_its_statistics(store: SqlStore) -> None:
    store.datasets.add(Dataset(name="d"))
    task = new_task(store)
    labelled(store, task)
    assert store.records.commit(task.id, "d") == 6
    assert store.records.commit(task.id, "d") == 0
    assert store.datasets.statistics("d") == Statistics(
        total=6, by_scenario={"日常": 4, "情感": 2}, by_character={"哲": 3, "林": 3}
    )
    picked = store.records.iterate(dataset="d", scenario="情感", character="哲", committed=True)
    assert [record.content["text"] for record in picked] == ["情感0哲"]
    assert store.datasets.delete_records("d", scenario="日常") == 4
    assert store.records.count(dataset="d", state="pending") == 2


def test_discard_takes_only_what_is_not_committed(store: SqlStore) -> None:
    store.datasets.add(Dataset(name="d"))
    first, second = new_task(store), new_task(store)
    for task in (first, second):
        labelled(store, task)
    store.records.commit(first.id, "d")
    assert (store.records.discard(first.id), store.records.discard(second.id)) == (0, 6)
    with pytest.raises(NotFound):
        store.records.commit(second.id, "没有")


def test_deleting_a_task_keeps_what_was_committed_and_what_was_paid(store: SqlStore) -> None:
    store.datasets.add(Dataset(name="d"))
    kept, gone = new_task(store), new_task(store)
    for task in (kept, gone):
        labelled(store, task)
        write(store, entry(task.id, str(task.id).encode()))
    store.records.commit(kept.id, "d")
    for task in (kept, gone):
        store.tasks.delete(task.id)
        assert store.journal.count(task.id) == 1
    assert store.records.count(dataset="d") == 6
    assert store.records.count(task_id=gone.id) == 0
    assert new_task(store).id > gone.id


def test_a_dataset_in_use_says_by_what(store: SqlStore) -> None:
    store.datasets.add(Dataset(name="d"))
    task = store.tasks.create(
        name="夜班",
        recipe="dialogue",
        spec={},
        dataset="d",
        requested=3,
        seed=1,
        quotas=(Quota(name="日常", count=2), Quota(name="情感", count=1)),
        connections={},
    )
    labelled(store, task)
    store.records.commit(task.id, "d")
    with pytest.raises(Conflict) as caught:
        store.datasets.delete("d")
    assert caught.value.data["users"] == f"#{task.id} 夜班"
    store.tasks.delete(task.id)
    with pytest.raises(Conflict) as caught:
        store.datasets.delete("d")
    assert (caught.value.reason, caught.value.data["users"]) == ("in_use_records", 6)
    store.datasets.delete_records("d")
    store.datasets.delete("d")
    assert store.datasets.list() == []


def test_a_long_list_of_records_streams_in_pages(store: SqlStore) -> None:
    task = new_task(store, (Quota(name="日常", count=2500),))
    lease = store.acquire(task.id, owner_id(), 60, 1000.0)
    write(store, *(outcome(task.id, lease.fence, n) for n in range(2500)))
    found = [record.ordinal for record in store.records.iterate(task_id=task.id)]
    assert found == list(range(2500))
