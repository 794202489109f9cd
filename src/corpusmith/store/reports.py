"""Reports that are kept: each belongs to a dataset, and goes with it.

Owns: the `reports` rows. Does not own: what one says and how many stay
(`service/kept_reports.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, insert, select

from corpusmith.store.codec import plain
from corpusmith.store.database import Database
from corpusmith.store.review_queue import dataset_id
from corpusmith.store.schema import reports


class Reports:
    """The `reports` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, dataset: str, report: str, body: str, *, made_at: float, most: int) -> None:
        """A new one; of more than `most` of the dataset the oldest go. Raises NotFound."""
        with self._database.write() as connection:
            row_id = dataset_id(connection, dataset)
            row = {"id": report, "dataset_id": row_id, "made_at": made_at, "body": plain(body)}
            connection.execute(insert(reports), row)
            newest = select(reports.c.id).where(reports.c.dataset_id == row_id)
            kept = connection.scalars(newest.order_by(reports.c.id.desc()).limit(most)).all()
            old = (reports.c.dataset_id == row_id, reports.c.id.not_in(kept))
            connection.execute(delete(reports).where(*old))

    def list(self, dataset: str) -> Sequence[tuple[str, float]]:
        """Id and moment of each, the newest first. Raises NotFound (dataset)."""
        with self._database.read() as connection:
            own = reports.c.dataset_id == dataset_id(connection, dataset)
            query = select(reports.c.id, reports.c.made_at).where(own)
            found = connection.execute(query.order_by(reports.c.id.desc()))
            return [(report, made_at) for report, made_at in found]

    def get(self, dataset: str, report: str) -> str | None:
        """Its body; None: there is no such report. Raises NotFound (dataset)."""
        with self._database.read() as connection:
            own = reports.c.dataset_id == dataset_id(connection, dataset)
            query = select(reports.c.body).where(own, reports.c.id == plain(report))
            found: str | None = connection.scalar(query)
            return found

    def delete(self, dataset: str, report: str) -> bool:
        """Whether there was one. Raises NotFound (dataset)."""
        with self._database.write() as connection:
            own = reports.c.dataset_id == dataset_id(connection, dataset)
            query = delete(reports).where(own, reports.c.id == plain(report))
            return connection.execute(query).rowcount > 0
