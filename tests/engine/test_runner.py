"""The engine over a real store: what ends up in it, whatever happens on the way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from stub_engine import (
    USAGE,
    StubProvider,
    StubRecipe,
    contents,
    echo,
    flaky,
    make_runner,
    make_task,
)

from corpusmith.contracts import Ask
from corpusmith.engine import runner as runner_module
from corpusmith.engine.budget import Ceilings
from corpusmith.errors import (
    BadRequest,
    LeaseHeld,
    ServerError,
    StoreError,
    Unauthorised,
)
from corpusmith.store.open import open_store
from corpusmith.values import (
    PASS,
    ChatRequest,
    Counts,
    Draft,
    Item,
    Limits,
    Price,
    Reply,
    Schema,
    Usage,
    Verdict,
)


@pytest.fixture
def store(store_url: str) -> Iterator[Any]:
    opened = open_store(store_url)
    yield opened
    opened.close()


def odd_rejected(draft: Draft) -> Verdict:
    number = int(draft.content["item"].split("#")[1])
    return PASS if number % 2 == 0 else Verdict(passed=False, reason="odd")


async def test_a_task_runs_to_its_end(store: Any) -> None:
    task = make_task(store, {"a": 3, "b": 2})
    ended = await make_runner(store, task, StubProvider()).run()
    assert (ended.status, ended.cause) == ("finished", None)
    assert store.tasks.get(task).counts == Counts(requested=5, attempted=5, accepted=5)
    assert [one["item"] for one in contents(store, task)] == ["a#0", "b#0", "a#1", "b#1", "a#2"]


async def test_rejected_items_are_replaced_in_their_own_category(store: Any) -> None:
    task = make_task(store, {"a": 3, "b": 2})
    await make_runner(store, task, StubProvider(), check=odd_rejected).run()
    assert sorted(one["item"] for one in contents(store, task)) == [
        "a#0",
        "a#2",
        "a#4",
        "b#0",
        "b#2",
    ]
    assert store.tasks.get(task).counts == Counts(requested=5, attempted=8, accepted=5, rejected=3)
    assert store.tasks.miss_counts(task) == {("rejected", "odd"): 3}


async def test_attempts_are_bounded_and_the_shortfall_is_told(store: Any) -> None:
    task = make_task(store, {"a": 4})
    nothing = Verdict(passed=False, reason="no")
    ended = await make_runner(
        store, task, StubProvider(), check=lambda draft: nothing, multiplier=1.5
    ).run()
    assert (ended.status, ended.cause) == ("finished", {"code": "attempts_used", "shortfall": 4})
    assert ended.snapshot.counts == Counts(requested=4, attempted=6, rejected=6)


async def test_one_poison_item_fails_alone_and_retry_runs_exactly_it(store: Any) -> None:
    class Poisoned(StubRecipe):
        poison = True

        async def produce(self, item: Item, ask: Ask) -> Any:
            if self.poison and item.ordinal == 17:
                raise ZeroDivisionError("a bug in a recipe")
            return await super().produce(item, ask)

    task = make_task(store, {"a": 300})
    recipe = Poisoned()
    ended = await make_runner(store, task, StubProvider(), recipe=recipe, multiplier=1.0).run()
    assert ended.snapshot.counts == Counts(requested=300, attempted=300, accepted=299, failed=1)
    (miss,) = store.tasks.misses(task)
    assert (miss.item, miss.kind, miss.reason) == ("a#17", "failed", "internal")
    assert miss.detail == {"type": "ZeroDivisionError", "cause": "a bug in a recipe"}

    recipe.poison = False
    assert store.tasks.retry(task, {"failed"}, {"a": 1}) == 1
    again = StubProvider()
    ended = await make_runner(store, task, again, recipe=recipe, multiplier=1.0).run()
    assert ended.snapshot.counts == Counts(requested=300, attempted=300, accepted=300)
    assert len(again.requests) == 1


async def test_a_finished_call_is_never_made_again(store: Any) -> None:
    task = make_task(store, {"a": 40})
    provider = StubProvider(latency_s=0.01)
    run = asyncio.create_task(make_runner(store, task, provider, recipe=StubRecipe(steps=5)).run())
    while len(provider.requests) < 70:
        await asyncio.sleep(0.005)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    lost = len(provider.requests) - store.tasks.get(task).spend.calls

    again = StubProvider()
    ended = await make_runner(store, task, again, recipe=StubRecipe(steps=5)).run()
    assert ended.snapshot.counts.accepted == 40
    made = len(provider.requests) + len(again.requests)
    assert made <= 200 + lost
    assert lost <= provider.most_in_flight

    other = make_task(store, {"a": 40})
    nothing = StubProvider()
    await make_runner(store, other, nothing, recipe=StubRecipe(steps=5)).run()
    assert nothing.requests == []
    assert contents(store, other) == contents(store, task)


async def test_a_stop_drains_and_a_resume_goes_on(store: Any) -> None:
    task = make_task(store, {"a": 60})
    provider = StubProvider(latency_s=0.02)
    runner = make_runner(
        store, task, provider, recipe=StubRecipe(steps=3), limits=Limits(concurrency=8)
    )
    run = asyncio.create_task(runner.run())
    while len(provider.requests) < 40:
        await asyncio.sleep(0.005)
    runner.stop("paused")
    ended = await run
    counts = ended.snapshot.counts
    assert (ended.status, ended.cause) == ("paused", {"code": "paused"})
    assert counts.pending == 0
    assert len(provider.requests) == store.tasks.get(task).spend.calls

    again = StubProvider()
    ended = await make_runner(store, task, again, recipe=StubRecipe(steps=3)).run()
    assert ended.snapshot.counts == Counts(requested=60, attempted=60, accepted=60)
    assert len(provider.requests) + len(again.requests) == 180


@pytest.mark.parametrize(("wish", "status"), [("pause", "paused"), ("cancel", "cancelled")])
async def test_another_process_can_pause_and_cancel(
    store: Any, store_url: str, wish: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "BEAT_S", 0.05)
    task = make_task(store, {"a": 100_000})
    run = asyncio.create_task(make_runner(store, task, StubProvider(latency_s=0.05)).run())
    await asyncio.sleep(0.2)
    other = open_store(store_url)
    await asyncio.to_thread(other.tasks.ask, task, wish)
    other.close()
    assert (await asyncio.wait_for(run, 10)).status == status
    assert store.tasks.get(task).status == status


async def test_two_runners_never_run_one_task(store: Any) -> None:
    task = make_task(store, {"a": 1000})
    first = asyncio.create_task(make_runner(store, task, StubProvider(latency_s=0.05)).run())
    await asyncio.sleep(0.2)
    with pytest.raises(LeaseHeld):
        await make_runner(store, task, StubProvider()).run()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first


def slow(work: Callable[..., Any]) -> Callable[..., Any]:
    """`work` as a busy disk would do it: a cancellation falls into the midst of it."""

    def waits(*given: Any, **named: Any) -> Any:
        time.sleep(0.006)
        return work(*given, **named)

    return waits


@pytest.mark.parametrize("last", [False, True])
async def test_a_run_cancelled_at_any_moment_gives_the_task_back(
    store: Any, last: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it starts, works or ends; `last`: with nothing left to do, so that it ends at once."""
    task = make_task(store, {"a": 30})
    if last:
        await make_runner(store, task, StubProvider()).run()
    for name in ("acquire", "release"):
        monkeypatch.setattr(store, name, slow(getattr(store, name)))
    for millisecond in range(40):
        run = asyncio.create_task(make_runner(store, task, StubProvider(latency_s=0.004)).run())
        await asyncio.sleep(millisecond / 2000)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        assert run.cancelled() or run.result().status == "finished"
    ended = await make_runner(store, task, StubProvider()).run()
    assert ended.snapshot.counts == Counts(requested=30, attempted=30, accepted=30)


async def test_identical_calls_in_flight_are_made_once(store: Any) -> None:
    class Shared(StubRecipe):
        async def produce(self, item: Item, ask: Ask) -> Any:
            from corpusmith.values import Message

            answer = await ask("writer", [Message("user", "the same")], shared=True)
            return [Draft(content={"item": item.key, "text": answer.text})]

    task = make_task(store, {"a": 50})
    provider = StubProvider(latency_s=0.05)
    await make_runner(store, task, provider, recipe=Shared()).run()
    assert len(provider.requests) == 1
    assert store.tasks.get(task).counts.accepted == 50


@pytest.mark.parametrize(
    ("ceilings", "kind", "spent"),
    [
        (Ceilings(calls=7), "budget_calls", 7),
        (Ceilings(tokens=300), "budget_tokens", None),
        (Ceilings(cost_usd=0.01), "budget_cost_usd", None),
    ],
)
async def test_a_budget_ends_the_task_and_a_larger_one_goes_on(
    store: Any, ceilings: Ceilings, kind: str, spent: int | None
) -> None:
    task = make_task(store, {"a": 50})
    price = Price(input_usd=10.0, output_usd=50.0)
    provider = StubProvider()
    ended = await make_runner(store, task, provider, ceilings=ceilings, price=price).run()
    assert ended.status == "paused"
    assert ended.cause is not None
    assert ended.cause["code"] == kind
    spend = store.tasks.get(task).spend
    assert spend.calls == len(provider.requests)
    assert spent is None or spend.calls == spent
    assert ceilings.tokens is None or spend.usage.total_tokens <= ceilings.tokens
    assert ceilings.cost_usd is None or spend.cost_usd <= ceilings.cost_usd

    ended = await make_runner(store, task, provider, price=price).run()
    assert ended.snapshot.counts.accepted == 50
    assert len(provider.requests) == 50


async def test_a_budget_holds_on_an_endpoint_that_reports_no_usage(store: Any) -> None:
    task = make_task(store, {"a": 500})
    provider = StubProvider(lambda request: Reply(text="fine"))
    ended = await make_runner(store, task, provider, ceilings=Ceilings(tokens=6100)).run()
    assert ended.status == "paused"
    # 600 tokens are expected of a reply that nobody has measured.
    assert 5 <= len(provider.requests) <= 10
    assert store.tasks.get(task).spend.cost_usd is None


async def test_transient_failures_are_tried_again(store: Any) -> None:
    task = make_task(store, {"a": 60})
    provider = StubProvider(flaky(echo, 0.2, lambda: ServerError(status=500, retry_after_s=0.0)))
    ended = await make_runner(store, task, provider).run()
    assert ended.snapshot.counts == Counts(requested=60, attempted=60, accepted=60)
    assert ended.snapshot.retries["server_error"] == len(provider.requests) - 60


async def test_a_wrong_key_stops_at_once_and_nothing_is_lost(store: Any) -> None:
    task = make_task(store, {"a": 100})

    def refuse(request: ChatRequest) -> Reply:
        raise Unauthorised(status=401, endpoint="http://stub/v1", cause="bad key")

    ended = await make_runner(store, task, StubProvider(refuse)).run()
    assert ended.status == "failed"
    assert ended.cause is not None
    assert ended.cause["code"] == "unauthorised"
    assert store.tasks.get(task).counts == Counts(requested=100)

    ended = await make_runner(store, task, StubProvider()).run()
    assert ended.snapshot.counts.accepted == 100


async def test_a_few_identical_bad_requests_stop_the_task(store: Any) -> None:
    task = make_task(store, {"a": 1000})

    def refuse(request: ChatRequest) -> Reply:
        raise BadRequest(status=400, cause="temperature is not supported", parameter="temperature")

    provider = StubProvider(refuse)
    ended = await make_runner(store, task, provider, limits=Limits(concurrency=4)).run()
    assert ended.status == "failed"
    assert ended.cause is not None
    assert ended.cause["cause"] == "temperature is not supported"
    assert len(provider.requests) < 100


class Structured(StubRecipe):
    """Asks for `{"n": integer}`."""

    schema = Schema(
        name="n",
        body={
            "type": "object",
            "properties": {"n": {"type": "integer"}},
            "required": ["n"],
            "additionalProperties": False,
        },
    )

    async def produce(self, item: Item, ask: Ask) -> Any:
        from corpusmith.values import Message

        answer = await ask("writer", [Message("user", item.key)], schema=self.schema)
        return [Draft(content={"item": item.key, "n": answer.data["n"]}, raw=answer.raw)]


async def test_an_endpoint_without_a_way_of_structure_is_asked_another_way(store: Any) -> None:
    def answer(request: ChatRequest) -> Reply:
        if request.mode in ("schema", "json"):
            raise BadRequest(status=400, cause="response_format", parameter="response_format")
        return Reply(text='{"n": 5}', usage=USAGE)

    task = make_task(store, {"a": 30})
    provider = StubProvider(answer)
    ended = await make_runner(store, task, provider, recipe=Structured()).run()
    assert ended.snapshot.counts == Counts(requested=30, attempted=30, accepted=30)
    good = [request for request in provider.requests if request.mode == "prompt"]
    assert len(good) == 30
    assert all("json" in request.messages[-1].content.lower() for request in good)


async def test_an_invalid_reply_is_asked_again_with_what_was_wrong(store: Any) -> None:
    def answer(request: ChatRequest) -> Reply:
        fixed = len(request.messages) > 1
        return Reply(text='{"n": 5}' if fixed else '{"n": "five"}', usage=USAGE)

    task = make_task(store, {"a": 1})
    provider = StubProvider(answer)
    await make_runner(store, task, provider, recipe=Structured()).run()
    assert contents(store, task) == [{"item": "a#0", "n": 5}]
    _, second = provider.requests
    assert [message.role for message in second.messages] == ["user", "assistant", "user"]
    assert second.messages[1].content == '{"n": "five"}'


async def test_an_unparseable_reply_is_kept_with_its_reason(store: Any) -> None:
    task = make_task(store, {"a": 1})
    provider = StubProvider(lambda request: Reply(text="not json at all", usage=USAGE))
    await make_runner(store, task, provider, recipe=Structured(), multiplier=1.0).run()
    (miss,) = store.tasks.misses(task)
    assert (miss.kind, miss.reason, miss.raw) == ("failed", "invalid_reply", "not json at all")
    assert len(provider.requests) == 3
    assert store.tasks.get(task).spend.usage == Usage(prompt_tokens=30, completion_tokens=60)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(text="half a", finish="length"), "truncated"),
        (Reply(text="", finish="refusal"), "refused"),
        (Reply(text="", finish="filter"), "refused"),
        (Reply(text="<think>only thoughts</think>"), "no_visible_text"),
    ],
)
async def test_a_useless_reply_is_typed_and_retry_draws_a_fresh_one(
    store: Any, reply: Reply, reason: str
) -> None:
    task = make_task(store, {"a": 1})
    await make_runner(store, task, StubProvider(lambda _: reply), multiplier=1.0).run()
    (miss,) = store.tasks.misses(task)
    assert (miss.kind, miss.reason) == ("failed", reason)

    store.tasks.retry(task, {"failed"}, {"a": 1})
    better = StubProvider()
    ended = await make_runner(store, task, better, multiplier=1.0).run()
    assert ended.snapshot.counts == Counts(requested=1, attempted=1, accepted=1)
    assert len(better.requests) == 1


@pytest.mark.parametrize("usage", [USAGE, None])
async def test_a_reply_cut_by_the_endpoints_own_limit_tells_how_long_it_was(
    store: Any, usage: Usage | None
) -> None:
    task = make_task(store, {"a": 1})
    cut = Reply(text="word " * 16, finish="length", usage=usage)
    await make_runner(store, task, StubProvider(lambda _: cut), multiplier=1.0).run()
    (miss,) = store.tasks.misses(task)
    assert miss.detail["max_tokens"] == 20


async def test_samples_that_the_recipe_did_not_bring_are_failed(store: Any) -> None:
    class Stingy(StubRecipe):
        async def produce(self, item: Item, ask: Ask) -> Any:
            return (await super().produce(item, ask))[:-1] if item.want > 1 else []

    task = make_task(store, {"a": 6})
    recipe = Stingy(per_item=3)
    ended = await make_runner(store, task, StubProvider(), recipe=recipe, multiplier=1.0).run()
    assert ended.snapshot.counts == Counts(requested=6, attempted=6, accepted=4, failed=2)
    assert store.tasks.miss_counts(task) == {("failed", "too_few"): 2}


async def test_a_slow_tail_holds_nobody_up(sqlite_url: str) -> None:
    store = open_store(sqlite_url)

    class Tailed(StubProvider):
        async def chat(self, request: ChatRequest, *, timeout_s: float | None = None) -> Reply:
            self.latency_s = 1.5 if len(self.requests) % 100 == 50 else 0.05
            return await super().chat(request)

    task = make_task(store, {"a": 1500})
    started_s = asyncio.get_running_loop().time()
    await make_runner(store, task, Tailed(), limits=Limits(concurrency=50)).run()
    took_s = asyncio.get_running_loop().time() - started_s
    # 15 slow calls of 1.5 s and 1,485 of 0.05 s over 50 slots: 1.94 s if no slot ever waits.
    # Waiting for each slow call in turn would take 15 * 1.5 s = 22 s.
    assert took_s < 8
    store.close()


async def test_a_mistake_in_the_store_ends_the_run_and_leaves_nobody_waiting(store: Any) -> None:
    class Mistaken:
        """A store with a bug: its transactions cannot even be made."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def transaction(self) -> Any:
            raise ZeroDivisionError("a bug in the store")

    task = make_task(store, {"a": 20})
    broken: Any = Mistaken()
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(make_runner(broken, task, StubProvider()).run(), 10)
    assert store.tasks.get(task).counts == Counts(requested=20)


async def test_a_full_disk_stops_with_a_message_and_the_database_opens(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    task = make_task(store, {"a": 5000})
    with store._database.write() as writer:
        # SQLite's own full disk: SQLITE_FULL, the same code as for ENOSPC.
        pages = writer.exec_driver_sql("PRAGMA page_count").scalar()
        writer.exec_driver_sql(f"PRAGMA max_page_count={pages + 60}")
    with pytest.raises(StoreError) as caught:
        await make_runner(store, task, StubProvider()).run()
    assert caught.value.reason == "disk_full"
    store.close()

    store = open_store(sqlite_url)
    counts = store.tasks.get(task).counts
    assert counts.attempted == counts.accepted == len(contents(store, task))
    ended = await make_runner(store, task, StubProvider()).run()
    assert ended.snapshot.counts.accepted == 5000
    store.close()
