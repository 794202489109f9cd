"""Tokens: what programs send instead of a password."""

from __future__ import annotations

from fastapi import Request
from pydantic import Field

from corpusmith.api.access import Asker, needs
from corpusmith.api.asking import After, Body, Limit, Page, StudioOf, page_of, place_in
from corpusmith.api.audit_trail import name_target
from corpusmith.api.router import rest
from corpusmith.service.tokens import DAYS, MOST_DAYS, NewToken
from corpusmith.store.access_values import Scope, Token

router = rest("/tokens", tags=["tokens"])


class TokenWish(Body):
    """A token to be."""

    name: str = Field(min_length=1, max_length=100, examples=["夜间导出"])
    scope: Scope = Field(default="read", description="At most your own.")
    days: int | None = Field(
        default=DAYS, ge=1, le=MOST_DAYS, description="Until it expires; null: never."
    )


@router.get("", dependencies=[needs("read")])
def list_tokens(
    studio: StudioOf, asker: Asker, limit: Limit = 50, after: After = None
) -> Page[Token]:
    """Your tokens, newest first; an admin sees everybody's. A token sees itself."""
    found = studio.tokens.list(by=asker, limit=limit + 1, after=place_in(after, int))
    return page_of(found, limit, lambda one: one.id)


@router.post("", status_code=201, dependencies=[needs("read")])
def add_token(request: Request, studio: StudioOf, asker: Asker, body: TokenWish) -> NewToken:
    """Make one. Its secret is in this answer and nowhere else. 403 for more rights than yours, and
    for a token that is no admin's."""
    made = studio.tokens.add(body.name, scope=body.scope, days=body.days, by=asker)
    name_target(request, made.token.id)
    return made


@router.get("/{number:int}", dependencies=[needs("read")])
def get_token(studio: StudioOf, asker: Asker, number: int) -> Token:
    """One token of yours; an admin sees everybody's."""
    return studio.tokens.get(number, by=asker)


@router.delete("/{number:int}", dependencies=[needs("read")])
def revoke_token(studio: StudioOf, asker: Asker, number: int) -> Token:
    """Revoke it, for good and at once. An admin may revoke everybody's, a token itself."""
    return studio.tokens.revoke(number, by=asker)
