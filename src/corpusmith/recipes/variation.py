"""Which variation an item gets, so that a thousand dialogues of one scenario do not repeat.

Owns: the walk over all combinations of the lists. Does not own: the lists (`presets/`, the
user's own), or how a pick is worded (`dialogue_prompts.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from math import prod
from typing import Literal

_ROUNDS = 6
_MASK = 0xFFFF_FFFF


class Variation:
    """Combinations of one entry of each list. A list without entries takes no part."""

    __slots__ = ("_half_bits", "_lists", "size")

    def __init__(self, lists: Mapping[str, Sequence[str]]) -> None:
        self._lists = tuple((name, tuple(entries)) for name, entries in lists.items() if entries)
        self.size = prod(len(entries) for _, entries in self._lists)
        """How many combinations there are; 1 when there is no list: the empty one."""
        self._half_bits = max(1, ((self.size - 1).bit_length() + 1) // 2)

    def pick(self, seed: int, category: str, index: int) -> dict[str, str]:
        """The combination of the item `index` (from 0) of a category, by list name. Pure.

        Within a category no combination comes twice before all have come once; then they come
        again in another order. Neighbours differ in most lists.
        """
        lap, place = divmod(index, self.size)
        place = self._shuffled(place, _round_keys(seed, category, lap))
        chosen = {}
        for name, entries in self._lists:
            place, at = divmod(place, len(entries))
            chosen[name] = entries[at]
        return chosen

    def _shuffled(self, place: int, keys: tuple[int, ...]) -> int:
        """Where a keyed permutation of `range(size)` puts `place`.

        A Feistel network permutes the next even power of two without a table; walking its cycle
        until it is back inside (at most 4 steps on average) permutes the range itself.
        """
        bits, size = self._half_bits, self.size
        low = (1 << bits) - 1
        while True:
            left, right = place >> bits, place & low
            for key in keys:
                mixed = ((right ^ key) * 0x9E3779B1) & _MASK
                mixed = ((mixed ^ (mixed >> 15)) * 0x85EBCA77) & _MASK
                left, right = right, left ^ ((mixed ^ (mixed >> 13)) & low)
            place = left << bits | right
            if place < size:
                return place


def joined(
    shipped: Mapping[str, Sequence[str]],
    own: Mapping[str, Sequence[str]],
    *,
    mode: Literal["extend", "replace"] = "extend",
) -> dict[str, tuple[str, ...]]:
    """The lists of `shipped` with the user's `own`, each without repeated entries.

    `extend` appends to the list of the same name; `replace` puts the own list in its place, and
    an empty own list takes it out. A list of a new name is added either way.
    """
    base = {name: tuple(entries) for name, entries in shipped.items()}
    for name, entries in own.items():
        kept = base.get(name, ()) if mode == "extend" else ()
        base[name] = tuple(dict.fromkeys((*kept, *entries)))
    return {name: entries for name, entries in base.items() if entries}


@lru_cache(maxsize=1024)
def _round_keys(seed: int, category: str, lap: int) -> tuple[int, ...]:
    digest = blake2b(f"{seed}\x1f{category}\x1f{lap}".encode(), digest_size=4 * _ROUNDS).digest()
    return tuple(int.from_bytes(digest[i : i + 4]) for i in range(0, len(digest), 4))
