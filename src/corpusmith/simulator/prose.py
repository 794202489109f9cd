"""Writes sentences of a wanted kind and length from frames and topics.

Owns: how texts are put together. Does not own: the words (`prose_zh.py`, `prose_en.py`), nor
which kind a request wants (`scribe.py`, `author.py`).
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import gcd

from corpusmith.simulator import prose_en, prose_zh
from corpusmith.values import Language

Frame = tuple[str, tuple[str, ...]]
"""(text with `%s` for each slot, the slots' names)."""
Choices = tuple[tuple[str, ...], int, tuple[int, ...]]
"""(words, how many, `_GAITS` steps that visit all of them)."""

_GAITS = 8

PLANS: dict[str, tuple[str, str, str]] = {
    "user_open": ("user_open", "user_tell", ""),
    "user_more": ("user_more", "user_more", ""),
    "user_close": ("user_close", "user_close", ""),
    "character": ("char_open", "char_more", "char_close"),
    "character_close": ("char_more", "char_more", "char_close"),
    "question": ("question_open", "question_more", ""),
    "follow": ("follow", "question_more", ""),
    "answer": ("answer_open", "answer_more", "answer_close"),
    "critique": ("critique_open", "critique_more", "critique_close"),
    "correction": ("correction_open", "answer_more", "answer_close"),
    "summary": ("summary_open", "summary_more", ""),
    "reason": ("reason_open", "critique_more", ""),
    "thought": ("thought", "thought", ""),
    "title": ("title", "", ""),
    "label": ("label", "", ""),
    "name": ("name", "", ""),
}
"""Kind → frames that open, go on and close."""

LENGTHS: dict[str, tuple[int, int]] = {
    "user_open": (16, 60),
    "user_more": (14, 50),
    "user_close": (12, 36),
    "character": (40, 120),
    "character_close": (30, 90),
    "question": (24, 70),
    "follow": (20, 60),
    "answer": (140, 320),
    "critique": (70, 180),
    "correction": (110, 260),
    "summary": (50, 120),
    "reason": (18, 50),
    "thought": (30, 80),
}
"""Characters when nobody asks for a length (Chinese; English takes `_STRETCH` times as many)."""

_STRETCH: dict[Language, float] = {"zh": 1.0, "en": 2.4}
_SLOT = re.compile(r"<([a-z]+)>")
_ENDS = "。！？.!?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A language's words."""

    language: Language
    topics: tuple[dict[str, Choices], ...]
    """For each topic the words by slot."""
    topic_of: dict[str, int]
    """A word that a prompt may hold → the topic that it calls for."""
    finder: re.Pattern[str]
    frames: dict[str, tuple[tuple[Frame, ...], int, tuple[int, ...]]]
    joint: str
    """Between two sentences."""


@lru_cache
def pack(language: Language) -> Pack:
    """The words of a language."""
    source = prose_zh if language == "zh" else prose_en
    topic_of = {
        word.lower(): place
        for place, one in enumerate(source.TOPICS)
        for word in (*one["keys"].split(), one["name"], *one["things"].split("|"))
    }
    edge = "" if language == "zh" else r"\b"
    words = "|".join(sorted(map(re.escape, topic_of), key=len, reverse=True))
    fill = {name: _choices(text) for name, text in source.FILL.items()}
    return Pack(
        language=language,
        topics=tuple(fill | _topic(one) for one in source.TOPICS),
        topic_of=topic_of,
        finder=re.compile(f"{edge}(?:{words})", re.IGNORECASE),
        frames={
            name: (tuple(map(_frame, texts)), len(texts), _strides(len(texts)))
            for name, texts in source.FRAMES.items()
        },
        joint="" if language == "zh" else " ",
    )


def _topic(one: dict[str, str]) -> dict[str, Choices]:
    slots = {"topic": "name", "thing": "things", "trouble": "troubles"}
    slots |= {"tip": "tips", "detail": "details"}
    return {slot: _choices(one[name]) for slot, name in slots.items()}


def _choices(text: str) -> Choices:
    words = tuple(text.split("|"))
    return words, len(words), _strides(len(words))


def _frame(text: str) -> Frame:
    return _SLOT.sub("%s", text.replace("%", "%%")), tuple(_SLOT.findall(text))


def _strides(size: int) -> tuple[int, ...]:
    """Steps that visit all of `size` places, `_GAITS` of them."""
    found = [step for step in range(1, size) if gcd(step, size) == 1] or [1]
    return tuple(found[gait % len(found)] for gait in range(_GAITS))


class Prose:
    """One author at work on one topic; words do not repeat until all were used."""

    __slots__ = (
        "_english",
        "_frames",
        "_gait",
        "_pack",
        "_random",
        "_said",
        "_slot_gait",
        "_used",
        "_who",
        "_words",
    )

    def __init__(
        self,
        chosen: Pack,
        rng: random.Random,
        topic: int | None,
        *,
        who: str = "",
        said: str = "",
    ) -> None:
        self._pack = chosen
        self._frames = chosen.frames
        self._english = chosen.language == "en"
        self._random = rng.random
        self._who = who
        self._said = said
        self.change_topic(topic)

    def change_topic(self, topic: int | None) -> None:
        """Go on with another topic, None: any."""
        topics = self._pack.topics
        place = int(self._random() * len(topics)) if topic is None else topic
        self._words = topics[place]
        self._used: dict[str, int] = {}
        self._gait = int(self._random() * _GAITS)
        self._slot_gait = int(self._random() * _GAITS)

    def write(self, kind: str, low: int, high: int) -> str:
        """A text of `kind` with `low` to `high` characters, as near as whole sentences allow.

        Never longer than `high`; shorter than `low` only when `high` forces it.
        """
        opening, more, closing = PLANS[kind]
        text = self._vocative(kind) + self._fresh(opening)
        joint = self._pack.joint
        end = self._fresh(closing) if closing and self._random() < 0.8 else ""
        room = low - len(end)
        while more and len(text) < room:
            text = f"{text}{joint}{self._fresh(more)}"
        if end and len(text) + len(end) + len(joint) <= high:
            text = f"{text}{joint}{end}"
        if len(text) > high:
            text = shorten(text, high)
        return text

    def length(self, kind: str) -> tuple[int, int]:
        """(least, most) characters of a text of `kind` when nobody asks for a length."""
        low, high = LENGTHS[kind]
        factor = _STRETCH[self._pack.language]
        least = low + self._random() * (high - low) * 0.5
        return int(least * factor), int(high * factor)

    def pick(self, size: int) -> int:
        """A number from 0 below `size`."""
        return int(self._random() * size)

    def _vocative(self, kind: str) -> str:
        if self._who and kind.startswith("user") and self._random() < 0.45:
            return f"{self._who}，" if self._pack.language == "zh" else f"{self._who}, "
        return ""

    def _fresh(self, kind: str) -> str:
        """A sentence that was not said in the talk before, where one is found soon."""
        found = self._sentence(kind)
        if self._said:
            for _ in range(4):
                if found not in self._said:
                    break
                found = self._sentence(kind)
        return found

    def _sentence(self, kind: str) -> str:
        """One frame, filled. Everything comes in turn from a random start in random strides."""
        used, words, rand = self._used, self._words, self._random
        frames, size, strides = self._frames[kind]
        place = used.get(kind)
        place = int(rand() * size) if place is None else (place + strides[self._gait]) % size
        used[kind] = place
        gait = self._slot_gait
        text, slots = frames[place]
        filled = []
        for slot in slots:
            choices, size, strides = words[slot]
            place = used.get(slot)
            place = int(rand() * size) if place is None else (place + strides[gait]) % size
            used[slot] = place
            filled.append(choices[place])
        text = text % tuple(filled)
        if self._english and text[0].islower():
            return text[0].upper() + text[1:]
        return text


def shorten(text: str, most: int) -> str:
    """`text` cut to `most` characters, at the end of a sentence where one is near."""
    if len(text) <= most:
        return text
    cut = text[:most]
    place = max(cut.rfind(end) for end in _ENDS)
    if place >= most // 2:
        return cut[: place + 1]
    return cut.rstrip(" ，、,;；:：") or cut


def pad(text: str, least: int, more: Sequence[str]) -> str:
    """`text` brought to at least `least` characters."""
    place = 0
    while len(text) < least:
        text += more[place % len(more)]
        place += 1
    return text
