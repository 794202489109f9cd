"""Settings: how the pages look to this person, about the program; the other parts in modules beside
this one, each with a `router`."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from corpusmith import __version__
from corpusmith.api.access import needs
from corpusmith.api.cookies import own_path
from corpusmith.api.router import PREFIX
from corpusmith.api.serving import serving_of
from corpusmith.api.speaking import COOKIE
from corpusmith.messages import LANGUAGES
from corpusmith.web.form import Filled, FormOf
from corpusmith.web.pages import (
    settings_account,
    settings_backup,
    settings_log,
    settings_storage,
    settings_tokens,
    settings_users,
)
from corpusmith.web.router import pages
from corpusmith.web.view import THEME_COOKIE, THEMES, OpenViewOf, ViewOf, theme_of

router = pages()

YEAR_S = 365 * 86_400


@router.get("/settings", dependencies=[needs("read")])
def settings_page(view: ViewOf) -> Response:
    """Language and theme."""
    look = Filled(values={"language": view.language, "theme": theme_of(view.request)})
    return view.page("settings/look.html", look=look)


@router.get("/settings/about", dependencies=[needs("read")])
def about_page(request: Request, view: ViewOf) -> Response:
    """What this is, and whether it works."""
    store = view.studio.store
    return view.page(
        "settings/about.html",
        version=__version__,
        database="SQLite" if store.database.is_sqlite else "PostgreSQL",
        workers=view.studio.workers.alive(),
        problems=view.studio.watch.problems(),
        metrics=serving_of(request).metrics,
        api=PREFIX,
    )


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


for part in (
    settings_account,
    settings_users,
    settings_tokens,
    settings_log,
    settings_storage,
    settings_backup,
):
    router.routes.extend(part.router.routes)
