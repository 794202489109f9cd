"""Datasets: the list, one dataset with its numbers and what it binds, and its records as a table.

Owns: routes and what their forms are taken for. Does not own: one record and what is done to many
(`records.py`), which records fit (`web/selected.py`).
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from corpusmith.api.access import needs
from corpusmith.api.asking import After, Search, cursor, page_of, place_in
from corpusmith.api.errors import message_of
from corpusmith.api.etags import mark_of
from corpusmith.api.paths import url_of
from corpusmith.api.routes import datasets as rest
from corpusmith.errors import NotFound, UsageError
from corpusmith.store.record_walk import ORDERS
from corpusmith.web.charts import of_dataset
from corpusmith.web.form import Filled, FormOf, filled_with
from corpusmith.web.router import pages
from corpusmith.web.selected import KEPT, chosen
from corpusmith.web.view import View, ViewOf

router = pages("/datasets")

LIMIT = 50
REMOVALS = 20
BESIDE = {"dataset_exists": "name", "bad_name": "name"}
DRAFT = "dataset"
Undo = Annotated[str, Query(max_length=2000, pattern=r"^([ar]\d{1,18}\.?)*$")]


@router.get("", dependencies=[needs("read")])
def datasets_page(view: ViewOf, search: Search = None, after: After = None) -> Response:
    """All datasets by name, with the number of their records."""
    found = view.studio.datasets.list(search, limit=LIMIT + 1, after=place_in(after, str))
    page = page_of(found, LIMIT, lambda one: one.name)
    counts = view.studio.datasets.counts([one.name for one in page.items])
    return view.page("datasets/list.html", page=page, counts=counts)


@router.get("/-/new", dependencies=[needs("edit")])
def new_dataset_page(view: ViewOf) -> Response:
    """The form of a new one."""
    return view.page("datasets/new.html", form=Filled(values={"language": view.language}))


@router.post("/-/new", dependencies=[needs("edit")])
def add_dataset_by_page(view: ViewOf, form: FormOf) -> Response:
    """Make one."""
    try:
        body = form.checked(rest.NewDataset)
        view.studio.datasets.add(body.name, description=body.description, language=body.language)
    except UsageError as error:
        filled = form.refused(error, view.language, beside=BESIDE)
        return view.page("datasets/new.html", status=422, form=filled)
    return view.go(url_of("datasets", body.name), "web.saved", draft=DRAFT, name=body.name)


# ---------------------------------------------------------------- one dataset


@router.get("/{name:noun}", dependencies=[needs("read")])
def dataset_page(view: ViewOf, name: str) -> Response:
    """Its numbers, what it binds, and what was taken out of it."""
    return _page(view, name, filled_with(view.studio.datasets.get(name)))


def _page(view: View, name: str, form: Filled, status: int = 200) -> Response:
    studio = view.studio
    dataset = studio.datasets.get(name)
    characters, scenarios = studio.datasets.bindings(name)
    bound = {one.name for one in characters} | {one.name for one, _ in scenarios}
    own_characters = [one.name for one in studio.characters.list()]
    own_scenarios = [one.name for one in studio.scenarios.list()]
    shipped = [one.name for one in studio.scenarios.shipped(dataset.language)]
    numbers = studio.datasets.numbers(name)
    return view.page(
        "datasets/dataset.html",
        status=status,
        dataset=dataset,
        form=form,
        numbers=numbers,
        charts=of_dataset(name, numbers, view.say),
        characters=characters,
        scenarios=scenarios,
        more_characters=[one for one in own_characters if one not in bound],
        more_scenarios=[one for one in own_scenarios if one not in bound],
        more_shipped=[one for one in shipped if one not in bound and one not in own_scenarios],
        removals=studio.datasets.removals(name)[:REMOVALS],
        may=view.may("edit"),
    )


@router.post("/{name:noun}", dependencies=[needs("edit")])
def change_dataset_by_page(view: ViewOf, name: str, form: FormOf) -> Response:
    """Its name, description and language."""
    now = mark_of(view.studio.datasets.get(name))
    try:
        body = form.checked(rest.DatasetChange)
        form.refuse_changed(now)
        fresh = view.studio.datasets.update(
            name,
            new_name=body.name if body.name != name else None,
            description=form.text("description"),
            language=body.language,
        )
    except UsageError as error:
        filled = form.refused(error, view.language, beside=BESIDE, now=now)
        return _page(view, name, filled, status=422)
    return view.go(url_of("datasets", fresh.name), "web.saved", name=fresh.name)


@router.post("/{name:noun}/bind", dependencies=[needs("edit")])
def bind_by_page(view: ViewOf, name: str, form: FormOf) -> Response:
    """Bind a character or a scenario too, or give a scenario another weight."""
    scenario, weight = form.text("scenario"), form.text("weight") or "1"
    try:
        body = form.checked(
            rest.Bindings,
            characters=form.texts("character"),
            scenarios={scenario: weight} if scenario else {},
        )
        view.studio.datasets.bind_more(name, characters=body.characters, scenarios=body.scenarios)
    except UsageError as error:
        why = message_of(error, view.language)
        return view.go(_bound(name), "web.datasets.bind_refused", tone="warn", why=why)
    return view.go(_bound(name), "web.datasets.bound")


@router.post("/{name:noun}/unbind", dependencies=[needs("edit")])
def unbind_by_page(view: ViewOf, name: str, form: FormOf) -> Response:
    """Bind it no longer; it stays stored."""
    view.studio.datasets.unbind(
        name, characters=form.texts("character"), scenarios=form.texts("scenario")
    )
    return view.go(_bound(name), "web.datasets.unbound")


@router.post("/{name:noun}/restore", dependencies=[needs("edit")])
def restore_by_page(view: ViewOf, name: str, form: FormOf) -> Response:
    """Put back what was taken out."""
    number = form.text("number")
    known = {str(one.number): one.number for one in view.studio.datasets.removals(name)}
    if number not in known:
        raise NotFound("unknown_removal", kind="removal", number=number[:20])
    done = view.studio.datasets.restore(known[number])
    return view.go(url_of("datasets", name), "web.datasets.restored", n=done.count)


@router.post("/{name:noun}/delete", dependencies=[needs("edit")])
def delete_dataset_by_page(view: ViewOf, name: str, form: FormOf) -> Response:
    """Delete it; its records only where that was said."""
    view.studio.datasets.delete(name, with_records=bool(form.text("with_records")))
    return view.go("/datasets", "web.deleted", name=name)


def _bound(name: str) -> str:
    return url_of("datasets", name) + "#bound"


# ---------------------------------------------------------------- its records


@router.get("/{name:noun}/records", dependencies=[needs("read")])
def dataset_records_page(
    request: Request,
    view: ViewOf,
    name: str,
    after: After = None,
    before: After = None,
    undo: Undo = "",
) -> Response:
    """Its records that fit all filters, a page at a time."""
    which = chosen(name, request.query_params)
    places: dict[str, Any] = {"after": place_in(after, list), "before": place_in(before, list)}
    places = {side: tuple(place) if place else None for side, place in places.items()}
    found = view.studio.records.page(which.selection, order=which.order, limit=LIMIT, **places)
    return view.page(
        "datasets/records.html",
        name=name,
        which=which,
        found=found,
        following=None if found.after is None else cursor(list(found.after)),
        preceding=None if found.before is None else cursor(list(found.before)),
        count=view.studio.records.count(which.selection),
        facets=view.studio.records.facets(name),
        orders=tuple(ORDERS),
        undo=undo,
        kept={name: one for name, one in request.query_params.items() if name in KEPT},
        may=view.may("edit"),
    )
