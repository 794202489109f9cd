"""A task wired for measuring: real store, real engine, real provider, a recipe of one call.

The recipe asks for {"question", "answer"}, which is what `fakeserver.c` always answers to a
schema. `StubProvider` answers in process, to measure the engine without HTTP.
"""

from __future__ import annotations

import asyncio
import random
import resource
import time
from collections.abc import Sequence
from typing import Any

from corpusmith.contracts import Ask, CheckContext, Provider, Quota
from corpusmith.engine.budget import Ceilings
from corpusmith.engine.calls import Route
from corpusmith.engine.clock import SystemClock
from corpusmith.engine.job import Ended, Job
from corpusmith.engine.ladder import Ladder
from corpusmith.engine.limits import Limiter
from corpusmith.engine.quota import extended
from corpusmith.engine.runner import Runner
from corpusmith.providers.connect import connection_of
from corpusmith.providers.openai import OpenAI
from corpusmith.quality.chain import build
from corpusmith.store.lease import owner_id
from corpusmith.store.open import open_store
from corpusmith.values import (
    Category,
    ChatRequest,
    Draft,
    Item,
    Limits,
    Message,
    Miss,
    Reply,
    Sampling,
    Schema,
    StructuredMode,
    Usage,
)

SIGNS = [chr(0x4E00 + place) for place in range(0, 20_000, 8)]
USUAL = ("format", "placeholders", "refusal")
PROMPT = "在一座靠海的小城里，老人每天清晨都会沿着堤岸散步。请据此写一个问题和一个回答。" * 12
SCHEMA = Schema(
    name="qa",
    body={
        "type": "object",
        "properties": {"question": {"type": "string"}, "answer": {"type": "string"}},
        "required": ["question", "answer"],
        "additionalProperties": False,
    },
)


class QuestionAnswer:
    """One structured call, one record."""

    name = "qa"
    closed = False
    roles = ("writer",)
    per_item = 1

    def plan(self, count: int) -> Sequence[Category]:
        return [Category(name="qa", count=count)]

    def preview(self, item: Item) -> Sequence[tuple[str, Sequence[Message]]]:
        return [("writer", self._messages(item))]

    def estimate(self, item: Item) -> tuple[int, int, int]:
        return 1, 420, 480

    def shares(self, item: Item) -> dict[str, float]:
        return {"writer": 1.0}

    def _messages(self, item: Item) -> list[Message]:
        return [Message("user", f"REC#{item.ordinal:06d} {PROMPT}")]

    async def produce(self, item: Item, ask: Ask) -> Sequence[Draft | Miss]:
        answer = await ask("writer", self._messages(item), schema=SCHEMA)
        return [Draft(content=answer.data, raw=answer.raw, provenance={"calls": [answer.call_key]})]


class ManyTexts(QuestionAnswer):
    """The same, but every record has a text of its own, as checks that compare need it."""

    def __init__(self) -> None:
        rng = random.Random(7)
        self._words = ["".join(rng.choices(SIGNS, k=rng.choice((1, 2, 2, 3)))) for _ in range(9000)]

    async def produce(self, item: Item, ask: Ask) -> Sequence[Draft | Miss]:
        answer = await ask("writer", self._messages(item), schema=SCHEMA)
        drawn = random.Random(item.ordinal).choices(self._words, k=90)
        for place in range(8, 90, 9):
            drawn[place] += "，"
        content = {"question": f"{item.ordinal}？", "answer": "".join(drawn)}
        return [Draft(content=content, raw=answer.raw, provenance={"calls": [answer.call_key]})]


class StubProvider:
    """Answers in process at once, with the same text."""

    modes: tuple[StructuredMode, ...] = ("schema", "prompt")
    _text = '{"question": "海边的人为什么早起？", "answer": "为了看潮水，也为了安静地想事情。"}'

    async def chat(self, request: ChatRequest, *, timeout_s: float | None = None) -> Reply:
        await asyncio.sleep(0)
        return Reply(
            text=self._text, model="stub", usage=Usage(prompt_tokens=420, completion_tokens=40)
        )

    async def models(self) -> list[str]:
        return ["stub"]

    async def close(self) -> None:
        return None


def make_task(store: Any, count: int) -> int:
    """A new task of `count` records; returns its id."""
    task = store.tasks.create(
        name="bench",
        recipe="qa",
        spec={},
        dataset=None,
        requested=count,
        seed=1,
        quotas=[Quota(name="qa", count=count, waves=((0, count),))],
        connections={},
    )
    return int(task.id)


def extend(db: str, task_id: int, count: int) -> None:
    """Ask the task for `count` records in all."""
    store = open_store(f"sqlite:///{db}")
    quotas = extended(store.quotas(task_id), [("qa", count)], per_item=1)
    store.tasks.extend(task_id, requested=count, quotas=quotas)
    store.close()


async def run_task(
    db: str,
    task_id: int | None,
    count: int,
    url: str | None,
    concurrency: int,
    checks: Sequence[str] = (),
) -> tuple[Ended, int]:
    """Runs (or goes on with) a task with everything on: journal, checks, store, limits.

    With `checks`, exactly these, over texts that differ.
    """
    store = open_store(f"sqlite:///{db}")
    task_id = task_id or make_task(store, count)
    connection = connection_of(
        name="bench", provider="openai", base_url=url or "http://127.0.0.1:9/v1", model="m"
    )
    provider: Provider = OpenAI(connection, None) if url else StubProvider()
    route = Route(
        connection=connection,
        model="m",
        provider=provider,
        limiter=Limiter(Limits(concurrency=concurrency), SystemClock()),
        ladder=Ladder(provider.modes),
        sampling=Sampling(temperature=0.7, max_tokens=1024),
        price=None,
        language="zh",
    )
    job = Job(
        task_id=task_id,
        seed=1,
        recipe=ManyTexts() if checks else QuestionAnswer(),
        routes={"writer": route},
        checks=build({name: {} for name in checks or USUAL}, CheckContext(language="zh")),
        max_attempts_multiplier=2.0,
        ceilings=Ceilings(),
        owner=owner_id(),
    )
    try:
        return await Runner(store, job, clock=SystemClock()).run(), task_id
    finally:
        await provider.close()
        store.close()


def usage() -> dict[str, float]:
    """CPU seconds and the largest resident size (MB) of this process so far."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu_s": own.ru_utime + own.ru_stime, "peak_mb": own.ru_maxrss / 1024}


def now_s() -> float:
    return time.perf_counter()
