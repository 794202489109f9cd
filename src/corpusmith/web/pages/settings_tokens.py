"""Settings, API tokens: what programs send instead of a password."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from corpusmith.api.access import Asker, needs
from corpusmith.api.asking import After, page_of, place_in
from corpusmith.api.errors import status_of
from corpusmith.api.routes import tokens as rest
from corpusmith.errors import CorpusmithError
from corpusmith.service.tokens import DAYS, SCOPES
from corpusmith.web.form import Filled, FormOf
from corpusmith.web.router import pages
from corpusmith.web.view import View, ViewOf

router = pages("/settings/tokens")

LIMIT = 50
NEVER = "never"
PERIODS = ("7", "30", "90", "365", NEVER)
"""Days until a token expires that one may choose on the page."""
BESIDE = {"token_name": "name", "token_days": "days", "not_allowed": "scope"}


@router.get("", dependencies=[needs("read")])
def tokens_page(view: ViewOf, after: After = None) -> Response:
    """One's own; an admin sees everybody's."""
    form = Filled(values={"scope": "read", "days": str(DAYS)})
    return _page(view, form, place_in(after, int))


@router.post("", dependencies=[needs("read")])
def add_token_by_page(request: Request, view: ViewOf, who: Asker, form: FormOf) -> Response:
    """Make one. It stands in this answer alone, so there is no page to be sent on to."""
    try:
        days = form.text("days")
        body = form.checked(rest.TokenWish, days=None if days == NEVER else days)
        made = rest.add_token(request, view.studio, who, body)
    except CorpusmithError as error:
        filled = form.refused(error, view.language, beside=BESIDE)
        return _page(view, filled, None, status_of(error))
    return view.page("settings/new_token.html", made=made)


@router.post("/{number:int}/revoke", dependencies=[needs("read")])
def revoke_token_by_page(view: ViewOf, who: Asker, number: int) -> Response:
    """Revoke it, for good and at once."""
    gone = view.studio.tokens.revoke(number, by=who)
    return view.go("/settings/tokens", "web.tokens.revoked", name=gone.name)


def _page(view: View, form: Filled, after: int | None, status: int = 200) -> Response:
    assert view.who is not None  # noqa: S101  a page of ViewOf has one
    found = view.studio.tokens.list(by=view.who, limit=LIMIT + 1, after=after)
    page = page_of(found, LIMIT, lambda one: one.id)
    scopes = [one for one in SCOPES if view.may(one)]
    data = {"form": form, "page": page, "scopes": scopes, "periods": PERIODS}
    return view.page("settings/tokens.html", status=status, **data)
