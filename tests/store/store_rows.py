"""Tasks, calls and outcomes to fill a store with."""

from __future__ import annotations

from corpusmith.contracts import JournalEntry, Quota, Save, Write
from corpusmith.store.store import SqlStore
from corpusmith.store.values import Task
from corpusmith.values import Draft, Item, Miss, Outcome, Reply, Usage

REJECTED = Miss(kind="rejected", reason="turns", detail={"got": 2}, raw="…")
FAILED = Miss(kind="failed", reason="timed_out", detail={"seconds": 60})
FRESH = Miss(kind="failed", reason="invalid_reply", raw="{", fresh=True)


def new_task(store: SqlStore, quotas: tuple[Quota, ...] | None = None) -> Task:
    return store.tasks.create(
        name="一批",
        recipe="dialogue",
        spec={"turns": 3},
        dataset=None,
        requested=5,
        seed=7,
        quotas=quotas or (Quota(name="日常", count=3), Quota(name="情感", count=2)),
        connections={"main": {"model": "m"}},
    )


def entry(task_id: int, key: bytes, text: str = "好", cost_usd: float | None = 0.5) -> JournalEntry:
    usage = Usage(prompt_tokens=10, completion_tokens=5, cached_tokens=2, reasoning_tokens=1)
    return JournalEntry(
        key=key.ljust(32, b"."),
        task_id=task_id,
        item="日常#0",
        role="main",
        endpoint="http://x/v1",
        model="m",
        request=b'{"a":1}',
        reply=Reply(text=text, usage=usage, request_id="r1"),
        cost_usd=cost_usd,
        mode="schema",
    )


def outcome(
    task_id: int,
    fence: int,
    ordinal: int = 0,
    *,
    category: str = "日常",
    accepted: int = 1,
    misses: tuple[Miss, ...] = (),
    generation: int = 0,
) -> Save:
    drafts = tuple(Draft(content={"n": n}, labels={"scenario": category}) for n in range(accepted))
    item = Item(
        task_seed=7,
        category=category,
        ordinal=ordinal,
        generation=generation,
        want=accepted + len(misses),
    )
    return Save(
        task_id=task_id,
        fence=fence,
        outcome=Outcome(item=item, drafts=drafts, misses=misses),
        accepted=drafts,
        misses=misses,
    )


def write(store: SqlStore, *writes: Write) -> list[Exception | None]:
    transaction = store.transaction()
    transaction.begin()
    try:
        refusals = transaction.apply(writes)
        transaction.commit()
    finally:
        transaction.rollback()
    return refusals
