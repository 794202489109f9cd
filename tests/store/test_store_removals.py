"""Records taken out of a dataset and put back, and what checks say of them later."""

from __future__ import annotations

from dataclasses import replace

import pytest

from corpusmith.contracts import Quota
from corpusmith.errors import NotFound, UsageError
from corpusmith.nouns import Dataset
from corpusmith.service.bulk import Bulk
from corpusmith.store.store import SqlStore
from corpusmith.values import PASS, Draft, Record, Verdict

FLAG = Verdict(passed=True, reason="sensitive_word", detail={"word": "x"})
REJECT = Verdict(passed=False, reason="near_duplicate", detail={"of": "#1"})


def filled(store: SqlStore, count: int = 12) -> list[Record]:
    store.datasets.add(Dataset(name="d"))
    with Bulk(
        store,
        recipe="import",
        name="a file",
        dataset="d",
        language="zh",
        recipe_spec={},
        quotas=[Quota(name="f", count=0)],
    ) as bulk:
        drafts = [Draft(content={"n": n}, labels={"scenario": "s"}) for n in range(count)]
        bulk.put("f", 0, drafts)
        bulk.finish(as_attempted=True)
    return list(store.records.iterate(dataset="d"))


def test_what_is_taken_out_comes_back_whole(store: SqlStore) -> None:
    before = filled(store)
    store.records.note({before[3].id: {"sensitive": FLAG}}.items())
    before = list(store.records.iterate(dataset="d"))
    ids = [record.id for record in before[2:5]]
    removal = store.removals.remove("d", [*ids, 10**9], reason="near_duplicates")
    assert (removal.count, removal.reason, removal.undone_at) == (3, "near_duplicates", None)
    left = [record for record in before if record.id not in ids]
    assert list(store.records.iterate(dataset="d")) == left
    assert store.datasets.statistics("d").total == 9
    assert [record.id for record in store.removals.records(removal.number)] == ids
    back = store.removals.restore(removal.number)
    assert (back.count, back.undone_at is None) == (3, False)
    assert list(store.records.iterate(dataset="d")) == before
    assert list(store.removals.records(removal.number)) == []


def test_it_is_put_back_once(store: SqlStore) -> None:
    (record, *_) = filled(store)
    number = store.removals.remove("d", [record.id], reason="x").number
    store.removals.restore(number)
    with pytest.raises(UsageError) as caught:
        store.removals.restore(number)
    assert caught.value.reason == "removal_undone"
    with pytest.raises(NotFound):
        store.removals.restore(number + 1)


def test_removals_are_listed_newest_first_and_by_dataset(store: SqlStore) -> None:
    first, second, *_ = filled(store)
    one = store.removals.remove("d", [first.id], reason="a")
    two = store.removals.remove("d", [second.id], reason="b")
    assert [found.number for found in store.removals.list("d")] == [two.number, one.number]
    assert store.removals.list("other") == []
    assert store.removals.get(one.number) == one


def test_a_removal_from_a_dataset_that_is_not_there_changes_nothing(store: SqlStore) -> None:
    (record, *_) = filled(store)
    with pytest.raises(NotFound):
        store.removals.remove("e", [record.id], reason="a")
    assert store.removals.list() == []


def test_a_record_of_another_dataset_stays(store: SqlStore) -> None:
    (record, *_) = filled(store)
    store.datasets.add(Dataset(name="e"))
    assert store.removals.remove("e", [record.id], reason="a").count == 0
    assert store.records.count(dataset="d") == 12


def test_a_deleted_dataset_takes_what_was_taken_out_of_it_along(store: SqlStore) -> None:
    records = filled(store, count=2)
    number = store.removals.remove("d", [one.id for one in records], reason="a").number
    store.tasks.delete(records[0].task_id)
    store.datasets.delete("d")
    with pytest.raises(NotFound):
        store.removals.get(number)


def test_an_import_that_is_undone_leaves_nothing_to_put_back(store: SqlStore) -> None:
    records = filled(store, count=3)
    number = store.removals.remove("d", [records[0].id], reason="a").number
    store.imports.undo(records[0].task_id)
    store.removals.restore(number)
    assert store.records.count(dataset="d") == 0


def test_verdicts_that_come_later_flag_a_record_and_change_no_content(store: SqlStore) -> None:
    before = filled(store)
    noted = store.records.note(
        {
            before[0].id: {"format": PASS, "sensitive": FLAG},
            before[1].id: {"near_duplicates": REJECT},
            before[2].id: {"format": PASS},
            10**9: {"format": PASS},
        }.items()
    )
    assert noted == 3
    told = {"action": "flag", "reason": "sensitive_word", "detail": {"word": "x"}}
    after = list(store.records.iterate(dataset="d"))
    assert after[0] == replace(
        before[0], verdicts={"format": "pass", "sensitive": told}, flags=("sensitive",)
    )
    assert after[1].flags == ("near_duplicates",)
    assert (after[2].flags, after[2].verdicts) == ((), {"format": "pass"})
    assert after[3:] == before[3:]
    assert [one.id for one in store.records.iterate(dataset="d", flag="any")] == [
        before[0].id,
        before[1].id,
    ]
    assert [one.id for one in store.records.iterate(flag="sensitive")] == [before[0].id]
    assert store.records.count(dataset="d", unflagged=True) == 10


def test_a_verdict_can_be_taken_back(store: SqlStore) -> None:
    (record, *_) = before = filled(store)
    store.records.note({record.id: {"sensitive": FLAG, "format": PASS}}.items())
    store.records.note({record.id: {"sensitive": None}}.items())
    (found,) = store.records.some([record.id])
    assert (found.flags, found.verdicts) == ((), {"format": "pass"})
    store.records.note({record.id: {"format": None}}.items())
    assert list(store.records.iterate(dataset="d")) == before
