"""Rows that are read when they are looked at, as a sequence.

Owns: what indexing and slicing mean. Does not own: where a row comes from.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import overload

from corpusmith.values import Json


class LazyRows(Sequence[Json]):
    """What has a length and can read the row at a place is a sequence by this."""

    @abstractmethod
    def row(self, place: int) -> Json:
        """The row at `place`, 0 to length - 1."""

    @overload
    def __getitem__(self, index: int) -> Json: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Json]: ...
    def __getitem__(self, index: int | slice) -> Json | Sequence[Json]:
        if isinstance(index, slice):
            return [self.row(place) for place in range(*index.indices(len(self)))]
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(index)
        return self.row(place)
