"""Finds many words in a text at once, in all their spellings.

Owns: which spellings count as the word, and where in the text it stands. Does not own: folding
(`variants.py`), lists (`word_lists.py`), what becomes of a find (`sensitive.py`).

A word with a character of a script without blanks is found anywhere, also with up to `MAX_SIGNS`
signs between two of its characters. Any other word is found between the borders of words only:
`ass` is not in `class`. No word reaches over the end of a sentence or a line.
The Aho-Corasick search is a library's; it was chosen by measurement, docs/design/words.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from corpusmith.quality.variants import (
    UNSPACED,
    bare,
    bare_places,
    is_invisible,
    is_unspaced,
    spaced,
    spaced_places,
)

MAX_SIGNS = 3
"""Visible signs between two characters of one word; invisible ones are not counted."""

# Punctuation and brackets of ordinary prose: in 他中了毒，品尝不出味道 nobody hides a word.
_PROSE = frozenset("，、；：,;:…—–“”‘’「」『』\"'《》〈〉（）()")
# What a word with blanks may stand in: it goes over no Chinese character or punctuation.
_RUN = re.compile(rf"[^\n{UNSPACED}、。，！？：；“”（）《》…]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word of a list. `category` is the list's name for its kind."""

    text: str
    category: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A word found at `text[start:end]`."""

    start: int
    end: int
    word: Word


class Matcher:
    """Finds `words`, except inside phrases of `allow`. Built once, used for any number of texts."""

    def __init__(self, words: Iterable[Word], allow: Iterable[str] = ()) -> None:
        allowed = [Word(text=text, category="") for text in allow]
        given = [*words, *allowed]
        self._allowed = frozenset(map(id, allowed))
        self._anywhere = _Automaton(
            (bare(word.text), word) for word in given if is_unspaced(word.text)
        )
        self._bordered = _Automaton(
            (spaced(word.text).strip(" "), word) for word in given if not is_unspaced(word.text)
        )

    def find(self, text: str) -> list[Hit]:
        """Every hit, by its start, the longer first; hits may overlap."""
        hits = [*self._find_anywhere(text), *self._find_bordered(text)]
        # An allowed phrase comes before the words that start where it does.
        hits.sort(key=lambda hit: (hit.start, -hit.end, id(hit.word) not in self._allowed))
        kept, free_to = [], 0
        for hit in hits:
            if id(hit.word) in self._allowed:
                free_to = max(free_to, hit.end)
            elif hit.end > free_to:
                kept.append(hit)
        return kept

    def _find_anywhere(self, text: str) -> Iterator[Hit]:
        if text.isascii():
            return
        folded = bare(text)
        found = self._anywhere.search(folded)
        if not found:
            return
        wanted = {at for first, last, _ in found for at in range(first - 1, last + 2)}
        placed = _Placed(text=text, folded=folded, places=bare_places(text, wanted))
        for first, last, words in found:
            if placed.is_one_word(first, last):
                start, end = placed.places[first], placed.places[last] + 1
                yield from (Hit(start=start, end=end, word=word) for word in words)

    def _find_bordered(self, text: str) -> Iterator[Hit]:
        if self._bordered.empty:
            return
        runs = "\n".join(_RUN.findall(text))
        if not self._bordered.occurs(spaced(runs)):
            return
        for run in _RUN.finditer(text):
            folded = spaced(run[0])
            found = [one for one in self._bordered.search(folded) if _has_borders(folded, *one[:2])]
            places = spaced_places(run[0]) if found else []
            for first, last, words in found:
                start, end = run.start() + places[first], run.start() + places[last] + 1
                yield from (Hit(start=start, end=end, word=word) for word in words)


def apart(hits: Sequence[Hit]) -> list[Hit]:
    """Of hits that overlap only the one that starts first, of those the longest."""
    kept: list[Hit] = []
    for hit in hits:
        if not kept or hit.start >= kept[-1].end:
            kept.append(hit)
    return kept


class _Automaton:
    """Aho-Corasick over the folded texts of words; empty ones are left out."""

    def __init__(self, words: Iterable[tuple[str, Word]]) -> None:
        by_text: dict[str, list[Word]] = {}
        for folded, word in words:
            if folded:
                by_text.setdefault(folded, []).append(word)
        self._words = list(by_text.values())
        self._search = _searcher(list(by_text)) if by_text else None

    @property
    def empty(self) -> bool:
        return self._search is None

    def occurs(self, folded: str) -> bool:
        """Whether any of the texts stands in `folded`, right or not."""
        return self._search is not None and bool(self._search(_bytes(folded)))

    def search(self, folded: str) -> list[tuple[int, int, Sequence[Word]]]:
        """(first sign, last sign, words) of every place, overlapping ones too."""
        if self._search is None:
            return []
        data = _bytes(folded)
        found = self._search(data)
        signs = _signs(data, {at for _, start, end in found for at in (start, end)})
        return [(signs[start], signs[end] - 1, self._words[number]) for number, start, end in found]


_Search = Callable[[bytes], "list[tuple[int, int, int]]"]
"""Bytes → (number of the text, first byte, byte behind it) of every place."""


def _searcher(texts: list[str]) -> _Search:
    # On use: not every task looks for words.
    from ahocorasick_rs import BytesAhoCorasick

    automaton = BytesAhoCorasick([_bytes(text) for text in texts])
    return lambda data: automaton.find_matches_as_indexes(data, overlapping=True)


def _bytes(text: str) -> bytes:
    # Half a surrogate pair is no UTF-8, but a text may hold one until the format check.
    return text.encode("utf-8", "surrogatepass")


def _signs(data: bytes, offsets: set[int]) -> dict[int, int]:
    """Byte offset → how many signs stand before it."""
    counts: dict[int, int] = {}
    at = count = 0
    for offset in sorted(offsets):
        count += len(data[at:offset].decode("utf-8", "surrogatepass"))
        counts[offset] = count
        at = offset
    return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """A text, its bare folding, and where those signs of it stood that are looked at."""

    text: str
    folded: str
    places: Mapping[int, int]

    def is_one_word(self, first: int, last: int) -> bool:
        """Whether the signs stand near enough to be one word, and end where letters end."""
        near = pairwise(self.places[at] for at in range(first, last + 1))
        gaps = [_visible(self.text[one + 1 : two]) for one, two in near]
        if any(len(gap) > MAX_SIGNS for gap in gaps):
            return False
        if any(not _PROSE.isdisjoint(gap) for gap in gaps) and (len(gaps) < 2 or not all(gaps)):
            return False
        return not (self._runs_on(first, first - 1) or self._runs_on(last, last + 1))

    def _runs_on(self, edge: int, beside: int) -> bool:
        """Whether the sign beside makes it part of another word: K粉 is not in OK粉."""
        if beside not in self.places:
            return False
        sign, other = self.folded[edge], self.folded[beside]
        if "\n" in (sign, other):
            return False
        low, high = sorted((self.places[edge], self.places[beside]))
        if _visible(self.text[low + 1 : high]):
            return False
        if beside > edge and unicodedata.category(other)[0] == "M":
            return True
        return not is_unspaced(sign) and not is_unspaced(other)


def _visible(gap: str) -> str:
    return "".join(sign for sign in gap if not is_invisible(sign)) if gap else gap


def _has_borders(folded: str, first: int, last: int) -> bool:
    return not (_runs_on(folded, first, first - 1) or _runs_on(folded, last, last + 1))


def _runs_on(folded: str, edge: int, beside: int) -> bool:
    """Whether letters or digits stand on both sides of a border."""
    if not 0 <= beside < len(folded) or not _in_word(folded[edge]):
        return False
    return _in_word(folded[beside]) or unicodedata.category(folded[beside])[0] == "M"


def _in_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_" or unicodedata.category(sign)[0] == "M"
