"""Scenarios: labelled situations."""

from __future__ import annotations

from pydantic import Field

from corpusmith.api.access import needs
from corpusmith.api.asking import After, Body, Limit, Page, Search, StudioOf, page_of, place_in
from corpusmith.api.etags import TAGGED, GuardOf, TagOf
from corpusmith.api.router import rest
from corpusmith.nouns import Scenario
from corpusmith.values import Language

router = rest("/scenarios", tags=["scenarios"])


class NewScenario(Body):
    """A scenario to be."""

    name: str = Field(min_length=1, max_length=200, examples=["深夜食堂"])
    description: str = Field(default="", max_length=20_000, examples=["打烊前的最后一桌客人。"])
    weight: float = Field(default=1.0, ge=0, allow_inf_nan=False, examples=[2])
    language: Language = "zh"


class ScenarioChange(Body):
    """What is given changes; the rest stays."""

    description: str | None = Field(default=None, max_length=20_000)
    weight: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    language: Language | None = None


@router.get("", dependencies=[needs("read")])
def list_scenarios(
    studio: StudioOf, search: Search = None, limit: Limit = 50, after: After = None
) -> Page[Scenario]:
    """Stored scenarios, by name."""
    found = studio.scenarios.list(search, limit=limit + 1, after=place_in(after, str))
    return page_of(found, limit, lambda one: one.name)


@router.post("", status_code=201, dependencies=[needs("edit")])
def add_scenario(studio: StudioOf, body: NewScenario) -> Scenario:
    """Store a new one. 409 when the name is taken."""
    return studio.scenarios.add(Scenario(**body.model_dump()))


@router.get("/{name:noun}", responses=TAGGED, dependencies=[needs("read")])
def get_scenario(studio: StudioOf, name: str, tag: TagOf) -> Scenario:
    """One stored scenario."""
    return tag.shown(studio.scenarios.get(name))


@router.patch("/{name:noun}", dependencies=[needs("edit")])
def change_scenario(studio: StudioOf, name: str, body: ScenarioChange, guard: GuardOf) -> Scenario:
    """Change some of its fields."""
    guard.refuse_changed(lambda: studio.scenarios.get(name))
    given = {key: one for key, one in body.model_dump().items() if one is not None}
    return guard.shown(studio.scenarios.update(name, **given))


@router.delete("/{name:noun}", status_code=204, dependencies=[needs("edit")])
def delete_scenario(studio: StudioOf, name: str, guard: GuardOf) -> None:
    """Delete it. 409 while a dataset binds it."""
    guard.refuse_changed(lambda: studio.scenarios.get(name))
    studio.scenarios.delete(name)
