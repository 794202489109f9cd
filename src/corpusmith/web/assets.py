"""The files that pages load: their addresses, and how they are sent.

Owns: a hash of the content in every address, so that a browser keeps a file for ever and never a
stale one. Does not own: which page loads what (templates), fetching foreign files
(`scripts/vendor-assets`).
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

FOLDER = Path(__file__).parent / "static"
PREFIX = "/static"
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
"""What is served; other files beside them (licences) are not."""
_PACKED = (".css", ".js", ".svg")

router = APIRouter(prefix=PREFIX, include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file as it is sent."""

    kind: str
    digest: str
    plain: bytes = field(repr=False)
    packed: bytes | None = field(repr=False)
    """By gzip; None: it would not get smaller."""


@lru_cache
def names() -> frozenset[str]:
    """Every file that is served, by its path below `static`."""
    found = (one for one in FOLDER.rglob("*") if one.suffix in KINDS)
    return frozenset(one.relative_to(FOLDER).as_posix() for one in found)


@lru_cache
def asset(name: str) -> Asset:
    """Raises KeyError for a file that there is not."""
    if name not in names():
        raise KeyError(name)
    path = FOLDER / name
    plain = path.read_bytes()
    return Asset(
        kind=KINDS[path.suffix],
        digest=hashlib.blake2b(plain, digest_size=6).hexdigest(),
        plain=plain,
        packed=gzip.compress(plain, 9, mtime=0) if path.suffix in _PACKED else None,
    )


def address(name: str) -> str:
    """Where a page finds the file. Raises KeyError for one that there is not."""
    return f"{PREFIX}/{asset(name).digest}/{name}"


@router.get("/{digest}/{name:path}")
def static_file(request: Request, digest: str, name: str) -> Response:
    """A file, kept by the browser for good: another content has another address."""
    try:
        found = asset(name)
    except KeyError:
        raise HTTPException(404) from None
    if digest != found.digest:
        raise HTTPException(404)
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if found.packed is None or "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(found.plain, media_type=found.kind, headers=headers)
    headers["Content-Encoding"] = "gzip"
    return Response(found.packed, media_type=found.kind, headers=headers)
