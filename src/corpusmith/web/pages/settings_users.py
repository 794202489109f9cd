"""Settings, users: who may log in. Without any there is one person, and a form for the first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from corpusmith.api.access import needs
from corpusmith.api.asking import After, Search, page_of, place_in
from corpusmith.api.audit_trail import name_target
from corpusmith.api.errors import status_of
from corpusmith.api.paths import url_of
from corpusmith.api.routes import users as rest
from corpusmith.api.routes.login import enter
from corpusmith.errors import CorpusmithError, UsageError
from corpusmith.service.users import ROLES
from corpusmith.web.form import Filled, Form, FormOf
from corpusmith.web.router import pages
from corpusmith.web.view import View, ViewOf

router = pages("/settings/users")

LIMIT = 50
BESIDE = {
    "user_exists": "name",
    "user_name": "name",
    "password_short": "password",
    "password_long": "password",
    "password_is_name": "password",
    "password_common": "password",
    "passwords_differ": "again",
    "unknown_role": "role",
}
SECRET = ("password", "again")


@router.get("", dependencies=[needs("admin")])
def users_page(view: ViewOf, search: Search = None, after: After = None) -> Response:
    """Users by name; without any, what they are for."""
    if not view.studio.users.any():
        return view.page("settings/first_user.html", form=Filled())
    found = view.studio.users.list(search, limit=LIMIT + 1, after=place_in(after, str))
    page = page_of(found, LIMIT, lambda one: one.name)
    return view.page("settings/users.html", page=page)


@router.post("", dependencies=[needs("admin")])
async def add_first_user(request: Request, view: ViewOf, form: FormOf) -> Response:
    """The first user, an admin, who is logged in at once: from now on everybody has to."""
    response = view.go("/settings/users", "web.users.first_added", name=form.text("name"))
    try:
        body = form.checked(rest.NewUser, password=_password(form), role="admin")
        if await run_in_threadpool(view.studio.users.any):
            raise UsageError("first_user_there")
        made = await run_in_threadpool(rest.add_user, request, view.studio, body)
        await enter(request, response, view.studio, made.name, body.password)
    except CorpusmithError as error:
        filled = _refused(form, error, view)
        return view.page("settings/first_user.html", status=status_of(error), form=filled)
    return response


@router.get("/-/new", dependencies=[needs("admin")])
def new_user_page(view: ViewOf) -> Response:
    """The form of a new one."""
    form = Filled(values={"role": "reviewer"})
    return view.page("settings/new_user.html", form=form, roles=ROLES)


@router.post("/-/new", dependencies=[needs("admin")])
def add_user_by_page(request: Request, view: ViewOf, form: FormOf) -> Response:
    """Add one."""
    try:
        body = form.checked(rest.NewUser, password=_password(form))
        made = rest.add_user(request, view.studio, body)
    except CorpusmithError as error:
        filled = _refused(form, error, view)
        data = {"form": filled, "roles": ROLES}
        return view.page("settings/new_user.html", status=status_of(error), **data)
    return view.go("/settings/users", "web.users.added", name=made.name)


@router.get("/{name:noun}", dependencies=[needs("admin")])
def user_page(view: ViewOf, name: str) -> Response:
    """One user."""
    return _user_page(view, name, Filled())


@router.post("/{name:noun}", dependencies=[needs("admin")])
def change_user_by_page(view: ViewOf, name: str, form: FormOf) -> Response:
    """Role, password, or on and off; their sessions end."""
    given: dict[str, Any] = {}
    try:
        if "password" in form.data:
            given["password"] = _password(form)
        if form.text("active"):
            given["active"] = form.text("active") == "on"
        if form.text("role"):
            given["role"] = form.text("role")
        view.studio.users.change(name, **given)
    except CorpusmithError as error:
        return _user_page(view, name, _refused(form, error, view), status_of(error))
    done = "password" if "password" in given else "active" if "active" in given else "role"
    return view.go(url_of("settings/users", name), f"web.users.changed.{done}", name=name)


@router.post("/{name:noun}/logout", dependencies=[needs("admin")])
def log_user_out_by_page(view: ViewOf, name: str) -> Response:
    """End all their sessions."""
    count = view.studio.users.log_out(name)
    path = url_of("settings/users", name)
    return view.go(path, "web.users.logged_out", name=name, n=count)


@router.post("/{name:noun}/delete", dependencies=[needs("admin")])
def delete_user_by_page(request: Request, view: ViewOf, name: str) -> Response:
    """Delete a user with their sessions and tokens."""
    name_target(request, name)
    view.studio.users.delete(name)
    return view.go("/settings/users", "web.deleted", name=name)


def _user_page(view: View, name: str, form: Filled, status: int = 200) -> Response:
    found = view.studio.users.get(name)
    own = view.who is not None and view.who.via == "session" and view.who.name == found.name
    filled = replace(form, values={"role": found.role, **form.values})
    data = {"user": found, "form": filled, "roles": ROLES, "own": own}
    return view.page("settings/user.html", status=status, **data)


def _password(form: Form) -> str:
    """As it was typed: blanks may be part of it. Raises UsageError when the two differ."""
    first, again = form.data.get("password"), form.data.get("again")
    if first != again:
        raise UsageError("passwords_differ")
    return first if isinstance(first, str) else ""


def _refused(form: Form, error: CorpusmithError, view: View) -> Filled:
    return form.refused(error, view.language, beside=BESIDE, secret=SECRET)
