"""A method of a noun as a line of a table: what it is called at the server, and what comes back.

Owns: from a method's arguments to a request, by the local method's own signature; from the answer
to the local method's value. Does not own: which method is which request (each noun's file).
"""

from __future__ import annotations

import asyncio
import base64
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass
from datetime import datetime
from functools import wraps
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from corpusmith.errors import UsageError
from corpusmith.service.remote.wire import Wire, adapter
from corpusmith.store.values import Task
from corpusmith.values import Json, Selection

MOST_OF_PAGE = 500
_TELLERS = frozenset({"show", "look", "each", "note", "agree"})
"""Arguments that are told something here, and never sent."""
_WHO = frozenset({"reviewer", "by", "any_variable"})
"""Arguments that say who acts, or what they may."""


class Over:
    """What every noun over REST has."""

    _wire: Wire

    def __init__(self, studio: Any, wire: Wire) -> None:
        super().__init__(studio)  # type: ignore[call-arg]
        self._wire = wire

    def _told(self, name: str, value: Any) -> None:
        """Look at who is said to act: the server itself knows who asks. Raises UsageError."""
        if value is not None:
            raise UsageError("remote_own_name", name=name)


def call(
    route: str,
    gives: Any = None,
    *,
    whole: str | None = None,
    named: Mapping[str, str] | None = None,
    of: str | None = None,
    listed: bool = False,
    job: str | None = None,
    where: str | None = None,
    then: Callable[[Any], Any] | None = None,
) -> Any:
    """A method that asks `route`, such as `GET scenarios/{name}`, and reads the answer as `gives`.

    Arguments that are given go into the path, the rest into the query of a GET and the body of all
    others. `whole`: this argument is the body. `named`: what the server calls an argument. `of`:
    the field of the answer that counts. `listed`: page by page, by the method's own `limit` and
    `after`. `job`: it is waited for; `done` or `total`: what `show` is told. `where`: the field
    that records' filters are in; without, they stand beside the rest. `then`: the last touch.
    """
    return _Call(route, gives, whole, named or {}, of, listed, job, where, then)


def later(name: str) -> Any:
    """The twin of method `name` that is awaited."""
    return _Later(name)


class _Call:
    usual: int | None = None
    """Of a list: how many the local method gives."""

    def __init__(
        self,
        route: str,
        gives: Any,
        whole: str | None,
        named: Mapping[str, str],
        of: str | None,
        listed: bool,
        job: str | None,
        where: str | None,
        then: Callable[[Any], Any] | None,
    ) -> None:
        self.method, _, path = route.partition(" ")
        self.path = path.split("/")
        self.gives, self.whole, self.named, self.of = gives, whole, named, of
        self.listed, self.job, self.where, self.then = listed, job, where, then

    def __set_name__(self, owner: type, name: str) -> None:
        local = next(vars(one)[name] for one in owner.__mro__[1:] if name in vars(one))
        signature = inspect.signature(local)

        usual = signature.parameters.get("limit")
        if usual is not None and isinstance(usual.default, int):
            self.usual = usual.default

        @wraps(local)
        def method(noun: Any, *given: Any, **more: Any) -> Any:
            bound = signature.bind(noun, *given, **more)
            return self.asked(noun, _flat(bound, signature))

        method.over_rest = True  # type: ignore[attr-defined]
        setattr(owner, name, method)

    def asked(self, noun: Any, given: dict[str, Any]) -> Any:
        told = {name: given.pop(name) for name in list(given) if name in _TELLERS}
        for name in _WHO & set(given):
            noun._told(name, given.pop(name))
        path = [self._part(one, given) for one in self.path]
        wire: Wire = noun._wire
        if self.listed:
            limit, after = given.pop("limit", self.usual), given.pop("after", None)
            found = pages(wire, *path, query=self._sent(given), after=after)
            read = (adapter(self.gives).validate_python(one) for one in found)
            items = list(islice(read, limit))
            return self.then(items) if self.then else items
        sent = self._sent(given)
        if self.job is not None:
            from corpusmith.service.remote.works import work

            answer = work(wire, *path, body=sent, show=_teller(self.job, told.get("show")))[
                "result"
            ]
        else:
            way = "query" if self.method in ("GET", "DELETE") else "body"
            answer = wire.ask(self.method, *path, **{way: sent})
        if self.of is not None:
            answer = answer[self.of]
        if self.gives is not None:
            answer = adapter(self.gives).validate_python(answer)
        elif self.of is None and self.then is None:
            return None
        return self.then(answer) if self.then else answer

    def _part(self, one: str, given: dict[str, Any]) -> object:
        if not one.startswith("{"):
            return one
        return number(given.pop(one.strip("{}")))

    def _sent(self, given: dict[str, Any]) -> Any:
        if self.whole is not None:
            return plain(given[self.whole])
        sent: dict[str, Any] = {}
        for name, one in given.items():
            if isinstance(one, Selection):
                chosen = filters(one)
                sent.update({self.where: chosen} if self.where else chosen)
            elif not (one is None and name in ("selection", "only", "queue")):
                sent[self.named.get(name, name)] = plain(one)
        return sent


class _Later:
    def __init__(self, name: str) -> None:
        self.name = name

    def __set_name__(self, owner: type, name: str) -> None:
        local = next(vars(one)[name] for one in owner.__mro__[1:] if name in vars(one))

        @wraps(local)
        async def method(noun: Any, *given: Any, **more: Any) -> Any:
            return await asyncio.to_thread(getattr(noun, self.name), *given, **more)

        method.over_rest = True  # type: ignore[attr-defined]
        setattr(owner, name, method)


def _flat(bound: inspect.BoundArguments, signature: inspect.Signature) -> dict[str, Any]:
    """The arguments that were given, without `self`, with those of `**fields` beside them."""
    given = dict(list(bound.arguments.items())[1:])
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            given.update(given.pop(name, {}))
    return given


def _teller(job: str, show: Any) -> Callable[[int, int | None], None] | None:
    if show is None:
        return None
    return show if job == "total" else lambda done, total: show(done)


def pages(
    wire: Wire, *path: object, query: Mapping[str, Any] | None = None, after: Json = None
) -> Iterator[Json]:
    """Every item of a list, page by page; `after`: what the local list takes."""
    place = None if after is None else cursor(after)
    while True:
        asked = {**(query or {}), "limit": MOST_OF_PAGE, "after": place}
        page = wire.ask("GET", *path, query=asked)
        yield from page["items"]
        place = page.get("next")
        if place is None:
            return


def cursor(place: Json) -> str:
    """A place in a list, as lists take it."""
    return base64.urlsafe_b64encode(orjson.dumps(plain(place))).decode().rstrip("=")


def place_in(text: str | None) -> Any:
    """What `cursor` was made of, as lists here give it."""
    if text is None:
        return None
    found = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return tuple(found) if isinstance(found, list) else found


def number(one: Any) -> Any:
    """Of a task its number."""
    return one.id if isinstance(one, Task) else one


def filters(selection: Selection) -> dict[str, Any]:
    """Which records, as the server is told. Raises UsageError for what it cannot be told."""
    given = {one.name: getattr(selection, one.name) for one in fields(selection)}
    if given.pop("committed") is not None:
        raise UsageError("not_over_rest", method="Selection(committed=…)")
    given["task"] = given.pop("task_id")
    return {name: one for name, one in given.items() if one is not None and one is not False}


def plain(value: Any) -> Json:
    """The value as JSON has it."""
    if isinstance(value, Task):
        return value.id
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value
