"""Logging in and out; also in the middle of a page whose session has ended."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from corpusmith.api.access import Asker
from corpusmith.api.cookies import HOME, end_session, own_path
from corpusmith.api.door import door_of
from corpusmith.api.errors import status_of
from corpusmith.api.routes.login import Login, enter
from corpusmith.errors import CorpusmithError
from corpusmith.web.form import Filled, FormOf
from corpusmith.web.login import PATH
from corpusmith.web.router import pages
from corpusmith.web.said import ALL_DRAFTS
from corpusmith.web.view import OpenViewOf, View, ViewOf

router = pages()

RESUMED = "web.login.resumed"
"""Says that what was sent was not taken; the page that says it fills in again what was typed."""


@router.get("/login")
def login_page(
    request: Request,
    view: OpenViewOf,
    goal: Annotated[str, Query(alias="next", max_length=2000)] = HOME,
    over: Annotated[str, Query(max_length=10)] = "",
    sent: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Name and password."""
    door = door_of(request)
    needless = door.is_open() or door.look()
    data: dict[str, Any] = {"goal": goal_of(goal), "over": over, "sent": sent, "needless": needless}
    return view.page("login/login.html", form=Filled(), **data)


@router.post("/login")
async def log_in_by_page(request: Request, view: OpenViewOf, form: FormOf) -> Response:
    """Start a session, and go where the person wanted to go."""
    goal, sent = goal_of(form.text("next")), form.text("sent")
    response = view.go(goal, RESUMED if sent else "", tone="info")
    try:
        # The password as it was typed: blanks may be part of it.
        given = form.checked(Login, password=form.data.get("password"), next=goal)
        await enter(request, response, view.studio, given.name, given.password)
    except CorpusmithError as error:
        filled = form.refused(error, view.language, secret=("password",))
        data = {"form": filled, "goal": goal, "over": "", "sent": sent, "needless": False}
        return view.page("login/login.html", status=status_of(error), **data)
    return response


@router.get("/login/part")
def login_part(view: OpenViewOf) -> Response:
    """The same inside a page whose session has ended: nothing on that page is lost."""
    return _again(view, Filled())


@router.post("/login/part")
async def log_in_again(request: Request, view: OpenViewOf, form: FormOf) -> Response:
    """Start a session; the page goes on."""
    try:
        given = form.checked(Login, password=form.data.get("password"))
        response = _again(view, Filled(), done=True)
        await enter(request, response, view.studio, given.name, given.password)
    except CorpusmithError as error:
        filled = form.refused(error, view.language, secret=("password",))
        return _again(view, filled, status=status_of(error))
    return response


@router.post("/logout")
def log_out_by_page(request: Request, view: ViewOf, who: Asker) -> Response:
    """End this session."""
    view.studio.logins.log_out(who)
    response = view.go(PATH, "web.login.out", draft=ALL_DRAFTS)
    end_session(request, response)
    return response


def _again(view: View, form: Filled, *, done: bool = False, status: int = 200) -> Response:
    # Ids of its own each time: htmx gives an element the attributes of the one before it that had
    # the same id, and a dialog that is open would be closed.
    data = {"form": form, "done": done, "mark": secrets.token_hex(4)}
    return view.part("login/again.html", status=status, **data)


def goal_of(wish: str) -> str:
    """Where to go after logging in: a page of ours, and no login or logout again."""
    goal = own_path(wish)
    return HOME if goal.startswith((PATH, "/logout")) else goal
