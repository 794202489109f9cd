"""Checks that compare follow the plan, whoever is quickest and whatever is killed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from stub_engine import StubProvider, StubRecipe, echo, make_runner, make_task

from corpusmith.contracts import Ask, Earlier
from corpusmith.engine.turns import AGAIN_AFTER
from corpusmith.nouns import Dataset
from corpusmith.quality.chain import Chain
from corpusmith.store.open import open_store
from corpusmith.values import (
    PASS,
    ChatRequest,
    Counts,
    Draft,
    Item,
    Limits,
    Miss,
    Reply,
    Verdict,
)


class Twins:
    """Fits contracts.ComparingCheck: the first of each word stays."""

    name = "twins"

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def __call__(self, draft: Draft) -> Verdict:
        return PASS

    def learn(self, earlier: Iterable[Earlier]) -> None:
        for one in earlier:
            self.remember(one.place, one.draft)

    async def compare(self, draft: Draft, ask: Ask) -> Verdict:
        of = self._seen.get(draft.content["word"])
        return PASS if of is None else Verdict(passed=False, reason="twin", detail={"of": of})

    def remember(self, place: str, draft: Draft) -> None:
        assert draft.content["word"] not in self._seen
        self._seen[draft.content["word"]] = place


def comparing() -> Chain:
    return Chain(plain=(), askers=(), comparers=(Twins(),))


def word_of(item: Item, words: int, sample: int = 0) -> str:
    return str(random.Random(f"{item.key}/{item.generation}/{sample}").randrange(words))


class Words(StubRecipe):
    """Says words of a small set, by the item alone, at any pace."""

    def __init__(self, words: int, *, per_item: int = 1, pace_s: float = 0.004) -> None:
        super().__init__(per_item=per_item)
        self._words = words
        self._pace_s = pace_s
        self._clock = random.Random()

    async def produce(self, item: Item, ask: Ask) -> Sequence[Draft | Miss]:
        await super().produce(item, ask)
        await asyncio.sleep(self._clock.random() * self._pace_s)
        return [
            Draft(content={"item": item.key, "word": word_of(item, self._words, sample)})
            for sample in range(item.want)
        ]


class GivenWords(Words):
    closed = True


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    opened = open_store(f"sqlite:///{tmp_path}/turns.db")
    yield opened
    opened.close()


def said(store: Any, task: int) -> list[Any]:
    return [record.content for record in store.records.iterate(task_id=task)]


def in_plan_order(counts: dict[str, int], words: int, multiplier: float) -> list[dict[str, str]]:
    """What a task of one item at a time would accept, of items that want one sample."""
    seen: set[str] = set()
    accepted: dict[str, int] = dict.fromkeys(counts, 0)
    found = []
    for ordinal in range(int(max(counts.values()) * multiplier)):
        for name, count in counts.items():
            if accepted[name] >= count or ordinal >= int(count * multiplier):
                continue
            item = Item(task_seed=7, category=name, ordinal=ordinal)
            word = word_of(item, words)
            if word not in seen:
                seen.add(word)
                accepted[name] += 1
                found.append({"item": item.key, "word": word})
    return found


@pytest.mark.parametrize("seed", range(6))
async def test_the_first_in_the_plan_stays_however_the_items_end(store: Any, seed: int) -> None:
    counts = {"a": 30, "b": 12, "c": 20}
    task = make_task(store, counts)
    words = 90 + seed * 20
    ended = await make_runner(
        store,
        task,
        StubProvider(),
        recipe=Words(words),
        checks=comparing(),
        multiplier=3.0,
        limits=Limits(concurrency=40),
    ).run()
    assert sorted(map(str, said(store, task))) == sorted(map(str, in_plan_order(counts, words, 3)))
    found = ended.snapshot.counts
    assert found.attempted == found.accepted + found.rejected


@pytest.mark.parametrize("per_item", [1, 3])
@pytest.mark.parametrize("recipe", [Words, GivenWords])
@pytest.mark.parametrize("seed", range(3))
async def test_kills_change_no_verdict(
    store: Any, recipe: type[Words], per_item: int, seed: int
) -> None:
    counts = {"a": 60, "b": 25, "c": 41}
    ends = []
    for kills in (0, 6):
        task = make_task(store, counts)
        moments = random.Random(seed)
        for _ in range(kills):
            run = asyncio.create_task(_run(store, task, recipe, per_item))
            await asyncio.sleep(moments.random() * 0.08)
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)
        ended = await _run(store, task, recipe, per_item)
        reasons = [(miss.item, miss.reason, miss.detail) for miss in store.tasks.misses(task)]
        ends.append((said(store, task), reasons, ended.snapshot.counts))
    assert ends[0] == ends[1]
    assert ends[0][2].accepted > 60


async def _run(store: Any, task: int, recipe: type[Words], per_item: int) -> Any:
    return await make_runner(
        store,
        task,
        StubProvider(),
        recipe=recipe(300, per_item=per_item),
        checks=comparing(),
        multiplier=2.0,
        limits=Limits(concurrency=30),
    ).run()


async def test_a_rejected_one_names_what_it_is_like_and_is_replaced(store: Any) -> None:
    task = make_task(store, {"a": 20})
    ended = await make_runner(
        store, task, StubProvider(), recipe=Words(40), checks=comparing(), multiplier=9.0
    ).run()
    words = [one["word"] for one in said(store, task)]
    assert len(words) == len(set(words)) == 20
    first = {one["word"]: one["item"] for one in said(store, task)}
    for miss in store.tasks.misses(task):
        word = word_of(Item(task_seed=7, category="a", ordinal=int(miss.item[2:])), 40)
        assert (miss.reason, miss.detail) == ("twin", {"check": "twins", "of": first[word]})
    assert ended.cause is None


async def test_what_other_tasks_put_into_the_dataset_counts_too(store: Any) -> None:
    store.datasets.add(Dataset(name="d", language="en"))
    first = make_task(store, {"a": 30})
    await make_runner(store, first, StubProvider(), recipe=Words(60), checks=comparing()).run()
    store.records.commit(first, "d")
    second = store.tasks.create(
        name="t",
        recipe="stub",
        spec={},
        dataset="d",
        requested=20,
        seed=8,
        quotas=[*store.quotas(make_task(store, {"b": 20}))],
        connections={},
    ).id
    await make_runner(
        store, second, StubProvider(), recipe=Words(60), checks=comparing(), multiplier=20.0
    ).run()
    words = [one["word"] for task in (first, second) for one in said(store, task)]
    assert len(words) == len(set(words)) == 50
    assert any(miss.detail["of"].startswith("#") for miss in store.tasks.misses(second, limit=1000))


async def test_a_slow_item_keeps_no_other_from_its_calls(store: Any) -> None:
    ready = asyncio.Event()

    class OneSlow(Words):
        async def produce(self, item: Item, ask: Ask) -> Sequence[Draft | Miss]:
            if item.ordinal == 0:
                await ready.wait()
            return await super().produce(item, ask)

    task = make_task(store, {"a": 400})
    provider = StubProvider(latency_s=0.001)
    runner = make_runner(
        store,
        task,
        provider,
        recipe=OneSlow(10**9),
        checks=comparing(),
        limits=Limits(concurrency=4),
    )
    run = asyncio.create_task(runner.run())
    async with asyncio.timeout(60):
        while len(provider.requests) < 399:
            await asyncio.sleep(0.01)
    assert store.records.count(task_id=task) == 0
    ready.set()
    await run
    assert store.records.count(task_id=task) == 400


async def test_failed_items_hold_nobody_up_and_a_retry_fills_their_places(store: Any) -> None:
    task = make_task(store, {"a": 40, "b": 40})
    broken = StubProvider(_refusing(0.2))
    ended = await make_runner(
        store, task, broken, recipe=Words(10**9), checks=comparing(), multiplier=1.0
    ).run()
    counts = ended.snapshot.counts
    assert counts.failed > 0
    assert counts.attempted == counts.accepted + counts.failed == 80
    store.tasks.retry(task, {"failed"}, None)
    again = await make_runner(
        store, task, StubProvider(), recipe=Words(10**9), checks=comparing(), multiplier=1.0
    ).run()
    assert again.snapshot.counts == Counts(requested=80, attempted=80, accepted=80)


def _refusing(rate: float) -> Any:
    rng = random.Random(3)

    def answer(request: ChatRequest) -> Reply:
        if rng.random() < rate:
            return Reply(text="no", finish="refusal")
        return echo(request)

    return answer


async def test_a_given_item_that_is_like_another_is_tried_again_itself(store: Any) -> None:
    task = make_task(store, {"a": 30})
    ended = await make_runner(
        store, task, StubProvider(), recipe=GivenWords(120), checks=comparing(), multiplier=9.0
    ).run()
    assert ended.snapshot.counts == Counts(requested=30, attempted=30, accepted=30)
    assert len({one["word"] for one in said(store, task)}) == 30
    assert AGAIN_AFTER > 30, "the second tries came after all first ones"


async def test_a_pause_keeps_what_had_its_turn_and_the_rest_comes_later(store: Any) -> None:
    task = make_task(store, {"a": 200})
    runner = make_runner(
        store,
        task,
        StubProvider(latency_s=0.002),
        recipe=Words(10**9),
        checks=comparing(),
        limits=Limits(concurrency=8),
    )
    run = asyncio.create_task(runner.run())
    await asyncio.sleep(0.03)
    runner.stop("paused")
    ended = await run
    counts = ended.snapshot.counts
    assert ended.status == "paused"
    assert counts.accepted == counts.attempted == store.records.count(task_id=task) < 200
    ordinals = [record.ordinal for record in store.records.iterate(task_id=task)]
    assert ordinals == list(range(len(ordinals)))
    last = await make_runner(
        store, task, StubProvider(), recipe=Words(10**9), checks=comparing()
    ).run()
    assert last.snapshot.counts == Counts(requested=200, attempted=200, accepted=200)
