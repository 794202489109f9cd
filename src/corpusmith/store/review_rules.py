"""What a change makes of a review, and what reviews make of their record. Pure.

Owns: these decisions. Does not own: any row (`reviews.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from corpusmith.store.review_values import Change
from corpusmith.values import ReviewState

Row = Mapping[str, Any]
"""A review: state, rating, note, version, decided, settled, updated_at."""

LENIENT, STRICT = 4.0, 2.0
"""Without a rating, an approval speaks for a score of at least 4, a rejection for at most 2."""


class Summary(NamedTuple):
    """A record's columns that its reviews decide."""

    state: ReviewState
    rating: float | None
    disagreement: float | None


def changed_review(
    old: Row | None, change: Change, *, version: int, action: int, now: float
) -> dict[str, Any]:
    """The review after `change`; `old` None: it is this person's first of the record."""
    row: dict[str, Any] = dict(old) if old else {"state": "pending", "rating": None, "note": ""}
    row |= {"version": version, "updated_at": now}
    row["settled"] = change.settled or bool(row.get("settled"))
    row.setdefault("decided", action)
    if change.state is not None:
        row |= {"state": change.state, "decided": action}
    if change.rating is not None:
        row["rating"] = change.rating or None
    if change.note is not None:
        row["note"] = change.note
    return row


def changed_tags(tags: Iterable[str], change: Change) -> list[str]:
    """The record's tags after `change`, sorted."""
    return sorted((set(tags) | set(change.add_tags)) - set(change.remove_tags))


def undone_tags(tags: Iterable[str], before: Iterable[str], after: Iterable[str]) -> list[str]:
    """`tags` without what an action added, and with what it removed; other people's stay."""
    added, removed = set(after) - set(before), set(before) - set(after)
    return sorted((set(tags) - added) | removed)


def given_rating(provenance: Mapping[str, Any]) -> float | None:
    """The rating that a record came with, such as one of imported feedback; None: it had none."""
    rating = provenance.get("rating")
    return None if isinstance(rating, bool) or not isinstance(rating, int | float) else rating


def summary(reviews: Iterable[Row], score: float | None, given: float | None = None) -> Summary:
    """State: the newest decision's, pending without one. Rating: the mean of those that rated,
    else the one that the record came with (`given`)."""
    rows = list(reviews)
    decisions = [row for row in rows if row["state"] != "pending"]
    newest = max(decisions, key=lambda row: int(row["decided"]), default=None)
    state: ReviewState = "pending" if newest is None else newest["state"]
    ratings = [row["rating"] for row in rows if row["rating"] is not None]
    rating = sum(ratings) / len(ratings) if ratings else given
    return Summary(state, rating, disagreement(state, rating, score))


def disagreement(state: str, rating: float | None, score: float | None) -> float | None:
    """How many points people and the judge are apart; None: one of them has said nothing."""
    if score is None or (rating is None and state == "pending"):
        return None
    apart = 0.0 if rating is None else abs(score - rating)
    by_state = {"approved": LENIENT - score, "rejected": score - STRICT}.get(state, 0.0)
    return max(apart, by_state, 0.0)
