"""Scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, select

from corpusmith.errors import Conflict
from corpusmith.nouns import Scenario
from corpusmith.store.codec import plain
from corpusmith.store.database import Database
from corpusmith.store.named import NamedRows
from corpusmith.store.schema import dataset_scenarios, datasets, scenarios


class Scenarios:
    """The `scenarios` table."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = NamedRows(database, scenarios, "scenario")

    def add(self, scenario: Scenario) -> None:
        """Raises Conflict when the name is taken."""
        self._rows.add(_row(scenario))

    def get(self, name: str) -> Scenario:
        """Raises NotFound."""
        return scenario_of(self._rows.get(name))

    def list(
        self, search: str | None = None, *, limit: int | None = 50, after: str | None = None
    ) -> Sequence[Scenario]:
        """By name; `after`: the last name of the page before; `limit` None: all."""
        fields = ("name", "description")
        return [scenario_of(row) for row in self._rows.page(search, fields, limit, after)]

    def update(self, scenario: Scenario, *, old_name: str | None = None) -> None:
        """In place of the one of this name, or of `old_name`. Raises NotFound, Conflict."""
        self._rows.update(old_name or scenario.name, _row(scenario))

    def delete(self, name: str) -> None:
        """Raises NotFound, and Conflict `in_use` with the datasets that bind it."""
        with self._database.write() as connection:
            row = self._rows.row(connection, name)
            users = connection.scalars(
                select(datasets.c.name)
                .join(dataset_scenarios, dataset_scenarios.c.dataset_id == datasets.c.id)
                .where(dataset_scenarios.c.scenario_id == row["id"])
                .order_by(datasets.c.name)
            ).all()
            if users:
                raise Conflict("in_use", kind="scenario", name=name, users=", ".join(users))
            self._rows.remove(connection, row["id"])


def scenario_of(row: RowMapping) -> Scenario:
    """The Scenario of a row of `scenarios`."""
    names = ("name", "description", "weight", "language")
    return Scenario(**{name: row[name] for name in names})


def _row(scenario: Scenario) -> dict[str, Any]:
    return {
        "name": plain(scenario.name),
        "description": plain(scenario.description),
        "weight": scenario.weight,
        "language": scenario.language,
    }
