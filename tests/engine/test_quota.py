"""Accept until N: exact, independent of order, resumable."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from corpusmith.contracts import Finished, Quota
from corpusmith.engine.quota import Quotas, extended, want_of
from corpusmith.shares import largest_remainder
from corpusmith.values import Counts, Item


def quotas(counts: dict[str, int], per_item: int = 1, multiplier: float = 3.0) -> Quotas:
    return Quotas(
        [Quota(name=name, count=n, waves=((0, n),)) for name, n in counts.items()],
        task_seed=7,
        per_item=per_item,
        max_attempts_multiplier=multiplier,
    )


def accepted_of(item: Item, bad: set[tuple[str, int]]) -> int:
    """An item's fate is its own: the same on every replay."""
    return 0 if (item.category, item.ordinal) in bad else item.want


def drive(book: Quotas, bad: set[tuple[str, int]], rng: random.Random, stop_after: int = 10**9):
    """Run items in a random order; returns (category, ordinal, want, accepted) of the finished."""
    running: list[Item] = []
    finished: list[tuple[str, int, int, int]] = []
    while len(finished) < stop_after:
        item = book.next() if rng.random() < 0.7 else None
        if item is not None:
            running.append(item)
            continue
        if not running:
            if (item := book.next()) is None:
                break
            running.append(item)
        item = running.pop(rng.randrange(len(running)))
        good = accepted_of(item, bad)
        book.decided(item, good, item.want - good, 0)
        book.saved()
        finished.append((item.category, item.ordinal, item.want, good))
    return finished


@given(
    counts=st.dictionaries(st.sampled_from("abc"), st.integers(0, 12), min_size=1),
    bad=st.sets(st.tuples(st.sampled_from("abc"), st.integers(0, 20)), max_size=25),
    per_item=st.integers(1, 4),
    seeds=st.tuples(st.integers(), st.integers()),
)
def test_the_tried_ordinals_do_not_depend_on_the_order(
    counts: dict[str, int], bad: set[tuple[str, int]], per_item: int, seeds: tuple[int, int]
) -> None:
    first, second = (
        sorted(drive(quotas(counts, per_item), bad, random.Random(seed))) for seed in seeds
    )
    assert first == second


@given(
    count=st.integers(1, 15),
    bad=st.sets(st.integers(0, 30), max_size=20),
    per_item=st.integers(1, 4),
    cut=st.integers(0, 15),
    seed=st.integers(),
)
def test_a_kill_and_a_resume_try_what_an_uninterrupted_run_tries(
    count: int, bad: set[int], per_item: int, cut: int, seed: int
) -> None:
    poisoned = {("a", ordinal) for ordinal in bad}
    whole = sorted(drive(quotas({"a": count}, per_item), poisoned, random.Random(seed)))
    half = drive(quotas({"a": count}, per_item), poisoned, random.Random(seed), stop_after=cut)
    resumed = Quotas(
        [
            Quota(
                name="a",
                count=count,
                waves=((0, count),),
                attempted=sum(want for _, _, want, _ in half),
                accepted=sum(good for _, _, _, good in half),
                rejected=sum(want - good for _, _, want, good in half),
            )
        ],
        task_seed=7,
        per_item=per_item,
        max_attempts_multiplier=3.0,
    )
    resumed.load(
        Finished(category=name, ordinal=ordinal, generation=0, done=True)
        for name, ordinal, _, _ in half
    )
    rest = drive(resumed, poisoned, random.Random(seed + 1))
    assert sorted(half + rest) == whole


@given(
    counts=st.dictionaries(st.sampled_from("abc"), st.integers(1, 10), min_size=1),
    bad=st.sets(st.tuples(st.sampled_from("abc"), st.integers(0, 40)), max_size=60),
    seed=st.integers(),
)
def test_counts_add_up_and_attempts_are_bounded(
    counts: dict[str, int], bad: set[tuple[str, int]], seed: int
) -> None:
    book = quotas(counts, multiplier=2.0)
    drive(book, bad, random.Random(seed))
    for tally in book.tallies.values():
        seen = tally.counts()
        assert seen.accepted + seen.rejected + seen.failed + seen.pending == seen.attempted
        assert seen.attempted <= 2 * seen.requested
        assert seen.accepted == seen.requested or seen.attempted == 2 * seen.requested


def test_a_retried_item_runs_first_and_as_its_generation() -> None:
    book = quotas({"a": 3})
    book.load([Finished(category="a", ordinal=1, generation=2, done=False)])
    item = book.next()
    assert item == Item(task_seed=7, category="a", ordinal=1, want=1, generation=2)


def test_the_last_item_of_a_plan_asks_for_the_rest_and_replacements_for_one() -> None:
    assert [want_of(n, ((0, 7),), 3) for n in range(5)] == [3, 3, 1, 1, 1]


def test_one_more_row_is_one_more_ordinal() -> None:
    old = [Quota(name="a", count=10, waves=((0, 10),), attempted=12, accepted=10, rejected=2)]
    (new,) = extended(old, [("a", 11)], per_item=1)
    assert (new.count, new.waves) == (11, ((0, 10), (12, 1)))


@given(
    weights=st.lists(st.floats(0.1, 100), min_size=1, max_size=8),
    first=st.integers(0, 300),
    more=st.integers(1, 50),
)
def test_a_longer_task_takes_nothing_away(weights: list[float], first: int, more: int) -> None:
    named = {str(place): weight for place, weight in enumerate(weights)}
    old = [
        Quota(name=name, count=n, waves=((0, n),))
        for name, n in largest_remainder(named, first).items()
    ]
    plan = list(largest_remainder(named, first + more).items())
    new = extended(old, plan, per_item=1)
    assert sum(quota.count for quota in new) == first + more
    assert all(a.count <= b.count for a, b in zip(old, new, strict=True))


@given(
    weights=st.dictionaries(st.text(min_size=1, max_size=3), st.floats(0, 1e6), min_size=1),
    total=st.integers(0, 10_000),
)
def test_shares_are_exact(weights: dict[str, float], total: int) -> None:
    assert sum(largest_remainder(weights, total).values()) == total


def test_known_shares() -> None:
    assert largest_remainder({"正面": 40, "负面": 30, "中性": 30}, 1000) == {
        "正面": 400,
        "负面": 300,
        "中性": 300,
    }
    assert largest_remainder({"日常对话": 2, "情感交流": 1}, 100) == {
        "日常对话": 67,
        "情感交流": 33,
    }


def test_items_in_progress_are_pending() -> None:
    book = quotas({"a": 2, "b": 1})
    book.next()
    book.next()
    assert book.counts() == Counts(requested=3, attempted=2)
