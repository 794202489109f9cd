"""Records that no model made: written in groups, in the dataset at once, taken back whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from corpusmith.contracts import Quota
from corpusmith.errors import LeaseLost, Stopped
from corpusmith.nouns import Dataset
from corpusmith.service import bulk as bulk_module
from corpusmith.service.bulk import Bulk, sweep
from corpusmith.store.store import SqlStore
from corpusmith.values import Counts, Draft, Miss

BAD = Miss(kind="rejected", reason="row_empty", detail={"line": 3})


def drafts(*numbers: int) -> list[Draft]:
    return [Draft(content={"n": n}) for n in numbers]


def started(store: SqlStore) -> Bulk:
    store.datasets.add(Dataset(name="d"))
    return Bulk(
        store,
        recipe="import",
        name="a file",
        dataset="d",
        language="zh",
        recipe_spec={},
        quotas=[Quota(name="f", count=0)],
    )


def contents(store: SqlStore) -> list[object]:
    return [record.content for record in store.records.iterate(dataset="d")]


def test_all_records_are_in_the_dataset_in_their_order_and_the_counts_add_up(
    store: SqlStore,
) -> None:
    with started(store) as bulk:
        bulk.put("f", 0, drafts(1, 2), [BAD])
        bulk.put("f", 1, drafts(3))
        task = bulk.finish(as_attempted=True)
    counts = Counts(requested=4, attempted=4, accepted=3, rejected=1)
    assert (task.status, task.counts, contents(store)) == (
        "finished",
        counts,
        [{"n": 1}, {"n": 2}, {"n": 3}],
    )
    (quota,) = store.quotas(task.id)
    assert (quota.count, quota.attempted, quota.accepted, quota.rejected) == (4, 4, 3, 1)
    (miss,) = store.tasks.misses(task.id)
    assert (miss.reason, miss.detail) == ("row_empty", {"line": 3})


def test_nothing_is_in_the_dataset_before_the_end(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_module, "AT_ONCE", 1)
    with started(store) as bulk:
        bulk.put("f", 0, drafts(1, 2))
        assert (contents(store), store.records.count(task_id=bulk.task.id)) == ([], 2)
        bulk.finish()
    assert contents(store) == [{"n": 1}, {"n": 2}]


def test_an_exception_leaves_no_record_and_no_task(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_module, "AT_ONCE", 1)
    with pytest.raises(ZeroDivisionError), started(store) as bulk:
        bulk.put("f", 0, drafts(1, 2))
        raise ZeroDivisionError
    assert (contents(store), store.tasks.list(), store.records.count()) == ([], [], 0)


def test_a_killed_import_is_swept_and_a_living_one_is_not(
    store_url: str,
    opened: Callable[[str], SqlStore],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = opened(store_url)
    monkeypatch.setattr(bulk_module, "AT_ONCE", 1)
    bulk = started(store)
    bulk.put("f", 0, drafts(1, 2))
    assert sweep(store) == []
    # Its process is gone: the owner's start time is no longer that of any process.
    monkeypatch.setattr("corpusmith.store.tasks.surely_dead", lambda owner: True)
    monkeypatch.setattr("corpusmith.store.lease.surely_dead", lambda owner: True)
    assert sweep(store) == [bulk.task.id]
    assert (store.tasks.list(), store.records.count()) == ([], 0)
    with pytest.raises(LeaseLost):
        bulk.put("f", 1, drafts(3))


def test_a_wish_to_stop_ends_it_and_undoes_it(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_module, "AT_ONCE", 1)
    monkeypatch.setattr(bulk_module, "RENEW_S", 0.0)
    with pytest.raises(Stopped), started(store) as bulk:
        store.tasks.ask(bulk.task.id, "cancel")
        bulk.put("f", 0, drafts(1))
    assert store.tasks.list() == []


def test_undo_takes_committed_records_too_and_others_stay(store: SqlStore) -> None:
    with started(store) as bulk:
        bulk.put("f", 0, drafts(1, 2))
        first = bulk.finish()
    with Bulk(
        store,
        recipe="import",
        name="another",
        dataset="d",
        language="zh",
        recipe_spec={},
        quotas=[Quota(name="f", count=1)],
    ) as bulk:
        bulk.put("f", 0, drafts(3))
        second = bulk.finish()
    assert store.imports.undo(first.id) == 2
    assert (contents(store), [task.id for task in store.tasks.list()]) == ([{"n": 3}], [second.id])


def test_contents_are_the_stored_texts(store: SqlStore) -> None:
    with started(store) as bulk:
        bulk.put("f", 0, [Draft(content={"b": "语", "a": n}) for n in range(1500)])
        bulk.finish()
    assert list(store.imports.contents("d")) == [f'{{"b":"语","a":{n}}}' for n in range(1500)]
