"""What a first look at everything needs: what was spent lately, and the newest datasets.

Does not own: any noun's own rows. Everything here is read, and cheap at a million records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, or_, select

from corpusmith.store.codec import from_json, iso
from corpusmith.store.database import Database
from corpusmith.store.lease import since
from corpusmith.store.schema import datasets, executions, records, tasks

COUNT_UP_TO = 10_000
_TOTALS = [one for one in tasks.c if one.name not in executions.c]
_LATELY = (
    select(executions.c.ended_at, executions.c.before, executions.c.result, *_TOTALS)
    .join(tasks, tasks.c.id == executions.c.task_id)
    .where(or_(executions.c.ended_at.is_(None), executions.c.ended_at >= bindparam("start")))
)
_NEWEST = select(datasets).order_by(datasets.c.id.desc()).limit(bindparam("limit"))
_SOME = (
    select(records.c.id)
    .where(records.c.dataset_id == bindparam("dataset_id"))
    .limit(COUNT_UP_TO + 1)
    .subquery()
)
_COUNT = select(func.count()).select_from(_SOME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What runs used together. Runs of deleted tasks are not in it."""

    calls: int
    tokens: int
    cost_usd: float
    """Of the calls whose price is known."""
    cost_unknown: int
    """Calls whose price is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetGlance:
    """A dataset in one line."""

    name: str
    description: str
    records: int
    more: bool
    """True: it has more records than `records`, where counting stopped."""
    created_at: str


class Overview:
    """Reads of several tables at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def spent(self, seconds: float) -> Spent:
        """By the runs that ended in the last `seconds` or have not ended, each as a whole."""
        given = {"start": self._database.now() - seconds}
        with self._database.read() as connection:
            rows = connection.execute(_LATELY, given).mappings().all()
        added = [
            since(row, row["before"]) if row["ended_at"] is None else from_json(row["result"])
            for row in rows
        ]
        return Spent(
            calls=sum(one["calls"] for one in added),
            tokens=sum(one["prompt_tokens"] + one["completion_tokens"] for one in added),
            cost_usd=sum(one["cost_usd"] for one in added),
            cost_unknown=sum(one["cost_unknown"] for one in added),
        )

    def newest_datasets(self, limit: int) -> Sequence[DatasetGlance]:
        """Newest first, each counted up to COUNT_UP_TO."""
        with self._database.read() as connection:
            rows = connection.execute(_NEWEST, {"limit": limit}).mappings().all()
            counts = [connection.scalar(_COUNT, {"dataset_id": row["id"]}) or 0 for row in rows]
        return [
            DatasetGlance(
                name=row["name"],
                description=row["description"],
                records=min(count, COUNT_UP_TO),
                more=count > COUNT_UP_TO,
                created_at=iso(row["created_at"]),
            )
            for row, count in zip(rows, counts, strict=True)
        ]
