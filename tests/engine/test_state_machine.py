"""accepted + rejected + failed + pending == attempted, whatever is done (DESIGN.md §8, promise 6).

Any sequence of start, pause, kill, resume, retry, extend, commit, discard and delete, against a
model that fails and a check that rejects by nothing but the request. Of a recipe that replaces what
it misses, and of one whose items are given.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import floor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from state_world import Fussy, Model, journal, run_and_die, wipe

from corpusmith import Studio, registry
from corpusmith.errors import UsageError
from corpusmith.service.tasks import Result
from corpusmith.store.values import Task
from corpusmith.values import Counts
from recipe_ways import lines_in

STEPS = 12
LIVES = int(os.environ.get("LIVES", "1"))
"""How many times as many lives as in `make test`."""
CARD = str(Path(__file__).parents[2] / "examples" / "cards" / "lin.json")
FIELDS: dict[str, Any] = {
    "seed": 5,
    "checks": ["format", Fussy.name],
    "connection": {"base_url": "http://stub.invalid/v1", "model": "stub"},
    "commit": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A recipe whose life is gone through."""

    own: Callable[[int, int, Path], Mapping[str, Any]]
    """Its own fields for so many records, so many of them a request."""
    most: int
    """Records at most."""
    examples: int
    closed: bool = False


def _dialogues(count: int, k: int, folder: Path) -> Mapping[str, Any]:
    scenarios = {"日常对话": 2, "情感交流": 1}
    own = {"characters": [CARD], "scenarios": scenarios, "turns": 1}
    return {**own, "count": count, "dialogues_per_request": k}


def _rounds(count: int, k: int, folder: Path) -> Mapping[str, Any]:
    rows = [{"question": f"{n}？", "answer": "答", "correction": "改"} for n in range(count)]
    path = lines_in(folder / f"{count}.jsonl", rows)
    own = {"recipe": "rounds", "input": str(path), "rounds": 1}
    return {**own, "output_dir": str(folder / str(count))}


KINDS = {
    "replaced": Kind(own=_dialogues, most=40, examples=10),
    "given": Kind(own=_rounds, most=12, examples=6, closed=True),
}


class Life(RuleBasedStateMachine):
    """One task at a time, and all that can happen to it."""

    url = ""
    kind = KINDS["replaced"]
    folder = Path()
    seen: Task
    """As `adds_up` found it after the last step: what may come next is asked of it many times."""

    def __init__(self) -> None:
        super().__init__()
        self.studio = Studio(self.url)
        self.studio.datasets.ensure("d", "zh")
        self.task_id = 0
        self.shape = (0, 0, 0.0)
        self.discarded = 0
        self.committed = 0

    def teardown(self) -> None:
        if self.task_id:
            self.ends(self.studio.tasks.run(self.task_id))
            self.adds_up()
        wipe(self.studio)
        self.studio.close()

    @property
    def task(self) -> Task:
        return self.studio.tasks.get(self.task_id)

    @property
    def misses(self) -> int:
        return self.seen.counts.rejected + self.seen.counts.failed

    @property
    def uncommitted(self) -> int:
        return self.seen.counts.accepted - self.discarded - self.committed

    # ------------------------------------------------------------ what happens

    @initialize(
        count=st.integers(1, 40), k=st.integers(1, 3), multiplier=st.sampled_from([1.0, 1.5, 4.0])
    )
    def create(self, count: int, k: int, multiplier: float) -> None:
        count = min(count, self.kind.most)
        fields = {**FIELDS, **self.kind.own(count, k, self.folder)}
        task = self.studio.tasks.create({**fields, "max_attempts_multiplier": multiplier})
        self.task_id, self.shape = task.id, (count, k, multiplier)
        self.discarded = self.committed = 0

    @rule()
    def run(self) -> None:
        self.ends(self.studio.tasks.run(self.task_id))

    @rule(after=st.integers(1, 9))
    def run_and_pause(self, after: int) -> None:
        last = Model.calls + after
        Model.on_call = staticmethod(
            lambda number: self.studio.tasks.stop(self.task_id) if number == last else None
        )
        try:
            result = self.studio.tasks.run(self.task_id)
        finally:
            Model.on_call = staticmethod(lambda number: None)
        if result.status != "paused":
            self.ends(result)

    @rule(after=st.integers(1, 9))
    def run_and_kill(self, after: int) -> None:
        result = run_and_die(self.studio, self.task_id, after)
        if result is not None:
            self.ends(result)

    @rule(kinds=st.sets(st.sampled_from(["failed", "rejected"]), min_size=1))
    @precondition(lambda self: self.misses and self.seen.counts.shortfall)
    def retry(self, kinds: set[Any]) -> None:
        before = self.task.counts
        back = self.studio.tasks.retry(self.task_id, sorted(kinds))
        after = self.task.counts
        assert before.accepted == after.accepted
        assert before.attempted - after.attempted >= back
        assert before.attempted - after.attempted <= before.shortfall

    @rule(more=st.integers(1, 12))
    @precondition(lambda self: self.seen.requested < 90)
    def extend(self, more: int) -> None:
        wanted = self.task.requested + more
        if self.kind.closed:
            with pytest.raises(UsageError):
                self.studio.tasks.extend(self.task_id, wanted)
            return
        assert self.studio.tasks.extend(self.task_id, wanted).counts.requested == wanted

    @rule()
    @precondition(lambda self: self.uncommitted)
    def commit(self) -> None:
        self.committed += self.studio.tasks.commit(self.task_id, "d")

    @rule()
    @precondition(lambda self: self.uncommitted)
    def discard(self) -> None:
        self.discarded += self.studio.tasks.discard(self.task_id)

    @rule()
    def delete_and_begin_anew(self) -> None:
        self.studio.tasks.delete(self.task_id)
        with_dataset = self.studio.store.records.count(task_id=self.task_id, dataset="d")
        assert with_dataset == self.committed
        self.create(*self.shape)

    # ------------------------------------------------------------ what must hold

    def ends(self, result: Result) -> None:
        """A run that nobody stopped: all is there, or the attempts are used up."""
        counts = self.task.counts
        assert (result.status, result.counts) == ("finished", counts)
        assert self.task.status == "finished"
        short = counts.shortfall
        code = "items_missed" if self.kind.closed else "attempts_used"
        cause = {"code": code, "shortfall": short} if short else None
        assert result.cause == cause

    @invariant()
    def adds_up(self) -> None:
        task, store = self.task, self.studio.store
        self.seen = task
        assert task.counts.pending == 0
        quotas = store.quotas(task.id)
        assert task.counts == sum((_counts(quota) for quota in quotas), Counts())
        for quota in quotas:
            assert quota.accepted <= quota.count
            times = 1.0 if self.kind.closed else self.shape[2]
            assert quota.attempted <= max(quota.count, floor(quota.count * times))
        assert sum(store.tasks.miss_counts(task.id).values()) == self.misses

    @invariant()
    def records_are_there(self) -> None:
        task, records = self.task, self.studio.store.records
        assert records.count(task_id=task.id) == task.counts.accepted - self.discarded
        assert records.count(task_id=task.id, committed=True) == self.committed
        places = [(r.category, r.ordinal, r.sample) for r in records.iterate(task_id=task.id)]
        assert len(set(places)) == len(places)

    @invariant()
    def nothing_is_paid_twice(self) -> None:
        keys = journal(self.studio, self.task_id)
        assert len(set(keys)) == len(keys) == self.task.spend.calls


def _counts(quota: Any) -> Counts:
    return Counts(
        requested=quota.count,
        attempted=quota.attempted,
        accepted=quota.accepted,
        rejected=quota.rejected,
        failed=quota.failed,
    )


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The stub model speaks the OpenAI protocol, and `fussy` is a check."""
    monkeypatch.setitem(registry.TABLES["provider"], "openai", "state_world:Model")
    monkeypatch.setitem(registry.TABLES["check"], Fussy.name, "state_world:Fussy")
    registry.load.cache_clear()
    yield
    registry.load.cache_clear()


@pytest.mark.timeout(240 * LIVES)
@pytest.mark.parametrize("kind", KINDS)
def test_counts_add_up_whatever_is_done(
    kind: str, store_url: str, plugged: None, tmp_path: Path
) -> None:
    Life.url, Life.kind, Life.folder = store_url, KINDS[kind], tmp_path
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=KINDS[kind].examples * LIVES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
