"""What routes ask for: a Studio in the request's language, and a page of a list."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Generic, Self, TypeVar

import orjson
from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, model_validator

from corpusmith.api.serving import serving_of
from corpusmith.api.speaking import language_of
from corpusmith.errors import SpecError
from corpusmith.service.studio import Studio
from corpusmith.values import Json

T = TypeVar("T")
MOST_NUMBER = 2**53 - 1
"""The largest that no client of JSON takes for its neighbour."""


def _values_in(given: Any) -> Iterator[Any]:
    """All that stands in it, names too."""
    # No recursion: what is sent may be as deep as a parser goes.
    left = [given]
    while left:
        one = left.pop()
        if isinstance(one, Mapping):
            left += [*one, *one.values()]
        elif isinstance(one, list):
            left += one
        else:
            yield one


def _is_kept(number: int | float) -> bool:
    """Whether a database gives it back as it was sent; NaN and 1e400 it does not."""
    return -(2**63) <= number < 2**64 if isinstance(number, int) else math.isfinite(number)


class Body(BaseModel):
    """What is sent here. Unknown fields are refused, never passed over; a value of another type is
    too: `"3"` is no number, as the API's own description says. Write lists as `Sequence[…]`: a
    `tuple` would refuse a JSON list.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, strict=True)

    @model_validator(mode="wrap")
    @classmethod
    def _kept_as_sent(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        # Taken in silence, what is stored would not be what was sent.
        if any(isinstance(one, str) and "\0" in one for one in _values_in(given)):
            raise SpecError("body_nul")
        made = handler(given)
        if not all(_is_kept(one) for one in _values_in(given) if isinstance(one, int | float)):
            raise SpecError("body_number")
        return made


async def studio_of(request: Request) -> Studio:
    """A Studio in the request's language."""
    serving = serving_of(request)
    return Studio.over(serving.store, language_of(request), passwords=serving.passwords)


StudioOf = Annotated[Studio, Depends(studio_of)]
"""The Studio of one request. Routes that use it are plain `def`: each runs in a thread."""


class Page(BaseModel, Generic[T]):
    """Some of a list."""

    items: Sequence[T]
    next: str | None = Field(
        default=None, description="`after` of the page that follows; null: there is none."
    )
    total: int | None = Field(
        default=None, description="How many there are in all, where that is cheap to know."
    )


Limit = Annotated[int, Query(ge=1, le=500, description="Items of a page at most.")]
After = Annotated[
    str | None, Query(max_length=2000, description="`next` of the page before; without: the first.")
]
Search = Annotated[
    str | None, Query(max_length=200, description="Text that the name or description holds.")
]


def page_of(
    items: Sequence[T], limit: int, place: Callable[[T], Json], *, total: int | None = None
) -> Page[T]:
    """A page of `items`, of which the list was asked for one more than `limit`.

    `place`: of an item, what the list takes as `after` to go on behind it.
    """
    shown = items[:limit]
    more = len(items) > limit
    return Page(items=shown, next=cursor(place(shown[-1])) if more else None, total=total)


def cursor(place: Json) -> str:
    """A place in a list as opaque text."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def place_in(after: str | None, kind: type[T]) -> T | None:
    """What `cursor` was made of. Raises SpecError when it is none of ours."""
    if after is None:
        return None
    try:
        found: Any = orjson.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
    except (binascii.Error, ValueError):
        found = None
    # What no column can hold was never in a cursor of ours.
    if isinstance(found, int) and abs(found) > MOST_NUMBER:
        found = None
    if not isinstance(found, kind) or isinstance(found, bool):
        raise SpecError("bad_cursor")
    return found
