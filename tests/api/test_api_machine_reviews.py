"""Two people who review, edit and take back in any order, against a model of what each has said and
what that makes of the records.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
import pytest
from access_kit import House, house
from api_kit import code_of
from data_kit import chat, ended, uploaded
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from machine_kit import API, PATIENCE, fresh_name, got, run_machine, said

from corpusmith.api.rates import Rates
from corpusmith.store.store import SqlStore

RECORDS = 5
TAGS = ("待修改", "good")
WHO = st.sampled_from(["rosa", "emil"])
WHICH = st.integers(0, RECORDS - 1)
STATES = ("approved", "rejected", "pending")
_clock = itertools.count(1)


@dataclass(frozen=True)
class Own:
    """What one person says of one record."""

    state: str = "pending"
    rating: int | None = None
    note: str = ""
    version: int = 1
    decided: int = 0
    """The moment of the decision."""


@dataclass
class Held:
    """A record."""

    contents: list[Any]
    own: dict[str, Own] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()

    @property
    def version(self) -> int:
        return len(self.contents)

    @property
    def state(self) -> str:
        """The newest decision's."""
        decisions = [one for one in self.own.values() if one.state != "pending"]
        return max(decisions, key=lambda one: one.decided).state if decisions else "pending"

    @property
    def rating(self) -> float | None:
        given = [one.rating for one in self.own.values() if one.rating is not None]
        return sum(given) / len(given) if given else None


@dataclass(frozen=True)
class Step:
    """What an action did to one record."""

    record: int
    before: Own | None = None
    after: Own | None = None
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    edited: int | None = None
    """The version that an edit made."""


class Machine(RuleBasedStateMachine):
    """A dataset of this example alone."""

    home: House
    people: dict[str, httpx2.Client]

    @initialize()
    def begin(self) -> None:
        # An example is quick, and nobody uploads thirty files a minute.
        self.home.app.state.door.rates = Rates()
        self.dataset, emil = fresh_name(), self.people["emil"]
        rows = [chat(f"问 {n}") for n in range(RECORDS)]
        body = {"upload": uploaded(emil, rows), "dataset": self.dataset}
        ended(emil.post(f"{API}/imports", json=body, params={"wait": 30}))
        found = got(emil, "/records", dataset=self.dataset, limit=100)["items"]
        self.records = {one["id"]: Held([]) for one in found}
        looks = got(emil, "/reviews/queue", dataset=self.dataset)["items"]
        for one in looks:
            self.records[one["record"]["id"]].contents.append(one["record"]["content"])
        self.turns = itertools.cycle(itertools.product(self.people, ("all", "pending")))
        self.looks = itertools.cycle(itertools.product(self.people, self.records))
        # Of an earlier example, other records: an undo goes no further back than this.
        self.done: dict[str, list[list[Step]]] = {"rosa": [], "emil": []}
        self.lasts = {who: self.last(who) for who in self.people}

    def look(self, who: str, number: int, **query: Any) -> Any:
        return got(self.people[who], f"/reviews/records/{number}", **query)

    def last(self, who: str) -> int | None:
        found: int | None = got(self.people[who], "/reviews/last")["action"]
        return found

    def number(self, which: int) -> int:
        return sorted(self.records)[which]

    # ------------------------------------------------------------ saying

    def speak(self, who: str, number: int, wish: dict[str, Any], moment: int) -> Step | None:
        """What that makes of the model; None: nothing new."""
        held = self.records[number]
        before = after = held.own.get(who)
        if {"state", "rating", "note"} & set(wish):
            after = replace(before or Own(), version=held.version)
            if before is None:
                after = replace(after, decided=moment)
            if "state" in wish:
                after = replace(after, state=wish["state"], decided=moment)
            if "rating" in wish:
                after = replace(after, rating=None if wish["rating"] == "none" else wish["rating"])
            after = replace(after, note=wish.get("note", after.note))
            held.own[who] = after
        added = frozenset(wish.get("add_tags", ())) - held.tags
        removed = frozenset(wish.get("remove_tags", ())) & held.tags
        held.tags = (held.tags | added) - removed
        if after is before and not added and not removed:
            return None
        return Step(number, before, after, added, removed)

    @rule(
        who=WHO,
        which=WHICH,
        wish=st.fixed_dictionaries(
            {},
            optional={
                "state": st.sampled_from(STATES),
                "rating": st.sampled_from([1, 3, 5, "none"]),
                "note": st.sampled_from(["", "太短"]),
                "add_tags": st.sampled_from([["good"], ["待修改", "good"]]),
            },
        ).filter(bool),
        late=st.sampled_from([None, 0, 0, 1]),
    )
    def review(self, who: str, which: int, wish: dict[str, Any], late: int | None) -> None:
        number = self.number(which)
        held, body = self.records[number], dict(wish)
        if late is not None:
            body["version"] = held.version + late
        answer = self.people[who].post(f"{API}/reviews/records/{number}", json=body)
        if late:
            assert code_of(answer, 409) == "record_edited"
            return
        assert answer.status_code == 200, answer.text
        step = self.speak(who, number, wish, next(_clock))
        if step is not None:
            self.done[who].append([step])

    @rule(
        who=WHO,
        state=st.sampled_from([None, *STATES]),
        wish=st.sampled_from(
            [
                {"state": "approved"},
                {"state": "rejected", "rating": 2},
                {"rating": "none"},
                {"add_tags": ["good"]},
                {"remove_tags": ["good", "待修改"]},
            ]
        ),
        by_number=st.booleans(),
        wrong=st.booleans(),
    )
    def review_many(
        self, who: str, state: str | None, wish: dict[str, Any], by_number: bool, wrong: bool
    ) -> None:
        found = [
            number
            for number, held in sorted(self.records.items())
            if state is None or held.state == state
        ]
        body: dict[str, Any] = {**wish, "expected": len(found) + wrong}
        if by_number:
            body["ids"] = [*found, *found[:1]]
        else:
            body["where"] = {"dataset": self.dataset, **({"state": state} if state else {})}
        answer = self.people[who].post(f"{API}/reviews/apply", json=body, params={"wait": 30})
        if wrong:
            assert code_of(answer, 409) == "selection_changed"
            return
        result = ended(answer)["result"]
        moment = next(_clock)
        steps = [self.speak(who, number, wish, moment) for number in found]
        real = [one for one in steps if one is not None]
        counts = (result["changed"], result["unchanged"], result["gone"])
        assert counts == (len(real), len(found) - len(real), 0)
        assert (result["action_id"] is not None) == bool(real)
        if real:
            self.done[who].append(real)

    # ------------------------------------------------------------ editing

    @rule(who=WHO, which=WHICH, word=st.sampled_from(["甲", "乙"]), late=st.booleans())
    def edit(self, who: str, which: int, word: str, late: bool) -> None:
        number = self.number(which)
        held, content = self.records[number], chat(word)
        body = {"content": content, "version": held.version + late}
        place = f"{API}/reviews/records/{number}/content"
        answer = self.people[who].put(place, json=body)
        if late:
            assert code_of(answer, 409) == "record_edited"
            return
        assert answer.status_code == 200, answer.text
        self.edited(who, number, content)
        assert answer.json()["version"] == held.version

    @rule(who=WHO, which=WHICH, back=st.integers(0, 3))
    def restore(self, who: str, which: int, back: int) -> None:
        number = self.number(which)
        held = self.records[number]
        version = held.version - back
        body = {"version": max(1, version), "expected": held.version}
        answer = said(self.people[who], f"/reviews/records/{number}/restore", body)
        self.edited(who, number, held.contents[body["version"] - 1])
        assert answer["version"] == held.version

    def edited(self, who: str, number: int, content: Any) -> None:
        held = self.records[number]
        if content != held.contents[-1]:
            held.contents.append(content)
            self.done[who].append([Step(number, edited=held.version)])

    # ------------------------------------------------------------ taking back

    @rule(who=WHO, wrong=st.booleans())
    def undo(self, who: str, wrong: bool) -> None:
        if not self.done[who]:
            assert self.last(who) == self.lasts[who]
            return
        last = self.last(who)
        assert last is not None
        if wrong:
            answer = self.people[who].post(f"{API}/reviews/undo", json={"action": last + 1})
            assert code_of(answer, 409) == "undo_not_last"
            return
        steps = self.done[who].pop()
        undone = [step.record for step in steps if self.back(who, step)]
        told = said(self.people[who], "/reviews/undo", {"action": last})
        assert (told["undone"], told["kept"], told["gone"]) == (
            len(undone),
            len(steps) - len(undone),
            0,
        )
        assert told["first"] == min(undone, default=None)

    def back(self, who: str, step: Step) -> bool:
        """False: somebody has changed the record since, and it stays."""
        held = self.records[step.record]
        if step.edited is not None:
            if held.contents[-1] != held.contents[step.edited - 1]:
                return False
            held.contents.append(held.contents[step.edited - 2])
            return True
        if step.before is not None:
            held.own[who] = step.before
        elif step.after is not None:
            del held.own[who]
        held.tags = (held.tags - step.added) | step.removed
        return True

    # ------------------------------------------------------------ what must hold

    @invariant()
    def records_are_as_people_said(self) -> None:
        found = got(self.people["emil"], "/records", dataset=self.dataset, limit=100)["items"]
        assert {
            one["id"]: (one["state"], one["rating"], frozenset(one["tags"]), one["version"])
            for one in found
        } == {
            number: (held.state, held.rating, held.tags, held.version)
            for number, held in self.records.items()
        }
        numbers = got(self.people["rosa"], "/reviews/statistics", dataset=self.dataset)
        states = [held.state for held in self.records.values()]
        assert numbers["by_state"] == {one: states.count(one) for one in STATES}

    @invariant()
    def queues_hold_what_is_left(self) -> None:
        who, kind = next(self.turns)
        queue = {
            number: held
            for number, held in sorted(self.records.items())
            if kind == "all" or held.state == "pending"
        }
        left = [number for number, held in queue.items() if who not in held.own]
        where = {"dataset": self.dataset, "kind": kind}
        client = self.people[who]
        first = got(client, "/reviews/queue", **where, limit=3)
        seen = [one["record"]["id"] for one in first["items"]]
        if first["after"] is not None:
            rest = got(client, "/reviews/queue", **where, limit=3, after=first["after"])
            seen += [one["record"]["id"] for one in rest["items"]]
        assert seen == left
        # Blind: nothing of what others decided.
        assert {one["record"]["state"] for one in first["items"]} <= {"pending"}
        done = {"done": len(queue) - len(left), "total": len(queue)}
        assert got(client, "/reviews/progress", **where) == done

    @invariant()
    def each_sees_their_own(self) -> None:
        who, number = next(self.looks)
        held = self.records[number]
        own, mine = self.look(who, number, blind=True)["own"], held.own.get(who)
        assert (None if own is None else Own(*(own[one] for one in PARTS))) == (
            None if mine is None else replace(mine, decided=0)
        )
        history = got(self.people["rosa"], f"/reviews/records/{number}/history")
        assert [one["content"] for one in history["versions"]] == held.contents


PARTS = ("state", "rating", "note", "version")


@pytest.fixture
def home(store: SqlStore) -> Iterator[House]:
    with house(store) as found:
        yield found


@PATIENCE
def test_whatever_two_people_say_their_records_are_as_they_said(home: House) -> None:
    class Here(Machine):
        pass

    Here.home = home
    Here.people = {who: home.log_in(who) for who in ("rosa", "emil")}
    run_machine(Here, examples=5, steps=20)
