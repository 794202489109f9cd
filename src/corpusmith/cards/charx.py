"""The cards of a zip file: a CHARX (the community's V3 in a zip), or any number of cards.

Owns: what in an archive is a card, and which of a CHARX's pictures is the character's. Does not
own: limits of archives (`archives.py`), cards (`read.py`).
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from corpusmith.archives import Archive
from corpusmith.cards import png
from corpusmith.errors import CorpusmithError
from corpusmith.values import Json

DOCUMENT = "card.json"
_EMBEDDED = ("embeded://", "embedded://")
"""How a CHARX names its own files: its specification has the first spelling."""


def charx_parts(data: bytes, file: str, most: int) -> tuple[bytes, Archive] | None:
    """(the card's JSON, the open archive); None: it is a zip, but no CHARX. Raises UsageError."""
    archive = Archive(io.BytesIO(data), file)
    if DOCUMENT not in {one.name for one in archive.members()}:
        archive.close()
        return None
    return archive.read(DOCUMENT, most), archive


def picture_in(card: dict[str, Json], archive: Archive, file: str, most: int) -> bytes | None:
    """The PNG that the card names as its icon, without cards in it; None: it has no such."""
    data = card.get("data")
    assets = data.get("assets") if isinstance(data, dict) else None
    names = {one.name for one in archive.members()}
    for place in _icons(assets):
        if place not in names:
            continue
        try:
            picture = archive.read(place, most)
            return png.with_cards(png.chunks(picture, file), {})
        except CorpusmithError:
            continue  # a picture that cannot be read is no reason to refuse the character
    return None


def _icons(assets: Json) -> Iterator[str]:
    """The places of its icons, the main one first."""
    found = [one for one in assets if isinstance(one, dict)] if isinstance(assets, list) else []
    icons = [one for one in found if one.get("type") == "icon"]
    for one in sorted(icons, key=lambda one: one.get("name") != "main"):
        uri = one.get("uri")
        for lead in _EMBEDDED:
            if isinstance(uri, str) and uri.startswith(lead):
                yield uri.removeprefix(lead)


def cards_in(data: bytes, file: str, most: int) -> Iterator[tuple[str, bytes | CorpusmithError]]:
    """(name, bytes) of each card that a zip holds; for one that cannot be read, why.

    Raises UsageError for the zip as a whole.
    """
    with Archive(io.BytesIO(data), file) as archive:
        for one in archive.members():
            try:
                yield one.name, archive.read(one.name, most)
            except CorpusmithError as error:
                yield one.name, error
