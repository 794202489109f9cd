"""A client that does anything in any order, against a model of what must then be there."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

import httpx2
from api_kit import code_of
from data_kit import chat, ended, uploaded
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)
from machine_kit import ALL, API, PAGE, PATIENCE, fresh_name, got, pages, run_machine

WORDS = ("天气", "学习", "旅行", "weather")
TAGS = ("待修改", "good/one")
STATES = {"approve": "approved", "reject": "rejected", "reset": "pending"}
MOST = 12
"""Records from which on no more come: without, every second step was an import."""
WHERE: tuple[dict[str, str], ...] = (
    *({"state": one} for one in ("pending", "approved", "rejected")),
    *({"tag": one} for one in TAGS),
    *({"text": one} for one in WORDS),
)


class Held:
    """What one record must look like."""

    def __init__(self, word: str) -> None:
        self.word, self.state, self.version = word, "pending", 1
        self.edited = False
        self.tags: frozenset[str] = frozenset()


class Machine(RuleBasedStateMachine):
    """Scenarios, and the records of one dataset; names are of this example alone."""

    client: httpx2.Client

    scenarios = Bundle("scenarios")
    removals = Bundle("removals")

    @initialize()
    def begin(self) -> None:
        self.name = fresh_name()
        self.turns = itertools.cycle(WHERE)
        self.dataset = f"{self.name}/数据"
        self.weights: dict[str, float] = {}
        self.records: dict[int, Held] = {}
        self.removed: dict[int, dict[int, Held]] = {}
        self.actions: list[tuple[int, dict[int, tuple[str, frozenset[str]]]]] = []
        """What undo takes back, the newest last; forgotten when something else has touched it."""

    # ------------------------------------------------------------ scenarios

    @rule(target=scenarios, word=st.sampled_from(["甲", "a/b", "shipped", "%2F ?#"]))
    def add_scenario(self, word: str) -> Any:
        name = f"{self.name} {word}"
        answer = self.client.post(f"{API}/scenarios", json={"name": name, "weight": 2})
        if name in self.weights:
            assert code_of(answer, 409) == "scenario_exists"
            return multiple()
        assert answer.status_code == 201, answer.text
        self.weights[name] = 2
        return name

    @rule(name=scenarios, weight=st.floats(0, 9, width=16))
    def change_scenario(self, name: str, weight: float) -> None:
        answer = self.client.patch(self.scenario(name), json={"weight": weight})
        if name not in self.weights:
            assert code_of(answer, 404) == "unknown_scenario"
            return
        assert answer.json()["weight"] == weight
        self.weights[name] = weight

    @rule(name=scenarios)
    def delete_scenario(self, name: str) -> None:
        answer = self.client.delete(self.scenario(name))
        if self.weights.pop(name, None) is None:
            assert code_of(answer, 404) == "unknown_scenario"
        else:
            assert answer.status_code == 204

    def scenario(self, name: str) -> str:
        return f"{API}/scenarios/{quote(name, safe='')}"

    # ------------------------------------------------------------ records

    @rule(words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=5))
    @precondition(lambda self: len(self.records) < MOST)
    def import_rows(self, words: list[str]) -> None:
        rows = [chat(f"{word} {n}") for n, word in enumerate(words)]
        body = {"upload": uploaded(self.client, rows), "dataset": self.dataset}
        job = ended(self.client.post(f"{API}/imports", json=body, params={"wait": 30}))
        assert (job["result"]["read"], job["result"]["imported"]) == (len(rows), len(rows))
        new = [one for one in self.listed({}) if one not in self.records]
        assert len(new) == len(rows)
        self.records |= {one: Held(word) for one, word in zip(new, words, strict=True)}

    @rule(number=st.integers(0, 20), word=st.sampled_from(WORDS), late=st.booleans())
    def edit(self, number: int, word: str, late: bool) -> None:
        if not self.records:
            return
        one = sorted(self.records)[number % len(self.records)]
        held = self.records[one]
        body = {"content": chat(f"{word} again"), "version": held.version + late}
        answer = self.client.patch(f"{API}/records/{one}", json=body)
        if late:
            assert code_of(answer, 409) == "record_edited"
            return
        if held.edited and held.word == word:
            # What says the same as before is no new version.
            assert answer.json()["version"] == held.version
            return
        held.version += 1
        assert answer.json()["version"] == held.version
        held.word, held.edited = word, True
        self.actions.clear()

    @rule(
        action=st.sampled_from(["approve", "reject", "reset", "tag", "untag", "delete"]),
        where=st.fixed_dictionaries(
            {},
            optional={
                "text": st.sampled_from(WORDS),
                "state": st.sampled_from(["pending", "approved", "rejected"]),
                "tag": st.sampled_from(TAGS),
            },
        ),
        tag=st.sampled_from(TAGS),
        wrong=st.booleans(),
        by_number=st.booleans(),
    )
    @precondition(lambda self: self.records)
    def bulk(
        self, action: str, where: dict[str, str], tag: str, wrong: bool, by_number: bool
    ) -> None:
        found = self.fitting(where)
        body: dict[str, Any] = {"action": action, "expected": len(found) + wrong}
        if by_number:
            body["ids"] = found
        else:
            body["where"] = {"dataset": self.dataset, **where}
        if action in ("tag", "untag"):
            body["tags"] = [tag]
        answer = self.client.post(f"{API}/records/bulk", json=body, params={"wait": 30})
        if wrong:
            assert answer.status_code == 409, answer.text
            return
        result = ended(answer)["result"]
        parts = ("changed", "unchanged", "gone", "left_out")
        assert result["count"] == len(found) == sum(result[one] for one in parts)
        if action == "delete":
            self.taken_out(result, found)
            return
        if result["action_id"] is not None:
            before = {one: (self.records[one].state, self.records[one].tags) for one in found}
            self.actions.append((result["action_id"], before))
        for one in found:
            held = self.records[one]
            held.state = STATES.get(action, held.state)
            if action == "tag":
                held.tags |= {tag}
            elif action == "untag":
                held.tags -= {tag}

    def taken_out(self, result: Any, found: Sequence[int]) -> None:
        assert sum(one["count"] for one in result["removals"]) == len(found)
        if found:
            (removal,) = result["removals"]
            self.removed[removal["number"]] = {one: self.records.pop(one) for one in found}
            self.actions.clear()

    @rule(data=st.data())
    @precondition(lambda self: self.removed)
    def put_back(self, data: st.DataObject) -> None:
        removal = data.draw(st.sampled_from(sorted(self.removed)))
        answer = self.client.post(f"{API}/removals/{removal}/restore")
        assert answer.json()["count"] == len(self.removed[removal])
        self.records |= self.removed.pop(removal)
        self.actions.clear()
        assert code_of(self.client.post(f"{API}/removals/{removal}/restore"), 422)

    @rule()
    @precondition(lambda self: self.actions)
    def undo(self) -> None:
        action, before = self.actions.pop()
        answer = self.client.post(f"{API}/records/undo", json={"action": action})
        assert answer.status_code == 200, answer.text
        for one, (state, tags) in before.items():
            self.records[one].state, self.records[one].tags = state, tags

    # ------------------------------------------------------------ what must hold

    @invariant()
    def scenarios_are_those(self) -> None:
        found = list(pages(self.client, "/scenarios", {"search": self.name}))
        assert {one["name"]: one["weight"] for one in found} == self.weights
        assert [one["name"] for one in found] == sorted(self.weights)

    @invariant()
    def records_are_those(self) -> None:
        if not self.records and not self.removed:
            return
        assert self.listed({}) == sorted(self.records)
        # One filter a step, page by page: all of them each time took a minute.
        where = next(self.turns)
        assert self.listed(where, PAGE) == self.fitting(where)
        number = got(self.client, "/records/count", dataset=self.dataset, **where)["count"]
        assert number == len(self.fitting(where))
        states = got(self.client, "/records/facets", dataset=self.dataset)
        held = [one.state for one in self.records.values()]
        expected = {state: held.count(state) for state in set(held)}
        told = states["states"]["values"]
        assert {state: count for state, count in told.items() if count} == expected

    def fitting(self, where: dict[str, str]) -> list[int]:
        """What the model says."""
        tests: dict[str, Callable[[Held, str], bool]] = {
            "text": lambda held, value: held.word == value,
            "state": lambda held, value: held.state == value,
            "tag": lambda held, value: value in held.tags,
        }
        return [
            one
            for one, held in sorted(self.records.items())
            if all(tests[name](held, value) for name, value in where.items())
        ]

    def listed(self, where: dict[str, str], limit: int = ALL) -> list[int]:
        """What the server says, so many a page."""
        asked = {"dataset": self.dataset, **where}
        return [one["id"] for one in pages(self.client, "/records", asked, limit)]


@PATIENCE
def test_whatever_is_done_the_server_holds_what_it_must(client: httpx2.Client) -> None:
    class Here(Machine):
        pass

    Here.client = client
    run_machine(Here, examples=6, steps=25)
