"""Lists of records in a process of its own; prints one JSON line. Called by `bench`.

python -m bench.records make|index|pages|commit --url URL [--records N]

`make` fills a database with records of ten tasks in one dataset: dialogues in Chinese, some in
English, named, scored, rated and tagged. `index` feeds the index of texts. `pages` times first
pages, deep ones, each filter alone, combinations that few or no records fit, words, counts and
facets. `commit` times putting a task's records into a dataset.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import insert

from bench.rig import now_s, usage
from corpusmith.contracts import Quota
from corpusmith.nouns import Dataset
from corpusmith.service.studio import Studio
from corpusmith.store.codec import to_json
from corpusmith.store.open import open_store
from corpusmith.store.record_kinds import Kind, kind_numbers
from corpusmith.store.record_walk import ORDERS
from corpusmith.store.schema import records
from corpusmith.store.store import SqlStore
from corpusmith.store.text_words import length_of
from corpusmith.values import Selection

Figures = dict[str, Any]
Row = dict[str, Any]
DATASET = "语料"
TASKS = 10
TURNS = 2
CHARS = 50
"""Of a turn: a record has 200 characters."""
_AT_ONCE = 10_000
_SCENARIOS = ("日常对话", "情感交流", "知识问答", "工作协作", "学习辅导")
_CHARACTERS = ("林晚秋", "周明", "Ada")
_MODELS = ("gpt", "gemini", "qwen", "glm")
_ENGLISH = (
    *("the", "model", "answers", "what", "a", "user", "asks", "and", "tells", "why", "it", "is"),
    *("so", "in", "few", "words"),
)


class _Texts:
    """Texts with some words that nearly every record has, and some that few have."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._signs = [chr(0x4E00 + n * 5) for n in range(3000)]
        self._weights = [1 / (n + 3) for n in range(3000)]

    def one(self, number: int) -> str:
        """A turn; of one record in a thousand with the word `稀有`, of a few with `unicorn`."""
        if number % 10 == 0:
            words = self._rng.choices(_ENGLISH, k=CHARS // 5)
            return " ".join(words) + (" unicorn" if number % 100_000 == 0 else "")
        text = "".join(self._rng.choices(self._signs, self._weights, k=CHARS - 6))
        return f"我的{text}，{'稀有' if number % 1000 == 1 else '寻常'}。"


def make(url: str, count: int) -> Figures:
    """The records."""
    store = open_store(url)
    store.datasets.add(Dataset(name=DATASET, description="", language="zh"))
    for _ in range(TASKS):
        _task(store, count // TASKS)
    rng = random.Random(1)
    texts = _Texts(rng)
    began_s = now_s()
    for start in range(0, count, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, count))
        rows = [_record(rng, texts, one, count) for one in numbers]
        with store._database.write() as connection:
            kinds = kind_numbers(connection, store._database, {row["kind"] for row in rows})
            for row in rows:
                row["kind"] = kinds[row["kind"]]
            connection.execute(insert(records), rows)
    filled_s = now_s() - began_s
    if not store._database.is_sqlite:
        # Its own service does so by and by; SQLite has none.
        with store._database._writer.connect() as connection:
            free = connection.execution_options(isolation_level="AUTOCOMMIT")
            free.exec_driver_sql("VACUUM ANALYZE")
            # The rows came with their numbers: a task's own go on behind them.
            free.exec_driver_sql(
                "SELECT setval(pg_get_serial_sequence('records', 'id'), max(id)) FROM records"
            )
    store.close()
    return {"fill_s": filled_s}


def _task(store: SqlStore, count: int) -> int:
    task = store.tasks.create(
        name="bench",
        recipe="dialogue",
        spec=_spec(store),
        dataset=DATASET,
        requested=count,
        seed=1,
        quotas=[Quota(name="all", count=count, waves=((0, count),))],
        connections={},
    )
    return task.id


def _spec(store: SqlStore) -> Row:
    """What a task of dialogues keeps of its form."""
    fields = {
        "recipe": "dialogue",
        "connection": {"base_url": "http://127.0.0.1:9/v1", "model": "any"},
        "characters": ["贺三娘"],
        "scenarios": ["日常对话"],
        "count": 1,
        "turns": TURNS,
    }
    made = Studio.over(store, "zh").tasks.create(fields)
    store.tasks.delete(made.id)
    return dict(made.spec)


def _record(rng: random.Random, texts: _Texts, number: int, count: int) -> Row:
    turns = [
        {"role": role, "content": texts.one(number)}
        for _ in range(TURNS)
        for role in ("user", "assistant")
    ]
    content = {"dialogues": turns, "turn_count": TURNS}
    each = count // TASKS
    kind = Kind(
        category="all",
        scenario=rng.choice(_SCENARIOS),
        character=rng.choice(_CHARACTERS),
        models=to_json([_MODELS[number * len(_MODELS) // count]]),
        tags='["长"]' if number % 100_000 == 7 else '["短"]' if rng.random() < 0.2 else None,
        flags=" near_duplicates " if rng.random() < 0.05 else None,
    )
    return {
        "id": number + 1,
        "task_id": number // each + 1,
        "dataset_id": 1,
        "position": 0,
        "ordinal": number % each,
        "sample": 0,
        "category": kind.category,
        "scenario": kind.scenario,
        "character": kind.character,
        "content": to_json(content),
        "provenance": to_json({"models": json.loads(kind.models or "[]"), "simulated": True}),
        "labels": to_json({"scenario": kind.scenario, "character": kind.character}),
        "state": rng.choice(("approved", "pending", "rejected")),
        "created_at": 1e9,
        "verdicts": '{"format":"pass"}',
        "flags": kind.flags,
        "score": round(rng.uniform(1, 5), 2) if rng.random() < 0.9 else None,
        "rating": float(rng.randint(1, 5)) if rng.random() < 0.5 else None,
        "tags": kind.tags,
        "version": 1,
        "kind": kind,
        "length": length_of(content),
    }


def index(url: str, count: int) -> Figures:
    """Seconds and bytes of the index of texts."""
    store = open_store(url)
    before, began_s = _bytes(store), now_s()
    longest_s, more = 0.0, True
    while more:
        began_one_s = now_s()
        more = store.record_text.index().more
        longest_s = max(longest_s, now_s() - began_one_s)
    took_s = now_s() - began_s
    if not store._database.is_sqlite:
        with store._database._writer.connect() as connection:
            free = connection.execution_options(isolation_level="AUTOCOMMIT")
            free.exec_driver_sql("VACUUM ANALYZE record_text")
    grown = _bytes(store) - before
    store.close()
    return {
        "index_s": took_s,
        "records_per_s": count / took_s,
        "longest_batch_ms": 1000 * longest_s,
        "index_mb": grown / 2**20,
        "index_bytes_per_record": grown / count,
    }


def _bytes(store: SqlStore) -> int:
    with store._database.read() as connection:
        if not store._database.is_sqlite:
            query = "SELECT pg_database_size(current_database())"
            return int(connection.exec_driver_sql(query).scalar_one())
        sizes = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("page_count", "page_size")
        ]
        return int(sizes[0] * sizes[1])


# ---------------------------------------------------------------- pages

ALL = Selection(dataset=DATASET)
FILTERS: dict[str, Row] = {
    "state": {"state": "approved"},
    "scenario": {"scenario": "日常对话"},
    "character": {"character": "Ada"},
    "model": {"model": "glm"},
    "common tag": {"tag": "短"},
    "tag of ten": {"tag": "长"},
    "flag": {"flag": "any"},
    "score": {"min_score": 4.5},
    "rating": {"max_rating": 2},
    "length": {"min_length": 190},
    "none: score": {"min_score": 4.99, "max_score": 4.991},
    "none: length": {"min_length": 100_000},
    "none: name": {"scenario": "没有"},
    "few: all of them": {
        **{"state": "approved", "scenario": "日常对话", "character": "Ada", "model": "glm"},
        **{"tag": "短", "flag": "any", "min_score": 4, "min_rating": 4, "min_length": 100},
    },
    "none: tag and model": {"tag": "长", "model": "gpt", "state": "rejected", "min_score": 4.9},
}
WORDS: dict[str, Row] = {
    "的": {"text": "的"},
    "我的": {"text": "我的"},
    "稀有": {"text": "稀有"},
    "寻常稀有 (absent)": {"text": "寻常稀有"},
    "鰴 (absent)": {"text": "鰴"},
    "model": {"text": "model"},
    "unicorn": {"text": "unicorn"},
    "user asks (quoted)": {"text": '"user asks"'},
    "a user asks (quoted)": {"text": '"a user asks"'},
    "的, tag of ten": {"text": "的", "tag": "长"},
    "的, last model": {"text": "的", "model": "glm"},
    "的 and model, together nowhere": {"text": "的 model"},
    "的, nothing else fits": {"text": "的", "min_length": 100_000},
    "稀有, score": {"text": "稀有", "min_score": 4.5},
}


def pages(url: str, count: int) -> Figures:
    """Milliseconds of each question: of ten askings the median, the 95th of a hundred and the
    longest."""
    store = open_store(url)
    found: Figures = {}
    ask = store.record_pages.page
    places = _places(store, count)
    for order in ORDERS:
        found[f"first, {order}"] = _timed(lambda _, o=order: ask(ALL, order=o))  # type: ignore[misc]
    found["deep, own"] = _timed(lambda n: ask(ALL, after=places[n % len(places)]))
    found["back, own"] = _timed(lambda n: ask(ALL, before=places[n % len(places)]))
    for name, fields in {**FILTERS, **WORDS}.items():
        wanted = Selection(dataset=DATASET, **fields)
        found[f"first: {name}"] = _timed(lambda _, w=wanted: ask(w))  # type: ignore[misc]
        found[f"deep: {name}"] = _timed(
            lambda n, w=wanted: ask(w, after=places[n % len(places)])  # type: ignore[misc]
        )
        found[f"newest: {name}"] = _timed(lambda _, w=wanted: ask(w, order="newest"))  # type: ignore[misc]
        found[f"best: {name}"] = _timed(lambda _, w=wanted: ask(w, order="best"))  # type: ignore[misc]
        found[f"count: {name}"] = _timed(lambda _, w=wanted: store.record_pages.count(w))  # type: ignore[misc]
    found["count: all"] = _timed(lambda _: store.record_pages.count(ALL))
    found["facets"] = _timed(lambda _: store.record_pages.facets(DATASET))
    store.close()
    worst = sorted(found, key=lambda name: -found[name]["p95_ms"])[:12]
    return {
        "worst_p95_ms": {name: found[name]["p95_ms"] for name in worst},
        "above_300_ms": [name for name in found if found[name]["p95_ms"] > 300],
        "pages": found,
    }


def _timed(ask: Callable[[int], object]) -> Figures:
    took = []
    for number in range(10):
        began_s = now_s()
        ask(number)
        took.append(1000 * (now_s() - began_s))
    ranked = sorted(took)
    return {
        "p50_ms": round(statistics.median(took), 1),
        "p95_ms": round(ranked[int(0.95 * (len(took) - 1))], 1),
        "max_ms": round(ranked[-1], 1),
    }


def _places(store: SqlStore, count: int) -> Sequence[tuple[Any, ...]]:
    rng = random.Random(2)
    numbers = sorted(rng.sample(range(1, count + 1), 10))
    return [store.record_pages.place(one, "own", ALL) for one in numbers]


def commit(url: str, count: int) -> Figures:
    """Seconds to put a tenth of the records, of a task of their own, into a dataset."""
    store = open_store(url)
    each = count // TASKS
    task_id = _task(store, each)
    rng = random.Random(3)
    texts = _Texts(rng)
    rows = [
        {**_record(rng, texts, one, count), "task_id": task_id, "dataset_id": None, "kind": 1}
        for one in range(each)
    ]
    for place, row in enumerate(rows):
        row |= {"id": count * 2 + place, "ordinal": place}
    with store._database.write() as connection:
        connection.execute(insert(records), rows)
    began_s = now_s()
    store.records.commit(task_id, DATASET)
    took_s = now_s() - began_s
    store.close()
    return {"commit_s": took_s, "us_per_record": 1e6 * took_s / each}


def main() -> None:
    """Do it and print."""
    whats = {"make": make, "index": index, "pages": pages, "commit": commit}
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=list(whats))
    parser.add_argument("--url", required=True)
    parser.add_argument("--records", type=int, default=1_000_000)
    given = parser.parse_args()
    made = whats[given.what](given.url, given.records)
    print(json.dumps({**made, **usage()}, ensure_ascii=False))


if __name__ == "__main__":
    main()
