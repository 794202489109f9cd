"""The address of the login page."""

from __future__ import annotations

from urllib.parse import urlencode

PATH = "/login"


def login_path(here: str, *, sent: bool = False, over: bool = False) -> str:
    """The login page, which leads back to `here`. `sent`: something was sent, and not taken;
    `over`: there was a session."""
    marks = {"sent": "1"} if sent else {"over": "1"} if over else {}
    given = {"next": here, **marks} if here not in ("", "/") else marks
    return f"{PATH}?{urlencode(given)}" if given else PATH
