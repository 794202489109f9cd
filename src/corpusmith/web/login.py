"""The address of the login page."""

from __future__ import annotations

from urllib.parse import urlencode

PATH = "/login"


def login_path(here: str) -> str:
    """The login page, which leads back to `here`."""
    return f"{PATH}?{urlencode({'next': here})}" if here not in ("", "/") else PATH
