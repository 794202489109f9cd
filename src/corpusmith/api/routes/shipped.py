"""What comes with Corpusmith: to be named by a task as it is, or copied and changed.

Owns: its lists. They stand apart from the nouns, so that a scenario may be called `shipped`.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from corpusmith.api.access import needs
from corpusmith.api.asking import Page, StudioOf
from corpusmith.api.router import rest
from corpusmith.api.routes.characters import CharacterView, view_of
from corpusmith.nouns import Scenario, Template
from corpusmith.providers.presets import Preset
from corpusmith.service.connections import presets
from corpusmith.values import Language

router = rest("/shipped", tags=["shipped"])

Spoken = Annotated[Language | None, Query(description="Without: that of the request.")]


@router.get("/characters", dependencies=[needs("read")])
def shipped_characters(studio: StudioOf, language: Spoken = None) -> Page[CharacterView]:
    """The characters that come with Corpusmith. A task may name them; to change one, copy it."""
    return Page(items=[view_of(one) for one in studio.characters.shipped(language)])


@router.get("/scenarios", dependencies=[needs("read")])
def shipped_scenarios(studio: StudioOf, language: Spoken = None) -> Page[Scenario]:
    """The scenarios that come with Corpusmith. A task may name them; to change one, store it."""
    return Page(items=studio.scenarios.shipped(language))


@router.get("/templates", dependencies=[needs("read")])
def shipped_templates(studio: StudioOf, language: Spoken = None) -> Page[Template]:
    """The templates that come with Corpusmith. A task may name them; to change one, copy it."""
    return Page(items=studio.templates.shipped(language))


@router.get("/endpoints", dependencies=[needs("read")])
def connection_presets() -> Page[Preset]:
    """The endpoints that are known by name: address, key variable, ways of structured output."""
    return Page(items=presets())
