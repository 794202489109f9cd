"""The beginning of a record, as lists show it."""

from __future__ import annotations

from corpusmith.service.review_content import written_in
from corpusmith.values import Json

PREVIEW = 200
"""Characters of a record that a list shows."""


def preview_of(content: Json) -> str:
    """The beginning of its texts, in one line."""
    shown = ""
    for one in written_in(content):
        shown = f"{shown} {one[:PREVIEW]}" if shown else one[:PREVIEW]
        if len(shown) >= PREVIEW:
            break
    line = " ".join(shown.split())
    return line if len(line) <= PREVIEW else line[: PREVIEW - 1] + "…"
