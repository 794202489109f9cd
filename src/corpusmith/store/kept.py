"""Answers that were dear to find, kept for a moment.

Owns: how long they stay true. Does not own: any question.
Numbers over a million records take a third of a second, and every page with filters shows them.
What this process writes is seen at once; what others write, ten seconds later at most, and after a
hundred times of what it took to find: so no question takes more than a hundredth of the time.
Answers that came quickly are never kept: over small datasets all numbers are exact.
Of many who ask the same at once, one looks; the others take what it finds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import TypeVar, cast
from weakref import WeakValueDictionary

from corpusmith.store.database import Database

T = TypeVar("T")
DEAR_S = 0.02
STAY_S = 10.0
TIMES = 100
MOST = 64
"""Answers at a time."""
Asked = tuple[int, float]
"""(number of writes, when)"""
_Answer = tuple[float, int, object]
"""(until, number of writes when it was asked, answer)."""


class Kept:
    """One store's."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._asking: WeakValueDictionary[Hashable, threading.Lock] = WeakValueDictionary()
        self._answers: dict[Hashable, _Answer] = {}

    def now(self) -> Asked:
        """Before an answer is looked for, for `put`."""
        return self._database.writes, time.monotonic()

    def or_found(self, question: Hashable, find: Callable[[], T]) -> T:
        """The kept answer, else what `find` says."""
        with self._lock:
            asking = self._asking.setdefault(question, threading.Lock())
        with asking:
            asked = self.now()
            with self._lock:
                until_s, writes, answer = self._answers.get(question, (0.0, -1, None))
            if writes == asked[0] and asked[1] < until_s:
                return cast(T, answer)
            found = find()
            self.put(question, asked, found)
            return found

    def put(self, question: Hashable, asked: Asked, found: object) -> None:
        """An answer that is known; kept where it was dear."""
        (writes, began_s), now_s = asked, time.monotonic()
        if now_s - began_s < DEAR_S:
            return
        until_s = now_s + min(STAY_S, TIMES * (now_s - began_s))
        with self._lock:
            if len(self._answers) >= MOST:
                self._answers.clear()
            self._answers[question] = (until_s, writes, found)
