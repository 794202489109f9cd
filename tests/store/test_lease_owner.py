"""Who holds a lease, and whether that process still lives."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from store_rows import new_task

from corpusmith.store.lease import human, owner_id, surely_dead
from corpusmith.store.store import SqlStore


def owner_of_a_dead_process() -> str:
    code = "from corpusmith.store.lease import owner_id; print(owner_id())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def changed(owner: str, place: int, part: str) -> str:
    parts = owner.split("|")
    parts[place] = part
    return "|".join(parts)


def test_a_living_process_is_not_dead() -> None:
    assert not surely_dead(owner_id())


def test_two_owners_of_one_process_differ() -> None:
    assert owner_id() != owner_id()


def test_a_process_that_ended_is_surely_dead() -> None:
    assert surely_dead(owner_of_a_dead_process())


def test_a_number_that_another_process_got_is_surely_dead() -> None:
    assert surely_dead(changed(owner_id(), 4, "1"))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_process_of_another_machine_boot_or_container_may_live(place: int) -> None:
    assert not surely_dead(changed(owner_of_a_dead_process(), place, "elsewhere"))


@pytest.mark.parametrize("owner", ["", "me", "a|b|c|d|e|f", "|||||"])
def test_an_owner_that_we_cannot_read_may_live(owner: str) -> None:
    assert not surely_dead(owner)


def test_an_owner_is_shown_by_host_and_number() -> None:
    assert human(owner_id()).endswith(f" pid {os.getpid()}")


def test_a_dead_owners_lease_is_taken_over_at_once(store: SqlStore) -> None:
    task, now = new_task(store), time.time()
    first = store.acquire(task.id, owner_of_a_dead_process(), 600, now)
    assert store.tasks.get(task.id).interrupted
    assert store.acquire(task.id, owner_id(), 600, now).fence > first.fence
