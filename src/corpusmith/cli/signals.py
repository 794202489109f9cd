"""A polite end that is asked for by signal.

Owns: SIGTERM as a Ctrl-C. Does not own: draining a task (`running.py`).
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def terminated_alike() -> Iterator[None]:
    """Inside, SIGTERM is a Ctrl-C: by itself it would leave half-written files behind, and a
    terminal that shows nothing of what is typed."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
