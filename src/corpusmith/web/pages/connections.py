"""Connections: known endpoints, keys, what works there, models, limits and prices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import Request
from starlette.responses import Response

from corpusmith.api.access import Principal, needs
from corpusmith.api.asking import After, Search
from corpusmith.api.etags import mark_of
from corpusmith.api.limits import costly
from corpusmith.api.paths import url_of
from corpusmith.api.routes import connections as rest
from corpusmith.errors import CorpusmithError, UsageError
from corpusmith.providers.presets import preset
from corpusmith.service.connections import presets
from corpusmith.web.connection_form import extra_in, headers_in, texts_again, texts_of
from corpusmith.web.form import SEEN, Filled, Form, FormOf
from corpusmith.web.pages.home import simulator_of
from corpusmith.web.router import pages
from corpusmith.web.view import View, ViewOf

router = pages("/connections")

LIMIT = 50
DRAFT = "connection"
BESIDE = {
    "connection_exists": "name",
    "bad_name": "name",
    "key_empty": "key",
    "key_again": "key",
    "unknown_provider": "provider",
    **dict.fromkeys(("bad_header", "header_line", "header_twice"), "headers"),
    **dict.fromkeys(("hidden_unsaid", "extra_no_json", "extra_no_object"), "extra"),
}
_PLAIN = ("base_url", "model", "proxy", "timeout_s", "rpm", "tpm", "concurrency")
_SAME = ("name", "provider", "base_url", "model", "proxy")
_PRICES = ("input", "output", "cached")


@router.get("", dependencies=[needs("read")])
def connections_page(
    request: Request, view: ViewOf, search: Search = None, after: After = None
) -> Response:
    """Stored connections."""
    page = rest.list_connections(view.studio, search, LIMIT, after)
    runs = simulator_of(request).running(view.studio)
    return view.page("connections/list.html", page=page, simulator_runs=runs)


@router.get("/-/new", dependencies=[needs("edit")])
def new_connection_page(view: ViewOf, provider: str = "") -> Response:
    """First which endpoint, then its form."""
    if not provider:
        return view.page("connections/presets.html", presets=presets())
    known = preset(provider)
    values = {
        "name": provider,
        "provider": provider,
        "base_url": known.base_url,
        "api_key_env": known.key_env or "",
        "key_in": "stored" if known.key_env else "none",
    }
    return _form(view, Filled(values=values), None)


@router.post("/-/new", dependencies=[needs("edit")])
def add_connection_by_page(view: ViewOf, form: FormOf) -> Response:
    """Store a new one."""
    try:
        body = form.checked(rest.NewConnection, **_given(form))
        made = rest.add_connection(view.studio, body, _asker(view))
    except UsageError as error:
        return _form(view, _refused(form, error, view), None, status=422)
    path = url_of("connections", made.name)
    return view.go(path, "web.connections.added", draft=DRAFT, name=made.name)


@router.post("/-/test", dependencies=[needs("edit"), costly()])
def try_connection_form(view: ViewOf, form: FormOf) -> Response:
    """Try what stands in the form, before it is stored."""
    try:
        body = form.checked(rest.Unsaved, **_given(form))
        trial = rest.test_unsaved_connection(view.studio, body, _asker(view))
    except CorpusmithError as error:
        return view.part("connections/trial.html", trial=None, form=_refused(form, error, view))
    return view.part("connections/trial.html", trial=trial, form=Filled())


@router.post("/-/models", dependencies=[needs("edit"), costly()])
def models_of_connection_form(view: ViewOf, form: FormOf) -> Response:
    """获取可用模型 for what stands in the form; a stored one's key is used when none is typed."""
    stored = form.text("stored")
    try:
        if stored and not form.text("key"):
            found = rest.connection_models(view.studio, stored)
        else:
            body = form.checked(rest.Unsaved, **_given(form))
            found = rest.models_like(view.studio, body, _asker(view), stored or None)
    except CorpusmithError as error:
        return view.part("connections/models.html", models=(), form=_refused(form, error, view))
    return view.part("connections/models.html", models=found.items, form=Filled())


@router.get("/{name:noun}", dependencies=[needs("read")])
def connection_page(view: ViewOf, name: str) -> Response:
    """One connection, to read or change."""
    one = rest.view_of(view.studio.connections.get(name))
    price = one.price
    values = {
        SEEN: mark_of(one),
        **{
            place: getattr(one, place)
            for place in ("name", "provider", "base_url", "model", "proxy")
        },
        "api_key_env": one.key_env or "",
        "key_in": one.key,
        "timeout_s": one.timeouts.total_s,
        "rpm": one.limits.requests_per_min,
        "tpm": one.limits.tokens_per_min,
        "concurrency": one.limits.concurrency,
        "price.input": price.input_usd if price else None,
        "price.output": price.output_usd if price else None,
        "price.cached": price.cached_usd if price else None,
        **texts_of(one.headers, one.extra),
    }
    return _form(view, Filled(values=values, readonly=not view.may("edit")), one)


@router.post("/{name:noun}", dependencies=[needs("edit")])
def change_connection_by_page(view: ViewOf, name: str, form: FormOf) -> Response:
    """Change it."""
    one = rest.view_of(view.studio.connections.get(name))
    try:
        body = form.checked(rest.ConnectionChange, **_given(form))
        form.refuse_changed(mark_of(one))
        rest.changed(view.studio, name, body, _asker(view))
        if form.text("key_in") == "none":
            view.studio.connections.delete_key(name)
    except UsageError as error:
        return _form(view, _refused(form, error, view, mark_of(one)), one, status=422)
    return view.go(url_of("connections", name), "web.saved", name=name)


@router.post("/{name:noun}/test", dependencies=[needs("edit"), costly()])
def try_connection_by_page(view: ViewOf, name: str) -> Response:
    """Try it as it is stored."""
    trial = rest.test_connection(view.studio, name)
    return view.part("connections/trial.html", trial=trial, form=Filled())


@router.post("/{name:noun}/delete", dependencies=[needs("edit")])
def delete_connection_by_page(view: ViewOf, name: str) -> Response:
    """Delete it and its key."""
    view.studio.connections.delete(name)
    return view.go("/connections", "web.deleted", name=name)


# ---------------------------------------------------------------- forms


def _form(
    view: View, form: Filled, one: rest.ConnectionView | None, *, status: int = 200
) -> Response:
    known = {each.name: each for each in presets()}
    chosen = known.get(str(form.value("provider", "openai")))
    data = {"form": form, "one": one, "preset": chosen}
    return view.page("connections/edit.html", status=status, **data)


def _refused(form: Form, error: CorpusmithError, view: View, now: str = "") -> Filled:
    found = form.refused(error, view.language, beside=BESIDE, secret=("key",), now=now)
    again = texts_again(form.text("headers"), form.text("extra"))
    # What is wrong inside of a header or a field is wrong with the one field that they are here.
    places = {one.partition(".")[0]: one for one in found.problems}
    within = {name: found.problems[places[name]] for name in again if name in places}
    return replace(found, values={**found.values, **again}, problems={**found.problems, **within})


def _given(form: Form) -> dict[str, Any]:
    """What the form says of the endpoint; an empty field takes away what was there."""
    price = {name: form.text(f"price.{name}") or None for name in _PRICES}
    given: dict[str, Any] = {name: form.text(name) or None for name in _PLAIN}
    given["price"] = price if any(price.values()) else None
    given["headers"] = headers_in(form.text("headers"))
    given["extra"] = extra_in(form.text("extra"))
    where = form.text("key_in")
    given["api_key_env"] = form.text("api_key_env") or None if where == "environment" else None
    given["key"] = form.text("key") or None if where == "stored" else None
    return given


def _asker(view: View) -> Principal:
    assert view.who is not None  # noqa: S101  a page of ViewOf has one
    return view.who
