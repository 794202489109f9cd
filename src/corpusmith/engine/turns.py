"""Whose turn it is: items end in any order, and are compared with each other in the plan's.

Owns: that order, and who waits. Does not own: comparing (the checks), which item is issued next
(`quota.py`).

A check such as near duplicates keeps the first of two that are alike. Which one is first must not
depend on which endpoint was quicker, nor on where a process was killed: so the verdicts are given
one item at a time, by (ordinal, category). An item has its turn when all before it have had
theirs, those that are not issued yet included. Meanwhile it holds no slot of an endpoint.
"""

from __future__ import annotations

import asyncio
import heapq

from corpusmith.engine.quota import Quotas
from corpusmith.values import Item

Place = tuple[int, int, int]
"""(ordinal, category position, try): smaller ones come first."""

AGAIN_AFTER = 256
"""A given item that was turned down is tried again so many ordinals later: by then its new reply
is there, and nobody has waited for it. The same number always, or a kill would change the order."""


class Turns:
    """The turns of one execution. With `in_order` False nobody waits, and nothing is kept."""

    def __init__(self, quotas: Quotas, *, in_order: bool) -> None:
        self._quotas = quotas
        self._in_order = in_order
        self._active: list[Place] = []
        self._gone: set[Place] = set()
        self._waiting: dict[Place, asyncio.Future[bool]] = {}
        self._cut: Place | None = None
        self._stopped = False

    @property
    def waiting(self) -> int:
        """How many have all they need but their turn."""
        return len(self._waiting)

    @property
    def stuck(self) -> bool:
        """Whether all that wait, wait for the item that is issued next."""
        coming = self._coming()
        return coming is not None and not (self._active and self._active[0] < coming)

    def enter(self, item: Item) -> Turn:
        """`item` is being worked on."""
        position = self._quotas.tallies[item.category].position
        return self._enter((item.ordinal, position, 0))

    def stop(self) -> None:
        """No further item will be issued."""
        self._stopped = True
        self.look()

    def look(self) -> None:
        """Give the next turn, if it can be given. After every change in what is to be issued."""
        while self._active and self._active[0] in self._gone:
            self._gone.remove(heapq.heappop(self._active))
        coming = self._coming()
        if self._stopped and coming is not None:
            self._cut_at(coming)
        if self._cut is not None:
            self._give_up(self._cut)
        head = self._active[0] if self._active else None
        if head in self._waiting and (coming is None or head < coming):
            self._answer(head, True)

    def _enter(self, place: Place) -> Turn:
        if self._in_order:
            heapq.heappush(self._active, place)
        return Turn(self, place)

    def _leave(self, place: Place) -> None:
        if self._in_order:
            self._gone.add(place)
            self.look()

    async def _wait(self, place: Place) -> bool:
        if not self._in_order:
            return True
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[place] = future
        self.look()
        try:
            return await future
        finally:
            del self._waiting[place]

    def _coming(self) -> Place | None:
        """The item that would be issued next."""
        place = self._quotas.next_place() if self._in_order else None
        return None if place is None else (*place, 0)

    def _give_up(self, cut: Place) -> None:
        for place in self._waiting:
            if place > cut:
                self._answer(place, False)

    def _cut_at(self, place: Place) -> None:
        self._cut = place if self._cut is None else min(self._cut, place)

    def _answer(self, place: Place, turn: bool) -> None:
        future = self._waiting[place]
        if not future.done():
            future.set_result(turn)


class Turn:
    """The turn of one item, and of each further try of it."""

    def __init__(self, turns: Turns, place: Place) -> None:
        self._turns = turns
        self._place = place

    async def comes(self) -> bool:
        """Until it is its turn. False: because of a stop it never will be."""
        return await self._turns._wait(self._place)

    def again(self) -> None:
        """It had its turn, and needs another one for what it brings next."""
        old, (ordinal, position, number) = self._place, self._place
        self._place = (ordinal + AGAIN_AFTER, position, number + 1)
        self._turns._enter(self._place)
        self._turns._leave(old)

    def over(self) -> None:
        """It had its turn, or needs none, and the quotas know what came of it."""
        self._turns._leave(self._place)

    def dropped(self) -> None:
        """A stop ended it: it will be first in the next execution, so those after it wait."""
        self._turns._cut_at(self._place)
        self._turns._leave(self._place)
