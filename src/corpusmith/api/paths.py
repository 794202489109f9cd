"""Names in paths: a `/` that was sent as `%2F` belongs to the name, not to the path.

Owns: decoding paths piece by piece. Does not own: any route. A route takes such a name as
`{name:noun}`, and `url_of` writes it.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

from starlette.convertors import Convertor, register_url_convertor
from starlette.types import ASGIApp, Receive, Scope, Send

_SLASH = "\x1f"
"""Stands for a `/` inside a piece of the path; itself a sign that no name holds."""


class NamesInPaths:
    """ASGI middleware: `scope["path"]` with the slashes of names kept apart from its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw: bytes | None = scope.get("raw_path")
        if scope["type"] == "http" and raw is not None and b"%" in raw:
            scope = {**scope, "path": decoded(raw)}
        await self._app(scope, receive, send)


def decoded(raw: bytes) -> str:
    """The path, each piece decoded by itself; bytes that are no UTF-8 become `�`."""
    pieces = raw.partition(b"?")[0].split(b"/")
    return "/".join(
        unquote_to_bytes(piece).decode("utf-8", "replace").replace("/", _SLASH) for piece in pieces
    )


def url_of(*pieces: object) -> str:
    """A path of this server: `url_of("api/v1/scenarios", name)`; the first piece is as it is."""
    first, *names = map(str, pieces)
    return "/" + "/".join([first, *map(_quoted, names)])


@lru_cache(maxsize=4096)
def _quoted(name: str) -> str:
    return quote(name, safe="")


class _Noun(Convertor[str]):
    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return value.replace(_SLASH, "/")

    def to_string(self, value: str) -> str:
        return value.replace("/", _SLASH)


class _Number(Convertor[int]):
    """A number that a row can have: a longer one is no address of ours."""

    regex = "[0-9]{1,18}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("noun", _Noun())
register_url_convertor("int", _Number())
