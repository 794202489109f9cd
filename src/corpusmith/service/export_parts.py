"""Splits and balance: which part of an export a record goes to, and whether it is taken. Pure.

Owns: reading `train=0.9,validation=0.1` and `category=50`, and both decisions. Does not own: what a
record's group is (`export_groups.py`), files.

Both go by digests of the seed and of what is said, never by a record's number: the same records
give the same choice in whatever order they came.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

import orjson

from corpusmith.digests import digest
from corpusmith.errors import UsageError
from corpusmith.service.export_groups import Key
from corpusmith.values import Json, Record

BalanceBy = Literal["category", "scenario", "character"]

_NAME = re.compile(r"[A-Za-z0-9_]{1,40}")
_SPACE = 1 << 64
_FIRST_BITS = 16
_REST = "train"
"""The part that gets what the others leave, where shares do not add up to everything."""

# ---------------------------------------------------------------- split


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Parts by name, with where each ends between 0 and 2^64."""

    ends: Mapping[str, int]
    shares: Mapping[str, float]
    seed: int

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.ends)

    def part(self, group: Key) -> str:
        """Where the group goes. It depends on the seed and the group alone, so that records that
        come later move no other one; the parts' sizes are therefore near their shares, not exact.
        """
        place = digest("split", self.seed, *group)
        return next(name for name, end in self.ends.items() if place < end)


def split_of(wish: str | Mapping[str, float], seed: int) -> Split:
    """`train=0.9,validation=0.1`, with per cent too; what is left over goes to `train`.

    Raises UsageError.
    """
    shares = _shares(wish)
    rest = 1 - math.fsum(shares.values())
    if rest > 1e-6:
        if _REST in shares:
            raise UsageError("export_split_sum", sum=f"{math.fsum(shares.values()):.6g}")
        shares = {_REST: rest, **shares}
    elif rest < -1e-6:
        raise UsageError("export_split_sum", sum=f"{math.fsum(shares.values()):.6g}")
    ends, at = {}, 0.0
    for name, share in shares.items():
        at += share
        ends[name] = round(at * _SPACE)
    ends[name] = _SPACE
    return Split(ends=ends, shares=shares, seed=seed)


def _shares(wish: str | Mapping[str, float]) -> dict[str, float]:
    pairs = list(wish.items()) if isinstance(wish, Mapping) else _pairs(wish)
    shares: dict[str, float] = {}
    for name, value in pairs:
        share = _share(value)
        if not _NAME.fullmatch(str(name)) or share is None:
            raise UsageError("export_split", text=f"{name}={value}"[:60])
        if name.lower() in {one.lower() for one in shares}:
            raise UsageError("export_split_twice", name=name)
        shares[name] = share
    return shares


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs = []
    for one in text.split(","):
        name, _, value = one.partition("=")
        pairs.append((name.strip(), value.strip()))
    return pairs


def _share(value: object) -> float | None:
    """0 < share <= 1; None: it is none."""
    text = str(value)
    try:
        share = float(text.rstrip("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return None
    return share if 0 < share <= 1 else None


# ---------------------------------------------------------------- balance


class Balance:
    """The same number of records of each kind: `look` at all of them, `settle`, then ask `keeps`.

    Eight bytes are kept of each record.
    """

    def __init__(self, by: BalanceBy, count: int | None, seed: int) -> None:
        self.by = by
        self.count = count
        """None: as many as the kind that has the fewest."""
        self._seed = seed
        self._seen: dict[str, array[int]] = {}
        self._last: dict[str, int] = {}
        self._equal: dict[str, int] = {}

    @property
    def found(self) -> dict[str, int]:
        """Records of each kind that could be taken; the empty name: those without such a label."""
        return {name: len(seen) for name, seen in self._seen.items()}

    def look(self, record: Record) -> None:
        self._seen.setdefault(self.kind(record), array("Q")).append(self._place(record))

    def settle(self) -> None:
        """All have been looked at."""
        if self.count is None:
            self.count = min(map(len, self._seen.values()), default=0)
        for name, seen in self._seen.items():
            self._last[name], self._equal[name] = _smallest(seen, self.count)

    def keeps(self, record: Record) -> bool:
        """Whether the record is taken. Asked once for each, in the same order each time."""
        kind, place = self.kind(record), self._place(record)
        last = self._last.get(kind, -1)
        if place == last and self._equal[kind]:
            self._equal[kind] -= 1
            return True
        return place < last

    def kind(self, record: Record) -> str:
        return record.category if self.by == "category" else record.labels.get(self.by, "")

    def _place(self, record: Record) -> int:
        text = orjson.dumps(record.content, option=orjson.OPT_SORT_KEYS)
        return digest("balance", self._seed, text.decode())


def balance_of(wish: str, seed: int) -> Balance:
    """`category`, `scenario=50`. Raises UsageError."""
    by, equals, count = wish.partition("=")
    if by not in get_args(BalanceBy):
        raise UsageError("export_balance", text=wish[:60], known=", ".join(get_args(BalanceBy)))
    if equals and not (count.isdecimal() and count.isascii() and int(count) > 0):
        raise UsageError("export_balance_count", text=wish[:60])
    return Balance(cast(BalanceBy, by), int(count) if equals else None, seed)


def _smallest(values: array[int], count: int) -> tuple[int, int]:
    """(the greatest of the `count` smallest values, how many of those equal it).

    Counts by the first bits and sorts one small heap only: to sort a million takes 40 MB.
    """
    if count <= 0:
        return -1, 0
    if count >= len(values):
        return _SPACE, 0
    shift = 64 - _FIRST_BITS
    heaps = array("Q", bytes(8 << _FIRST_BITS))
    for value in values:
        heaps[value >> shift] += 1
    below = heap = 0
    while below + heaps[heap] < count:
        below += heaps[heap]
        heap += 1
    inside = sorted(value for value in values if value >> shift == heap)
    last = inside[count - below - 1]
    return last, sum(value == last for value in inside[: count - below])


def described(balance: Balance | None, split: Split | None) -> dict[str, Json]:
    """Both for a manifest."""
    return {
        "balance": None if balance is None else {"by": balance.by, "count": balance.count},
        "split": None if split is None else dict(split.shares),
    }
