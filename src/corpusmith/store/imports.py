"""The end and the undoing of tasks whose records come ready: imports and samples.

Owns: putting all their records into the dataset at once, with the task's end; taking them back;
what a dataset's records say, for telling what is there already.
Does not own: writing the records (`transaction.py`), files and shapes.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import delete, select, tuple_, update

from corpusmith.contracts import Lease
from corpusmith.errors import NotFound
from corpusmith.store.codec import plain
from corpusmith.store.database import Database
from corpusmith.store.lease import give_back, held, require_idle
from corpusmith.store.schema import datasets, quotas, records, removed, tasks

_AT_ONCE = 1000
_ORDER = (records.c.task_id, records.c.ordinal, records.c.position, records.c.sample)


class Imports:
    """Tasks that ask no model."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def finish(self, lease: Lease, *, as_attempted: bool) -> None:
        """The records are in the task's dataset, and the task is finished: both or none.

        `as_attempted`: it asked for what it has read, as a file's rows are known at its end only.
        Raises LeaseLost.
        """
        now = self._database.now()
        with self._database.write() as connection:
            row = held(connection, lease)
            if as_attempted:
                own = quotas.c.task_id == lease.task_id
                connection.execute(update(quotas).where(own).values(count=quotas.c.attempted))
                connection.execute(
                    update(tasks)
                    .where(tasks.c.id == lease.task_id)
                    .values(requested=tasks.c.attempted)
                )
            if row["dataset_id"] is not None:
                connection.execute(
                    update(records)
                    .where(records.c.task_id == lease.task_id, records.c.dataset_id.is_(None))
                    .values(dataset_id=row["dataset_id"])
                )
            give_back(connection, lease, "finished", None, now)

    def undo(self, task_id: int, lease: Lease | None = None) -> int:
        """The task and all its records are gone, also those in a dataset; returns how many.

        `lease`: the caller's own, while it runs. Raises NotFound, LeaseHeld, LeaseLost.
        """
        with self._database.write() as connection:
            if lease is None:
                require_idle(connection, task_id, self._database.now())
            else:
                held(connection, lease)
            gone = connection.execute(delete(records).where(records.c.task_id == task_id))
            connection.execute(delete(removed).where(removed.c.task_id == task_id))
            connection.execute(delete(tasks).where(tasks.c.id == task_id))
            return gone.rowcount

    def contents(self, dataset: str) -> Iterator[str]:
        """The content of each of a dataset's records, as the text that is stored. Streams.

        Raises NotFound.
        """
        with self._database.read() as connection:
            name = plain(dataset)
            dataset_id = connection.scalar(select(datasets.c.id).where(datasets.c.name == name))
        if dataset_id is None:
            raise NotFound("unknown_dataset", kind="dataset", name=dataset)
        query = select(records.c.content, *_ORDER).where(records.c.dataset_id == dataset_id)
        query = query.order_by(*_ORDER).limit(_AT_ONCE)
        page = query
        while True:
            with self._database.read() as connection:
                rows = connection.execute(page).all()
            for row in rows:
                yield row[0]
            if len(rows) < _AT_ONCE:
                return
            page = query.where(tuple_(*_ORDER) > tuple_(*rows[-1][1:]))
