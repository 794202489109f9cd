"""A recipe over a given set of items: what is missed is tried again itself, never replaced."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from stub_engine import StubProvider, StubRecipe, contents, echo, make_runner, make_task

from corpusmith.contracts import Ask
from corpusmith.store.open import open_store
from corpusmith.values import PASS, ChatRequest, Counts, Draft, Item, Miss, Reply, Verdict


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


def _first_of_each_reply(draft: Draft) -> Verdict:
    return Verdict(passed=draft.content["sample"] == 0, reason="not_the_first")


async def test_only_the_rejected_samples_of_an_item_are_asked_for_again(store: Any) -> None:
    task = make_task(store, {"a": 3})
    wants: list[int] = []

    class Several(Closed):
        async def produce(self, item: Item, ask: Ask) -> Sequence[Draft | Miss]:
            wants.append(item.want)
            return await super().produce(item, ask)

    recipe = Several(per_item=3)
    ended = await make_runner(
        store, task, StubProvider(), recipe=recipe, check=_first_of_each_reply, multiplier=3.0
    ).run()
    assert wants == [3, 2, 1]
    assert ended.snapshot.counts == Counts(requested=3, attempted=3, accepted=3)
    assert len({one["text"] for one in contents(store, task)}) == 3


async def test_good_samples_of_an_item_stay_when_its_last_try_brings_none(store: Any) -> None:
    task = make_task(store, {"a": 3})
    provider = StubProvider()
    seen: set[str] = set()

    def only_the_first_reply(draft: Draft) -> Verdict:
        seen.add(draft.content["text"])
        good = len(seen) == 1 and draft.content["sample"] < 2
        return PASS if good else Verdict(passed=False, reason="no")

    checked: dict[tuple[str, int], Verdict] = {}

    def check(draft: Draft) -> Verdict:
        key = (draft.content["text"], draft.content["sample"])
        return checked.setdefault(key, only_the_first_reply(draft))

    ended = await make_runner(
        store, task, provider, recipe=Closed(per_item=3), check=check, multiplier=3.0
    ).run()
    assert ended.snapshot.counts == Counts(requested=3, attempted=3, accepted=2, rejected=1)
    assert [one["sample"] for one in contents(store, task)] == [0, 1]
    assert [miss.reason for miss in store.tasks.misses(task)] == ["no"]


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

    # A retry pays for that step and what comes after it; what was good comes from the journal.
    assert store.tasks.retry(task, {"failed"}, {"a": 1}) == 1
    again = StubProvider()
    ended = await make_runner(store, task, again, recipe=Closed(steps=3)).run()
    assert ended.snapshot.counts == Counts(requested=1, attempted=1, accepted=1)
    assert [request.messages[0].content.split()[2] for request in again.requests] == ["1", "2"]


async def test_an_item_that_can_be_replaced_is_not_asked_twice(store: Any) -> None:
    task = make_task(store, {"a": 1})
    provider = StubProvider(_refusing(1))
    ended = await make_runner(store, task, provider, recipe=StubRecipe(steps=2)).run()
    assert ended.snapshot.counts == Counts(requested=1, attempted=2, accepted=1, failed=1)


async def test_a_retry_of_what_was_rejected_draws_other_samples(store: Any) -> None:
    task = make_task(store, {"a": 1})
    first = StubProvider(_counting())
    await make_runner(store, task, first, recipe=Closed(), check=_never, multiplier=2.0).run()
    assert store.tasks.retry(task, {"rejected"}, {"a": 1}) == 1
    again = StubProvider(_counting())
    ended = await make_runner(store, task, again, recipe=Closed(), multiplier=2.0).run()
    assert ended.snapshot.counts == Counts(requested=1, attempted=1, accepted=1)
    assert len(first.requests) == 2


def _counting() -> Any:
    """No two replies alike."""
    numbers = itertools.count()
    return lambda request: Reply(text=f"reply {next(numbers)}")


async def test_a_cut_reply_is_asked_again_only_when_a_person_retries(store: Any) -> None:
    task = make_task(store, {"a": 1})
    cut = StubProvider(lambda request: Reply(text="half", finish="length"))
    await make_runner(store, task, cut, recipe=Closed()).run()
    assert len(cut.requests) == 1
    assert store.tasks.retry(task, {"failed"}, {"a": 1}) == 1
    again = StubProvider()
    ended = await make_runner(store, task, again, recipe=Closed()).run()
    assert (ended.snapshot.counts.accepted, len(again.requests)) == (1, 1)
