"""The request headers of a connection, made once.

Owns: which of the vendor's, the user's and the key's headers wins. Does not own: what a
protocol's key header is called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from multidict import CIMultiDict

from corpusmith import __version__
from corpusmith.contracts import Secret
from corpusmith.errors import SpecError
from corpusmith.values import Connection

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x20-\x7e\t]*")


def request_headers(
    connection: Connection, key: Secret | None, auth: str, fixed: Mapping[str, str]
) -> CIMultiDict[str]:
    """Headers for every request. `auth`: the key's header, such as `Authorization: Bearer `.

    The connection's own headers win over `fixed`; the key wins over all.
    Raises SpecError `bad_header` or `bad_key` when one cannot be sent in HTTP.
    """
    headers: CIMultiDict[str] = CIMultiDict(
        {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "Content-Type": "application/json",
            "User-Agent": f"corpusmith/{__version__}",
        }
    )
    headers.update(fixed)
    for name, value in connection.headers.items():
        sent = value if isinstance(value, str) and _VALUE.fullmatch(value) else None
        if sent is None or not _NAME.fullmatch(name):
            raise SpecError("bad_header", connection=connection.name, header=name)
        headers[name] = sent
    if key is not None:
        name, _, prefix = auth.partition(": ")
        headers[name] = prefix + _sendable(key, connection)
    return headers


def _sendable(key: Secret, connection: Connection) -> str:
    """The key without the line end that `$(cat file)` or an editor leaves."""
    value = key.reveal().strip()
    if not value or not value.isascii() or not value.isprintable():
        raise SpecError("bad_key", connection=connection.name)
    return value
