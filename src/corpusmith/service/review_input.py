"""What people give to review, checked: names, ratings, tags, queues.

Owns: what is allowed. Does not own: doing it (`reviews.py`).
"""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast, get_args

from corpusmith.config import setting
from corpusmith.errors import UsageError
from corpusmith.store.review_values import Change, Kind, Place, Queue
from corpusmith.values import ReviewState, Selection

MOST_NAME, MOST_TAG, MOST_NOTE, MOST_TAGS = 100, 50, 5000, 50
MOST_PAGE = 1000
NO_RATING = "none"
_CURSOR = re.compile(r"\d{1,18}(\.\d{1,18})?(,\d{1,18}(\.\d{1,18})?){0,3}", re.ASCII)
_NOT_IN_TAGS = '",\\'
"""A comma parts tags; the others would not be found again in their column."""


def reviewer_of(wish: str | None = None) -> str:
    """Who reviews: `wish`, else CORPUSMITH_REVIEWER, else the login name. Raises UsageError."""
    name = wish if wish is not None else setting("reviewer") or _login()
    name = name.strip()
    if not name or len(name) > MOST_NAME or not name.isprintable():
        raise UsageError("review_reviewer", name=name[:60], most=MOST_NAME)
    return name


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user without a name
        raise UsageError("review_no_reviewer") from None


def change_of(
    *,
    state: str | None = None,
    rating: int | str | None = None,
    note: str | None = None,
    add_tags: Iterable[str] = (),
    remove_tags: Iterable[str] = (),
    settled: bool = False,
) -> Change:
    """What is said of a record. `rating`: 1 to 5, or `none` to take it away. Raises UsageError."""
    if state is not None and state not in get_args(ReviewState):
        known = ", ".join(get_args(ReviewState))
        raise UsageError("review_state", value=str(state)[:60], known=known)
    if note is not None and len(note) > MOST_NOTE:
        raise UsageError("review_note", most=MOST_NOTE)
    change = Change(
        state=cast(ReviewState | None, state),
        rating=None if rating is None else _rating(rating),
        note=note,
        add_tags=_tags(add_tags),
        remove_tags=_tags(remove_tags),
        settled=settled,
    )
    if not (change.is_review or change.add_tags or change.remove_tags):
        raise UsageError("review_nothing")
    both = sorted(set(change.add_tags) & set(change.remove_tags))
    if both:
        raise UsageError("review_tag_both", tag=both[0])
    return change


def _rating(value: int | str) -> int:
    text = str(value).strip()
    if text == NO_RATING:
        return 0
    if isinstance(value, bool) or text not in ("1", "2", "3", "4", "5"):
        raise UsageError("review_rating", value=text[:60])
    return int(text)


def _tags(tags: Iterable[str]) -> tuple[str, ...]:
    found = dict.fromkeys(tag.strip() for tag in tags)
    for tag in found:
        plain = tag.isprintable() and not any(sign in tag for sign in _NOT_IN_TAGS)
        if not tag or len(tag) > MOST_TAG or not plain:
            raise UsageError("review_tag", tag=tag[:60], most=MOST_TAG)
    if len(found) > MOST_TAGS:
        raise UsageError("review_tags", most=MOST_TAGS)
    return tuple(found)


def scope_of(
    selection: Selection | None, dataset: str | None, task: int | None, **fields: Any
) -> Selection:
    """The records of one dataset or one task. Raises UsageError when it is neither or both."""
    wanted = selection or Selection()
    if dataset is not None:
        wanted = replace(wanted, dataset=dataset)
    if task is not None:
        wanted = replace(wanted, task_id=task)
    if (wanted.dataset is None) == (wanted.task_id is None):
        raise UsageError("task_or_dataset")
    return replace(wanted, **fields) if fields else wanted


def cursor(place: Place | None) -> str | None:
    """A page's `after` or `before` as text, such as for an address; `way_of` takes it."""
    return None if place is None else ",".join(map(repr, place))


def way_of(
    after: Place | str | None, before: Place | str | None
) -> tuple[Place | None, Place | None]:
    """Where a page begins or ends: at most one of the two. Raises UsageError."""
    if after is not None and before is not None:
        raise UsageError("review_cursor")
    return _place(after), _place(before)


def _place(given: Place | str | None) -> Place | None:
    if not isinstance(given, str):
        return given
    if not _CURSOR.fullmatch(given):
        raise UsageError("review_cursor")
    return tuple(float(one) if "." in one else int(one) for one in given.split(","))


def page_size(limit: int) -> int:
    """Raises UsageError."""
    if not 1 <= limit <= MOST_PAGE:
        raise UsageError("review_page", limit=limit, most=MOST_PAGE)
    return limit


def queue_of(given: Mapping[str, Any], selection: Selection, reviewer: str) -> Queue:
    """A queue from `kind`, `percent` and `seed`, those that are not None. Raises UsageError."""
    kind = given.get("kind") or "all"
    if kind not in get_args(Kind):
        raise UsageError("review_queue", value=str(kind)[:60], known=", ".join(get_args(Kind)))
    percent = given.get("percent")
    if (kind == "sample") != (percent is not None):
        raise UsageError("review_percent_needed" if percent is None else "review_percent_only")
    percent = 100.0 if percent is None else float(percent)
    if not 0 < percent <= 100:
        raise UsageError("review_percent", value=f"{percent:g}")
    return Queue(
        reviewer=reviewer,
        selection=selection,
        kind=cast(Kind, kind),
        percent=percent,
        seed=given.get("seed") or 0,
    )
