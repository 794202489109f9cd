"""A process that is killed in the middle of a commit leaves a whole database behind."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from store_rows import entry, new_task, outcome, write

from corpusmith.store.lease import owner_id
from corpusmith.store.store import SqlStore
from corpusmith.values import Counts

# Saves items one group after the other and says each one that is committed.
CHILD = """
import sys
from corpusmith.store.lease import owner_id
from corpusmith.store.open import open_store
from store_rows import entry, outcome

store, task_id, start = open_store(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
lease = store.acquire(task_id, owner_id(), 600, __import__("time").time())
for group in range(start, 10**6, 20):
    transaction = store.transaction()
    transaction.begin()
    for n in range(group, group + 20):
        call = entry(task_id, str(n).encode(), "长" * 500)
        assert transaction.apply([call, outcome(task_id, lease.fence, n)]) == [None, None]
    transaction.commit()
    print(group + 20, flush=True)
"""


def kill_after(url: str, task_id: int, start: int, delay_s: float) -> int:
    """Runs the child from `start`, kills it, and returns the last item that it knew was saved."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, url, str(task_id), str(start)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent,
    )
    assert child.stdout is not None
    said = child.stdout.readline()
    time.sleep(delay_s)
    child.send_signal(signal.SIGKILL)
    said += child.stdout.read()
    child.wait()
    child.stdout.close()
    # The last line may be cut.
    return max([start, *(int(line) for line in said.split("\n")[:-1])])


def test_a_killed_process_leaves_whole_groups_and_nothing_half(
    store_url: str, opened: Callable[[str], SqlStore]
) -> None:
    store = opened(store_url)
    task = new_task(store)
    delays = random.Random(5)
    saved = 0
    for _ in range(4):
        known = kill_after(store_url, task.id, saved, delays.uniform(0.0, 0.15))
        # Waits for the task's row, which a dying Postgres session may still hold.
        store.tasks.ask(task.id, None)
        items = [one.ordinal for one in store.finished(task.id)]
        saved = len(items)
        assert items == list(range(saved))
        # What it was told is there; at most the group that it was saving is there besides.
        assert saved in (known, known + 20)
        assert store.records.count(task_id=task.id) == saved
        assert (store.journal.count(task.id), store.spend(task.id).calls) == (saved, saved)
        assert store.tasks.get(task.id).counts == Counts(
            requested=5, attempted=saved, accepted=saved
        )
    lease = store.acquire(task.id, owner_id(), 60, time.time())
    last = [entry(task.id, b"last"), outcome(task.id, lease.fence, saved)]
    assert write(store, *last) == [None, None]
