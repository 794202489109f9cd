"""Logging in and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from corpusmith.api.access import Asker
from corpusmith.api.cookies import end_session, own_path
from corpusmith.api.errors import status_of
from corpusmith.api.routes.login import Login, enter
from corpusmith.errors import CorpusmithError
from corpusmith.web.form import Filled, FormOf
from corpusmith.web.login import PATH
from corpusmith.web.view import OpenViewOf, ViewOf

router = APIRouter()


@router.get("/login")
def login_page(
    view: OpenViewOf, goal: Annotated[str, Query(alias="next", max_length=2000)] = "/"
) -> Response:
    """Name and password."""
    return view.page("login/login.html", form=Filled(), next=own_path(goal))


@router.post("/login")
async def log_in_by_page(request: Request, view: OpenViewOf, form: FormOf) -> Response:
    """Start a session, and go where the person wanted to go."""
    goal = own_path(form.text("next"))
    response = RedirectResponse(goal, 303)
    try:
        # The password as it was typed: blanks may be part of it.
        given = form.checked(Login, password=form.data.get("password"), next=goal)
        await enter(request, response, view.studio, given.name, given.password)
    except CorpusmithError as error:
        filled = form.refused(error, view.language, secret=("password",))
        return view.page("login/login.html", status=status_of(error), form=filled, next=goal)
    return response


@router.post("/logout")
def log_out_by_page(request: Request, view: ViewOf, who: Asker) -> Response:
    """End this session."""
    view.studio.logins.log_out(who)
    response = view.go(PATH, "web.login.out")
    end_session(request, response)
    return response
