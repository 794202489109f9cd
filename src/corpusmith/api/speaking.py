"""The language of a request: `?lang=`, else the cookie that the page sets, else what the browser
asks for, else the server's own."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, cast

from fastapi import Depends, Request

from corpusmith.api.serving import serving_of
from corpusmith.config import setting
from corpusmith.messages import LANGUAGES
from corpusmith.values import Language

COOKIE = "corpusmith_lang"
MOST_HEADER = 1000
"""Of Accept-Language: what was asked for lately is kept, and anybody may send a long one."""


def language_of(request: Request) -> Language:
    """The first of the four that names a language which we speak."""
    wishes = (request.query_params.get("lang"), request.cookies.get(COOKIE))
    asked = _asked_for(request.headers.get("accept-language", "")[:MOST_HEADER])
    for wish in (*wishes, *asked):
        if wish and wish.lower()[:2] in LANGUAGES:
            return cast(Language, wish.lower()[:2])
    return cast(Language, setting("server_language") or serving_of(request).language)


@lru_cache(256)
def _asked_for(header: str) -> tuple[str, ...]:
    """The languages of an Accept-Language header, the most wanted first."""
    wanted = []
    for part in header.split(",")[:20]:
        name, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((-float(weight or 1), name.strip()))
        except ValueError:
            continue
    return tuple(name for weight, name in sorted(wanted, key=lambda one: one[0]) if weight < 0)


async def _language(request: Request) -> Language:
    # What is no `async def` is called in a thread, and the way there costs more than this.
    return language_of(request)


LanguageOf = Annotated[Language, Depends(_language)]
