"""Which task does which step of a chain, over as many commands as it takes."""

from __future__ import annotations

import time

from store_rows import new_task

from corpusmith.store.chains import Chain, ChainStep
from corpusmith.store.store import SqlStore

STEPS = [ChainStep(name="问答", digest="a"), ChainStep(name="rounds", digest="b", task_id=7)]


def test_a_chain_is_found_by_its_name_and_file(store: SqlStore) -> None:
    made = store.chains.add("链", "/x/chain.yaml", STEPS)
    assert made == Chain(
        id=made.id,
        name="链",
        source="/x/chain.yaml",
        steps=tuple(STEPS),
        created_at=made.created_at,
    )
    assert store.chains.last("链", "/x/chain.yaml") == made
    assert store.chains.last("链", "/y/chain.yaml") is None


def test_the_newest_run_of_a_file_counts(store: SqlStore) -> None:
    store.chains.add("c", "", STEPS)
    second = store.chains.add("c", "", STEPS[:1])
    assert store.chains.last("c", "") == second


def test_a_step_is_linked_to_its_task(store: SqlStore) -> None:
    made = store.chains.add("c", "", STEPS)
    store.chains.link(made.id, 0, 12)
    found = store.chains.last("c", "")
    assert found is not None
    assert [step.task_id for step in found.steps] == [12, 7]


def test_a_task_that_was_made_but_not_linked_is_found_once(store: SqlStore) -> None:
    since = time.time() - 1
    task = new_task(store)  # called 一批
    made = store.chains.add("c", "", STEPS)
    assert store.chains.stray("另一批", since) is None
    assert store.chains.stray("一批", time.time() + 60) is None
    assert store.chains.stray("一批", since) == task.id
    store.chains.link(made.id, 0, task.id)
    assert store.chains.stray("一批", since) is None
