"""Scenarios: the pattern for the pages of a noun."""

from __future__ import annotations

from starlette.responses import Response

from corpusmith.api.access import needs
from corpusmith.api.asking import After, Search, page_of, place_in
from corpusmith.api.etags import mark_of
from corpusmith.api.paths import url_of
from corpusmith.api.routes.scenarios import NewScenario, ScenarioChange
from corpusmith.errors import UsageError
from corpusmith.nouns import Scenario
from corpusmith.web.form import Filled, FormOf, filled_with
from corpusmith.web.router import pages
from corpusmith.web.view import ViewOf

router = pages("/scenarios")

LIMIT = 50
BESIDE = {"scenario_exists": "name", "bad_name": "name", "weight_negative": "weight"}
DRAFT = "scenario"


@router.get("", dependencies=[needs("read")])
def scenarios_page(view: ViewOf, search: Search = None, after: After = None) -> Response:
    """Stored scenarios."""
    found = view.studio.scenarios.list(search, limit=LIMIT + 1, after=place_in(after, str))
    page = page_of(found, LIMIT, lambda one: one.name)
    return view.page("scenarios/list.html", page=page)


@router.get("/-/shipped", dependencies=[needs("read")])
def shipped_scenarios_page(view: ViewOf) -> Response:
    """Those that come with Corpusmith."""
    stored = {one.name for one in view.studio.scenarios.list()}
    shipped = view.studio.scenarios.shipped(view.language)
    return view.page("scenarios/shipped.html", shipped=shipped, stored=stored)


@router.post("/-/shipped", dependencies=[needs("edit")])
def store_shipped_scenario(view: ViewOf, form: FormOf) -> Response:
    """Store one of them, to change it."""
    made = view.studio.scenarios.add(view.studio.scenarios.find(form.text("name")))
    return view.go(url_of("scenarios", made.name), "web.scenarios.added", name=made.name)


@router.get("/-/new", dependencies=[needs("edit")])
def new_scenario_page(view: ViewOf) -> Response:
    """The form of a new one."""
    form = Filled(values={"language": view.language, "weight": "1"})
    return view.page("scenarios/edit.html", form=form, name=None)


@router.post("/-/new", dependencies=[needs("edit")])
def add_scenario_by_page(view: ViewOf, form: FormOf) -> Response:
    """Store a new one."""
    try:
        made = view.studio.scenarios.add(Scenario(**form.checked(NewScenario).model_dump()))
    except UsageError as error:
        filled = form.refused(error, view.language, beside=BESIDE)
        return view.page("scenarios/edit.html", status=422, form=filled, name=None)
    return view.go("/scenarios", "web.scenarios.added", draft=DRAFT, name=made.name)


@router.get("/{name:noun}", dependencies=[needs("read")])
def scenario_page(view: ViewOf, name: str) -> Response:
    """One scenario, to read or change."""
    form = filled_with(view.studio.scenarios.get(name), readonly=not view.may("edit"))
    return view.page("scenarios/edit.html", form=form, name=name)


@router.post("/{name:noun}", dependencies=[needs("edit")])
def change_scenario_by_page(view: ViewOf, name: str, form: FormOf) -> Response:
    """Change it."""
    now = mark_of(view.studio.scenarios.get(name))
    try:
        change = form.checked(ScenarioChange).model_dump(exclude_none=True)
        form.refuse_changed(now)
        view.studio.scenarios.update(name, **{"description": "", **change})
    except UsageError as error:
        filled = form.refused(error, view.language, beside=BESIDE, now=now)
        return view.page("scenarios/edit.html", status=422, form=filled, name=name)
    return view.go("/scenarios", "web.saved", name=name)


@router.post("/{name:noun}/delete", dependencies=[needs("edit")])
def delete_scenario_by_page(view: ViewOf, name: str) -> Response:
    """Delete it; one that is bound says by what."""
    view.studio.scenarios.delete(name)
    return view.go("/scenarios", "web.deleted", name=name)
