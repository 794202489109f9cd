"""Datasets: what they bind, and their records in numbers.

Does not own: reading or committing records (`records.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, delete, func, insert, select

from corpusmith.errors import Conflict, NotFound
from corpusmith.nouns import Character, Dataset, Scenario
from corpusmith.store.characters import character_of
from corpusmith.store.codec import plain
from corpusmith.store.database import Database
from corpusmith.store.named import NamedRows
from corpusmith.store.removals import forget_dataset, rename_dataset
from corpusmith.store.scenarios import scenario_of
from corpusmith.store.schema import (
    characters,
    dataset_characters,
    dataset_scenarios,
    datasets,
    records,
    scenarios,
    tasks,
)
from corpusmith.store.values import Statistics

Bindings = tuple[list[Character], list[tuple[Scenario, float]]]
"""Characters, and scenarios with their weights."""


class Datasets:
    """The `datasets` table and its bindings."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = NamedRows(database, datasets, "dataset")

    def add(self, dataset: Dataset) -> None:
        """Raises Conflict when the name is taken."""
        self._rows.add(_row(dataset))

    def get(self, name: str) -> Dataset:
        """Raises NotFound."""
        return _dataset(self._rows.get(name))

    def list(
        self, search: str | None = None, *, limit: int | None = 50, after: str | None = None
    ) -> Sequence[Dataset]:
        """By name; `after`: the last name of the page before; `limit` None: all."""
        fields = ("name", "description")
        return [_dataset(row) for row in self._rows.page(search, fields, limit, after)]

    def update(self, dataset: Dataset, *, old_name: str | None = None) -> None:
        """In place of the one of this name, or of `old_name`. Raises NotFound, Conflict."""
        old = old_name or dataset.name
        with self._database.write() as connection:
            self._rows.change(connection, old, _row(dataset))
            if old != dataset.name:
                rename_dataset(connection, old, dataset.name)

    def delete(self, name: str, *, with_records: bool = False) -> None:
        """With its bindings. Raises NotFound, and Conflict: `in_use` with the tasks that write to
        it, `in_use_records` with the number of records in it, unless they are to go too."""
        with self._database.write() as connection:
            row_id = self._rows.row(connection, name)["id"]
            users = connection.execute(
                select(tasks.c.id, tasks.c.name)
                .where(tasks.c.dataset_id == row_id)
                .order_by(tasks.c.id)
            ).all()
            if users:
                shown = ", ".join(f"#{task_id} {task}" for task_id, task in users)
                raise Conflict("in_use", kind="dataset", name=name, users=shown)
            if with_records:
                connection.execute(delete(records).where(records.c.dataset_id == row_id))
            elif count := _count(connection, row_id):
                raise Conflict("in_use_records", kind="dataset", name=name, users=count)
            forget_dataset(connection, row_id, name)
            self._rows.remove(connection, row_id)

    def bind(
        self,
        name: str,
        *,
        characters: Sequence[str] = (),
        scenarios: Mapping[str, float] | None = None,
    ) -> None:
        """These characters and scenarios (with their weights), in this order, and no others.

        Raises NotFound: the dataset, a character or a scenario.
        """
        weights = scenarios or {}
        with self._database.write() as connection:
            row_id = self._rows.row(connection, name)["id"]
            _bind_characters(connection, row_id, characters)
            _bind_scenarios(connection, row_id, weights)

    def bindings(self, name: str) -> Bindings:
        """Characters, and scenarios with their weights here, in the order they were bound.

        Raises NotFound.
        """
        with self._database.read() as connection:
            row_id = self._rows.row(connection, name)["id"]
            cast_rows = connection.execute(
                select(characters)
                .join(dataset_characters, dataset_characters.c.character_id == characters.c.id)
                .where(dataset_characters.c.dataset_id == row_id)
                .order_by(dataset_characters.c.position)
            ).mappings()
            cast = [character_of(row) for row in cast_rows]
            scene_rows = connection.execute(
                select(scenarios, dataset_scenarios.c.weight.label("share"))
                .join(dataset_scenarios, dataset_scenarios.c.scenario_id == scenarios.c.id)
                .where(dataset_scenarios.c.dataset_id == row_id)
                .order_by(dataset_scenarios.c.position)
            ).mappings()
            return cast, [(scenario_of(row), row["share"]) for row in scene_rows]

    def statistics(self, name: str) -> Statistics:
        """How many records there are, by scenario and by character. Raises NotFound."""
        with self._database.read() as connection:
            row_id = self._rows.row(connection, name)["id"]
            return Statistics(
                total=_count(connection, row_id),
                by_scenario=_count_by(connection, row_id, "scenario"),
                by_character=_count_by(connection, row_id, "character"),
            )

    def delete_records(self, name: str, *, scenario: str | None = None) -> int:
        """Deletes its records, or only a scenario's; returns how many. Raises NotFound."""
        with self._database.write() as connection:
            row_id = self._rows.row(connection, name)["id"]
            query = delete(records).where(records.c.dataset_id == row_id)
            if scenario is not None:
                query = query.where(records.c.scenario == plain(scenario))
            return connection.execute(query).rowcount


def _bind_characters(connection: Connection, dataset_id: int, names: Sequence[str]) -> None:
    table = dataset_characters
    connection.execute(delete(table).where(table.c.dataset_id == dataset_id))
    ids = _ids(connection, characters, "character", names)
    rows = [
        {"dataset_id": dataset_id, "character_id": ids[name], "position": position}
        for position, name in enumerate(dict.fromkeys(names))
    ]
    if rows:
        connection.execute(insert(table), rows)


def _bind_scenarios(connection: Connection, dataset_id: int, weights: Mapping[str, float]) -> None:
    table = dataset_scenarios
    connection.execute(delete(table).where(table.c.dataset_id == dataset_id))
    ids = _ids(connection, scenarios, "scenario", list(weights))
    rows = [
        {
            "dataset_id": dataset_id,
            "scenario_id": ids[name],
            "position": position,
            "weight": weight,
        }
        for position, (name, weight) in enumerate(weights.items())
    ]
    if rows:
        connection.execute(insert(table), rows)


def _ids(connection: Connection, table: Table, kind: str, names: Sequence[str]) -> dict[str, int]:
    query = select(table.c.name, table.c.id).where(table.c.name.in_(names))
    ids = {name: row_id for name, row_id in connection.execute(query)}
    for name in names:
        if name not in ids:
            raise NotFound(f"unknown_{kind}", kind=kind, name=name)
    return ids


def _count(connection: Connection, dataset_id: int) -> int:
    query = select(func.count()).select_from(records).where(records.c.dataset_id == dataset_id)
    return connection.scalar(query) or 0


def _count_by(connection: Connection, dataset_id: int, label: str) -> dict[str, int]:
    column = records.c[label]
    rows = connection.execute(
        select(column, func.count()).where(records.c.dataset_id == dataset_id).group_by(column)
    )
    # Largest first; a record without the label counts under the empty name.
    counts = {name or "": count for name, count in rows}
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _dataset(row: RowMapping) -> Dataset:
    return Dataset(name=row["name"], description=row["description"], language=row["language"])


def _row(dataset: Dataset) -> dict[str, Any]:
    return {
        "name": plain(dataset.name),
        "description": plain(dataset.description),
        "language": dataset.language,
    }
