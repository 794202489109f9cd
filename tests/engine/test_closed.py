"""A recipe over a given set of items: what is missed is tried again itself, never replaced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from stub_engine import StubProvider, StubRecipe, contents, echo, make_runner, make_task

from corpusmith.store.open import open_store
from corpusmith.values import PASS, ChatRequest, Counts, Draft, Reply, Verdict


class Closed(StubRecipe):
    closed = True


@pytest.fixture
def store(store_url: str) -> Iterator[Any]:
    opened = open_store(store_url)
    yield opened
    opened.close()


def _first_rejected() -> Any:
    """A check that rejects whatever it sees of an item until the third text."""
    seen: dict[str, set[str]] = {}

    def check(draft: Draft) -> Verdict:
        texts = seen.setdefault(draft.content["item"], set())
        texts.add(draft.content["text"])
        return PASS if len(texts) == 3 else Verdict(passed=False, reason="not_yet")

    return check


async def test_a_rejected_item_is_tried_again_itself_with_fresh_samples(store: Any) -> None:
    task = make_task(store, {"a": 4})
    provider = StubProvider()
    ended = await make_runner(
        store, task, provider, recipe=Closed(steps=2), check=_first_rejected(), multiplier=3.0
    ).run()
    assert ended.snapshot.counts == Counts(requested=4, attempted=4, accepted=4)
    assert [one["item"] for one in contents(store, task)] == ["a#0", "a#1", "a#2", "a#3"]
    assert len(provider.requests) == 4 * 3 * 2


async def test_after_its_tries_it_is_rejected_once_and_nothing_takes_its_place(store: Any) -> None:
    task = make_task(store, {"a": 3})
    provider = StubProvider()
    ended = await make_runner(
        store, task, provider, recipe=Closed(), check=_never, multiplier=2.0
    ).run()
    assert ended.snapshot.counts == Counts(requested=3, attempted=3, rejected=3)
    assert ended.cause == {"code": "items_missed", "shortfall": 3}
    assert len(provider.requests) == 3 * 2


def _never(draft: Draft) -> Verdict:
    return Verdict(passed=False, reason="no")


def _refusing(times: int) -> Any:
    """Answers, but refuses the first `times` asks of a second step."""
    refused = 0

    def answer(request: ChatRequest) -> Reply:
        nonlocal refused
        if "step 1" in request.messages[0].content and refused < times:
            refused += 1
            return Reply(text="no", finish="refusal")
        return echo(request)

    return answer


async def test_a_refused_step_is_asked_again_alone(store: Any) -> None:
    task = make_task(store, {"a": 1})
    provider = StubProvider(_refusing(2))
    ended = await make_runner(store, task, provider, recipe=Closed(steps=3)).run()
    assert ended.snapshot.counts == Counts(requested=1, attempted=1, accepted=1)
    steps = [request.messages[0].content.split()[2] for request in provider.requests]
    assert steps == ["0", "1", "1", "1", "2"]


async def test_a_step_that_stays_refused_fails_the_item_and_says_whose_it_was(store: Any) -> None:
    task = make_task(store, {"a": 1})
    provider = StubProvider(_refusing(99))
    await make_runner(store, task, provider, recipe=Closed(steps=3)).run()
    (miss,) = store.tasks.misses(task)
    assert (miss.kind, miss.reason, miss.raw) == ("failed", "refused", "no")
    assert miss.detail["role"] == "writer"

    assert store.tasks.retry(task, {"failed"}, {"a": 1}) == 1
    again = StubProvider()
    ended = await make_runner(store, task, again, recipe=Closed(steps=3)).run()
    assert ended.snapshot.counts == Counts(requested=1, attempted=1, accepted=1)


async def test_an_item_that_can_be_replaced_is_not_asked_twice(store: Any) -> None:
    task = make_task(store, {"a": 1})
    provider = StubProvider(_refusing(1))
    ended = await make_runner(store, task, provider, recipe=StubRecipe(steps=2)).run()
    assert ended.snapshot.counts == Counts(requested=1, attempted=2, accepted=1, failed=1)
