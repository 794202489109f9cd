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

Frame = tuple[str, ...]
"""Text and slot names by turns: text first, text last."""

PLANS: dict[str, tuple[str, str, str]] = {
    "user_open": ("user_open", "user_more", ""),
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
class Topic:
    """What a text is about."""

    words: dict[str, tuple[str, ...]]
    """Choices by slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A language's words."""

    language: Language
    topics: tuple[Topic, ...]
    topic_of: dict[str, int]
    """A word that a prompt may hold → the topic that it calls for."""
    finder: re.Pattern[str]
    fill: dict[str, tuple[str, ...]]
    frames: dict[str, tuple[Frame, ...]]
    joint: str
    """Between two sentences."""


@lru_cache
def pack(language: Language) -> Pack:
    """The words of a language."""
    source = prose_zh if language == "zh" else prose_en
    topic_of = {
        word: place for place, one in enumerate(source.TOPICS) for word in one["keys"].split()
    }
    edge = "" if language == "zh" else r"\b"
    words = "|".join(sorted(map(re.escape, topic_of), key=len, reverse=True))
    return Pack(
        language=language,
        topics=tuple(_topic(one) for one in source.TOPICS),
        topic_of=topic_of,
        finder=re.compile(f"{edge}(?:{words})", re.IGNORECASE),
        fill={name: tuple(text.split("|")) for name, text in source.FILL.items()},
        frames={
            name: tuple(tuple(_SLOT.split(text)) for text in texts)
            for name, texts in source.FRAMES.items()
        },
        joint="" if language == "zh" else " ",
    )


def _topic(one: dict[str, str]) -> Topic:
    return Topic(
        words={
            "topic": (one["name"],),
            "thing": tuple(one["things"].split("|")),
            "trouble": tuple(one["troubles"].split("|")),
            "tip": tuple(one["tips"].split("|")),
            "detail": tuple(one["details"].split("|")),
        }
    )


class Prose:
    """One author at work on one topic; words do not repeat until all were used."""

    __slots__ = ("_gait", "_pack", "_random", "_rng", "_used", "_who", "_words")

    def __init__(self, chosen: Pack, rng: random.Random, topic: int | None, who: str = "") -> None:
        self._pack = chosen
        self._rng = rng
        self._random = rng.random
        self._who = who
        self.change_topic(topic)

    def change_topic(self, topic: int | None) -> None:
        """Go on with another topic, None: any."""
        topics = self._pack.topics
        place = int(self._random() * len(topics)) if topic is None else topic
        self._words = topics[place].words
        self._used: dict[str, int] = {}
        self._gait = self._random()

    def write(self, kind: str, low: int, high: int) -> str:
        """A text of `kind` with `low` to `high` characters, as near as whole sentences allow.

        Never longer than `high`; shorter than `low` only when `high` forces it.
        """
        opening, more, closing = PLANS[kind]
        text = self._vocative(kind) + self._sentence(opening)
        joint = self._pack.joint
        end = self._sentence(closing) if closing and self._random() < 0.8 else ""
        room = low - len(end)
        while more and len(text) < room:
            text = f"{text}{joint}{self._sentence(more)}"
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

    def _sentence(self, kind: str) -> str:
        frames = self._pack.frames[kind]
        frame = frames[self._next(kind, len(frames))]
        if len(frame) == 1:
            return frame[0]
        parts = list(frame)
        for place in range(1, len(frame), 2):
            slot = frame[place]
            choices = self._words.get(slot) or self._pack.fill[slot]
            parts[place] = choices[self._next(slot, len(choices))]
        text = "".join(parts)
        if self._pack.language == "en" and text[0].islower():
            return text[0].upper() + text[1:]
        return text

    def _next(self, what: str, size: int) -> int:
        """All places before any again, from a random start in random strides."""
        place = self._used.get(what)
        if place is None:
            place = int(self._random() * size)
        else:
            strides = _strides(size)
            place = (place + strides[int(self._gait * len(strides))]) % size
        self._used[what] = place
        return place


@lru_cache
def _strides(size: int) -> tuple[int, ...]:
    """Steps that visit all of `size` places."""
    return tuple(step for step in range(1, size) if gcd(step, size) == 1) or (1,)


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
