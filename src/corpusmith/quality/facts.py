"""What of a text can be looked up in another one: its numbers, quotations and content words. Pure.

Owns: reading numbers as people write them, in figures and in words. Does not own: what it means
that something is not found (`grounding.py`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# ---------------------------------------------------------------- numbers

_SCALES = {
    "十": 10,
    "百": 100,
    "千": 1000,
    "万": 10_000,
    "亿": 100_000_000,
    "萬": 10_000,
    "億": 100_000_000,
    "hundred": 100,
    "thousand": 1000,
    "million": 1_000_000,
    "billion": 1_000_000_000,
}
_FIGURES = re.compile(
    r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?:\s*(十|百|千|万|亿|萬|億|hundred|thousand|million|billion))?"
)
# The number before a point of a list is no statement.
_LIST_MARK = re.compile(r"^[ \t]*[(（]?\d{1,2}[.、)）](?!\d)|^[ \t]*[①-⑳]", re.MULTILINE)

_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_CHINESE = re.compile(r"[零〇一二两三四五六七八九十百千万亿]+")

_WORDS = {
    word: value
    for value, words in enumerate(
        (
            *("zero zeroth", "one first", "two second", "three third", "four fourth", "five fifth"),
            *("six sixth", "seven seventh", "eight eighth", "nine ninth", "ten tenth"),
            *("eleven eleventh", "twelve twelfth", "thirteen thirteenth", "fourteen fourteenth"),
            *("fifteen fifteenth", "sixteen sixteenth", "seventeen seventeenth"),
            *("eighteen eighteenth", "nineteen nineteenth"),
        )
    )
    for word in words.split()
}
_TENS = {
    word: 10 * value
    for value, words in enumerate(
        (
            *("twenty twentieth", "thirty thirtieth", "forty fortieth", "fifty fiftieth"),
            *("sixty sixtieth", "seventy seventieth", "eighty eightieth", "ninety ninetieth"),
        ),
        2,
    )
    for word in words.split()
}
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august"),
    *("september", "october", "november", "december"),
)
_ENGLISH = re.compile(
    rf"\b(?:({'|'.join(_TENS)})(?:[- ]({'|'.join(list(_WORDS))}))?|({'|'.join(_WORDS)}))\b"
    r"(?:[- ](hundred|thousand|million|billion)\b)?"
)
_LEAST_IN_WORDS = 11
"""Smaller ones in words are often no figures: 一些, one of them, two reasons."""

Number = frozenset[float]
"""One number, in all the ways it may be meant: 1.5万 is also 15000."""


def numbers_stated(text: str) -> Iterator[tuple[str, Number]]:
    """(as written, value) of every number that `text` states: figures, and larger ones in words."""
    plain = _LIST_MARK.sub(" ", _plain(text))
    for match in _FIGURES.finditer(plain):
        yield match[0], _of_figures(match)
    for written, value in _in_words(plain):
        if value >= _LEAST_IN_WORDS:
            yield written, frozenset({value})


def numbers_there(text: str) -> frozenset[float]:
    """Every number that stands in `text` in any way, the small words and months included."""
    plain = _plain(text)
    found: set[float] = set()
    for match in _FIGURES.finditer(plain):
        found |= _of_figures(match)
    found.update(value for _, value in _in_words(plain))
    found.update(at for at, month in enumerate(_MONTHS, 1) if month in plain)
    return frozenset(found)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _of_figures(match: re.Match[str]) -> Number:
    value = float(match[1].replace(",", ""))
    return frozenset({value, value * _SCALES[match[2]]}) if match[2] else frozenset({value})


def _in_words(text: str) -> Iterator[tuple[str, float]]:
    for match in _CHINESE.finditer(text):
        value = _of_chinese(match[0])
        if value is not None:
            yield match[0], value
    for match in _ENGLISH.finditer(text):
        tens, one, alone, scale = match.groups()
        value = _TENS.get(tens or "", 0) + _WORDS.get(one or alone or "", 0)
        yield match[0], float(value * _SCALES.get(scale or "", 1))


def _of_chinese(signs: str) -> float | None:
    """一百二十三 is 123, 二〇二四 is 2024; None: no number, such as 千万 or 百."""
    if not any(sign in _DIGITS for sign in signs) and signs[0] != "十":
        return None
    if all(sign in _DIGITS for sign in signs):
        return float("".join(str(_DIGITS[sign]) for sign in signs))
    total = section = digit = 0
    for sign in signs:
        if sign in _DIGITS:
            digit = _DIGITS[sign]
        elif sign in "万亿":
            total = (total + section + digit) * _SCALES[sign]
            section = digit = 0
        else:
            section += (digit or 1) * _SCALES[sign]
            digit = 0
    return float(total + section + digit)


# ---------------------------------------------------------------- quotations

_QUOTED = re.compile(
    r"“([^“”\n]{2,60})”|「([^「」\n]{2,60})」|《([^《》\n]{2,60})》|\"([^\"\n]{2,60})\""
)
_NO_LETTERS = re.compile(r"[\W_]+")
_GAP = re.compile(r"…+|\.{3,}")


def quotations(text: str) -> Iterator[str]:
    """What stands in quotation marks, or between the marks of titles; parts around `…` apart."""
    for match in _QUOTED.finditer(text):
        quoted = next(part for part in match.groups() if part is not None)
        yield from (part for part in _GAP.split(quoted) if letters_of(part))


def letters_of(text: str) -> str:
    """Letters and digits only, in one case and width: what two spellings have in common."""
    return _NO_LETTERS.sub("", _plain(text))


# ---------------------------------------------------------------- content

_HAN_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]{2,}")
_LATIN_WORD = re.compile(r"[a-z\u00df-\u024f]{3,}")
_EMPTY_HAN = frozenset(
    "的了是在有和与及或也都就而但不会能可以要这那其之被把对从到因为所我你他她它们个一些很"
    "上下中里时后前等着过地得将并则只还再又更最每各该此向往由于让使给用做去来说没如果吗呢吧"
)
_EMPTY_WORDS = frozenset(
    """
    the and for are was were with that this these those from have has had not but you your they
    their its his her our can could will would should may might must been being which what who
    when where why how than then also into about over under only such each other some any all
    more most very there here because while during between both either own same too just does
    did doing done get got per via one two three
    """.split()  # noqa: SIM905  a list of words reads worse in quotation marks
)
_STEM = 5


def contents(text: str) -> set[str]:
    """Pairs of Chinese characters, and beginnings of words: what a statement is about."""
    plain = _plain(text)
    pairs = {
        run[at : at + 2]
        for run in _HAN_RUN.findall(plain)
        for at in range(len(run) - 1)
        if run[at] not in _EMPTY_HAN and run[at + 1] not in _EMPTY_HAN
    }
    words = {word[:_STEM] for word in _LATIN_WORD.findall(plain) if word not in _EMPTY_WORDS}
    return pairs | words
