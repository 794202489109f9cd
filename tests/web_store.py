"""A store with a bit of everything in it, in both languages, some of it hostile."""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from corpusmith.contracts import Quota
from corpusmith.nouns import Character, Dataset, Scenario
from corpusmith.service.bulk import Bulk
from corpusmith.service.simulating import simulated_endpoint
from corpusmith.service.studio import Studio
from corpusmith.store.open import open_store
from corpusmith.store.store import SqlStore
from corpusmith.values import Draft

HOSTILE = '<img src=x onerror=alert(1)><div hx-get="/evil" hx-trigger="load">{{7*7}}</div>'
LONG_NAME = "一个名字非常非常长的场景标签" * 8
DATASET = "客服对话"
IMPORTED = "旧数据"
SCENARIO = "深夜/食堂"
CHARACTER = "林老师"
CONNECTION = "house-model"
TEMPLATE = "问答模板"


def filled(file: Path) -> SqlStore:
    """A store in a new file, with all of it; the first of a process is made, the others copied."""
    shutil.copy(Path(_first().name) / "first.db", file)
    return open_store(f"sqlite:///{file}")


@cache
def _first() -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="corpusmith-filled-")
    store = open_store(f"sqlite:///{folder.name}/first.db")
    # Where Playwright is at work this thread has a running event loop, and making needs its own.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(fill, store).result()
    store.close()
    return folder


def fill(store: SqlStore) -> None:
    """Scenarios, characters, a connection, a dataset, and a task that made it."""
    studio = Studio.over(store, "zh")
    studio.scenarios.add(
        Scenario(name=SCENARIO, description="打烊前的最后一桌客人，外面下着雨。", weight=2)
    )
    english = Scenario(name="Late support call", description="The line is bad.", language="en")
    studio.scenarios.add(english)
    studio.scenarios.add(Scenario(name=HOSTILE, description=HOSTILE * 3, weight=0.25))
    studio.scenarios.add(Scenario(name=LONG_NAME, description="长" * 500))
    studio.characters.add(
        Character(
            name=CHARACTER,
            description="退休的语文老师，说话慢，爱举例子。",
            personality="耐心，有点固执",
            greeting="来，坐下慢慢说。",
            tags=("老师", "温和"),
        )
    )
    studio.characters.add(Character(name=HOSTILE, description=HOSTILE, tags=(HOSTILE[:40],)))
    studio.connections.add(
        CONNECTION,
        base_url="https://models.example/v1",
        model="house-7b",
        rpm=600,
        price={"input": 0.5, "output": 1.5},
    )
    prompt = '请就{topic}写一个{level}的问答：{"question": "…", "answer": "…"}'
    levels = {"level": ["简单", "困难"]}
    studio.templates.add({"name": TEMPLATE, "type": "qa", "prompt": prompt, "vars": levels})
    studio.templates.edit(TEMPLATE, prompt=prompt.replace("问答", "好问答"), temperature=0.7)
    hostile = {"description": HOSTILE, "prompt": HOSTILE + "{ x }{y}", "vars": {"y": HOSTILE}}
    studio.templates.add({"name": HOSTILE.replace("/", ""), **hostile})
    with simulated_endpoint() as endpoint:
        studio.generate(
            characters=[CHARACTER],
            scenarios={SCENARIO: 1},
            count=6,
            turns=2,
            seed=1,
            dataset=DATASET,
            connection=endpoint.model_dump(exclude_unset=True),
        )
    _imported(store)


def _imported(store: SqlStore) -> None:
    """A task that asked no model: its spec has next to nothing in it."""
    store.datasets.add(Dataset(name=IMPORTED, description="", language="zh"))
    said = [{"role": "user", "content": HOSTILE}, {"role": "assistant", "content": "好的。"}]
    with Bulk(
        store,
        recipe="import",
        name="旧数据.jsonl",
        dataset=IMPORTED,
        language="zh",
        recipe_spec={},
        quotas=[Quota(name="chat", count=1)],
    ) as bulk:
        bulk.put("chat", 0, [Draft(content={"messages": said})])
        bulk.finish(as_attempted=True)
