"""The cookie of a session, and where a person goes after logging in.

Owns: its name and flags. Does not own: sessions (service).
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from fastapi import Request, Response

from corpusmith.service.access import AGE_S

SESSION = "corpusmith_session"
HOME = "/"


class _Flags(TypedDict):
    path: str
    secure: bool
    httponly: bool
    samesite: Literal["lax"]


def start_session(request: Request, response: Response, secret: str) -> None:
    """The browser sends it from now on; no script can read it, no other site's form sends it."""
    response.set_cookie(SESSION, secret, max_age=int(AGE_S), **_flags(request))


def end_session(request: Request, response: Response) -> None:
    """The browser forgets it."""
    response.delete_cookie(SESSION, **_flags(request))


def _flags(request: Request) -> _Flags:
    return {"path": "/", "secure": by_https(request), "httponly": True, "samesite": "lax"}


def by_https(request: Request) -> bool:
    """Whether the browser speaks HTTPS. Behind a proxy only its Origin tells: the proxy speaks
    plain HTTP with us."""
    origin = request.headers.get("origin", "")
    return request.url.scheme == "https" or origin.startswith("https://")


def own_path(wish: Any) -> str:
    """`wish` if it is a path of this server, else the first page: a link that somebody was sent
    must not lead from our login to another's page."""
    if not isinstance(wish, str) or not wish.startswith("/") or len(wish) > 2000:
        return HOME
    # Browsers read `//host`, `/\\host` and, once they drop tabs and line ends, `/<tab>/host` as
    # another host.
    if wish[1:2] in ("/", "\\") or not wish.isprintable() or "\\" in wish:
        return HOME
    return wish
