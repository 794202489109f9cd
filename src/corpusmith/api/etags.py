"""A change that would cover somebody else's unseen is refused: `ETag`, and `If-Match`.

Owns: the tag of what an answer shows, and whether it still is that. Does not own: what a noun's
answer shows (`routes/`), records and templates' own versions (their services).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import blake2b
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Response

from corpusmith.errors import ChangedSince

T = TypeVar("T")

IF_MATCH = "If-Match"
TAGGED: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {
            "ETag": {
                "description": "Of what the answer shows, for `If-Match`.",
                "schema": {"type": "string"},
            }
        }
    }
}
"""What the document says of an answer with a tag."""
# A proxy that packs the answer makes the tag a weak one: what it is of is the same.
_TAG = re.compile(r'(?:W/)?"([^"]*)"')

Wish = Annotated[
    str | None,
    Header(
        alias=IF_MATCH,
        max_length=4000,
        description="An `ETag` that came with the thing. When it is not like that any more the "
        "answer is 412, and nothing is done.",
    ),
]


def mark_of(shown: Any) -> str:
    """What tells whether a thing is still as it was shown."""
    return blake2b(repr(shown).encode("utf-8", "replace"), digest_size=16).hexdigest()


class Tag:
    """Tags the answer to a request. `TagOf` makes it."""

    def __init__(self, response: Response) -> None:
        self._response = response

    def shown(self, found: T, *, by: Callable[[T], Any] = lambda one: one) -> T:
        """`found`, and the answer has its tag; `by`: what of it a change would cover."""
        self._response.headers["ETag"] = f'"{mark_of(by(found))}"'
        return found


class Guard(Tag):
    """The same of a change, which may be only for what was seen. `GuardOf` makes it."""

    def __init__(self, response: Response, if_match: Wish = None) -> None:
        super().__init__(response)
        self._wish = if_match

    def refuse_changed(self, read: Callable[[], Any]) -> None:
        """Raises ChangedSince where the request is for another state than `read` finds, and
        NotFound with it; a request that says nothing of that is for any."""
        if self._wish is None:
            return
        now = mark_of(read())
        if self._wish.strip() != "*" and now not in _TAG.findall(self._wish):
            raise ChangedSince()


TagOf = Annotated[Tag, Depends(Tag)]
GuardOf = Annotated[Guard, Depends(Guard)]
