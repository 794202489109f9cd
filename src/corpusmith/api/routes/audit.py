"""The log of who did what."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from corpusmith.api.access import needs
from corpusmith.api.asking import After, Limit, Page, StudioOf, page_of, place_in
from corpusmith.api.router import rest
from corpusmith.store.access_values import AuditEntry

router = rest(tags=["audit"])

Text = Annotated[str | None, Query(max_length=300)]


def _no_number(given: object) -> object:
    """Of seconds since 1970 the document says nothing."""
    if isinstance(given, str) and given.strip().lstrip("+-").replace(".", "", 1).isdigit():
        raise PydanticCustomError("datetime_parsing", "a number")
    return given


_Time = Annotated[datetime | None, BeforeValidator(_no_number)]
From = Annotated[_Time, Query(alias="from", description="A time without a zone is UTC's.")]
Until = Annotated[_Time, Query(alias="to", description="Before this.")]


@router.get("/audit", dependencies=[needs("admin")])
def list_audit(
    studio: StudioOf,
    who: Text = None,
    action: Text = None,
    target: Text = None,
    since: From = None,
    until: Until = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[AuditEntry]:
    """What was changed or refused, newest first: by users, tokens, the one local person, and the
    commands `users` and `tokens`. `action` is an operation's id in this description."""
    found = studio.audit.list(
        who=who,
        action=action,
        target=target,
        since=since,
        until=until,
        limit=limit + 1,
        after=place_in(after, int),
    )
    return page_of(found, limit, lambda one: one.id)
