"""Settings, the log of who did what.

Owns: the page, and how an operation is called in words. Does not own: the log (service), what is
worth a row (`api/audit_trail.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from importlib import import_module
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from corpusmith.api.access import needs
from corpusmith.api.app import ROUTES
from corpusmith.api.asking import After, page_of, place_in
from corpusmith.api.guard import SAFE
from corpusmith.messages import catalog, say
from corpusmith.values import Language
from corpusmith.web.nav import PAGES
from corpusmith.web.router import pages
from corpusmith.web.view import ViewOf

router = pages("/settings/audit")

LIMIT = 50
MOST_ZONE_MIN = 14 * 60
_BY_PAGE = "_by_page"
_SAME = {
    "log_in": "login",
    "log_in_again": "login",
    "log_out": "logout",
    "add_first_user": "add_user",
    "cancel_settings_job": "cancel_job",
    "say_to_character": "chat_with_character",
    "character_talk_part": "chat_with_character",
    "say_to_connection": "chat_with_model",
    "connection_talk_part": "chat_with_model",
    "export_ticket": "export",
    "models_of_connection_form": "models_of_unsaved_connection",
    "models_for_task": "models_of_unsaved_connection",
    "try_connection": "test_connection",
    "try_connection_form": "test_unsaved_connection",
    "test_template_form": "test_unsaved_template",
    "check_template_form": "check_template",
    "preview_character_form": "preview_character",
    "upload_backup": "add_upload",
}
"""Pages' names of what REST calls otherwise."""

Text = Annotated[str, Query(max_length=300)]
Day = Annotated[str, Query(max_length=10)]


@router.get("", dependencies=[needs("admin")])
def audit_page(
    view: ViewOf,
    who: Text = "",
    action: Text = "",
    since: Annotated[Day, Query(alias="from")] = "",
    until: Annotated[Day, Query(alias="to")] = "",
    zone: Annotated[int, Query(ge=-MOST_ZONE_MIN, le=MOST_ZONE_MIN)] = 0,
    after: After = None,
) -> Response:
    """Newest first; days are those of `zone`, minutes before UTC as browsers count them."""
    known = operations()
    found = view.studio.audit.list(
        who=who or None,
        action=known.get(action, (action,)) if action else None,
        since=day_begins(since, zone),
        until=day_begins(until, zone, days=1),
        limit=LIMIT + 1,
        after=place_in(after, int),
    )
    page = page_of(found, LIMIT, lambda one: one.id)
    names = [one.name for one in view.studio.users.list(limit=500)]
    actions = sorted(
        ((one, words_for(one, view.language)) for one in known), key=lambda one: one[1]
    )
    shown = {one.action: words_for(one.action, view.language) for one in page.items}
    data: dict[str, Any] = {
        "page": page,
        "names": names,
        "actions": actions,
        "shown": shown,
        "plain": plain_name,
    }
    return view.page("settings/audit.html", **data)


def day_begins(text: str, zone_min: int, *, days: int = 0) -> datetime | None:
    """When a day of a person's zone begins, or the one `days` later; None: no day was given."""
    try:
        found = date.fromisoformat(text) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    # Browsers tell how far UTC is ahead of them.
    zone = timezone(timedelta(minutes=-zone_min))
    return datetime(found.year, found.month, found.day, tzinfo=zone)


def plain_name(action: str) -> str:
    """An operation's name, whether it was asked for by REST or by a page."""
    name = action.removesuffix(_BY_PAGE)
    return _SAME.get(name, name)


@lru_cache
def operations() -> Mapping[str, tuple[str, ...]]:
    """What changes things: an operation's plain name, and under which names it is in the log."""
    modules = [f"corpusmith.api.routes.{name}" for name in ROUTES]
    modules += [f"corpusmith.web.pages.{group.name}" for group in PAGES]
    found: dict[str, set[str]] = {}
    for name in modules:
        for route in import_module(name).router.routes:
            if not (route.methods or SAFE) <= SAFE:
                found.setdefault(plain_name(route.name), set()).add(route.name)
    return {name: tuple(sorted({name, *all_names})) for name, all_names in sorted(found.items())}


def words_for(action: str, language: Language) -> str:
    """An operation in words: its own, else made of those of its verb and of its noun, else its
    name."""
    name, known = plain_name(action), catalog(language)
    if (own := f"web.audit.action.{name}") in known:
        return say(own, language)
    verb, _, rest = name.partition("_")
    noun = rest.removesuffix("_bulk").removesuffix("s")
    keys = (f"web.audit.verb.{verb}", f"web.audit.noun.{noun}")
    if all(key in known for key in keys):
        noun_said = say(keys[1], language)
        return say(keys[0], language, noun=noun_said)
    return name.replace("_", " ")
