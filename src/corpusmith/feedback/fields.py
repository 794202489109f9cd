"""A row of somebody's feedback as ours: names mapped, ratings read, what does not fit refused.

Owns: the mapping and its notation, and what a valid rating is. Does not own: reading rows
(`readers`), which ones are kept (`service/feedback_run.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from corpusmith.errors import UsageError
from corpusmith.values import Json

FIELDS = ("id", "user_input", "model_response", "rating", "model_name", "timestamp")
BEST, WORST = 5, 1
UP = ("up", "like", "liked", "good", "positive", "yes", "true", "thumbs_up", "thumbsup", "👍", "赞")
DOWN = (
    *("down", "dislike", "disliked", "bad", "negative", "no", "false"),
    *("thumbs_down", "thumbsdown", "👎", "踩"),
)
WORDS: dict[str, int] = {**dict.fromkeys(UP, BEST), **dict.fromkeys(DOWN, WORST)}
"""Words (and booleans) that are understood as ratings; the statistics say how often they were."""
_NESTED = (dict, list)


class Feedback(NamedTuple):
    """One person's view of one answer. A tuple: a frozen dataclass takes four times as long to
    make, and there are millions."""

    id: Json
    user_input: str
    model_response: str
    rating: int | float
    model_name: str | None
    timestamp: Json


class BadField(Exception):
    """Why a row cannot be used. `reason`: a stable code."""

    def __init__(self, reason: str, **detail: Json) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMap:
    """Where each of our fields is found, and what its values stand for."""

    names: Mapping[str, str] = field(default_factory=dict)
    """Ours → theirs; what is not named is called the same. `a.0.b` looks inside."""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Ours → {their value: what it stands for}."""


def map_of(texts: Sequence[str]) -> dict[str, str]:
    """`user_input=prompt` texts as ours → theirs. Raises UsageError."""
    names: dict[str, str] = {}
    for text in texts:
        ours, equals, theirs = text.partition("=")
        if not (equals and ours.strip() and theirs.strip()):
            raise UsageError("feedback_map", text=text[:100])
        names[ours.strip()] = theirs.strip()
    return names


def value_map_of(texts: Sequence[str]) -> dict[str, dict[str, str]]:
    """`rating:up=5,down=1` texts as ours → {theirs: meaning}. Raises UsageError."""
    values: dict[str, dict[str, str]] = {}
    for text in texts:
        ours, colon, pairs = text.partition(":")
        if not colon or not all("=" in pair for pair in pairs.split(",")):
            raise UsageError("feedback_map_value", text=text[:100])
        told = values.setdefault(ours.strip(), {})
        for pair in pairs.split(","):
            theirs, _, meaning = pair.rpartition("=")
            told[theirs.strip()] = meaning.strip()
    return values


def field_map(names: Mapping[str, str], values: Mapping[str, Mapping[Any, Any]]) -> FieldMap:
    """Both maps checked. Raises UsageError for a field that we do not have."""
    for ours in (*names, *values):
        if ours not in FIELDS:
            raise UsageError("feedback_field", name=ours[:100], fields=", ".join(FIELDS))
    told = {
        ours: {_key(theirs): _key(meaning) for theirs, meaning in pairs.items()}
        for ours, pairs in values.items()
    }
    return FieldMap(names=dict(names), values=told)


class Reader:
    """Makes Feedback of rows. `words` counts the ratings that were words, as `up → 5`."""

    def __init__(self, mapping: FieldMap) -> None:
        self.words: dict[str, int] = {}
        self._names = {ours: mapping.names.get(ours, ours) for ours in FIELDS}
        self._in_order = tuple(self._names[ours] for ours in FIELDS)
        self._values = mapping.values
        self._plain = not self._values and not any("." in name for name in self._in_order)

    def has_rating(self, row: Mapping[str, Json]) -> bool:
        """Whether anything stands where the rating is to be found."""
        return _inside(row, self._names["rating"]) not in (None, "")

    def rating(self, row: Mapping[str, Json]) -> int | float:
        """The row's rating alone. Raises BadField."""
        (_, _, _, found, _, _) = self._mapped(row)
        return self._rating(found)

    def read(self, row: Mapping[str, Json]) -> Feedback:
        """The row as Feedback. Raises BadField."""
        parts = map(row.get, self._in_order) if self._plain else self._mapped(row)
        id_, user_input, model_response, rating, model_name, timestamp = parts
        if type(rating) is not int or not WORST <= rating <= BEST:
            rating = self._rating(rating)
        if type(user_input) is not str or not user_input or user_input.isspace():
            raise self._no_text("user_input", user_input)
        if type(model_response) is not str or not model_response or model_response.isspace():
            raise self._no_text("model_response", model_response)
        if type(model_name) is not str and model_name is not None:
            raise BadField("field_not_text", field=self._names["model_name"])
        if type(id_) in _NESTED or type(timestamp) in _NESTED:
            name = "id" if type(id_) in _NESTED else "timestamp"
            raise BadField("field_not_simple", field=self._names[name])
        return Feedback(id_, user_input, model_response, rating, model_name or None, timestamp)

    def _no_text(self, ours: str, value: Json) -> BadField:
        theirs = self._names[ours]
        if value is None:
            return BadField("field_missing", field=theirs)
        return BadField("field_empty" if isinstance(value, str) else "field_not_text", field=theirs)

    def _mapped(self, row: Mapping[str, Json]) -> list[Json]:
        found = (_inside(row, name) for name in self._in_order)
        return [self._meant(ours, value) for ours, value in zip(FIELDS, found, strict=True)]

    def _meant(self, ours: str, value: Json) -> Json:
        told = self._values.get(ours)
        if told is None or value is None or isinstance(value, dict | list):
            return value
        key = _key(value)
        meaning = told.get(key)
        if meaning is None:
            return value
        if ours == "rating":
            self._count(key, meaning)
        return meaning

    def _rating(self, value: Json) -> int | float:
        """The rating between 1 and 5, a whole one as int. Raises BadField."""
        theirs = self._names["rating"]
        if value is None or value == "":
            raise BadField("field_missing", field=theirs)
        if isinstance(value, str | bool):
            value = self._of_text(value, theirs)
        if not isinstance(value, int | float):
            raise BadField("rating_no_number", field=theirs, value=str(value)[:50])
        if not WORST <= value <= BEST:  # nor is NaN
            raise BadField("rating_range", field=theirs, value=str(value)[:50])
        return int(value) if value == int(value) else value

    def _of_text(self, value: str | bool, theirs: str) -> float:
        key = _key(value)
        word = WORDS.get(key.lower())
        if word is not None:
            self._count(key, str(word))
            return word
        try:
            # Python reads 1_0 as ten; people do not.
            return float(key.replace("_", "?"))
        except ValueError:
            raise BadField("rating_no_number", field=theirs, value=key[:50]) from None

    def _count(self, key: str, meaning: str) -> None:
        name = f"{key} → {meaning}"
        self.words[name] = self.words.get(name, 0) + 1


def _key(value: Json) -> str:
    """A value as it is written in a value map: `true`, `1`, `4.5`, `up`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _inside(row: Mapping[str, Json], path: str) -> Json:
    """What stands at `a.0.b`; a key of exactly this name wins; None: nothing."""
    if path in row:
        return row[path]
    value: Any = row
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.lstrip("-").isdecimal():
            place = int(step)
            value = value[place] if -len(value) <= place < len(value) else None
        else:
            return None
    return value
