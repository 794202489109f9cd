"""The `repetition` check: no text that goes round in circles.

Owns: what is too much of the same inside a text, and the same words said twice in a conversation.
Laughter, rules of dashes, refrains, tables and code repeat by design and pass: the limits were set
by texts that people wrote (tests/quality/test_repetition.py). Does not own: texts that repeat other
records (`duplicates.py`). Reasons: loop, repeated_lines, repeated_phrases, repeated_turn.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from string import punctuation
from typing import ClassVar

from corpusmith.quality.options import (
    ACTIONS,
    Action,
    chosen,
    field_names,
    found_fault,
    number,
    one_of,
    switch,
    whole,
)
from corpusmith.quality.shapes import Passage, passages
from corpusmith.values import PASS, Draft, Json, Verdict

_EXCERPT_CHARS = 60
_CODE = re.compile(r"(?s:```.*?(?:```|\Z))|^[ \t]*\|.*\|[ \t]*$", re.MULTILINE)
_LETTER = re.compile(r"[^\W_]")
_NO_WORD = re.compile(r"[\W_]+")

_STEP = 12  # of Chinese; the shortest loop that counts is longer than twice as much
_PROBE = 8
_LONGEST_UNIT = 240
_LOOP_WEIGHT = 60
"""A loop weighs at least this much: a Chinese character 2, a Latin letter 1."""
_ONE_SIGN = 80
"""So many of one letter in a row are no laughter any more."""
_PHRASE_WEIGHT = 160
"""Shorter texts have too few phrases for a share to say anything."""
_FEWEST_PHRASES = 20
_LIST_MARK = "0123456789.、)）-*• "
_LINE_WEIGHT = 12
_LINE_SHARE = 0.2
"""Of a text: lines that take less are the labels of a form, such as `Answer: none`."""
_TURN_WEIGHT = 24


class Repetition:
    """Fails a draft in which a text repeats itself too often.

    `loops`: so many times in a row, and something is stuck. `lines`: so many times the same line.
    `phrases`: the share of its phrases that a text has said before, from 0 to 1. `turns`: whether
    nobody may say the same twice in a conversation. `fields`: look at these only. `action`: reject
    or flag.
    """

    name: ClassVar[str] = "repetition"

    def __init__(
        self,
        *,
        loops: int = 5,
        lines: int = 6,
        phrases: float = 0.5,
        turns: bool = True,
        fields: str | Sequence[str] = (),
        action: str = "reject",
    ) -> None:
        self._loops = whole(self.name, "loops", loops, 2, 1000)
        self._lines = whole(self.name, "lines", lines, 2, 1000)
        self._phrases = number(self.name, "phrases", phrases, 0, 1)
        self._turns = switch(self.name, "turns", turns)
        self._fields = field_names(self.name, "fields", fields)
        self._action: Action = one_of(self.name, "action", action, ACTIONS)

    def __call__(self, draft: Draft) -> Verdict:
        found = chosen(passages(draft), self._fields)
        for one in found:
            fault = self._fault(one.text)
            if fault is not None:
                reason, detail = fault
                return found_fault(self._action, reason, path=one.path, **detail)
        return self._of_turns(found) if self._turns else PASS

    def _fault(self, text: str) -> tuple[str, dict[str, Json]] | None:
        """The reason and its detail, or None."""
        if weight(text) < _LOOP_WEIGHT:
            return None
        prose = _CODE.sub("\n", text) if "```" in text or "|" in text else text
        unit, times = loop_of(prose, self._loops)
        if times:
            return "loop", {"found": unit[:_EXCERPT_CHARS], "times": times}
        line, times = self._most_repeated_line(prose)
        if times >= self._lines:
            return "repeated_lines", {"found": line[:_EXCERPT_CHARS], "times": times}
        share = repeated_share(prose)
        if share > self._phrases:
            return "repeated_phrases", {"share": round(share, 2), "allowed": self._phrases}
        return None

    def _most_repeated_line(self, text: str) -> tuple[str, int]:
        if text.count("\n") < self._lines - 1:
            return "", 0
        counts = Counter(line.strip().lstrip(_LIST_MARK) for line in text.splitlines())
        for line, times in counts.most_common(10):
            much = len(line) * times >= _LINE_SHARE * len(text)
            if much and weight(line) >= _LINE_WEIGHT and _LETTER.search(line):
                return line, times
        return "", 0

    def _of_turns(self, found: Sequence[Passage]) -> Verdict:
        """In a conversation: the same speaker, the same words, and more of them than a greeting."""
        said: dict[tuple[str, str], str] = {}
        for one in found:
            words = one.text.strip()
            if not one.speaker or weight(words) < _TURN_WEIGHT:
                continue
            first = said.setdefault((one.speaker, words), one.path)
            if first != one.path:
                excerpt = one.text.strip()[:_EXCERPT_CHARS]
                return found_fault(
                    self._action, "repeated_turn", path=one.path, first=first, found=excerpt
                )
        return PASS


def weight(text: str) -> int:
    """Length in Latin letters: a Chinese character says about as much as two of them."""
    if text.isascii():
        return len(text)
    # UTF-8 spends 3 bytes on such a character.
    return (len(text) + len(text.encode("utf-8", "surrogatepass"))) // 2


def loop_of(text: str, times: int) -> tuple[str, int]:
    """(a piece that stands at least `times` times in a row, how often); ("", 0) for none.

    Looks every few characters whether what stands there comes again soon, which costs far less
    than a regular expression with a back reference.
    """
    longest = min(_LONGEST_UNIT, len(text) // times)
    step = 2 * _STEP if text.isascii() else _STEP
    # Period → where its last stretch ends: all of a million blanks is one and the same.
    seen: dict[int, int] = {}
    for start in range(0, len(text) - _PROBE, step):
        probe = text[start : start + _PROBE]
        again = text.find(probe, start + 1, start + _PROBE + longest)
        if again < 0 or again <= seen.get(again - start, -1):
            continue
        begin, end = _periodic(text, start, again - start)
        seen[again - start] = end
        unit = text[begin : begin + again - start]
        found = (end - begin) // len(unit)
        if found < _least_times(unit, times) or weight(text[begin:end]) < _LOOP_WEIGHT:
            continue
        if _LETTER.search(unit):
            return unit.strip(), found
    return "", 0


def _least_times(unit: str, times: int) -> int:
    return max(times, _ONE_SIGN) if len(set(unit)) == 1 else times


def _periodic(text: str, start: int, period: int) -> tuple[int, int]:
    """From where to where around `start` every character is the one `period` before."""
    begin, at = start, start + period
    while begin > 0 and text[begin - 1] == text[begin - 1 + period]:
        begin -= 1
    while at < len(text) and text[at : at + period] == text[at - period : at]:
        at += period
    while at < len(text) and text[at] == text[at - period]:
        at += 1
    return begin, at


def repeated_share(text: str) -> float:
    """Of the phrases of a text, the share that stood in it before; 0 for a short text.

    A phrase is 8 characters of Chinese or 5 words of another language, without blanks and signs.
    """
    if weight(text) < _PHRASE_WEIGHT:
        return 0.0
    if not text.isascii():
        letters = _NO_WORD.sub("", text)
        if weight(letters) > 1.5 * len(letters):
            return _share([letters[at : at + 8] for at in range(len(letters) - 7)])
    words = [word for word in text.split() if not word.isascii() or word.strip(punctuation)]
    return _share(list(zip(words, words[1:], words[2:], words[3:], words[4:], strict=False)))


def _share(phrases: Sequence[object]) -> float:
    if len(phrases) < _FEWEST_PHRASES:
        return 0.0
    return 1 - len(set(phrases)) / len(phrases)
