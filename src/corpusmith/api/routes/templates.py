"""Templates: prompts with variables, their versions, and one sample to try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import BaseModel, Field

from corpusmith.api.access import needs
from corpusmith.api.asking import (
    MOST_NUMBER,
    After,
    Body,
    Limit,
    Page,
    Search,
    StudioOf,
    page_of,
    place_in,
)
from corpusmith.api.downloads import disposition
from corpusmith.api.errors import Fault, fault_of
from corpusmith.api.etags import TAGGED, GuardOf, TagOf
from corpusmith.api.limits import costly
from corpusmith.api.router import rest
from corpusmith.messages import for_pages
from corpusmith.nouns import Template, TemplateType
from corpusmith.places import shown
from corpusmith.service.template_check import About, Source
from corpusmith.service.template_doubts import Doubt
from corpusmith.service.template_file import dump_template
from corpusmith.service.template_trial import Trial, why_of
from corpusmith.service.uploads import safe_name
from corpusmith.values import Json, Language, Message, Spend

router = rest("/templates", tags=["templates"])

Prompt = Annotated[str, Field(min_length=1, max_length=200_000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Column = Annotated[str, Field(min_length=1, max_length=200)]
Preset = Literal["", "high_quality", "fast", "creative"]


class _Settings(Body):
    description: str = Field(default="", max_length=20_000)
    type: TemplateType = "custom"
    language: Language | None = Field(default=None, description="null: the prompt's own.")
    system: str = Field(default="", max_length=200_000)
    # BaseModel has a method of that name.
    schema_: dict[str, Any] | None = Field(
        default=None,
        alias="schema",
        description="JSON Schema of one sample; null: from the example in the prompt, else the "
        "type's own.",
    )
    vars: dict[str, Any] = Field(
        default_factory=dict,
        max_length=200,
        description="Values of variables that a task need not give.",
        examples=[{"topic": ["茶", "书法"]}],
    )
    keep: Sequence[Column] = Field(default=(), max_length=200)
    preset: Preset = ""
    model: str | None = Field(default=None, min_length=1, max_length=400)
    temperature: float | None = Field(default=None, ge=0, le=2, allow_inf_nan=False)
    top_p: float | None = Field(default=None, gt=0, le=1, allow_inf_nan=False)
    max_tokens: int | None = Field(default=None, ge=1, le=MOST_NUMBER)

    def fields(self) -> dict[str, Json]:
        """What was given, as the service takes it."""
        given = self.model_dump(by_alias=True, exclude_unset=True)
        return {**given, "keep": list(given["keep"])} if "keep" in given else given


class NewTemplate(_Settings):
    """A template to be."""

    name: str = Field(min_length=1, max_length=200, examples=["问答"])
    prompt: Prompt = Field(
        examples=['请就{topic}写一个问答，返回 JSON：{"question": "…", "answer": "…"}']
    )


class UnsavedTemplate(_Settings):
    """A template as it is being typed."""

    name: str = Field(default="", max_length=200)
    prompt: str = Field(default="", max_length=200_000)


class TemplateChange(_Settings):
    """What is given changes, as the next version; null takes it away; the rest stays."""

    prompt: Prompt | None = None


class NameBody(Body):
    """A name."""

    name: Name


class VersionBody(Body):
    """A version."""

    version: int = Field(ge=1, le=10**9)


class VersionView(BaseModel):
    """One version."""

    version: int
    created_at: str


class Difference(BaseModel):
    """What changed between two versions."""

    old: int
    new: int
    diff: str = Field(description="A unified diff of their YAML; empty: nothing changed.")


class CheckView(BaseModel):
    """What an editor shows as one types."""

    variables: dict[str, Source] = Field(
        description="In the order of their first places. `given`: a task must give it; `default`: "
        "the template has a value; `task`: the number of samples; `built_in`: every task has it."
    )
    sample: dict[str, Any] | None = Field(
        description="JSON Schema of one sample; null: free text, or it cannot be told (`problem`)."
    )
    shape: Literal["given", "example", "type", "text"] | None
    several: bool = Field(description="One reply may hold several samples.")
    doubts: Sequence[Doubt] = Field(
        default=(), description="What looks as if it were meant as a variable, and is text."
    )
    problem: Fault | None = Field(description="Why it cannot be saved or used; null: it can.")


class SampleBody(Body):
    """A sample."""

    sample: Prompt = Field(examples=['{"question": "…", "answer": "…", "score": 1-5}'])


class TestBody(Body):
    """What a test needs besides the template."""

    connection: Name | None = None
    model: str | None = Field(default=None, min_length=1, max_length=400)
    vars: dict[str, Any] = Field(default_factory=dict, max_length=200)
    input: str | None = Field(
        default=None,
        min_length=1,
        max_length=400,
        description="Rows whose columns are values: upload:<id>, dataset:<name>, task:<number>.",
    )
    seed: int | None = Field(default=None, ge=0, le=MOST_NUMBER)

    def fields(self) -> dict[str, Any]:
        """Those of a template task."""
        given = self.model_dump(exclude={"template", "vars"})
        return {name: one for name, one in given.items() if one is not None}


class UnsavedTestBody(TestBody):
    """A template that is not saved (yet), and what its test needs."""

    template: NewTemplate


class TrialView(BaseModel):
    """One sample, made now. Either `sample` or `reason` says something."""

    template: str
    version: int
    messages: Sequence[Message]
    raw: str
    sample: Any
    reason: str | None
    message: str | None = Field(description="The reason, for people.")
    stopped: bool
    model: str
    simulated: bool
    spend: Spend


@router.get("", dependencies=[needs("read")])
def list_templates(
    studio: StudioOf,
    search: Search = None,
    type: Annotated[TemplateType | None, Query()] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[Template]:
    """The newest versions of the stored templates, by name."""
    place = place_in(after, str)
    found = studio.templates.list(search, type=type, limit=limit + 1, after=place)
    return page_of(found, limit, lambda one: one.name)


@router.post("", status_code=201, dependencies=[needs("edit")])
def add_template(studio: StudioOf, body: NewTemplate) -> Template:
    """Store a new one, as version 1. 409 when the name is taken."""
    return studio.templates.add(body.fields())


@router.post("/check", dependencies=[needs("read")])
def check_template(studio: StudioOf, body: UnsavedTemplate) -> CheckView:
    """What an unsaved template asks for and brings, and what is wrong with it. Nothing is sent."""
    found, problem = studio.templates.look(body.fields())
    return _checked(found, None if problem is None else fault_of(problem, studio.language))


@router.post("/schema", dependencies=[needs("read")])
def schema_of_sample(studio: StudioOf, body: SampleBody) -> dict[str, Any]:
    """The JSON Schema of samples that look like this one. It may be written as in a prompt: with
    comments, `…` where more may come, and words in place of values."""
    return dict(studio.templates.schema_like(body.sample))


@router.post("/test", dependencies=[needs("edit"), costly()])
def test_unsaved_template(studio: StudioOf, body: UnsavedTestBody) -> TrialView:
    """One sample of a template that is not saved. It costs a call or a few."""
    made = studio.templates.unsaved(body.template.fields())
    return _trial(studio.templates.test(made, vars=body.vars, **body.fields()), studio.language)


@router.get("/{name:noun}", responses=TAGGED, dependencies=[needs("read")])
def get_template(
    studio: StudioOf,
    name: str,
    tag: TagOf,
    version: Annotated[int | None, Query(ge=1, le=10**9)] = None,
) -> Template:
    """A stored template: its newest version, or that one."""
    return tag.shown(studio.templates.get(name, version))


@router.patch("/{name:noun}", dependencies=[needs("edit")])
def change_template(studio: StudioOf, name: str, body: TemplateChange, guard: GuardOf) -> Template:
    """Change some of its fields, as the next version; nothing changed: the newest as it is."""
    guard.refuse_changed(lambda: studio.templates.get(name))
    return guard.shown(studio.templates.edit(name, **body.fields()))


@router.delete("/{name:noun}", status_code=204, dependencies=[needs("edit")])
def delete_template(studio: StudioOf, name: str, guard: GuardOf) -> None:
    """Delete it with all its versions. Tasks keep their own copy of what they ran."""
    guard.refuse_changed(lambda: studio.templates.get(name))
    studio.templates.delete(name)


@router.post("/{name:noun}/copy", status_code=201, dependencies=[needs("edit")])
def copy_template(studio: StudioOf, name: str, body: NameBody) -> Template:
    """Store a stored (`name`, `name@2`) or shipped one under a new name."""
    return studio.templates.copy(name, body.name)


@router.post("/{name:noun}/rename", dependencies=[needs("edit")])
def rename_template(studio: StudioOf, name: str, body: NameBody) -> Template:
    """Give it another name, with all its versions. 409 when it is taken."""
    studio.templates.rename(name, body.name)
    return studio.templates.get(body.name)


@router.post("/{name:noun}/restore", dependencies=[needs("edit")])
def restore_template(studio: StudioOf, name: str, body: VersionBody) -> Template:
    """Store an old version once more, as the newest."""
    return studio.templates.restore(name, body.version)


@router.get("/{name:noun}/versions", dependencies=[needs("read")])
def template_versions(studio: StudioOf, name: str) -> Page[VersionView]:
    """Its versions, the oldest first."""
    found = studio.templates.versions(name)
    return Page(items=[VersionView(version=one, created_at=made) for one, made in found])


@router.get("/{name:noun}/diff", dependencies=[needs("read")])
def template_diff(
    studio: StudioOf,
    name: str,
    old: Annotated[int | None, Query(ge=1, le=10**9)] = None,
    new: Annotated[int | None, Query(ge=1, le=10**9)] = None,
) -> Difference:
    """What changed between two versions; without: between the last two."""
    later = studio.templates.get(name, new).version
    earlier = max(1, later - 1) if old is None else old
    return Difference(old=earlier, new=later, diff=studio.templates.diff(name, earlier, later))


@router.get("/{name:noun}/about", dependencies=[needs("read")])
def template_about(studio: StudioOf, name: str) -> CheckView:
    """Variables and shape of a stored or shipped one."""
    return _checked(studio.templates.about(name), None)


@router.get(
    "/{name:noun}/file",
    dependencies=[needs("read")],
    response_class=Response,
    responses={200: {"content": {"application/yaml": {}}}},
)
def template_file(studio: StudioOf, name: str) -> Response:
    """Download a stored or shipped one as the YAML file that the command line reads."""
    text = dump_template(studio.templates.find(name))
    headers = {"Content-Disposition": disposition(safe_name(f"{name}.yaml"))}
    return Response(text, media_type="application/yaml", headers=headers)


@router.post("/{name:noun}/test", dependencies=[needs("edit"), costly()])
def test_template(studio: StudioOf, name: str, body: TestBody) -> TrialView:
    """One sample of a stored or shipped template, made now. It costs a call or a few."""
    return _trial(studio.templates.test(name, vars=body.vars, **body.fields()), studio.language)


# ---------------------------------------------------------------- views


def _checked(found: About | None, problem: Fault | None) -> CheckView:
    return CheckView(
        variables={} if found is None else dict(found.variables),
        sample=None if found is None or found.schema is None else dict(found.schema),
        shape=None if found is None else found.shape,
        several=found is not None and found.several,
        doubts=() if found is None else found.doubts,
        problem=problem,
    )


def _trial(made: Trial, language: Language) -> TrialView:
    same: Mapping[str, Any] = {
        name: getattr(made, name)
        for name in ("template", "version", "messages", "raw", "sample", "reason", "stopped")
    }
    with for_pages():
        why = " ".join(why_of(made, language))
    return TrialView(
        **same,
        message=shown(why) or None,
        model=made.model,
        simulated=made.simulated,
        spend=made.spend,
    )
