"""Looking calls up in the journal, many at a time.

Owns: gathering the look-ups of one turn of the event loop into one query. Does not own: the
journal's table (store) or writing to it (`writer.py`).
"""

from __future__ import annotations

import asyncio

from corpusmith.contracts import Store
from corpusmith.values import Reply

MOST_KEYS = 500
"""Keys a query: SQLite's limit on bound values was 999 before 3.32."""


class Journal:
    """`find` by key; look-ups of one turn of the loop go to the store together."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._asked: dict[bytes, asyncio.Future[Reply | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def find(self, key: bytes) -> asyncio.Future[Reply | None]:
        """The journalled reply of `key`, or None."""
        future = self._asked.get(key)
        if future is not None:
            return future
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        if not self._asked:
            loop.call_soon(self._flush)
        self._asked[key] = future
        return future

    def _flush(self) -> None:
        asked, self._asked = self._asked, {}
        if self._store.inline_io:
            keys = list(asked)
            for start in range(0, len(keys), MOST_KEYS):
                self._answer(asked, keys[start : start + MOST_KEYS])
            return
        task = asyncio.get_running_loop().create_task(self._flush_on_thread(asked))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _answer(self, asked: dict[bytes, asyncio.Future[Reply | None]], keys: list[bytes]) -> None:
        try:
            found = self._store.find_calls(keys)
        except Exception as error:  # noqa: BLE001  handed to everyone who asked
            _fail(asked, keys, error)
            return
        for key in keys:
            if not asked[key].done():
                asked[key].set_result(found.get(key))

    async def _flush_on_thread(self, asked: dict[bytes, asyncio.Future[Reply | None]]) -> None:
        keys = list(asked)
        try:
            found = await asyncio.to_thread(self._store.find_calls, keys)
        except Exception as error:  # noqa: BLE001  handed to everyone who asked
            _fail(asked, keys, error)
            return
        for key in keys:
            if not asked[key].done():
                asked[key].set_result(found.get(key))


def _fail(
    asked: dict[bytes, asyncio.Future[Reply | None]], keys: list[bytes], error: Exception
) -> None:
    for key in keys:
        if not asked[key].done():
            asked[key].set_exception(error)
