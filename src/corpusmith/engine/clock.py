"""The system's clock, as `contracts.Clock`.

Owns: real time. Does not own: when somebody sleeps.
"""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """Real time; the event loop's sleep."""

    __slots__ = ()

    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)
    sleep = staticmethod(asyncio.sleep)
