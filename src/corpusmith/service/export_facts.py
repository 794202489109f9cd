"""What an export is made of, counted as its records pass; and who made them.

Owns: the counts, and what may be told of the tasks behind them: never a path, an address or a key.
Does not own: the manifest's and the card's looks (`export_manifest.py`, `data_card.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from corpusmith.errors import NotFound
from corpusmith.exports.reading import RatedOptions, rating_of
from corpusmith.service.checks import stored_options
from corpusmith.store.store import SqlStore
from corpusmith.store.values import Task
from corpusmith.values import Json, Record

_SHOWN_CHARACTERS = 200


@dataclass(slots=True)
class Facts:
    """Counts of records, but for `rows`."""

    records: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    """By part."""
    parts: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    scenarios: Counter[str] = field(default_factory=Counter)
    characters: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    recipes: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    tasks: Counter[int] = field(default_factory=Counter)
    """By the task that made them: of a copy, the one that made the original."""
    checks: dict[str, Counter[str]] = field(default_factory=dict)
    """check → what it did with these records."""
    rated: int = 0
    edited: int = 0
    simulated: int = 0
    """Written by Corpusmith's own simulator."""
    low_rated: int = 0
    """People rated them as KTO's unwanted answers are."""
    without_character: Counter[str] = field(default_factory=Counter)
    """Records whose character's prompt is not known, by its name; empty: they name none."""

    def add(self, records: Iterable[Record], part: str, rows: int) -> None:
        """Rows in a part, and the records that they are made of."""
        self.rows[part] += rows
        for record in records:
            self._add(record, part)

    def _add(self, record: Record, part: str) -> None:
        provenance = record.provenance
        self.records += 1
        self.parts[part] += 1
        self.categories[record.category] += 1
        self.scenarios[record.labels.get("scenario", "")] += 1
        self.characters[record.labels.get("character", "")] += 1
        self.states[record.state] += 1
        self.recipes[str(provenance.get("recipe", ""))] += 1
        self.models.update(set(map(str, provenance.get("models", ()))))
        self.tasks[provenance.get("from", {}).get("task", record.task_id)] += 1
        self.rated += record.rating is not None
        self.edited += record.version > 1
        self.simulated += bool(provenance.get("simulated"))
        rating = rating_of(record)
        self.low_rated += rating is not None and rating <= RatedOptions.bad
        if not provenance.get("system"):
            self.without_character[record.labels.get("character", "")] += 1
        for name, verdict in record.verdicts.items():
            action = verdict if isinstance(verdict, str) else str(verdict.get("action"))
            self.checks.setdefault(name, Counter())[action] += 1

    @property
    def imported(self) -> int:
        """Read from files: nobody here knows who wrote them."""
        return self.recipes["import"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """A task, as much of it as may be told to everybody."""

    task: int
    name: str
    recipe: str
    language: str
    records: int
    """Of this export."""
    requested: int
    accepted: int
    roles: Mapping[str, Mapping[str, str]]
    """role → `provider`, `model`."""
    sampling: Mapping[str, Json]
    checks: Mapping[str, Mapping[str, Json]]
    rejected: Mapping[str, int]
    """By reason."""
    failed: int
    spec: Mapping[str, Json] = field(repr=False)
    """The recipe's own parameters: not all of it may be told."""


def makers(facts: Facts, store: SqlStore) -> Sequence[Maker]:
    """The tasks that made the records, by number; those that were deleted are left out."""
    found = []
    for task_id, count in sorted(facts.tasks.items()):
        try:
            found.append(_maker(store.tasks.get(task_id), count, store))
        except NotFound:
            continue
    return found


def _maker(task: Task, records: int, store: SqlStore) -> Maker:
    misses = store.tasks.miss_counts(task.id)
    rejected = {reason: n for (kind, reason), n in misses.items() if kind == "rejected"}
    sampling = ("temperature", "top_p", "max_tokens")
    return Maker(
        task=task.id,
        name=task.name,
        recipe=task.recipe,
        language=str(task.spec.get("language", "")),
        records=records,
        requested=task.requested,
        accepted=task.counts.accepted,
        roles={role: _model(one) for role, one in task.connections.items()},
        sampling={key: task.spec[key] for key in sampling if task.spec.get(key) is not None},
        checks={name: shown(own) for name, own in stored_options(task.spec).items()},
        rejected=rejected,
        failed=task.counts.failed,
        spec=task.spec.get("recipe_spec", {}),
    )


def _model(connection: Mapping[str, Any]) -> dict[str, str]:
    """Never the address: it may be of a house's own network."""
    return {
        "provider": str(connection.get("provider", "")),
        "model": str(connection.get("model") or ""),
    }


def shown(options: Mapping[str, Any]) -> dict[str, Json]:
    """Options as they can be told: of a long text or list (such as a word list) only its size."""
    return {name: _short(value) for name, value in options.items()}


def _short(value: Any) -> Json:
    if isinstance(value, str):
        return value if len(value) <= _SHOWN_CHARACTERS else f"({len(value)} characters)"
    if isinstance(value, bool | int | float) or value is None:
        return value
    size = len(value) if hasattr(value, "__len__") else 1
    plain = isinstance(value, list | tuple) and all(isinstance(one, int | float) for one in value)
    return list(value) if plain and size <= 20 else f"({size})"
