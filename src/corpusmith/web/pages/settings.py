"""Settings: how the pages look to this person, and about the program."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from corpusmith import __version__
from corpusmith.api.access import needs
from corpusmith.api.cookies import own_path
from corpusmith.api.speaking import COOKIE
from corpusmith.messages import LANGUAGES
from corpusmith.web.form import Filled, FormOf
from corpusmith.web.view import THEME_COOKIE, THEMES, OpenViewOf, ViewOf, theme_of

router = APIRouter()

YEAR_S = 365 * 86_400


@router.get("/settings", dependencies=[needs("read")])
def settings_page(view: ViewOf) -> Response:
    """Language, theme, and what this is."""
    look = Filled(values={"language": view.language, "theme": theme_of(view.request)})
    return view.page("settings/list.html", look=look, version=__version__)


@router.post("/look")
def change_look(view: OpenViewOf, form: FormOf) -> Response:
    """Language and theme of this browser, also before anybody has logged in."""
    response = view.go(own_path(form.text("back")))
    for cookie, wish, known in (
        (COOKIE, form.text("language"), LANGUAGES),
        (THEME_COOKIE, form.text("theme"), THEMES),
    ):
        if wish in known:
            response.set_cookie(cookie, wish, max_age=YEAR_S, path="/", samesite="lax")
    return response
