"""Datasets: named collections of records, and what they bind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Query
from pydantic import Field

from corpusmith.api.access import needs
from corpusmith.api.asking import After, Body, Limit, Page, Search, StudioOf, page_of, place_in
from corpusmith.api.etags import TAGGED, GuardOf, TagOf
from corpusmith.api.router import rest
from corpusmith.api.selecting import Name
from corpusmith.nouns import Dataset
from corpusmith.service.studio import Studio
from corpusmith.store.values import DatasetNumbers, Statistics
from corpusmith.values import Language

router = rest("/datasets", tags=["datasets"])

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Names = Annotated[Sequence[Name], Field(max_length=1000)]
Weights = Annotated[Mapping[Name, Weight], Field(max_length=1000)]
Description = Annotated[str, Field(max_length=20_000)]


class NewDataset(Body):
    """A dataset to be. What it binds may be stored or shipped."""

    name: Name = Field(examples=["客服对话"])
    description: Description = ""
    language: Language | None = Field(
        default=None, description="null: the first character's, else the request's."
    )
    characters: Names = Field(default=(), examples=[["林晚秋"]])
    scenarios: Weights = Field(default_factory=dict, examples=[{"日常对话": 2, "情感交流": 1}])


class DatasetChange(Body):
    """What is given changes; the rest stays."""

    name: Name | None = Field(default=None, description="A new name.")
    description: Description | None = None
    language: Language | None = None


class Bindings(Body):
    """Characters, and scenarios with their weights."""

    characters: Names = ()
    scenarios: Weights = Field(default_factory=dict, examples=[{"日常对话": 2}])


class Unbinding(Body):
    """Names of what is bound no longer."""

    characters: Names = ()
    scenarios: Names = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundScenario:
    """A scenario, with its weight here."""

    name: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetView:
    """A dataset with what it binds."""

    name: str
    description: str
    language: Language
    records: int
    characters: Sequence[str]
    scenarios: Sequence[BoundScenario]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetLine:
    """A dataset in a list."""

    name: str
    description: str
    language: Language
    records: int


@router.get("", dependencies=[needs("read")])
def list_datasets(
    studio: StudioOf, search: Search = None, limit: Limit = 50, after: After = None
) -> Page[DatasetLine]:
    """Datasets by name, with the number of their records."""
    found = studio.datasets.list(search, limit=limit + 1, after=place_in(after, str))
    counts = studio.datasets.counts([one.name for one in found[:limit]])
    lines = [
        DatasetLine(
            name=one.name,
            description=one.description,
            language=one.language,
            records=counts.get(one.name, 0),
        )
        for one in found
    ]
    return page_of(lines, limit, lambda one: one.name)


@router.post("", status_code=201, dependencies=[needs("edit")])
def add_dataset(studio: StudioOf, body: NewDataset) -> DatasetView:
    """Make one. Characters and scenarios that are only shipped are stored. 409 when the name is
    taken."""
    studio.datasets.add(
        body.name,
        description=body.description,
        language=body.language,
        characters=body.characters,
        scenarios=body.scenarios,
    )
    return _view(studio, studio.datasets.get(body.name))


@router.get("/{name:noun}", responses=TAGGED, dependencies=[needs("read")])
def get_dataset(studio: StudioOf, name: str, tag: TagOf) -> DatasetView:
    """One dataset with what it binds. Its tag is not of the number of its records."""
    return tag.shown(_view(studio, studio.datasets.get(name)), by=_settings)


@router.patch("/{name:noun}", dependencies=[needs("edit")])
def change_dataset(studio: StudioOf, name: str, body: DatasetChange, guard: GuardOf) -> DatasetView:
    """Change some of its fields, or its name: records, bindings and tasks stay with it."""
    guard.refuse_changed(lambda: _now(studio, name))
    fresh = studio.datasets.update(
        name, new_name=body.name, description=body.description, language=body.language
    )
    return guard.shown(_view(studio, fresh), by=_settings)


@router.delete("/{name:noun}", status_code=204, dependencies=[needs("edit")])
def delete_dataset(
    studio: StudioOf,
    name: str,
    guard: GuardOf,
    with_records: Annotated[
        bool, Query(description="Its records go too, for good: this cannot be undone.")
    ] = False,
) -> None:
    """Delete it. 409 while a task writes to it, or while it holds records."""
    guard.refuse_changed(lambda: _now(studio, name))
    studio.datasets.delete(name, with_records=with_records)


@router.get("/{name:noun}/statistics", dependencies=[needs("read")])
def dataset_statistics(studio: StudioOf, name: str) -> DatasetNumbers:
    """Its records in numbers, for charts: states, scenarios, characters, scores, lengths."""
    return studio.datasets.numbers(name)


@router.get("/{name:noun}/counts", dependencies=[needs("read")])
def dataset_counts(studio: StudioOf, name: str) -> Statistics:
    """How many records it has in all, of each scenario, and of each character."""
    studio.datasets.get(name)
    found: Statistics = studio.datasets.statistics(name)
    return found


@router.put("/{name:noun}/bindings", dependencies=[needs("edit")])
def set_bindings(studio: StudioOf, name: str, body: Bindings, guard: GuardOf) -> DatasetView:
    """Bind these, in place of what was bound."""
    guard.refuse_changed(lambda: _now(studio, name))
    studio.datasets.bind(name, characters=body.characters, scenarios=body.scenarios)
    return guard.shown(_view(studio, studio.datasets.get(name)), by=_settings)


@router.post("/{name:noun}/bind", dependencies=[needs("edit")])
def bind(studio: StudioOf, name: str, body: Bindings) -> DatasetView:
    """Bind these too; a scenario that is bound takes its new weight."""
    studio.datasets.bind_more(name, characters=body.characters, scenarios=body.scenarios)
    return _view(studio, studio.datasets.get(name))


@router.post("/{name:noun}/unbind", dependencies=[needs("edit")])
def unbind(studio: StudioOf, name: str, body: Unbinding) -> DatasetView:
    """Bind these no longer. The characters and scenarios stay stored."""
    studio.datasets.unbind(name, characters=body.characters, scenarios=body.scenarios)
    return _view(studio, studio.datasets.get(name))


def _settings(view: DatasetView) -> DatasetView:
    """What of it people change; its records come and go."""
    return replace(view, records=0)


def _now(studio: Studio, name: str) -> DatasetView:
    return _settings(_view(studio, studio.datasets.get(name)))


def _view(studio: Studio, found: Dataset) -> DatasetView:
    characters, scenarios = studio.datasets.bindings(found.name)
    return DatasetView(
        name=found.name,
        description=found.description,
        language=found.language,
        records=studio.datasets.counts([found.name]).get(found.name, 0),
        characters=[one.name for one in characters],
        scenarios=[BoundScenario(name=one.name, weight=weight) for one, weight in scenarios],
    )
