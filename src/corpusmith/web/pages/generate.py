"""Generate: a choice of jobs, and a guided page for each, with prompts and cost beforehand.

Owns: routes, what a page offers to choose from, beside which field a problem stands. Does not own:
from a form to a task (`web/making.py`), what is missing (`service/task_previews.py`).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from starlette.responses import Response

from corpusmith.api.access import needs
from corpusmith.api.errors import message_of
from corpusmith.api.limits import costly
from corpusmith.errors import CorpusmithError, NotFound, SpecError
from corpusmith.nouns import Character, Scenario
from corpusmith.service.evaluations import rubrics
from corpusmith.service.forms.template_writers import PRESETS
from corpusmith.service.task_previews import PreviewProblem
from corpusmith.service.template_check import About
from corpusmith.web.form import Filled, Form, FormOf
from corpusmith.web.making import JOBS, MOST_CATEGORIES, SLOTS, Making, beyond, fields_of
from corpusmith.web.router import pages
from corpusmith.web.view import View, ViewOf

router = pages("/generate")

Named = TypeVar("Named", Character, Scenario)

MOST_TASKS = 30
"""Of the newest tasks that are offered as a source of rows."""


@router.get("", dependencies=[needs("edit")])
def generate_page(view: ViewOf) -> Response:
    """Which job."""
    connected = bool(view.studio.connections.list(limit=1))
    return view.page("generate/choose.html", jobs=JOBS.values(), connected=connected)


@router.post("/-/models", dependencies=[needs("edit"), costly()])
def models_for_task(view: ViewOf, form: FormOf) -> Response:
    """获取可用模型 of the connection that is chosen."""
    try:
        if not (chosen := form.text("connection")):
            raise SpecError("no_connection")
        models = view.studio.connections.models(chosen)
    except CorpusmithError as error:
        filled = Filled(problems={"model": message_of(error, view.language)})
        return view.part("connections/models.html", models=(), form=filled)
    return view.part("connections/models.html", models=models, form=Filled())


@router.get("/{job}", dependencies=[needs("edit")])
def generate_job_page(view: ViewOf, job: str, example: str = "", template: str = "") -> Response:
    """The form of a job, with its defaults or an example in it."""
    made = _job(job)
    values = {**_usual(view), **(made.example[view.language] if example else made.defaults)}
    if template:
        values["template"] = template
    return _form(view, made, Filled(values=values), example=bool(example))


@router.post("/{job}/preview", dependencies=[needs("edit")])
def preview_job(view: ViewOf, job: str, form: FormOf) -> Response:
    """The prompts, the estimate, and what is still missing. Nothing is sent."""
    made = _job(job)
    look = view.studio.task_previews.of(fields_of(made, form))
    beside = _beside(made, look.problems) | beyond(form, view.language)
    slots = (*SLOTS, *made.slots)
    return view.part("generate/preview.html", look=look, beside=beside, slots=slots)


@router.post("/{job}", dependencies=[needs("edit")])
def start_job(view: ViewOf, job: str, form: FormOf) -> Response:
    """Make the task and have it run; what is missing comes back beside its field."""
    made = _job(job)
    if form.text("update"):
        return _form(view, made, _filled(form), example=bool(form.text("is_example")))
    fields = fields_of(made, form)
    look = view.studio.task_previews.of(fields)
    beside = _beside(made, look.problems) | beyond(form, view.language)
    if beside:
        filled = replace(_filled(form), problems=beside)
        return _form(view, made, filled, example=bool(form.text("is_example")), status=422)
    task = _submitted(view, fields, form)
    draft = _draft(made, bool(form.text("is_example")))
    return view.go(f"/tasks/{task}", "web.generate.started", draft=draft)


def _submitted(view: View, fields: Mapping[str, Any], form: Form) -> int:
    """The task's number. Sent twice by the same page, there is still one task."""
    who = view.who.name if view.who else ""
    key = f"page:{who}:{form.text('request')[:64]}"
    try:
        return view.studio.tasks.submit(fields, key=key)[0].id
    except SpecError as error:
        if error.reason != "key_reused":
            raise
    # The page was gone back to and changed: that is another task.
    return view.studio.tasks.submit(fields)[0].id


# ---------------------------------------------------------------- the form


def _job(name: str) -> Making:
    if name not in JOBS:
        raise NotFound("unknown_recipe", kind="recipe", name=name[:80], known=", ".join(JOBS))
    return JOBS[name]


def _usual(view: View) -> dict[str, Any]:
    """What every form begins with."""
    stored = view.studio.connections.list(limit=2)
    usual = [one.name for one in view.studio.catalogue.checks() if one.usual]
    only = stored[0].name if len(stored) == 1 else ""
    return {"connection": only, "commit": "on", "checks": usual}


def _draft(job: Making, example: bool) -> str:
    return f"generate-{job.name}{'-example' if example else ''}"


def _filled(form: Form) -> Filled:
    """The form as it was sent."""
    texts = {name: form.texts(name) for name in form.data}
    return Filled(
        values={name: one if len(one) > 1 else form.text(name) for name, one in texts.items()}
    )


def _form(view: View, job: Making, form: Filled, *, example: bool, status: int = 200) -> Response:
    return view.page(
        f"generate/{job.name}.html",
        status=status,
        job=job,
        form=form,
        draft=_draft(job, example),
        example=example,
        request=secrets.token_urlsafe(16),
        presets=PRESETS,
        most_categories=MOST_CATEGORIES,
        **_choices(view),
        **_template_parts(view, job, form),
    )


def _choices(view: View) -> dict[str, Any]:
    """What there is to choose from, on every form."""
    studio, language = view.studio, view.language
    characters = [one for one, _ in studio.characters.listed()]
    scenarios = studio.scenarios.list()
    return {
        "connections": studio.connections.list(),
        "connection_options": [
            (one.name, f"{one.name} · {one.model}" if one.model else one.name)
            for one in studio.connections.list()
        ],
        "datasets": [one.name for one in studio.datasets.list()],
        "characters": characters,
        "shipped_characters": _others(studio.characters.shipped(language), characters),
        "scenarios": scenarios,
        "shipped_scenarios": _others(studio.scenarios.shipped(language), scenarios),
        "templates": studio.templates.list(),
        "shipped_templates": studio.templates.shipped(language),
        "checks": studio.catalogue.checks(),
        "domain_options": [(one.name, one.title) for one in studio.domains.list()],
        "rubrics": [one.name for one in rubrics(language)],
        "uploads": studio.uploads.list(),
        "tasks": studio.task_views.list(limit=MOST_TASKS),
    }


def _others(shipped: Sequence[Named], own: Sequence[Named]) -> list[Named]:
    """What comes along and has no stored one of its name in its place."""
    names = {one.name for one in own}
    return [one for one in shipped if one.name not in names]


def _template_parts(view: View, job: Making, form: Filled) -> dict[str, Any]:
    """Of the chosen template: what it asks for; of a ratio's categories, each one's."""
    if job.name == "template":
        return {"about": _about(view, str(form.value("template")))}
    if job.name == "ratio":
        wishes = [str(form.value(f"category.{at}.template")) for at in range(MOST_CATEGORIES)]
        return {"abouts": [_about(view, wish) for wish in wishes]}
    return {}


def _about(view: View, name: str) -> tuple[Any, About] | None:
    """The template and its variables; None: none is chosen, or it is gone."""
    if not name:
        return None
    try:
        return view.studio.templates.find(name), view.studio.templates.about(name)
    except CorpusmithError:
        return None


def _beside(job: Making, problems: Any) -> dict[str, str]:
    """Field → what is wrong; what stands beside no field of this page is under the empty name."""
    known = {*SLOTS, *job.slots}
    found: dict[str, list[str]] = {}
    for one in problems:
        found.setdefault(_slot(one, known), []).append(one.message)
    return {place: " ".join(dict.fromkeys(texts)) for place, texts in found.items()}


_INSTEAD = {"count": "total", "vars": "variables", "input": "of", "history": "input"}
"""Where a job's page has no such field: the one that stands for it."""


def _slot(problem: PreviewProblem, known: set[str]) -> str:
    place = problem.place.partition(".")[0]
    if place in known and not (place == "count" and "total" in known):
        return place
    instead = _INSTEAD.get(place, "")
    return instead if instead in known else ""
