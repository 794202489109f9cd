"""The rows that a task was given, copied when it was made.

Owns: the `inputs` table. Does not own: where rows come from.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from itertools import islice

from sqlalchemy import Connection, func, insert, select

from corpusmith.lazy import LazyRows
from corpusmith.store.codec import from_json, to_json
from corpusmith.store.database import Database
from corpusmith.store.schema import inputs
from corpusmith.values import Json

_AT_ONCE = 256
_PAGES_KEPT = 64
"""16,384 rows: items in progress look at rows that are near each other."""


class Rows(LazyRows):
    """A task's rows, read by the page when they are looked at."""

    def __init__(self, database: Database, task_id: int) -> None:
        self._database = database
        self._task_id = task_id
        self._pages: OrderedDict[int, list[Json]] = OrderedDict()
        query = select(func.count()).select_from(inputs).where(inputs.c.task_id == task_id)
        with database.read() as connection:
            self._length: int = connection.scalar(query) or 0

    def __len__(self) -> int:
        return self._length

    def row(self, place: int) -> Json:
        page, within = divmod(place, _AT_ONCE)
        return self._page(page)[within]

    def __iter__(self) -> Iterator[Json]:
        for page in range(-(-self._length // _AT_ONCE)):
            yield from self._page(page)

    def _page(self, page: int) -> list[Json]:
        if page in self._pages:
            self._pages.move_to_end(page)
            return self._pages[page]
        first = page * _AT_ONCE
        query = select(inputs.c.content).where(
            inputs.c.task_id == self._task_id,
            inputs.c.position >= first,
            inputs.c.position < first + _AT_ONCE,
        )
        with self._database.read() as connection:
            found = connection.scalars(query.order_by(inputs.c.position)).all()
        self._pages[page] = [from_json(text) for text in found]
        if len(self._pages) > _PAGES_KEPT:
            self._pages.popitem(last=False)
        return self._pages[page]


def copy_rows(connection: Connection, task_id: int, rows: Iterable[Json]) -> int:
    """Writes a new task's rows within its transaction; returns how many. Streams."""
    waiting = iter(rows)
    position = 0
    while some := list(islice(waiting, _AT_ONCE)):
        connection.execute(
            insert(inputs),
            [
                {"task_id": task_id, "position": at, "content": to_json(row)}
                for at, row in enumerate(some, position)
            ],
        )
        position += len(some)
    return position
