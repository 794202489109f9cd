"""Use-cases of what people collect: scenarios and datasets.

Owns: shipped things on request, bindings, what a name may be. Does not own: rows (store),
characters (`characters.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from corpusmith import registry
from corpusmith.errors import NotFound, UsageError
from corpusmith.nouns import Character, Dataset, Scenario
from corpusmith.presets import load as presets
from corpusmith.service.cards import find_character, has
from corpusmith.store.values import DatasetNumbers, Removal
from corpusmith.values import Draft, Language, Record, Verdict

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio


N = TypeVar("N", Character, Scenario)


class Scenarios:
    """`studio.scenarios`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def add(self, scenario: Scenario) -> Scenario:
        """Raises Conflict when the name is taken."""
        named(scenario.name, "scenario")
        if scenario.weight < 0:
            raise UsageError("weight_negative", name=scenario.name, weight=scenario.weight)
        self._studio.store.scenarios.add(scenario)
        return scenario

    def get(self, name: str) -> Scenario:
        """Raises NotFound."""
        return self._studio.store.scenarios.get(name)

    def find(self, name: str) -> Scenario:
        """A stored scenario, or a shipped one. Raises NotFound."""
        try:
            return self.get(name)
        except NotFound:
            for one in self.shipped():
                if one.name == name:
                    return one
            raise

    def list(
        self, search: str | None = None, *, limit: int | None = None, after: str | None = None
    ) -> Sequence[Scenario]:
        """By name; `after`: the last name of the page before; `limit` None: all."""
        return self._studio.store.scenarios.list(search, limit=limit, after=after)

    def shipped(self, language: Language | None = None) -> Sequence[Scenario]:
        """The scenarios that come with Corpusmith."""
        languages: tuple[Language, ...] = (language,) if language else ("zh", "en")
        return [one for chosen in languages for one in presets.scenarios(chosen)]

    def update(self, name: str, **fields: Any) -> Scenario:
        fresh = changed(self.get(name), fields)
        self._studio.store.scenarios.update(fresh)
        return fresh

    def delete(self, name: str) -> None:
        """Raises Conflict naming what uses it."""
        self._studio.store.scenarios.delete(name)


class Datasets:
    """`studio.datasets`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def add(
        self,
        name: str,
        *,
        description: str = "",
        language: Language | None = None,
        characters: Sequence[str] = (),
        scenarios: Mapping[str, float] | None = None,
    ) -> Dataset:
        """A dataset; bound characters and scenarios that are only shipped are stored first.

        `language` None: the first character's, else the Studio's. Raises Conflict, NotFound; then
        nothing is made.
        """
        named(name, "dataset")
        found = [find_character(wish, self._studio.store) for wish in characters]
        for scenario in scenarios or {}:
            self._studio.scenarios.find(scenario)
        spoken = language or (found[0].language if found else self._studio.language)
        dataset = Dataset(name=name, description=description, language=spoken)
        self._studio.store.datasets.add(dataset)
        self.bind(name, characters=characters, scenarios=scenarios or {})
        return dataset

    def ensure(self, name: str, language: Language) -> None:
        """Make `name` if it is not there."""
        if not has(self._studio.store.datasets, name):
            self.add(name, language=language)

    def bind(
        self, name: str, *, characters: Sequence[str] = (), scenarios: Mapping[str, float]
    ) -> None:
        """Bind characters and scenarios (with weights), in place of what was bound before.

        Raises NotFound, UsageError.
        """
        names = [self._stored_character(wish) for wish in characters]
        for scenario, weight in scenarios.items():
            if weight < 0:
                raise UsageError("weight_negative", name=scenario, weight=weight)
            self._stored_scenario(scenario)
        self._studio.store.datasets.bind(name, characters=names, scenarios=dict(scenarios))

    def bind_more(
        self,
        name: str,
        *,
        characters: Sequence[str] = (),
        scenarios: Mapping[str, float] | None = None,
    ) -> None:
        """Bind these too; a scenario that is bound takes its new weight. Raises as `bind`."""
        cast, scenes = self.bindings(name)
        names = [one.name for one in cast]
        fresh = [one for one in characters if one not in names]
        weights = {one.name: weight for one, weight in scenes}
        self.bind(name, characters=[*names, *fresh], scenarios={**weights, **(scenarios or {})})

    def unbind(
        self, name: str, *, characters: Sequence[str] = (), scenarios: Sequence[str] = ()
    ) -> None:
        """Bind these no longer. Raises NotFound: the dataset, or one that it does not bind."""
        cast, scenes = self.bindings(name)
        names = [one.name for one in cast]
        weights = {one.name: weight for one, weight in scenes}
        for kind, wanted, bound in (
            ("character", characters, names),
            ("scenario", scenarios, list(weights)),
        ):
            for one in wanted:
                if one not in bound:
                    raise NotFound("not_bound", kind=kind, name=one, dataset=name)
        self.bind(
            name,
            characters=[one for one in names if one not in characters],
            scenarios={one: weight for one, weight in weights.items() if one not in scenarios},
        )

    def update(
        self,
        name: str,
        *,
        new_name: str | None = None,
        description: str | None = None,
        language: Language | None = None,
    ) -> Dataset:
        """Change what is given. Records, bindings and tasks stay with it under its new name.

        Raises NotFound, Conflict when the name is taken.
        """
        old = self.get(name)
        fresh = Dataset(
            name=old.name if new_name is None else new_name,
            description=old.description if description is None else description,
            language=language or old.language,
        )
        named(fresh.name, "dataset")
        self._studio.store.datasets.update(fresh, old_name=name)
        return fresh

    def counts(self, names: Sequence[str]) -> Mapping[str, int]:
        """Name → number of records; those without any are not in it."""
        return self._studio.store.dataset_numbers.counts(names)

    def numbers(self, name: str) -> DatasetNumbers:
        """Everything that charts show: states, scenarios, characters, scores, ratings, lengths.

        Raises NotFound.
        """
        return self._studio.store.dataset_numbers.of(name)

    def get(self, name: str) -> Dataset:
        """Raises NotFound."""
        return self._studio.store.datasets.get(name)

    def bindings(self, name: str) -> tuple[Sequence[Character], Sequence[tuple[Scenario, float]]]:
        return self._studio.store.datasets.bindings(name)

    def list(
        self, search: str | None = None, *, limit: int | None = None, after: str | None = None
    ) -> Sequence[Dataset]:
        """By name; `after`: the last name of the page before; `limit` None: all."""
        return self._studio.store.datasets.list(search, limit=limit, after=after)

    def statistics(self, name: str) -> Any:
        """Counts of records in all, per scenario and per character."""
        return self._studio.store.datasets.statistics(name)

    def first(self, name: str, n: int = 10) -> Sequence[Record]:
        """The first `n` records."""
        found: list[Record] = []
        for record in self._studio.store.records.iterate(dataset=name):
            found.append(record)
            if len(found) == n:
                break
        return found

    def broken(self, name: str) -> Sequence[tuple[Record, Verdict]]:
        """The records that break the format, with what is wrong. Nothing is changed."""
        self.get(name)
        check = registry.load("check", "format")()
        records = self._studio.store.records.iterate(dataset=name)
        found = ((record, check(_draft(record))) for record in records)
        return [(record, verdict) for record, verdict in found if not verdict.passed]

    def clean(self, name: str) -> Removal | None:
        """Take out the records that break the format; None: there are none."""
        broken = [one.id for one, _ in self.broken(name)]
        if not broken:
            return None
        return self._studio.store.removals.remove(name, broken, reason="format")

    def removals(self, name: str | None = None) -> Sequence[Removal]:
        """What was taken out and can be put back, newest first. Raises NotFound."""
        if name is not None:
            self.get(name)
        return self._studio.store.removals.list(name)

    def restore(self, number: int) -> Removal:
        """Put back what a removal took out. Raises NotFound, UsageError."""
        return self._studio.store.removals.restore(number)

    def delete_records(self, name: str, *, scenario: str) -> int:
        """Delete a scenario's records; returns how many."""
        return self._studio.store.datasets.delete_records(name, scenario=scenario)

    def delete(self, name: str, *, with_records: bool = False) -> None:
        """`with_records`: with all of them, for good. Raises Conflict naming what uses it."""
        self._studio.store.datasets.delete(name, with_records=with_records)

    def _stored_character(self, wish: str) -> str:
        character = find_character(wish, self._studio.store)
        if not has(self._studio.store.characters, character.name):
            self._studio.characters.add(character)
        return character.name

    def _stored_scenario(self, name: str) -> None:
        scenario = self._studio.scenarios.find(name)
        if not has(self._studio.store.scenarios, name):
            self._studio.scenarios.add(scenario)


def _draft(record: Record) -> Draft:
    """The record as the checks saw it."""
    return Draft(content=record.content, provenance=record.provenance)


def named(name: str, kind: str) -> None:
    """A name has 1 to 200 visible characters and no control characters."""
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise UsageError("bad_name", kind=kind, name=name[:60])


def changed(noun: N, fields: Mapping[str, Any]) -> N:
    known = noun.__dataclass_fields__
    unknown = sorted(set(fields) - set(known) | ({"name"} & set(fields)))
    if unknown:
        raise UsageError("unknown_field", field=unknown[0], fields=", ".join(sorted(known)))
    return replace(noun, **fields)
