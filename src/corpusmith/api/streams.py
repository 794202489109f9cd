"""Progress as it happens, to any number of open pages.

Owns: one look at the database for all who listen, in a thread, and only while somebody does; what
has changed since. Does not own: what a state is (store), how it is shown (routes and pages).
The database alone is asked, never this process's memory: tasks run in other processes, and a
server that was just started knows as much as the one before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Literal

from corpusmith.errors import StoreError
from corpusmith.service.task_views import OVER, state_in
from corpusmith.store.store import SqlStore
from corpusmith.store.values import TaskState

POLL_S = 0.5
HEARTBEAT_S = 15.0
MOST_S = 900.0
"""After which a stream ends and its page opens another: so who may look is asked again."""
NEWEST = 100
"""Tasks of the list that all are watched, besides those that run or wait."""

Name = Literal["present", "progress", "ended", "gone", "heartbeat"]
ALL = 0
"""The topic of all tasks; no task has this number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something to tell. `states`: what it is about; of `present` all, else one, or none."""

    name: Name
    states: tuple[TaskState, ...] = ()
    task_id: int = 0

    @property
    def id(self) -> str:
        """Names this state: who has seen it need not be told again."""
        return mark(self.states)


def mark(states: tuple[TaskState, ...]) -> str:
    """The same for the same states, in any process."""
    return blake2b(repr(states).encode(), digest_size=9).hexdigest()


@dataclass(slots=True)
class _Topic:
    states: Mapping[int, TaskState] | None = None
    """None: not looked at yet. Objects stay the same while nothing of them changes."""
    listeners: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Hub:
    """`app.state.hub`. Used on the server's event loop alone."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._topics: dict[int, _Topic] = {}
        self._poller: asyncio.Task[None] | None = None
        self._closing = False

    def close(self) -> None:
        """End all streams now."""
        self._closing = True
        for topic in self._topics.values():
            topic.changed.set()

    async def task(self, task_id: int, last: str | None = None) -> AsyncIterator[Event]:
        """One task: its whole state first (unless `last` is its mark), then each change, until it
        has ended or is gone."""
        async for states in self._changes(task_id):
            if states is None:
                yield Event(name="heartbeat")
                continue
            state = states.get(task_id)
            if state is None:
                yield Event(name="gone", task_id=task_id)
                return
            over = state_in(state) in OVER
            event = Event(name="ended" if over else "progress", states=(state,), task_id=task_id)
            if over or event.id != last:
                last = event.id
                yield event
            if over:
                return

    async def all(self, last: str | None = None) -> AsyncIterator[Event]:
        """All tasks: the present state of those that are watched first, then each that changes."""
        seen: Mapping[int, TaskState] | None = None
        async for states in self._changes(ALL):
            if states is None:
                yield Event(name="heartbeat")
                continue
            if seen is None:
                event = Event(name="present", states=tuple(states.values()))
                if event.id != last:
                    yield event
            else:
                for event in _between(seen, states):
                    yield event
            seen = states

    async def _changes(self, number: int) -> AsyncIterator[Mapping[int, TaskState] | None]:
        """The topic's states, each time they change; None: nothing did for a while."""
        topic = self._join(number)
        until_s = time.monotonic() + MOST_S
        seen: Mapping[int, TaskState] | None = None
        try:
            while not self._closing and time.monotonic() < until_s:
                if topic.states is not None and topic.states is not seen:
                    seen = topic.states
                    yield seen
                    continue
                topic.changed.clear()
                try:
                    await asyncio.wait_for(topic.changed.wait(), HEARTBEAT_S)
                except TimeoutError:
                    yield None
        finally:
            self._leave(number, topic)

    def _join(self, number: int) -> _Topic:
        topic = self._topics.setdefault(number, _Topic())
        topic.listeners += 1
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll(), name="streams")
        return topic

    def _leave(self, number: int, topic: _Topic) -> None:
        topic.listeners -= 1
        if topic.listeners == 0:
            self._topics.pop(number, None)

    async def _poll(self) -> None:
        while self._topics and not self._closing:
            # A database that is away for a moment is no reason to end: the next look will tell.
            with suppress(StoreError):
                await self._look()
            await asyncio.sleep(POLL_S)

    async def _look(self) -> None:
        single = [number for number in self._topics if number != ALL]
        every = self._topics.get(ALL)
        known = every.states if every is not None else None
        found, listed = await asyncio.to_thread(self._read, single, every is not None, known or {})
        for number in single:
            self._tell(number, {n: one for n, one in found.items() if n == number})
        if every is not None:
            self._tell(ALL, listed)

    def _read(
        self, single: list[int], every: bool, known: Mapping[int, TaskState]
    ) -> tuple[Mapping[int, TaskState], Mapping[int, TaskState]]:
        reader = self._store.task_states
        found = reader.of(single)
        if not every:
            return found, {}
        listed = {one.id: one for one in (*reader.active(), *reader.list(limit=NEWEST))}
        # What ran a moment ago and is too old for the list: its end must be told once.
        listed |= reader.of([n for n, one in known.items() if n not in listed and one.alive])
        return found, dict(sorted(listed.items(), reverse=True))

    def _tell(self, number: int, states: Mapping[int, TaskState]) -> None:
        topic = self._topics.get(number)
        if topic is None or topic.states == states:
            return
        old = topic.states or {}
        topic.states = {
            n: old[n] if n in old and old[n] == one else one for n, one in states.items()
        }
        topic.changed.set()


def _between(old: Mapping[int, TaskState], new: Mapping[int, TaskState]) -> list[Event]:
    """What is to be told of the difference."""
    changed = [one for number, one in new.items() if old.get(number) is not one]
    events = [
        Event(name="ended" if state_in(one) in OVER else "progress", states=(one,), task_id=one.id)
        for one in changed
    ]
    # Numbers below the oldest that is still there only fell out of the list.
    oldest = min(new, default=0)
    gone = [number for number in old if number not in new and number > oldest]
    return [*events, *(Event(name="gone", task_id=number) for number in gone)]
