"""Once a day the server forgets what its settings say.

Owns: when. Does not own: what (`service/retention.py`). An error is in the log, and the next hour
brings the next try.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi.concurrency import run_in_threadpool

from corpusmith.api.serving import Serving
from corpusmith.errors import CorpusmithError
from corpusmith.service.studio import Studio

log = logging.getLogger("corpusmith.api")

FIRST_S, EVERY_S = 60.0, 3600.0
"""After the start, and from then on: whether a day is over is looked up each time."""


@asynccontextmanager
async def sweeping(serving: Serving) -> AsyncIterator[None]:
    """Inside, it happens."""
    task = asyncio.create_task(_sweep(serving))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _sweep(serving: Serving) -> None:
    wait_s = FIRST_S
    while True:
        await asyncio.sleep(wait_s)
        wait_s = EVERY_S
        studio = Studio.over(serving.store, serving.language)
        try:
            done = await run_in_threadpool(studio.retention.sweep_if_due)
        except CorpusmithError as error:
            log.warning("the daily sweep: %s", error.reason)
        else:
            if done is not None:
                log.info("swept: %d calls, %d rows of the log", done.calls, done.audit)
