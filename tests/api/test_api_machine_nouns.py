"""A client that makes, changes, copies, renames and deletes templates, characters, scenarios and
connections in any order, against a model of what must then be there.

What holds for all of them: an `ETag` is of a state and of no other, `If-Match` with the tag of
another state is refused and changes nothing, and no secret is ever in an answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from api_kit import code_of
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from machine_kit import API, PAGE, PATIENCE, fresh_name, pages, run_machine

SECRETS = ("canary-key-5c1d", "canary-header-77aa", "canary-field-90fe")
KEY, HEADER, FIELD = SECRETS
HIDDEN = "•••"
WORDS = st.sampled_from(["甲", "a/b", "shipped", "%2F ?#"])
GUARDS = st.sampled_from(["none", "none", "fresh", "old", "any"])


class Machine(RuleBasedStateMachine):
    """What the machines have in common."""

    client: httpx2.Client

    def __init__(self) -> None:
        super().__init__()
        self.name = fresh_name()
        self.tags: dict[str, tuple[str, Any]] = {}
        """Place → a tag that it had, and what it was then."""

    def word(self, word: str) -> str:
        return f"{self.name} {word}"

    def ask(
        self, method: str, place: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        answer = self.client.request(method, f"{API}/{place}", json=body, headers=headers)
        for secret in SECRETS:
            assert secret not in answer.text and secret not in str(answer.headers)
        assert answer.status_code < 500, answer.text
        return answer

    def guarded(
        self, method: str, place: str, now: Any, guard: str, body: Any = None
    ) -> httpx2.Response | None:
        """The answer; None: it was refused because of its guard, as it had to be. `now`: what is
        there by the model, None: nothing."""
        tag, seen = self.tags.get(place, ('"0"', None))
        if guard == "fresh" and now is not None:
            tag, seen = self.ask("GET", place).headers["etag"], now
        headers = {"none": {}, "any": {"If-Match": "*"}}.get(guard, {"If-Match": tag})
        answer = self.ask(method, place, body, headers)
        if now is not None and "If-Match" in headers and guard != "any" and seen != now:
            assert code_of(answer, 412) == "changed_since"
            return None
        return answer

    def same(self, place: str, now: Any) -> Any:
        """What stands there; its tag is of this state alone."""
        answer = self.ask("GET", place)
        assert answer.status_code == 200, answer.text
        tag = answer.headers["etag"]
        if place in self.tags:
            old, seen = self.tags[place]
            assert (tag == old) == (now == seen), (now, seen)
        if place not in self.tags or len(str(now)) % 2:  # some are kept until they are old
            self.tags[place] = (tag, now)
        return answer.json()

    def listed(self, noun: str) -> list[str]:
        return [one["name"] for one in pages(self.client, f"/{noun}", {"search": self.name}, PAGE)]


def at(noun: str, name: str, *more: str) -> str:
    return "/".join((noun, quote(name, safe=""), *more))


# ---------------------------------------------------------------- templates


TITLES = st.sampled_from(["甲", "shipped", "%2F ?#"])  # no name of a file
PROMPTS = st.sampled_from(["写一首{题目}", "写{题目}，{n}句", "Say {x}."])


class TemplateMachine(Machine):
    """Templates with all their versions."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, list[tuple[str, float | None]]] = {}

    def now(self, name: str) -> Any:
        """What tells its newest state from every other of its time."""
        versions = self.held.get(name)
        return None if versions is None else (len(versions), versions[-1])

    def kept(self, name: str, made: tuple[str, float | None]) -> int:
        """The next version, unless it says the same as the newest; returns its number."""
        versions = self.held[name]
        if versions[-1] != made:
            versions.append(made)
        return len(versions)

    @rule(word=TITLES, prompt=PROMPTS, temperature=st.sampled_from([None, 0.0, 1.5]))
    def add(self, word: str, prompt: str, temperature: float | None) -> None:
        name = self.word(word)
        body = {"name": name, "prompt": prompt, "temperature": temperature}
        answer = self.ask("POST", "templates", body)
        if name in self.held:
            assert code_of(answer, 409) == "template_exists"
            return
        assert (answer.status_code, answer.json()["version"]) == (201, 1), answer.text
        self.held[name] = [(prompt, temperature)]

    @rule(
        word=TITLES,
        change=st.fixed_dictionaries(
            {}, optional={"prompt": PROMPTS, "temperature": st.sampled_from([None, 0.0, 1.5])}
        ),
        guard=GUARDS,
    )
    def change(self, word: str, change: dict[str, Any], guard: str) -> None:
        name = self.word(word)
        answer = self.guarded("PATCH", at("templates", name), self.now(name), guard, change)
        if answer is None:
            return
        if name not in self.held:
            assert code_of(answer, 404).startswith("unknown_template")
            return
        prompt, temperature = self.held[name][-1]
        made = (change.get("prompt", prompt), change.get("temperature", temperature))
        assert answer.json()["version"] == self.kept(name, made)

    @rule(word=TITLES, version=st.integers(1, 6))
    def restore(self, word: str, version: int) -> None:
        name = self.word(word)
        answer = self.ask("POST", at("templates", name, "restore"), {"version": version})
        if version > len(self.held.get(name, ())):
            assert code_of(answer, 404).startswith("unknown_template")
        else:
            assert answer.json()["version"] == self.kept(name, self.held[name][version - 1])

    @rule(word=TITLES, to=TITLES)
    def rename(self, word: str, to: str) -> None:
        name, new = self.word(word), self.word(to)
        answer = self.ask("POST", at("templates", name, "rename"), {"name": new})
        if name not in self.held:
            assert code_of(answer, 404).startswith("unknown_template")
        elif new in self.held and new != name:
            assert code_of(answer, 409) == "template_exists"
        else:
            assert answer.json()["name"] == new
            self.held[new] = self.held.pop(name)
            self.forget(name, new)

    @rule(word=TITLES, to=TITLES, version=st.sampled_from([None, 1, 2, 9]))
    def copy(self, word: str, to: str, version: int | None) -> None:
        name, new = self.word(word), self.word(to)
        wish = name if version is None else f"{name}@{version}"
        answer = self.ask("POST", at("templates", wish, "copy"), {"name": new})
        versions = self.held.get(name, [])
        if not versions or (version or 1) > len(versions):
            assert code_of(answer, 404).startswith("unknown_template")
        elif new in self.held:
            assert code_of(answer, 409) == "template_exists"
        else:
            assert (answer.status_code, answer.json()["version"]) == (201, 1)
            self.held[new] = [versions[(version or len(versions)) - 1]]

    @rule(word=TITLES, guard=GUARDS)
    def delete(self, word: str, guard: str) -> None:
        name = self.word(word)
        answer = self.guarded("DELETE", at("templates", name), self.now(name), guard)
        if answer is None:
            return
        if name not in self.held:
            assert code_of(answer, 404).startswith("unknown_template")
            return
        assert answer.status_code == 204
        del self.held[name]
        self.forget(name)

    def forget(self, *names: str) -> None:
        """Another template may come to have this name, and say the same."""
        for name in names:
            self.tags.pop(at("templates", name), None)

    @invariant()
    def they_are_those(self) -> None:
        assert self.listed("templates") == sorted(self.held)
        for name, versions in self.held.items():
            shown = self.same(at("templates", name), self.now(name))
            assert (shown["prompt"], shown["temperature"]) == versions[-1]
            found = self.ask("GET", at("templates", name, "versions")).json()["items"]
            assert [one["version"] for one in found] == list(range(1, len(versions) + 1))

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def look_back(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.held)))
        versions = self.held[name]
        old, new = (data.draw(st.integers(1, len(versions))) for _ in range(2))
        shown = self.ask("GET", at("templates", name) + f"?version={old}").json()
        assert (shown["prompt"], shown["temperature"]) == versions[old - 1]
        told = self.ask("GET", at("templates", name, "diff") + f"?old={old}&new={new}").json()
        # A version's number is no part of what it says.
        assert bool(told["diff"]) == (versions[old - 1] != versions[new - 1]), told


# ---------------------------------------------------------------- characters and scenarios


class BoundMachine(Machine):
    """Characters and scenarios, which a dataset binds: what is bound is not deleted."""

    @initialize()
    def none_yet(self) -> None:
        self.held: dict[str, dict[str, Any]] = {"characters": {}, "scenarios": {}}
        self.bound: dict[str, set[str]] = {"characters": set(), "scenarios": set()}
        self.dataset = self.word("集")
        answer = self.ask("POST", "datasets", {"name": self.dataset, "language": "zh"})
        assert answer.status_code == 201

    nouns = st.sampled_from(["characters", "scenarios"])
    texts = st.sampled_from(["", "打烊前", "quiet"])

    @rule(noun=nouns, word=WORDS, text=texts)
    def add(self, noun: str, word: str, text: str) -> None:
        name, held = self.word(word), self.held[noun]
        answer = self.ask("POST", noun, {"name": name, "description": text})
        if name in held:
            assert code_of(answer, 409) == f"{noun[:-1]}_exists"
            return
        assert answer.status_code == 201, answer.text
        held[name] = text

    @rule(noun=nouns, word=WORDS, text=texts, guard=GUARDS)
    def change(self, noun: str, word: str, text: str, guard: str) -> None:
        name, held = self.word(word), self.held[noun]
        place, body = at(noun, name), {"description": text}
        answer = self.guarded("PATCH", place, held.get(name), guard, body)
        if answer is None:
            return
        if name not in held:
            assert code_of(answer, 404) == f"unknown_{noun[:-1]}"
            return
        assert answer.json()["description"] == text
        held[name] = text

    @rule(word=WORDS, to=WORDS)
    def copy(self, word: str, to: str) -> None:
        name, new = self.word(word), self.word(to)
        held = self.held["characters"]
        answer = self.ask("POST", at("characters", name, "copy"), {"name": new})
        if name not in held:
            assert code_of(answer, 404).startswith("unknown_character")
        elif new in held:
            assert code_of(answer, 409) == "character_exists"
        else:
            assert answer.status_code == 201, answer.text
            held[new] = held[name]

    @rule(characters=st.sets(WORDS, max_size=2), scenarios=st.sets(WORDS, max_size=2))
    def bind(self, characters: set[str], scenarios: set[str]) -> None:
        wish = {"characters": characters, "scenarios": scenarios}
        wished = {noun: {self.word(one) for one in words} for noun, words in wish.items()}
        body = {
            "characters": sorted(wished["characters"]),
            "scenarios": dict.fromkeys(wished["scenarios"], 2),
        }
        answer = self.ask("PUT", at("datasets", self.dataset, "bindings"), body)
        if all(names <= set(self.held[noun]) for noun, names in wished.items()):
            assert answer.status_code == 200, answer.text
            self.bound = wished
        else:
            assert code_of(answer, 404).startswith("unknown_")

    @rule(noun=nouns, word=WORDS, guard=GUARDS)
    def delete(self, noun: str, word: str, guard: str) -> None:
        name, held = self.word(word), self.held[noun]
        answer = self.guarded("DELETE", at(noun, name), held.get(name), guard)
        if answer is None:
            return
        if name not in held:
            assert code_of(answer, 404) == f"unknown_{noun[:-1]}"
        elif name in self.bound[noun]:
            assert code_of(answer, 409) == "in_use"
        else:
            assert answer.status_code == 204
            del held[name]

    @invariant()
    def they_are_those(self) -> None:
        for noun, held in self.held.items():
            assert self.listed(noun) == sorted(held)
            for name, text in held.items():
                assert self.same(at(noun, name), text)["description"] == text
        shown = self.ask("GET", at("datasets", self.dataset)).json()
        assert set(shown["characters"]) == self.bound["characters"]
        assert {one["name"]: one["weight"] for one in shown["scenarios"]} == dict.fromkeys(
            self.bound["scenarios"], 2
        )


# ---------------------------------------------------------------- connections


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a connection must look like."""

    base_url: str
    model: str | None = None
    key: bool = False
    headers: tuple[str, ...] = ()
    secret: bool = False
    """It has a body field that nobody may see."""


class ConnectionMachine(Machine):
    """Connections: what is secret for one address goes to no other, and is never shown."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, Held] = {}

    fields = st.fixed_dictionaries(
        {},
        optional={
            "base_url": st.sampled_from(["http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1"]),
            "model": st.sampled_from([None, "m1", "m2"]),
            "key": st.just(KEY),
            "headers": st.sampled_from([{}, {"X-A": HEADER}, {"X-A": HIDDEN}]),
            "extra": st.sampled_from([{}, {"token": FIELD}, {"token": HIDDEN}]),
        },
    )

    def place(self, word: str) -> str:
        return at("connections", self.word(word))

    @rule(word=WORDS, fields=fields)
    def add(self, word: str, fields: dict[str, Any]) -> None:
        body = {"base_url": "http://127.0.0.1:1/v1", **fields, "name": self.word(word)}
        answer = self.ask("POST", "connections", body)
        if unsaid := self.unsaid(fields, None):
            assert code_of(answer, 422) == unsaid
        elif self.word(word) in self.held:
            assert code_of(answer, 409) == "connection_exists"
        else:
            assert answer.status_code == 201, answer.text
            self.held[self.word(word)] = self.made(Held(base_url=body["base_url"]), fields)

    def unsaid(self, fields: dict[str, Any], old: Held | None) -> str:
        """The code where a hidden value stands for nothing."""
        if fields.get("headers") == {"X-A": HIDDEN} and not (old and old.headers):
            return "bad_header"
        hides = fields.get("extra") == {"token": HIDDEN}
        return "hidden_unsaid" if hides and not (old and old.secret) else ""

    def made(self, old: Held, fields: dict[str, Any]) -> Held:
        return Held(
            base_url=fields.get("base_url", old.base_url),
            model=fields.get("model", old.model),
            key="key" in fields or old.key,
            headers=tuple(fields.get("headers", old.headers)),
            secret=bool(fields["extra"]) if "extra" in fields else old.secret,
        )

    @rule(word=WORDS, fields=fields, guard=GUARDS)
    def change(self, word: str, fields: dict[str, Any], guard: str) -> None:
        old = self.held.get(self.word(word))
        answer = self.guarded("PATCH", self.place(word), old, guard, fields)
        if answer is None:
            return
        if old is None:
            assert code_of(answer, 404) == "unknown_connection"
            return
        if unsaid := self.unsaid(fields, old):
            assert code_of(answer, 422) == unsaid
        elif self.carries(old, fields):
            assert code_of(answer, 409) == "key_again"
        else:
            assert answer.status_code == 200, answer.text
            self.held[self.word(word)] = self.made(old, fields)

    def carries(self, old: Held, fields: dict[str, Any]) -> bool:
        """Whether something secret would go along to another address, unsaid."""
        if fields.get("base_url", old.base_url) == old.base_url:
            return False
        headers = bool(old.headers) and fields.get("headers", {"X-A": HIDDEN}) == {"X-A": HIDDEN}
        extra = old.secret and fields.get("extra", {"token": HIDDEN}) == {"token": HIDDEN}
        return (old.key and "key" not in fields) or headers or extra

    @rule(word=WORDS, stored=st.booleans())
    def key(self, word: str, stored: bool) -> None:
        place, old = f"{self.place(word)}/key", self.held.get(self.word(word))
        answer = self.ask("PUT", place, {"key": KEY}) if stored else self.ask("DELETE", place)
        if old is None:
            assert code_of(answer, 404) == "unknown_connection"
            return
        assert answer.status_code == 204, answer.text
        self.held[self.word(word)] = Held(**{**vars(old), "key": stored})

    @rule(word=WORDS, guard=GUARDS)
    def delete(self, word: str, guard: str) -> None:
        old = self.held.get(self.word(word))
        answer = self.guarded("DELETE", self.place(word), old, guard)
        if answer is None:
            return
        if old is None:
            assert code_of(answer, 404) == "unknown_connection"
        else:
            assert answer.status_code == 204
            del self.held[self.word(word)]

    @invariant()
    def they_are_those(self) -> None:
        assert self.listed("connections") == sorted(self.held)
        for name, one in self.held.items():
            shown = self.same(at("connections", name), one)
            assert (shown["base_url"], shown["model"]) == (one.base_url, one.model)
            assert shown["key"] == ("stored" if one.key else "none")
            assert shown["headers"] == [*one.headers]
            assert shown["extra"] == ({"token": HIDDEN} if one.secret else {})


MACHINES: Sequence[type[Machine]] = (TemplateMachine, BoundMachine, ConnectionMachine)


@PATIENCE
@pytest.mark.parametrize("machine", MACHINES)
def test_whatever_is_done_with_nouns_the_server_holds_what_it_must(
    client: httpx2.Client, machine: type[Machine]
) -> None:
    machine.client = client
    run_machine(machine, examples=3, steps=12)
