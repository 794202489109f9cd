"""The sync door: one line around the async core."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs `work` to its end on a new event loop; uvloop's where it is installed."""
    try:
        import uvloop
    except ImportError:
        factory = None
    else:
        factory = uvloop.new_event_loop
    with calm_collector(), asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


@contextmanager
def calm_collector() -> Iterator[None]:
    """Python's cyclic collector, out of the way while a run or a server owns the process.

    Measured: with its usual thresholds it looks through every loaded module's objects again and
    again while thousands of calls are in flight, a fifth of a busy run's CPU. What is loaded now
    is set aside, and young objects are looked at less often; memory stays as flat.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # a server's thread, one of several: the process is not ours
        return
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
