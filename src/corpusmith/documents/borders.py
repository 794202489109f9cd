"""Where a text may be cut: after a line, a sentence, a clause, a word; never inside a character.

Owns: the signs that tell it, Chinese and English. Does not own: how long a piece is (`split.py`).
A border is the place right after the last visible character before it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Literal

Kind = Literal["paragraph", "line", "sentence", "broken_line", "clause", "word"]
"""`line`: one that also ends a sentence. `broken_line`: any other, as in lists, verse and wrapped
text."""

_CLOSING = "[”’\"'」』）)】》〉〕\\]}＂＇*_`]*"
_BLANK = r"[^\S\n]*"
_ABBREVIATIONS = (
    *("Mr", "Ms", "Mrs", "Dr", "St", "Prof", "vs", "etc", "No", "no", "Fig", "fig", "Eq", "cf"),
    *("Vol", "pp", "al", "e\\.g", "i\\.e", "Inc", "Ltd"),
)
# No end of a sentence: after an abbreviation, an initial ("J. Doe"), a number that starts a line.
_NO_END = "".join(
    f"(?<!{before})"
    for before in (*(rf"\b{one}" for one in _ABBREVIATIONS), r"\b[A-Z]", r"\n\d", r"\n\d\d")
)
_STOP = (
    r"(?:[。！？；…｡]+"
    r"|[!?]+(?![\w=&/])"
    rf"|{_NO_END}\.+(?={_CLOSING}(?:\s|$)|(?<!\d\.)[\u3400-\u9fff]))"
)
_SENTENCE = rf"(?:{_STOP}{_CLOSING})+"
_PARAGRAPH = rf"(?<=\S)(?={_BLANK}\n{_BLANK}\n)"

_PATTERNS: dict[Kind, re.Pattern[str]] = {
    "paragraph": re.compile(_PARAGRAPH),
    "line": re.compile(rf"{_SENTENCE}(?={_BLANK}\n)"),
    "sentence": re.compile(rf"{_SENTENCE}|{_PARAGRAPH}"),
    "broken_line": re.compile(rf"(?<=\S)(?={_BLANK}\n)"),
    "clause": re.compile(rf"(?:[，、：﹐﹑]|[,;:](?=\s)|——){_CLOSING}"),
    "word": re.compile(r"(?<=\S)(?=\s)"),
}
_CONTEXT = 16
"""Characters beside the asked stretch that are looked at too: a closing quote belongs to it."""

_NEVER_FIRST = frozenset("，。、；：！？…—,.;:!?）)】》〉」』”’%％")
_ZERO_WIDTH_JOINER = "\u200d"


def borders(text: str, kind: Kind, low: int, high: int) -> Iterator[int]:
    """The borders of that kind in (low, high], in order."""
    start = max(0, low - _CONTEXT)
    for found in _PATTERNS[kind].finditer(text, start, min(len(text), high + _CONTEXT)):
        if found.end() > high:
            return
        if found.end() > low:
            yield found.end()


def cut_at(text: str, low: int, high: int) -> int:
    """The last place in (low, high] to cut where no border is: not inside a Latin word, a number,
    or before a comma if that can be had without giving up much; not inside a character if it can be
    had at all."""
    for apart, least in ((is_apart, low + (high - low) // 3), (between_characters, low)):
        place = _back(text, high, least, apart)
        if place is not None:
            return place
    return high


def _back(text: str, high: int, least: int, apart: Callable[[str, int], bool]) -> int | None:
    places = range(high, least, -1)
    return next((place for place in places if apart(text, place)), None)


def is_apart(text: str, at: int) -> bool:
    """Whether a cut at `at` is inside no character, no Latin word, no number, and before no comma
    or blank."""
    before, after = text[at - 1], text[at : at + 1]
    in_word = before.isascii() and before.isalnum() and after.isascii() and after.isalnum()
    return (
        not in_word
        and after not in _NEVER_FIRST
        and not after.isspace()
        and between_characters(text, at)
    )


def between_characters(text: str, at: int) -> bool:
    """Whether a cut at `at` leaves the characters that people see whole.

    The parts of Unicode's rules (UAX #29) that meet in real text: combining marks, joined emoji,
    skin tones, flags, Korean letters, and a surrogate pair that came apart.
    """
    if at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if before.isascii() and after.isascii():
        return True
    if before == _ZERO_WIDTH_JOINER or _extends(after):
        return False
    if _is_flag_letter(before) and _is_flag_letter(after):
        return _flag_letters_before(text, at) % 2 == 0
    surrogates = "\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff"
    korean = "\u1100" <= before <= "\u11ff" and "\u1100" <= after <= "\u11ff"
    return not surrogates and not korean


def _extends(char: str) -> bool:
    return (
        unicodedata.category(char) in ("Mn", "Mc", "Me")
        or char in "\u200c\u200d\uff9e\uff9f"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
    )


def _is_flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _flag_letters_before(text: str, at: int) -> int:
    count = 0
    while count < at and _is_flag_letter(text[at - 1 - count]):
        count += 1
    return count
