"""Settings, one's own account: password, sessions, logging out."""

from __future__ import annotations

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from corpusmith.api.access import Asker, Principal, needs
from corpusmith.api.cookies import end_session
from corpusmith.api.errors import status_of
from corpusmith.api.routes import login as rest
from corpusmith.errors import CorpusmithError, UsageError
from corpusmith.web.form import Filled, FormOf
from corpusmith.web.login import PATH
from corpusmith.web.router import pages
from corpusmith.web.said import ALL_DRAFTS
from corpusmith.web.view import View, ViewOf

router = pages("/settings/account")

BESIDE = {
    "wrong_password": "old",
    "password_short": "new",
    "password_long": "new",
    "password_is_name": "new",
    "password_common": "new",
    "passwords_differ": "again",
}
SECRET = ("old", "new", "again")


@router.get("", dependencies=[needs("read")])
def account_page(view: ViewOf, who: Asker) -> Response:
    """Who you are here."""
    return _account(view, who, Filled())


@router.post("/password", dependencies=[needs("read")])
async def change_my_password_by_page(
    request: Request, view: ViewOf, who: Asker, form: FormOf
) -> Response:
    """A new password; one's other sessions end."""
    try:
        # As they were typed: blanks may be part of them.
        given = {name: form.data.get(name) for name in ("old", "new")}
        if given["new"] != form.data.get("again"):
            raise UsageError("passwords_differ")
        body = form.checked(rest.PasswordChange, **given)
        await rest.change_my_password(request, view.studio, who, body)
    except CorpusmithError as error:
        filled = form.refused(error, view.language, beside=BESIDE, secret=SECRET)
        return await run_in_threadpool(_account, view, who, filled, status_of(error))
    return view.go("/settings/account", "web.account.password_changed")


@router.post("/sessions/{key}/end", dependencies=[needs("read")])
def end_my_session_by_page(request: Request, view: ViewOf, who: Asker, key: str) -> Response:
    """End one of one's own sessions, also this one."""
    own = next((one for one in view.studio.logins.sessions(who) if one.digest == who.session), None)
    view.studio.logins.end_session(who, key)
    if own is None or own.key != key:
        return view.go("/settings/account", "web.account.session_ended")
    response = view.go(PATH, "web.login.out", draft=ALL_DRAFTS)
    end_session(request, response)
    return response


@router.post("/logout", dependencies=[needs("read")])
def log_out_everywhere_by_page(request: Request, view: ViewOf, who: Asker) -> Response:
    """End all one's sessions; tokens stay."""
    view.studio.logins.log_out(who, everywhere=True)
    response = view.go(PATH, "web.account.out_everywhere", draft=ALL_DRAFTS)
    end_session(request, response)
    return response


def _account(view: View, who: Principal, form: Filled, status: int = 200) -> Response:
    sessions = view.studio.logins.sessions(who)
    return view.page("settings/account.html", status=status, form=form, me=who, sessions=sessions)
