"""What there is to choose from: recipes, checks, formats, domains, rubrics."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from fastapi.responses import PlainTextResponse

from corpusmith.api.access import needs
from corpusmith.api.asking import Page, StudioOf
from corpusmith.api.router import rest
from corpusmith.judging.rubric import RubricPart
from corpusmith.recipes.selfplay_domain import Domain
from corpusmith.service.about import CheckAbout, FormatAbout, RecipeAbout, RecipeFields
from corpusmith.service.domains import starter
from corpusmith.service.evaluations import rubric, rubric_file, rubrics
from corpusmith.values import Language

router = rest()

Spoken = Annotated[Language | None, Query(description="null: the language of the request.")]
StarterName = Annotated[str, Query(max_length=64, description="What the domain will be called.")]


@router.get("/recipes", tags=["recipes"], dependencies=[needs("read")])
def list_recipes(studio: StudioOf) -> Page[RecipeAbout]:
    """The ways to produce records."""
    return Page(items=studio.catalogue.recipes())


@router.get("/recipes/{name:noun}/fields", tags=["recipes"], dependencies=[needs("read")])
def recipe_fields(studio: StudioOf, name: str) -> RecipeFields:
    """A recipe's form: JSON Schema of the fields of `POST /tasks`, with ranges, defaults and help
    in the asked language, and presets of parameters."""
    return studio.catalogue.recipe(name)


@router.get("/checks", tags=["checks"], dependencies=[needs("read")])
def list_checks(studio: StudioOf) -> Page[CheckAbout]:
    """The checks, from cheap to dear, with their options."""
    return Page(items=studio.catalogue.checks())


@router.get("/formats", tags=["exports"], dependencies=[needs("read")])
def list_formats(studio: StudioOf) -> Page[FormatAbout]:
    """The formats of exports, with their options."""
    return Page(items=studio.catalogue.formats())


@router.get("/domains", tags=["domains"], dependencies=[needs("read")])
def list_domains(studio: StudioOf) -> Page[Domain]:
    """The shipped fields of knowledge for self-play; others are files that you upload."""
    return Page(items=studio.domains.list())


@router.get(
    "/starters/domain",
    tags=["domains"],
    dependencies=[needs("read")],
    response_class=PlainTextResponse,
)
def domain_starter(
    studio: StudioOf, name: StarterName = "my_domain", language: Spoken = None
) -> PlainTextResponse:
    """A commented domain file to begin your own with."""
    return PlainTextResponse(starter(name, language or studio.language))


@router.get("/domains/{name:noun}", tags=["domains"], dependencies=[needs("read")])
def get_domain(studio: StudioOf, name: str, language: Spoken = None) -> Domain:
    """One shipped domain, or one that was uploaded (`upload:<id>`)."""
    return studio.domains.find(name, language=language)


@router.get("/rubrics", tags=["rubrics"], dependencies=[needs("read")])
def list_rubrics(studio: StudioOf, language: Spoken = None) -> Page[RubricPart]:
    """The shipped rubrics: dimensions and what each score means."""
    return Page(items=rubrics(language or studio.language))


@router.get("/rubrics/{name:noun}", tags=["rubrics"], dependencies=[needs("read")])
def get_rubric(studio: StudioOf, name: str, language: Spoken = None) -> RubricPart:
    """One shipped rubric."""
    return rubric(name, language or studio.language)


@router.get(
    "/rubrics/{name:noun}/file",
    tags=["rubrics"],
    dependencies=[needs("read")],
    response_class=PlainTextResponse,
)
def get_rubric_file(studio: StudioOf, name: str, language: Spoken = None) -> PlainTextResponse:
    """A shipped rubric's file, to be changed into your own."""
    return PlainTextResponse(rubric_file(name, language or studio.language))
