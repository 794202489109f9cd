"""Which kind of values each column of rows holds, found by looking at all of them.

Owns: kinds, and values made to fit one. Does not own: any file (`parquet.py`).

A kind is `str`, `bool`, `int`, `float`, `[kind]` for a list, `{name: kind}` for an object, or
`object`: values of different kinds, where a text stays as it is and all else is JSON text, as in a
CSV. So is an object that is empty in every row, nested deeper than `MOST_LEVELS`, or has more than
`MOST_NAMES` names over all rows, for then its names are data and no columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from corpusmith.values import Json

MOST_NAMES = 64
MOST_LEVELS = 8
_INT64 = range(-(1 << 63), 1 << 63)
_EXACT = range(-(1 << 53), (1 << 53) + 1)
"""Whole numbers that a float holds exactly."""


class Seen:
    """The values that one place has held so far."""

    __slots__ = ("_exact", "_fits", "_items", "_level", "_names", "_types")

    def __init__(self, level: int = 0) -> None:
        self._level = level
        self._types: set[type] = set()
        self._fits = self._exact = True
        self._items: Seen | None = None
        self._names: dict[str, Seen] = {}

    def see(self, value: Json) -> None:
        """Take notice of a value; null says nothing."""
        if value is None:
            return
        kind = type(value)
        self._types.add(kind)
        if kind is int:
            self._fits = self._fits and value in _INT64
            self._exact = self._exact and value in _EXACT
        elif self._level >= MOST_LEVELS:
            return
        elif kind is list:
            if self._items is None:
                self._items = Seen(self._level + 1)
            for one in value:
                self._items.see(one)
        elif kind is dict:
            self._see_names(value)

    def _see_names(self, value: Mapping[str, Json]) -> None:
        if len(self._names) > MOST_NAMES:
            return
        for name, one in value.items():
            inside = self._names.get(name)
            if inside is None:
                inside = self._names[name] = Seen(self._level + 1)
            inside.see(one)

    def kind(self) -> Any:
        """What holds all of them."""
        if self._types <= {str}:  # a place that was always null is a text too
            return str
        if self._types == {bool}:
            return bool
        if self._types == {int}:
            return int if self._fits else object
        if self._types <= {int, float}:
            return float if self._exact else object
        if self._level >= MOST_LEVELS or len(self._types) > 1:
            return object
        if self._items is not None:
            return [self._items.kind()]
        if not 0 < len(self._names) <= MOST_NAMES:
            return object
        return {name: one.kind() for name, one in self._names.items()}


def is_mixed(kind: Any) -> bool:
    """Whether there is an `object` anywhere in it."""
    if isinstance(kind, list):
        return is_mixed(kind[0])
    if isinstance(kind, dict):
        return any(map(is_mixed, kind.values()))
    return kind is object


def fitted(value: Json, kind: Any) -> Json:
    """`value` with JSON text where its kind is `object`."""
    if value is None or not is_mixed(kind):
        return value
    if isinstance(kind, list):
        return [fitted(one, kind[0]) for one in value]
    if isinstance(kind, dict):
        return {name: fitted(value.get(name), one) for name, one in kind.items()}
    return value if isinstance(value, str) else orjson.dumps(value).decode()
