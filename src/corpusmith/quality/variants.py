"""Spellings of one word folded into one: width, case, traditional characters, inserted signs.

Owns: the two foldings, and where each sign of a folded text stood in the text. Does not own: the
words (`words.py`), or how far apart the characters of one word may stand.

`bare` is for words of scripts that put no blanks between words (Chinese, Japanese, Thai …): only
letters and digits are left, so that `敏.感 词` reads `敏感词`. `spaced` is for all other words:
signs stay, and blanks and hyphens are one blank. In both the end of a sentence or a line is a
line feed, which no word holds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Literal

from corpusmith.presets.load import traditional

# Scripts without blanks between words, as the inside of a character class. Korean has blanks, but
# writes its particles without one: its words too must be found inside a run of letters.
UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029"
    r"\u3031-\u3035\u303b\u3040-\u30ff\u3105-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf"
    r"\u4e00-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff"
)
_UNSPACED = re.compile(f"[{UNSPACED}]")
# What parts a sentence from the next, as a sign of the text and after folding.
_ENDS = frozenset("。！？!?｡︒\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
# Signs that show nothing, as the inside of a character class: fillers, joiners, selectors, marks of
# direction. All others of the category Cf are rare, or show something in their script.
INVISIBLE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    r"\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e01ef"
)
_INVISIBLE = re.compile(f"[{INVISIBLE}]")
# Strokes over and around letters. In Chinese text they only hide a word; the marks of kana, Thai
# and others belong to their letters and are not here.
_STROKES = re.compile(
    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
_HANGUL = re.compile(r"[\u1100-\u11ff\u3131-\u318e\uac00-\ud7ff\uffa0-\uffdc]")
_BLANKS = re.compile(" {2,}")
_BLOCK = 64


def is_unspaced(text: str) -> bool:
    """Whether any of it is of a script that puts no blanks between words."""
    return _UNSPACED.search(text) is not None


def is_invisible(sign: str) -> bool:
    """Whether it shows nothing at all: zero-width blanks and joiners, direction marks, fillers."""
    return unicodedata.category(sign) == "Cf" or _INVISIBLE.fullmatch(sign) is not None


def bare(text: str) -> str:
    """`text` folded, with nothing but letters, digits and the ends of sentences."""
    return text.translate(_BARE)


def spaced(text: str) -> str:
    """`text` folded, with all its visible signs; runs of blanks are one."""
    return _one_blank(text.translate(_SPACED))


def bare_places(text: str, wanted: Collection[int]) -> dict[int, int]:
    """Where those signs of `bare(text)` that are `wanted` stood in `text`, by their number there.

    A sign of the text may have become several. Numbers that there are not are left out.
    """
    places: dict[int, int] = {}
    ahead = sorted(number for number in wanted if number >= 0)
    count = at = 0
    for start in range(0, len(text), _BLOCK):
        # A block at a time by translate, which is ten times as quick as sign by sign.
        block = text[start : start + _BLOCK]
        size = len(block.translate(_BARE))
        if at < len(ahead) and ahead[at] < count + size:
            inside = _places(block, _BARE)
            while at < len(ahead) and ahead[at] < count + size:
                places[ahead[at]] = start + inside[ahead[at] - count]
                at += 1
        count += size
        if at == len(ahead):
            break
    return places


def spaced_places(text: str) -> list[int]:
    """Of each sign of `spaced(text)`: where it stood in `text`."""
    places = _places(text, _SPACED)
    folded = text.translate(_SPACED)
    return [
        place
        for at, place in enumerate(places)
        if not (folded[at] == " " and at and folded[at - 1] == " ")
    ]


def _places(text: str, table: _Folding) -> list[int]:
    places: list[int] = []
    for place, sign in enumerate(text):
        entry = table[ord(sign)]
        if entry is not None:
            places += [place] if isinstance(entry, int) else [place] * len(entry)
    return places


def _one_blank(text: str) -> str:
    return _BLANKS.sub(" ", text) if "  " in text else text


class _Folding(dict[int, "int | str | None"]):
    """A table for str.translate that is filled as signs come up: Unicode has a million of them."""

    def __init__(self, *, signs: bool) -> None:
        super().__init__()
        self._signs = signs

    def __missing__(self, code: int) -> int | str | None:
        pieces = self._folded(chr(code))
        # One to one as a number: translate is quickest with those.
        entry = ord(pieces) if len(pieces) == 1 else pieces or None
        self[code] = entry
        return entry

    def _folded(self, sign: str) -> str:
        if is_invisible(sign):
            return ""
        if sign in _ENDS:
            return "\n"
        return "".join(map(self._kept, _plain(sign)))

    def _kept(self, piece: str) -> str:
        if piece in _ENDS:
            return "\n"
        if not self._signs:
            return piece if _is_letter(piece) else ""
        return " " if piece.isspace() or unicodedata.category(piece) == "Pd" else piece


def _plain(sign: str) -> str:
    """One sign without its width, case and traditional form; `㎏` is two."""
    # Hangul stays whole: taken apart, 가 would be found in 각.
    form: Literal["NFKC", "NFKD"] = "NFKC" if _HANGUL.fullmatch(sign) else "NFKD"
    folded = unicodedata.normalize(form, unicodedata.normalize(form, sign).casefold())
    simplified = traditional()
    return "".join(simplified.get(piece, piece) for piece in folded)


def _is_letter(piece: str) -> bool:
    """A letter or digit, or a mark that belongs to one."""
    if piece.isalnum():
        return True
    return unicodedata.category(piece)[0] == "M" and not _STROKES.fullmatch(piece)


_BARE = _Folding(signs=False)
_SPACED = _Folding(signs=True)
