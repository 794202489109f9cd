"""Review queues in a process of its own; prints one JSON line. Called by `bench`.

python -m bench.review make|pages --url URL [--records N]

`make` fills a database with records of one task in one dataset, all judged, and with what four
people said of them: one reviewed the first nine tenths in the dataset's order, one any nine tenths,
one all of them, one none. `pages` times pages of every queue for each of them: the first, the next
ones of it, and ones that begin anywhere.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Insert, insert, literal, select

from bench.rig import now_s, usage
from corpusmith.contracts import Quota
from corpusmith.nouns import Dataset
from corpusmith.store.open import open_store
from corpusmith.store.review_groups import group_numbers, members_text
from corpusmith.store.review_queue import ReviewQueues, _order
from corpusmith.store.review_rules import disagreement
from corpusmith.store.review_values import Place, Queue
from corpusmith.store.schema import records, review_groups, reviews
from corpusmith.store.store import SqlStore
from corpusmith.values import Selection

Figures = dict[str, Any]
Row = dict[str, Any]
DATASET = "语料"
REVIEWERS = ("first tenths", "scattered", "everything", "nothing")
QUEUES: dict[str, Row] = {
    "all": {},
    "pending": {},
    "sample": {"percent": 1.0, "seed": 7},
    "lowest": {},
    "disagreement": {},
    "flagged": {},
}
PAGE = 50
DONE = 0.9
_AT_ONCE = 10_000
_SCENARIOS = ("日常对话", "情感交流", "知识问答", "工作协作", "学习辅导")


def make(url: str, count: int) -> Figures:
    """The records and the reviews."""
    store = open_store(url)
    store.datasets.add(Dataset(name=DATASET, description="", language="zh"))
    task = store.tasks.create(
        name="bench",
        recipe="dialogue",
        spec={},
        dataset=DATASET,
        requested=count,
        seed=1,
        quotas=[Quota(name="all", count=count, waves=((0, count),))],
        connections={},
    )
    rng = random.Random(1)
    texts = ["".join(chr(rng.randrange(0x4E00, 0x9000)) for _ in range(60)) for _ in range(500)]
    began_s = now_s()
    for start in range(0, count, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, count))
        rows = [_record(rng, texts, task.id, one, one < DONE * count) for one in numbers]
        with store._database.write() as connection:
            groups = group_numbers(connection, store._database, {row["members"] for row in rows})
            for row in rows:
                row["review_group"] = groups[row.pop("members")]
            connection.execute(insert(records), rows)
    for reviewer in REVIEWERS:
        with store._database.write() as connection:
            connection.execute(_reviews_of(reviewer))
    if not store._database.is_sqlite:
        # Its own service does so by and by; SQLite has none.
        with store._database.write() as connection:
            connection.exec_driver_sql("ANALYZE")
    store.close()
    return {"fill_s": now_s() - began_s}


def _record(
    rng: random.Random, texts: Sequence[str], task_id: int, number: int, decided: bool
) -> Row:
    turns = [{"role": role, "content": rng.choice(texts)} for role in ("user", "assistant")]
    scenario, score = rng.choice(_SCENARIOS), round(rng.uniform(1, 5), 2)
    state = rng.choice(("approved", "approved", "rejected")) if decided else "pending"
    rating = float(rng.randint(1, 5))
    return {
        "id": number + 1,
        "task_id": task_id,
        "dataset_id": 1,
        "position": 0,
        "ordinal": number,
        "sample": 0,
        "category": scenario,
        "scenario": scenario,
        "character": None,
        "content": json.dumps({"dialogues": turns, "turn_count": 1}, ensure_ascii=False),
        "provenance": '{"models": ["m"], "simulated": true}',
        "labels": json.dumps({"scenario": scenario}, ensure_ascii=False),
        "state": state,
        "created_at": 1e9,
        "verdicts": '{"format":"pass"}',
        "flags": " near_duplicates " if rng.random() < 0.05 else None,
        "score": score,
        "rating": rating,
        "disagreement": disagreement(state, rating, score),
        "tags": '["长"]' if rng.random() < 0.001 else None,
        "version": 1,
        "members": _members(rng, decided),
    }


def _members(rng: random.Random, decided: bool) -> str:
    names = (decided, rng.random() < DONE, True, False)
    there = [name for name, reviewed in zip(REVIEWERS, names, strict=True) if reviewed]
    return members_text({name: {"settled": True} for name in there})


def _reviews_of(reviewer: str) -> Insert:
    """The reviews that the records' groups speak of."""
    state = records.c.state if reviewer == REVIEWERS[0] else literal("pending")
    said = {
        "record_id": records.c.id,
        "reviewer": literal(reviewer),
        "state": state,
        "rating": literal(3),
        "note": literal(""),
        "version": literal(1),
        "decided": literal(1),
        "settled": literal(True),
        "updated_at": literal(1e9),
    }
    query = select(*said.values()).join_from(
        records, review_groups, review_groups.c.id == records.c.review_group
    )
    query = query.where(review_groups.c.members.contains(f'"{reviewer}"'))
    return insert(reviews).from_select(list(said), query)


# ---------------------------------------------------------------- pages


def pages(url: str, count: int) -> Figures:
    """Milliseconds of pages, by scope, queue and reviewer."""
    store = open_store(url)
    scopes = {"dataset": Selection(dataset=DATASET), "task": Selection(task_id=1)}
    found: Figures = {}
    for scope, selection in scopes.items():
        for kind, given in QUEUES.items():
            for reviewer in REVIEWERS:
                queue = Queue(reviewer=reviewer, selection=selection, kind=kind, **given)  # type: ignore[arg-type]
                found[f"{scope} {kind} {reviewer}"] = _timed(store, queue, count)
    store.close()
    return {"pages": found, "worst_p95_ms": max(one["p95_ms"] for one in found.values())}


def _timed(store: SqlStore, queue: Queue, count: int) -> Figures:
    took: list[float] = []
    queues = store.review_queues
    after: Place | None = None
    for _ in range(10):  # the first, and those that follow it
        after = _page(queues, queue, after, took)
        if after is None:
            break
    first_ms = took[0]
    for place in _places(store, queue, count):
        _page(queues, queue, place, took)
    return {
        "first_ms": round(first_ms, 1),
        "p50_ms": round(statistics.median(took), 1),
        "p95_ms": round(sorted(took)[int(0.95 * (len(took) - 1))], 1),
        "max_ms": round(max(took), 1),
    }


def _page(
    queues: ReviewQueues, queue: Queue, after: Place | None, took: list[float]
) -> Place | None:
    began_s = now_s()
    page = queues.page(queue, limit=PAGE, after=after)
    took.append(1000 * (now_s() - began_s))
    return page.after


def _places(store: SqlStore, queue: Queue, count: int) -> Sequence[Place]:
    """Where pages of the queue may begin: at ten records anywhere."""
    rng = random.Random(2)
    ids = sorted(rng.sample(range(1, count + 1), 10))
    columns, _ = _order(queue)
    query = select(*columns).where(records.c.id.in_(ids))
    with store._database.read() as connection:
        return [tuple(row) for row in connection.execute(query)]


def main() -> None:
    """Do it and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["make", "pages"])
    parser.add_argument("--url", required=True)
    parser.add_argument("--records", type=int, default=1_000_000)
    given = parser.parse_args()
    made = (make if given.what == "make" else pages)(given.url, given.records)
    print(json.dumps({**made, **usage()}, ensure_ascii=False))


if __name__ == "__main__":
    main()
