"""Base URLs as people write them, made comparable.

Owns: what a base URL may look like. Does not own: which paths a protocol adds to it.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from corpusmith.errors import SpecError

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(
    r"(localhost|\d{1,3}(\.\d{1,3}){3}|([a-z0-9-]{1,30}\.)+[a-z]{2,12})(:\d{1,5})?(/|$)"
)
"""How an address begins that somebody typed without its scheme."""
_ODD = re.compile(r"[\x00-\x20\x7f-\x9f\\<>\"`{}|^]")


def normalise_base_url(text: str) -> str:
    """`text` with a lower-case scheme and host, no default port, no slash at the end.

    Raises SpecError: `base_url_scheme` (data `url`, `scheme`), `base_url_user`, `base_url_query`,
    `base_url_host`, `base_url_port`, `base_url_characters` (data `url`). The `url` in the data is
    without user and query: people paste keys there.
    """
    text = text.strip()
    shown = _without_secrets(text)
    if _ODD.search(text):
        raise SpecError("base_url_characters", url=_ODD.sub("?", shown))
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise SpecError("base_url_port", url=shown) from error
    _refuse(parts, shown)
    host = str(parts.hostname)
    if ":" in host:
        host = f"[{host}]"
    if port is not None and port != _PORTS[parts.scheme]:
        host = f"{host}:{port}"
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}"


def _refuse(parts: SplitResult, shown: str) -> None:
    if parts.scheme not in _PORTS or "//" not in shown:
        scheme = parts.scheme if "://" in shown else ""
        raise SpecError("base_url_scheme", url=shown, scheme=scheme)
    if parts.username is not None or parts.password is not None:
        raise SpecError("base_url_user", url=shown)
    if parts.query or parts.fragment:
        raise SpecError("base_url_query", url=shown)
    if not parts.hostname:
        raise SpecError("base_url_host", url=shown)


def _without_secrets(text: str) -> str:
    scheme, slashes, rest = text.partition("://")
    if not slashes:
        scheme, rest = "", text
        # Without a scheme it may be the key itself, pasted into the wrong field.
        if rest and not _HOST.match(rest):
            return "…"
    rest = re.split(r"[?#]", rest, maxsplit=1)[0]
    # All before the last one: a password may hold any sign.
    return f"{scheme}{slashes}{rest.rpartition('@')[2]}"
