"""A client that makes, runs, stops, changes and ends tasks in any order, with a worker that runs
them, against a model of what must then be there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from math import floor
from typing import Any

import httpx2
import pytest
from api_kit import code_of
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from machine_kit import API, PATIENCE, fresh_name, got, pages, run_machine, said
from machine_tasks_kit import Model, fields_of, work, worker_of

from corpusmith import Studio

PARTS = ("accepted", "rejected", "failed")
OVER = ("finished", "cancelled")
WHICH = st.integers(0, 9)


class Held:
    """What a task must look like."""

    def __init__(self, number: int, fields: dict[str, Any]) -> None:
        self.number, self.fields = number, fields
        self.status = "created"
        self.queued = bool(fields["start"])
        self.requested: int = fields["count"]
        self.most_calls: int | None = fields.get("max_calls")
        self.committed: Counter[str] = Counter()
        self.discarded = 0
        self.put_back = 0
        """Samples that were tried and are to be tried again."""

    @property
    def place(self) -> str:
        return f"/tasks/{self.number}"


class Machine(RuleBasedStateMachine):
    """Tasks whose names are of this example alone."""

    client: httpx2.Client
    studio: Studio

    @initialize()
    def begin(self) -> None:
        self.name = fresh_name()
        self.tasks: dict[int, Held] = {}
        self.keys: dict[str, tuple[dict[str, Any], int]] = {}
        self.kept: Counter[str] = Counter()
        """Committed records of tasks that are gone, by dataset."""
        self.looked: Held | None = None

    def teardown(self) -> None:
        for number in list(getattr(self, "tasks", ())):
            assert self.client.delete(f"{API}/tasks/{number}").status_code == 204

    def pick(self, which: int) -> Held:
        self.looked = self.tasks[sorted(self.tasks)[which % len(self.tasks)]]
        return self.looked

    def act(self, held: Held, what: str, body: Any = None) -> httpx2.Response:
        """Do it; what was offered is never refused."""
        offered = self.view(held)["can"]
        answer = self.client.post(f"{API}{held.place}/{what}", json=body)
        assert answer.status_code == 200 or what not in offered, (what, offered, answer.text)
        return answer

    def view(self, held: Held) -> Any:
        return got(self.client, held.place)["task"]

    # ------------------------------------------------------------ making and ending

    @rule(
        count=st.integers(1, 9),
        k=st.integers(1, 3),
        start=st.booleans(),
        commit=st.booleans(),
        multiplier=st.sampled_from([1.0, 1.5, 4.0]),
        most_calls=st.sampled_from([None, None, 3]),
        key=st.sampled_from([None, "a", "b"]),
    )
    @precondition(lambda self: len(self.tasks) < 4)
    def make(
        self,
        count: int,
        k: int,
        start: bool,
        commit: bool,
        multiplier: float,
        most_calls: int | None,
        key: str | None,
    ) -> None:
        fields = {
            **fields_of(count, dialogues_per_request=k, checks=["format", "refusal"]),
            "name": self.name,
            "dataset": self.dataset("自己"),
            "seed": len(self.tasks) + 100 * (key is not None),
            "start": start,
            "commit": commit,
            "max_attempts_multiplier": multiplier,
            "max_calls": most_calls,
        }
        self.send(fields, key)

    def dataset(self, word: str) -> str:
        return f"{self.name}/{word}"

    def send(self, fields: dict[str, Any], key: str | None) -> None:
        number = self.name.removeprefix("例")
        headers = {} if key is None else {"Idempotency-Key": f"{number}-{key}"}
        answer = self.client.post(f"{API}/tasks", json=fields, headers=headers)
        known = self.keys.get(key or "")
        if known is not None and known[1] in self.tasks:
            if known[0] != fields:
                assert code_of(answer, 422) == "key_reused"
                return
            assert (answer.status_code, answer.json()["id"]) == (200, known[1])
            assert answer.headers["idempotent-replay"] == "true"
            return
        assert answer.status_code == 201, answer.text
        made = Held(answer.json()["id"], fields)
        assert made.number not in self.tasks
        self.tasks[made.number] = self.looked = made
        if key is not None:
            self.keys[key] = (fields, made.number)

    @rule(key=st.sampled_from(["a", "b"]), other=st.booleans())
    @precondition(lambda self: self.keys)
    def send_again(self, key: str, other: bool) -> None:
        if key in self.keys:
            fields = self.keys[key][0]
            self.send({**fields, "count": fields["count"] + other}, key)

    @rule(which=WHICH)
    @precondition(lambda self: self.tasks)
    def delete(self, which: int) -> None:
        held = self.pick(which)
        assert self.client.delete(f"{API}{held.place}").status_code == 204
        assert code_of(self.client.get(f"{API}{held.place}"), 404) == "unknown_task"
        self.kept += held.committed
        del self.tasks[held.number]
        self.looked = None

    # ------------------------------------------------------------ running

    @rule(which=WHICH)
    @precondition(lambda self: self.tasks)
    def run(self, which: int) -> None:
        held = self.pick(which)
        answer = self.act(held, "run")
        if held.status == "cancelled":
            assert code_of(answer, 422) == "task_cancelled"
        else:
            assert answer.status_code == 200
            held.queued = True

    @rule(which=WHICH, wish=st.sampled_from(["pause", "pause", "cancel"]))
    @precondition(lambda self: self.tasks)
    def stop(self, which: int, wish: str) -> None:
        held = self.pick(which)
        ended = held.status == "cancelled" or (held.status == "finished" and not held.queued)
        answer = self.act(held, wish)
        if ended:
            assert code_of(answer, 422) == "task_ended"
            return
        assert answer.status_code == 200, answer.text
        self.stopped(held, wish, answer.json()["shortfall"])

    def stopped(self, held: Held, wish: str, shortfall: int) -> None:
        """What becomes of a task that nobody runs."""
        if held.status == "finished" and not shortfall:
            pass  # there is nothing to stop: it only waits no more
        elif wish == "cancel":
            held.status = "cancelled"
        elif held.queued or held.status == "created":
            held.status = "paused"
        held.queued = False

    @rule(actions=st.sampled_from(["run", "pause", "cancel", "delete"]))
    @precondition(lambda self: len(self.tasks) > 1)
    def bulk(self, actions: str) -> None:
        """By number, one of them unknown: each is done or refused, as if it were alone."""
        before = dict(self.tasks)
        cancelled = [one.number for one in before.values() if one.status == "cancelled"]
        ended = [
            one.number
            for one in before.values()
            if one.status == "cancelled" or (one.status == "finished" and not one.queued)
        ]
        refused = {"run": cancelled, "delete": [], "pause": ended, "cancel": ended}[actions]
        done = said(self.client, "/tasks/bulk", {"action": actions, "ids": [*before, 2**40]})
        assert set(done["done"]) == set(before) - set(refused)
        assert {one["id"] for one in done["refused"]} == {*refused, 2**40}
        for number in done["done"]:
            held = self.tasks[number]
            if actions == "delete":
                self.kept += self.tasks.pop(number).committed
                self.looked = None
            elif actions == "run":
                held.queued = True
            else:
                self.stopped(held, actions, self.view(held)["shortfall"])

    @rule(
        what=st.sampled_from(
            [None, "pause", "cancel", "poorer", "faster", "refused", "end", "die"]
        ),
        after=st.integers(1, 6),
    )
    @precondition(lambda self: any(one.queued for one in self.tasks.values()))
    def work(self, what: str | None, after: int) -> None:
        """A worker takes all that wait; something happens in the midst of it."""
        waiting = [one for one in self.tasks.values() if one.queued]
        calls = Model.calls
        events: dict[str, Callable[[], Any]] = {
            "pause": lambda: self.wish(waiting, "pause"),
            "cancel": lambda: self.wish(waiting, "cancel"),
            "poorer": lambda: self.change(waiting[0], {"max_calls": 1}),
            "faster": lambda: self.change(waiting[0], {"concurrency": 1}),
            "refused": lambda: self.refused(waiting),
        }
        stops = {"end": 1, "die": 2}
        self.wished: list[int] = []
        work(self.studio, events.get(what or ""), after, stops.get(what or "", 0))
        for one in waiting:
            self.ended(one, what)
        assert Model.calls >= calls

    def wish(self, waiting: list[Held], wish: str) -> None:
        for one in waiting:
            answer = self.client.post(f"{API}{one.place}/{wish}")
            if answer.status_code == 200:
                self.wished.append(one.number)
            else:
                assert code_of(answer, 422) == "task_ended"

    def refused(self, waiting: list[Held]) -> None:
        """What must not be while a process has it, is refused; the whole list stays readable."""
        for one in waiting:
            if self.view(one)["state"] != "running" or self.view(one)["live"] is None:
                continue
            more = self.client.post(f"{API}{one.place}/extend", json={"count": 50})
            assert code_of(more, 409)
            assert code_of(self.client.delete(f"{API}{one.place}"), 409)
        self.sums(waiting[0])

    def ended(self, held: Held, what: str | None) -> None:
        """A run is over: what it says must fit what is there."""
        view = self.view(held)
        counts, state = view["counts"], view["state"]
        code = (view["cause"] or {}).get("code")
        short = held.requested - counts["accepted"]
        if what in ("end", "die") and view["queued_at"]:
            held.status = "paused" if state == "queued" else held.status
            return  # the server went, and will come again
        held.queued = False
        wished = what if held.number in self.wished else None
        if state == "cancelled" or (wished == "cancel" and state != "finished"):
            assert (state, wished, code) == ("cancelled", "cancel", "cancelled") and short
        elif state == "paused" and code == "paused":
            assert wished == "pause" and short
        elif state == "paused":
            assert code == "budget_calls" and short
            assert view["spend"]["calls"] >= (1 if what == "poorer" else held.most_calls or 0)
        else:
            assert state == "finished", view
            assert code == ("attempts_used" if short else None)
        held.status = state
        if state == "finished" and held.fields["commit"]:
            self.commits(held, held.fields["dataset"])
        self.looked = held

    def change(self, held: Held, fields: dict[str, Any]) -> None:
        answer = self.client.patch(f"{API}{held.place}", json=fields)
        if held.status == "cancelled":
            assert code_of(answer, 422) == "task_cancelled"
            return
        assert answer.status_code == 200, answer.text
        held.most_calls = fields.get("max_calls", held.most_calls)

    # ------------------------------------------------------------ changing what is wanted

    @rule(which=WHICH, most=st.sampled_from([None, 0, 2, 40]))
    @precondition(lambda self: self.tasks)
    def budget(self, which: int, most: int | None) -> None:
        self.change(self.pick(which), {"max_calls": most})

    @rule(which=WHICH, more=st.integers(-1, 4), start=st.booleans())
    @precondition(lambda self: self.tasks)
    def extend(self, which: int, more: int, start: bool) -> None:
        held = self.pick(which)
        count = max(1, held.requested + more)
        answer = (
            self.act(held, "extend", {"count": count, "start": start})
            if more > 0
            else (
                self.client.post(f"{API}{held.place}/extend", json={"count": count, "start": start})
            )
        )
        if held.status == "cancelled":
            assert code_of(answer, 422) == "task_cancelled"
        elif more <= 0:
            assert code_of(answer, 422) == "count_not_more"
        else:
            assert answer.status_code == 200, answer.text
            held.requested = count
            held.queued |= start

    @rule(
        which=WHICH,
        kinds=st.sampled_from([["failed"], ["rejected"], ["failed", "rejected"]]),
        start=st.booleans(),
    )
    @precondition(lambda self: self.tasks)
    def retry(self, which: int, kinds: list[str], start: bool) -> None:
        held = self.pick(which)
        before = self.view(held)
        answer = self.act(held, "retry", {"kinds": kinds, "start": start})
        if held.status == "cancelled":
            assert code_of(answer, 422) == "task_cancelled"
            return
        assert answer.status_code == 200, answer.text
        after = answer.json()["task"]
        back = before["counts"]["attempted"] - after["counts"]["attempted"]
        assert answer.json()["put_back"] <= back <= before["shortfall"]
        assert after["counts"]["accepted"] == before["counts"]["accepted"]
        held.put_back += back
        held.queued |= start and answer.json()["put_back"] > 0

    # ------------------------------------------------------------ what came of it

    def left(self, held: Held) -> int:
        """Records in no dataset."""
        accepted: int = self.view(held)["counts"]["accepted"]
        return accepted - held.discarded - held.committed.total()

    def commits(self, held: Held, dataset: str) -> int:
        new = self.left(held)
        held.committed[dataset] += new
        return new

    @rule(which=WHICH, dataset=st.sampled_from([None, "别处"]))
    @precondition(lambda self: self.tasks)
    def commit(self, which: int, dataset: str | None) -> None:
        held = self.pick(which)
        name = None if dataset is None else self.dataset(dataset)
        into = name or held.fields["dataset"]
        new = self.commits(held, into)
        answer = self.act(held, "commit", {"dataset": name})
        assert answer.json() == {"committed": new, "dataset": into}

    @rule(which=WHICH)
    @precondition(lambda self: self.tasks)
    def discard(self, which: int) -> None:
        held = self.pick(which)
        gone = self.left(held)
        assert self.act(held, "discard").json() == {"discarded": gone}
        held.discarded += gone

    # ------------------------------------------------------------ what must hold

    @invariant()
    def tasks_are_those(self) -> None:
        listed = list(pages(self.client, "/tasks", {"search": self.name}))
        assert [one["id"] for one in listed] == sorted(self.tasks, reverse=True)
        for one in listed:
            held = self.tasks[one["id"]]
            assert (one["queued_at"] is not None) == held.queued
            state = "queued" if held.queued else held.status
            if held.queued and held.status == "finished" and not one["shortfall"]:
                state = "running"  # its records may be on their way to where they were asked for
            assert (one["state"], one["live"]) == (state, None)

    @invariant()
    def it_adds_up(self) -> None:
        held = self.looked
        if held is None:
            return
        detail = self.sums(held)
        view, counts = detail["task"], detail["task"]["counts"]
        assert (
            sum(one["count"] for one in detail["missing"]) == counts["rejected"] + counts["failed"]
        )
        misses = list(pages(self.client, f"{held.place}/misses", {}, 5))
        assert len({(one["item"], str(one["place"])) for one in misses}) == len(misses)
        assert Counter((one["kind"], one["reason"]) for one in misses) == {
            (one["kind"], one["reason"]): one["count"] for one in detail["missing"]
        }
        runs = got(self.client, f"{held.place}/executions")["items"]
        assert [one["number"] for one in runs] == list(range(1, len(runs) + 1))
        assert all(one["ended_at"] for one in runs)
        tried = sum(one["counts"]["attempted"] for one in runs)
        assert tried - held.put_back == counts["attempted"]
        assert sum(one["counts"]["accepted"] for one in runs) == counts["accepted"]
        assert sum(one["spend"]["calls"] for one in runs) == view["spend"]["calls"]
        calls = list(pages(self.client, f"{held.place}/calls", {}, 40))
        assert len({one["id"] for one in calls}) == len(calls) == view["spend"]["calls"]

    @invariant()
    def records_are_there(self) -> None:
        held, self.looked = self.looked, None
        if held is not None:
            left = self.left(held)
            items = got(self.client, f"{held.place}/items")
            assert (items["uncommitted"], items["pending"]) == (left, 0)
            there = got(self.client, "/records/count", task=held.number)["count"]
            assert there == left + held.committed.total()
            first = got(self.client, f"{held.place}/records", count=500)["items"]
            assert len(first) == there
            assert sum(one["committed"] for one in first) == held.committed.total()
        wanted = sum((one.committed for one in self.tasks.values()), self.kept.copy())
        for name, count in [*wanted.items()][-1:]:
            assert got(self.client, "/records/count", dataset=name)["count"] == count

    def sums(self, held: Held) -> Any:
        """True at any moment, also while it runs."""
        detail = got(self.client, held.place)
        counts, quotas = detail["task"]["counts"], detail["categories"]
        assert counts["attempted"] == sum(counts[one] for one in PARTS)
        assert counts["requested"] == held.requested == sum(one["count"] for one in quotas)
        assert detail["task"]["shortfall"] == held.requested - counts["accepted"] >= 0
        for one in ("attempted", *PARTS):
            assert sum(quota[one] for quota in quotas) == counts[one]
        times = held.fields["max_attempts_multiplier"]
        for quota in quotas:
            assert quota["accepted"] <= quota["count"]
            assert quota["attempted"] <= max(quota["count"], floor(quota["count"] * times))
        return detail


@pytest.fixture
def studio(store_url: str) -> Iterator[Studio]:
    """The worker's."""
    with worker_of(store_url) as studio:
        yield studio


@PATIENCE
def test_whatever_is_done_with_tasks_the_server_holds_what_it_must(
    client: httpx2.Client, studio: Studio
) -> None:
    class Here(Machine):
        pass

    Here.client, Here.studio = client, studio
    run_machine(Here, examples=6, steps=20)
