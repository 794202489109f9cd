"""A provider and a recipe in process, for tests of the engine: real store, no network."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any

from corpusmith.contracts import Answer, Ask, Checks, Quota, Store
from corpusmith.engine.budget import Ceilings
from corpusmith.engine.calls import Route
from corpusmith.engine.clock import SystemClock
from corpusmith.engine.job import Job
from corpusmith.engine.ladder import Ladder
from corpusmith.engine.limits import Limiter
from corpusmith.engine.runner import Runner
from corpusmith.quality.chain import Chain
from corpusmith.store.lease import owner_id
from corpusmith.values import (
    PASS,
    Category,
    ChatRequest,
    Connection,
    Draft,
    Item,
    Limits,
    Message,
    Miss,
    Price,
    Reply,
    Sampling,
    StructuredMode,
    Usage,
    Verdict,
)

USAGE = Usage(prompt_tokens=10, completion_tokens=20)
Answerer = Callable[[ChatRequest], Reply]


def echo(request: ChatRequest) -> Reply:
    """Says what was asked, so that every record tells where it came from."""
    return Reply(text=f"re: {request.messages[-1].content}", usage=USAGE, model=request.model)


class StubProvider:
    """Fits contracts.Provider. `answer` may raise."""

    modes: tuple[StructuredMode, ...] = ("schema", "json", "prompt")

    def __init__(self, answer: Answerer = echo, latency_s: float = 0.0) -> None:
        self.answer = answer
        self.latency_s = latency_s
        self.requests: list[ChatRequest] = []
        self.in_flight = 0
        self.most_in_flight = 0

    async def chat(self, request: ChatRequest, *, timeout_s: float | None = None) -> Reply:
        self.requests.append(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.latency_s)
            return self.answer(request)
        finally:
            self.in_flight -= 1

    async def models(self) -> list[str]:
        return ["stub"]

    async def close(self) -> None:
        return None


class StubRecipe:
    """`steps` calls an item, one draft of them all. `per_item` drafts when asked for more."""

    name = "stub"
    closed = False
    roles = ("writer",)

    def __init__(self, steps: int = 1, per_item: int = 1) -> None:
        self.steps = steps
        self.per_item = per_item

    def plan(self, count: int) -> Sequence[Category]:
        return [Category(name="a", count=count)]

    def preview(self, item: Item) -> Sequence[tuple[str, Sequence[Message]]]:
        return [("writer", [Message("user", item.key)])]

    def estimate(self, item: Item) -> tuple[int, int, int]:
        return self.steps, 10, 20

    def shares(self, item: Item) -> dict[str, float]:
        return {"writer": 1.0}

    async def produce(self, item: Item, ask: Ask) -> Sequence[Draft | Miss]:
        said: list[Answer] = []
        for step in range(self.steps):
            before = said[-1].text if said else ""
            prompt = f"{item.key} step {step} {item.rng.random():.6f} {before}"
            said.append(await ask("writer", [Message("user", prompt)]))
        return [
            Draft(content={"item": item.key, "sample": n, "text": said[-1].text}, raw=said[-1].raw)
            for n in range(item.want)
        ]


def everything_passes(draft: Draft) -> Verdict:
    return PASS


class _Stub:
    """A function as a check."""

    name = "stub"

    def __init__(self, check: Callable[[Draft], Verdict]) -> None:
        self._check = check

    def __call__(self, draft: Draft) -> Verdict:
        return self._check(draft)


def make_task(store: Any, counts: dict[str, int], seed: int = 7) -> int:
    """A task with these categories; returns its id."""
    task = store.tasks.create(
        name="t",
        recipe="stub",
        spec={},
        dataset=None,
        requested=sum(counts.values()),
        seed=seed,
        quotas=[Quota(name=name, count=n, waves=((0, n),)) for name, n in counts.items()],
        connections={},
    )
    return int(task.id)


def make_route(provider: Any, *, limits: Limits, price: Price | None = None) -> Route:
    connection = Connection(
        name="stub", provider="openai", protocol="openai", base_url="http://stub/v1", model="stub"
    )
    return Route(
        connection=connection,
        model="stub",
        provider=provider,
        limiter=Limiter(limits, SystemClock()),
        ladder=Ladder(provider.modes),
        sampling=Sampling(),
        price=price,
        language="en",
    )


def make_runner(
    store: Store,
    task_id: int,
    provider: Any,
    *,
    recipe: Any = None,
    check: Callable[[Draft], Verdict] = everything_passes,
    checks: Checks | None = None,
    ceilings: Ceilings | None = None,
    multiplier: float = 3.0,
    limits: Limits | None = None,
    price: Price | None = None,
    **options: Any,
) -> Runner:
    job = Job(
        task_id=task_id,
        seed=7,
        recipe=recipe or StubRecipe(),
        routes={"writer": make_route(provider, limits=limits or Limits(), price=price)},
        checks=checks or Chain(plain=[_Stub(check)], askers=(), comparers=()),
        max_attempts_multiplier=multiplier,
        ceilings=ceilings or Ceilings(),
        owner=owner_id(),
    )
    return Runner(store, job, clock=SystemClock(), **options)


def contents(store: Any, task_id: int) -> list[Any]:
    """The contents of the task's records, in the store's order."""
    return [record.content for record in store.records.iterate(task_id=task_id)]


def flaky(answer: Answerer, rate: float, error: Callable[[], Exception], seed: int = 1) -> Answerer:
    """`answer`, but a share of calls raises `error()`."""
    rng = random.Random(seed)

    def answered(request: ChatRequest) -> Reply:
        if rng.random() < rate:
            raise error()
        return answer(request)

    return answered
