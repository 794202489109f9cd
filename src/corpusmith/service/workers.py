"""Worker processes: which live, and keeping some of them alive.

Owns: starting, watching and stopping child processes; telling who lives. Does not own: what a
worker does (`worker.py`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from corpusmith.store.lease import surely_dead

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

SILENT_S = 20.0
"""A worker that has not been heard of for this long counts as gone."""
FIRST_WAIT_S, MOST_WAIT_S = 0.5, 30.0
STEADY_S = 60.0
"""A worker that lived this long did not die of its start."""

Event = Literal["started", "died"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkersView:
    """The workers that live, all together."""

    workers: int
    tasks_at_once: int
    """Tasks that they can run at the same time."""
    running: int
    """Tasks that they ran when they were last heard of."""


class Workers:
    """`studio.workers`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def alive(self) -> WorkersView:
        """Those that live now. None: what is queued waits until one is started."""
        now = time.time()
        rows = [
            one
            for one in self._studio.store.workers.list()
            if now - one.at <= SILENT_S and not surely_dead(one.owner)
        ]
        return WorkersView(
            workers=len(rows),
            tasks_at_once=sum(one.tasks_at_once for one in rows),
            running=sum(one.running for one in rows),
        )


@dataclass(slots=True, kw_only=True)
class _Place:
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    again_s: float = 0.0
    wait_s: float = FIRST_WAIT_S


@dataclass(slots=True, kw_only=True)
class Watch:
    """Some worker processes, each started again when it dies, after a growing pause.

    The database's address goes to them by the environment, never by a command line, which anybody
    on the machine can read. Each holds the other end of a pipe: when this process dies, however it
    does, they see its end and drain.
    """

    count: int
    url: str
    tasks_at_once: int
    told: Callable[[Event, int], None]
    """Hears of each start (with the process number) and death (with the exit code)."""
    _places: list[_Place] = field(default_factory=list)
    _ending: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Start them, and watch from a thread until `stop`."""
        self._places = [_Place() for _ in range(self.count)]
        self._look()
        self._thread = threading.Thread(target=self._watch, name="corpusmith-workers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask them to drain; called again, to end at once."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()
        for place in self._places:
            if place.process is not None and place.process.poll() is None:
                place.process.terminate()

    def living(self) -> int:
        """How many still run."""
        return sum(one.process is not None and one.process.poll() is None for one in self._places)

    def kill(self) -> None:
        """End those that did not end by themselves."""
        for place in self._places:
            if place.process is not None and place.process.poll() is None:
                place.process.kill()
            if place.process is not None:
                place.process.wait()

    def _watch(self) -> None:
        while not self._ending.wait(0.1):
            self._look()

    def _look(self) -> None:
        now = time.monotonic()
        for place in self._places:
            if place.process is not None and place.process.poll() is not None:
                self._bury(place, now)
            if place.process is None and now >= place.again_s:
                self._raise(place, now)

    def _bury(self, place: _Place, now: float) -> None:
        process, place.process = place.process, None
        if now - place.started_s > STEADY_S:
            place.wait_s = FIRST_WAIT_S
        place.again_s = now + place.wait_s
        place.wait_s = min(MOST_WAIT_S, 2 * place.wait_s)
        if process is not None:
            self.told("died", process.returncode)

    def _raise(self, place: _Place, now: float) -> None:
        command = [sys.executable, "-m", "corpusmith", "worker", "--watched"]
        command += ["--tasks-at-once", str(self.tasks_at_once)]
        place.started_s = now
        place.process = subprocess.Popen(  # noqa: S603  our own program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "CORPUSMITH_DATABASE_URL": self.url},
            # A Ctrl-C at the terminal is for the server, which asks its workers by itself.
            start_new_session=True,
        )
        self.told("started", place.process.pid)
