"""Ratings that the rows of a file bring along: in which field, and what each of them says.

Owns: which field it is, if it clearly is one. Does not own: what a value says
(`feedback/fields.py`, as for `corpusmith feedback`), records (`imports.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from corpusmith.exports.shapes import shape_of
from corpusmith.feedback.fields import BadField, FieldMap, Reader
from corpusmith.values import Json

Row = Mapping[str, Json]

OURS = "rating"
NAMES = (
    *(OURS, "stars", "thumbs", "thumb", "vote", "feedback", "score", "label"),
    *("评分", "打分", "评价", "星级"),
)
"""Fields that may hold a rating. All but the first only beside an answer that is rated, and only
if every value is one: a `label` may be a class, a `score` may count to 100."""
NO_ANSWER = ("pairs", "kto")
"""Shapes that say by themselves which answer is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsRated:
    """Which field rates a file's rows, and how many. `by`: the field; empty: none does."""

    by: str = ""
    rated: int = 0
    unread: int = 0
    """Rows that hold something else there."""
    words: Mapping[str, int] = field(default_factory=dict)
    """Words that stand for a rating, such as `up → 5`, and how often."""


class Ratings:
    """Reads the rating of each row; counts what it reads."""

    def __init__(self, shape: str, head: Sequence[Row]) -> None:
        """`head`: the first rows, by which the field is known."""
        self._field = "" if shape in NO_ANSWER else _field(head)
        self._reader = _reader(self._field)
        self._rated = 0
        self._unread = 0

    @property
    def found(self) -> RowsRated:
        """What has been read so far."""
        return RowsRated(
            by=self._field,
            rated=self._rated,
            unread=self._unread,
            words=dict(self._reader.words),
        )

    def of(self, row: Row) -> float | None:
        """The row's rating, 1 to 5; None: it has none."""
        if not self._field or not self._reader.has_rating(row):
            return None
        try:
            rating = self._reader.rating(row)
        except BadField:
            self._unread += 1
            return None
        self._rated += 1
        return rating


def _reader(name: str) -> Reader:
    return Reader(FieldMap(names={OURS: name} if name else {}))


def _field(head: Sequence[Row]) -> str:
    return next((name for name in NAMES if _is_rating(name, head)), "")


def _is_rating(name: str, head: Sequence[Row]) -> bool:
    rows = [row for row in head if row.get(name) not in (None, "")]
    if name != OURS:
        rows = [row for row in rows if _answers(row, name)]
    reader, found, odd = _reader(name), [], 0
    for row in rows:
        try:
            found.append(reader.rating(row))
        except BadField as error:
            if error.reason == "rating_range":
                return False  # another scale
            odd += 1
    if name == OURS:
        return len(found) > odd
    # Ones alone may be upvotes as well as the worst marks.
    return bool(found) and not odd and (bool(reader.words) or max(found) > 1)


def _answers(row: Row, name: str) -> bool:
    """Whether there is a question with its answer besides this field."""
    rest: dict[str, Any] = {key: value for key, value in row.items() if key != name}
    return shape_of(rest) is not None
