"""A dataset of a million records: a thousand as the services write them, the rest by SQL.

Owns: multiplying rows of a closed SQLite file. What is multiplied is what the store made itself,
the index of texts included, so every page finds what it would find.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from corpusmith.contracts import Quota
from corpusmith.nouns import Dataset
from corpusmith.service.bulk import Bulk
from corpusmith.service.studio import Studio
from corpusmith.store.codec import from_json
from corpusmith.store.open import open_store
from corpusmith.store.store import SqlStore
from corpusmith.store.text_words import terms_of
from corpusmith.values import Draft

DATASET = "百万"
BASE, TIMES = 1000, 1000
SCENARIOS = ("日常对话", "情感交流", "知识问答")
WORDS = ("天气", "学习", "旅行", "weather", "unicorn")
"""Of the rows 0, 1, 2 … in turn; the last stands in one row of a thousand instead."""


def make(path: Path) -> None:
    """The file."""
    store = open_store(f"sqlite:///{path}")
    _begin(store)
    store.close()
    with closing(sqlite3.connect(path)) as file:
        file.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        _multiply(file)
        file.commit()
        file.executescript("PRAGMA journal_mode = WAL; ANALYZE;")


def word_of(number: int) -> str:
    """What the row says beside its number, counted from 0."""
    return WORDS[-1] if number % BASE == 500 else WORDS[number % (len(WORDS) - 1)]


def _begin(store: SqlStore) -> None:
    store.datasets.add(Dataset(name=DATASET, description="", language="zh"))
    with Bulk(
        store,
        recipe="import",
        name="百万.jsonl",
        dataset=DATASET,
        language="zh",
        recipe_spec={},
        quotas=[Quota(name="chat", count=BASE)],
    ) as bulk:
        for number in range(BASE):
            bulk.put("chat", number, [_draft(number)])
        bulk.finish(as_attempted=True)
    ids = [one.id for one in store.records.iterate(dataset=DATASET)]
    records = Studio.over(store, "zh").records
    records.bulk("approve", ids[: BASE // 2])
    records.bulk("tag", ids[:10], tags=["好"])
    store.record_text.catch_up()


def _draft(number: int) -> Draft:
    asked = {"role": "user", "content": f"说说{word_of(number)}"}
    content = {"messages": [asked, {"role": "assistant", "content": "好的。" * (1 + number % 9)}]}
    labels = {"scenario": SCENARIOS[number % len(SCENARIOS)], "character": "林老师"}
    return Draft(
        content=content, labels=labels, provenance={"models": ["glm" if number % 2 else "gpt"]}
    )


def _multiply(file: sqlite3.Connection) -> None:
    names = [row[1] for row in file.execute("PRAGMA table_info(records)")]
    apart = {
        "id": f"id + n * {BASE}",
        "ordinal": f"ordinal + n * {BASE}",
        "score": "1 + (id * 7 + n * 13) % 400 / 100.0",
    }
    indexes = file.execute(
        "SELECT name, sql FROM sqlite_master"
        " WHERE tbl_name = 'records' AND sql LIKE 'CREATE %INDEX%'"
    ).fetchall()
    for name, _ in indexes:
        file.execute(f"DROP INDEX {name}")
    numbers = (
        "WITH RECURSIVE series (n) AS"
        f" (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {TIMES - 1})"
    )
    values = ", ".join(apart.get(name, name) for name in names)
    file.execute(
        f"INSERT INTO records ({', '.join(names)}) {numbers}"
        f" SELECT {values} FROM series, (SELECT * FROM records WHERE id <= {BASE})"
    )
    for _, sql in indexes:
        file.execute(sql)
    file.execute("CREATE TEMP TABLE words (id INTEGER PRIMARY KEY, terms TEXT)")
    rows = file.execute("SELECT id, content FROM records WHERE id <= ?", [BASE]).fetchall()
    terms = [(one, " ".join(sorted(terms_of(from_json(content))))) for one, content in rows]
    file.executemany("INSERT INTO words VALUES (?, ?)", terms)
    file.execute(
        f"INSERT INTO record_text (rowid, terms) {numbers}"
        f" SELECT id + n * {BASE}, terms FROM series, words"
    )
    last = BASE * TIMES
    file.execute("UPDATE record_text_state SET done = ?", [last])
    counts = ("requested", "attempted", "accepted")
    file.execute(f"UPDATE tasks SET {', '.join(f'{one} = {last}' for one in counts)}")
    file.execute("UPDATE quotas SET count = ?", [last])
