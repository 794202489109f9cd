"""Use-cases of what people collect: characters, scenarios, datasets.

Owns: card files in and out, shipped things on request, bindings. Does not own: rows (store), the
cards' format (cards).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from corpusmith import registry
from corpusmith.cards.read import read_card
from corpusmith.cards.write import write_card
from corpusmith.errors import NotFound, UsageError
from corpusmith.nouns import Character, Dataset, Scenario
from corpusmith.presets import load as presets
from corpusmith.service.cards import find_character, has, read_bytes
from corpusmith.store.values import Removal
from corpusmith.values import Draft, Language, Record, Verdict

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio


N = TypeVar("N", Character, Scenario)


class Characters:
    """`studio.characters`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def add(self, character: Character) -> Character:
        """Raises Conflict when the name is taken."""
        _named(character.name, "character")
        self._studio.store.characters.add(character)
        return character

    def import_file(self, path: str | Path, *, replace_existing: bool = False) -> Character:
        """A card (JSON or PNG; V1, V2, V3, or our own fields). Raises CardError, Conflict."""
        source = Path(path)
        character = read_card(read_bytes(source), source.name)
        if replace_existing and has(self._studio.store.characters, character.name):
            self._studio.store.characters.update(character)
            return character
        return self.add(character)

    def export_file(
        self, name: str, path: str | Path, *, form: Literal["v1", "v2", "v3"] = "v2"
    ) -> Path:
        """Write a card; `.png` puts it into the character's picture. Raises UsageError."""
        character = self.find(name)
        target = Path(path)
        png = None
        if target.suffix.lower() == ".png":
            if character.image is None:
                raise UsageError("no_picture", name=name)
            png = character.image
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(write_card(character, form, png=png))
        except OSError as error:
            raise UsageError("cannot_write", path=str(target), cause=error.strerror) from None
        return target

    def get(self, name: str) -> Character:
        """A stored character. Raises NotFound."""
        return self._studio.store.characters.get(name)

    def find(self, wish: str) -> Character:
        """A card file, a stored character or a shipped one. Raises NotFound, CardError."""
        return find_character(wish, self._studio.store)

    def list(
        self, search: str | None = None, *, limit: int | None = None, after: str | None = None
    ) -> Sequence[Character]:
        """By name; `after`: the last name of the page before; `limit` None: all."""
        return self._studio.store.characters.list(search=search, limit=limit, after=after)

    def shipped(self, language: Language | None = None) -> Sequence[Character]:
        """The characters that come with Corpusmith."""
        languages: tuple[Language, ...] = (language,) if language else ("zh", "en")
        return [one for chosen in languages for one in presets.characters(chosen)]

    def update(self, name: str, **fields: Any) -> Character:
        """Change the given fields. Raises NotFound, UsageError for an unknown field."""
        fresh = _changed(self.get(name), fields)
        self._studio.store.characters.update(fresh)
        return fresh

    def delete(self, name: str) -> None:
        """Raises Conflict naming what uses it."""
        self._studio.store.characters.delete(name)


class Scenarios:
    """`studio.scenarios`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def add(self, scenario: Scenario) -> Scenario:
        """Raises Conflict when the name is taken."""
        _named(scenario.name, "scenario")
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
        fresh = _changed(self.get(name), fields)
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
        _named(name, "dataset")
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

    def get(self, name: str) -> Dataset:
        """Raises NotFound."""
        return self._studio.store.datasets.get(name)

    def bindings(self, name: str) -> tuple[Sequence[Character], Sequence[tuple[Scenario, float]]]:
        return self._studio.store.datasets.bindings(name)

    def list(self, search: str | None = None) -> Sequence[Dataset]:
        return self._studio.store.datasets.list(search)

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

    def delete(self, name: str) -> None:
        """Raises Conflict naming what uses it."""
        self._studio.store.datasets.delete(name)

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


def _named(name: str, kind: str) -> None:
    """A name has 1 to 200 visible characters and no control characters."""
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise UsageError("bad_name", kind=kind, name=name[:60])


def _changed(noun: N, fields: Mapping[str, Any]) -> N:
    known = noun.__dataclass_fields__
    unknown = sorted(set(fields) - set(known) | ({"name"} & set(fields)))
    if unknown:
        raise UsageError("unknown_field", field=unknown[0], fields=", ".join(sorted(known)))
    return replace(noun, **fields)
