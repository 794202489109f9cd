"""Fills the fields of a structured reply so that they read as what they are named.

Owns: what a field's name means (text, number, number of items, role).
Does not own: sentences (`prose.py`) and what the schema allows (`instances.py`).
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from corpusmith.simulator.prose import Prose, pad, shorten
from corpusmith.values import Json

USER_ROLES = frozenset(
    (
        "user",
        "human",
        "customer",
        "learner",
        "用户",
        "问",
        "提问者",
        "人类",
        "学生",
        "顾客",
    )
)
OTHER_ROLES = frozenset(
    (
        "assistant",
        "model",
        "gpt",
        "ai",
        "bot",
        "character",
        "expert",
        "助手",
        "角色",
        "答",
        "回答者",
    )
)
ROLE_FIELDS = frozenset(
    (
        "role",
        "speaker",
        "from",
        "author",
        "角色",
        "说话人",
    )
)
_TALK_FIELDS = frozenset(
    (
        "content",
        "text",
        "value",
        "message",
        "utterance",
        "line",
        "内容",
        "文本",
        "发言",
    )
)

_KIND_OF: dict[str, str] = {
    word: kind
    for kind, words in {
        "question": "question query prompt instruction input problem ask q 问题 提问 指令 题目",
        "follow": "follow_up followup next_question follow_up_question 追问 后续问题",
        "answer": "answer response output reply solution completion text body content article a "
        "回答 答案 回复 内容 正文 文本 输出",
        "critique": "critique criticism feedback review judgement judgment comment comments "
        "suggestion suggestions 批评 评价 点评 意见 建议 评语",
        "correction": "correction corrected corrected_answer revision revised refined final_answer "
        "improved 更正 修正 改正 修改 优化",
        "summary": "summary abstract description overview background 摘要 总结 概述 描述 简介 背景",
        "reason": "reason reasoning explanation rationale why note notes justification 理由 原因 "
        "解释 "
        "说明 备注",
        "title": "title subject heading headline topic theme scene scenario 标题 主题 题目名 "
        "话题 场景",
        "label": "label tag category keyword type class kind genre tags labels keywords 标签 "
        "类别 分类 "
        "关键词 类型",
        "name": "name author person character_name username 姓名 名字 名称 作者 人物",
        "user_open": "user human user_message user_input 用户",
        "character": "assistant bot character model gpt character_message 助手 角色",
    }.items()
    for word in words.split()
}
SIDES = tuple(
    frozenset(word for word, kind in _KIND_OF.items() if kind == side)
    for side in ("user_open", "character")
)
"""Names of the fields for what the user and what the other side says."""
_SUFFIXES = (
    "question",
    "answer",
    "critique",
    "correction",
    "summary",
    "reason",
    "title",
    "label",
    "name",
    "comment",
    "content",
    "text",
)

_RANGES: dict[str, tuple[int, int]] = {
    "score": (1, 5),
    "rating": (1, 5),
    "stars": (1, 5),
    "level": (1, 5),
    "difficulty": (1, 5),
    "quality": (1, 5),
    "评分": (1, 5),
    "分数": (60, 100),
    "confidence": (0, 1),
    "probability": (0, 1),
    "weight": (0, 1),
    "percent": (0, 100),
    "age": (18, 70),
    "年龄": (18, 70),
    "year": (1990, 2026),
    "month": (1, 12),
    "day": (1, 28),
    "hour": (0, 23),
    "index": (0, 20),
    "id": (1, 99_999),
    "price": (5, 500),
    "count": (1, 20),
    "数量": (1, 20),
}
_ANY_RANGE = (0, 100)
_KEYS = {
    "zh": ("要点", "背景", "方法", "结果", "时间", "地点", "人物", "原因", "提醒", "补充"),
    "en": ("point", "setting", "method", "result", "time", "place", "person", "cause", "hint"),
}
_SHORT_KINDS = frozenset(("title", "label", "name"))


Talk = Literal["messages", "turns"]
"""An array whose items are messages with a role, or turns with a line of each side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """Numbers that the prompt asks for; None: it does not say."""

    length: tuple[int, int] | None = None
    """Characters of a text."""
    turns: int | None = None
    items: int | None = None


NO_WISHES = Wishes()


class Scribe:
    """Writes the fields of one value."""

    def __init__(self, prose: Prose, language: str, wishes: Wishes, stock: str = "") -> None:
        self._prose = prose
        self._language = language
        self._wishes = wishes
        self._stock = stock
        """Put in every free text instead of prose (the fault `refusal_text`)."""
        self.restart()

    def restart(self) -> None:
        """Forget the talks; a new value begins."""
        self._speaker: str | None = None
        self._place = 0
        self._opens = True
        self._ends = False
        self._talks = 0

    # ------------------------------------------------------------ talks

    def turn(self, talk: Talk, place: int, count: int) -> None:
        """The next item of an array is item `place` of `count` of a talk."""
        if place == 0:
            self._talks += 1
            if self._talks > 1:
                self._prose.change_topic(None)
        self._place = place
        self._opens = place == 0
        self._ends = place > 0 and place >= count - (1 if talk == "turns" else 2)
        if talk == "messages":
            self._speaker = "user" if place % 2 == 0 else "assistant"

    def leave(self) -> None:
        """An object ends; what follows is not of its speaker."""
        self._speaker = None

    # ------------------------------------------------------------ fields

    def option(self, name: str, options: Sequence[Json], rng: random.Random) -> Json:
        """One of the options: the speaker's for a role, else any."""
        if len(options) == 1:
            return options[0]
        if self._speaker is not None and name.lower() in ROLE_FIELDS:
            return self._role(options)
        return options[int(rng.random() * len(options))]

    def text(self, name: str, low: int, high: int) -> str:
        """A text for the field, within `low` to `high` characters."""
        kind = self._kind(name)
        if kind == "role":
            role = self._speaker or "user"
            return pad(shorten(role, high), low, role)[:high] if high else ""
        if self._stock and low <= len(self._stock) <= high and kind not in _SHORT_KINDS:
            return self._stock
        least, most = self._length(kind)
        least, most = max(least, low), min(max(most, low), high)
        found = self._prose.write(kind, min(least, most), most)
        if len(found) < low:
            found = pad(found, low, found or "。")[:high]
        return found

    def range_of(self, name: str, kind: str) -> tuple[int, int]:
        """(least, most) of a plausible number for the field."""
        word = name.lower()
        found = _RANGES.get(word) or _RANGES.get(re.split(r"[_\-. ]", word)[-1], _ANY_RANGE)
        return (0, 1) if found == (0, 1) and kind == "number" else found

    def count(self, name: str, low: int, high: int, talk: Talk | None, depth: int) -> int:
        """How many items, within `low` to `high`."""
        wishes = self._wishes
        if talk is not None:
            wish = (wishes.turns or 2) * (2 if talk == "messages" else 1)
        elif wishes.items and depth <= 1:
            wish = wishes.items
        else:
            wish = 2 + self._prose.pick(2)
        return max(low, min(high, wish))

    def key(self, rng: random.Random) -> str:
        """A name for an invented property."""
        words = _KEYS["zh" if self._language == "zh" else "en"]
        return f"{rng.choice(words)}{rng.randint(1, 999)}"

    # ------------------------------------------------------------ choices

    def _kind(self, name: str) -> str:
        word = name.lower()
        if self._speaker is not None:
            if word in _TALK_FIELDS:
                return self._line(self._speaker == "user")
            if word in ROLE_FIELDS:
                return "role"
        kind = _KIND_OF.get(word)
        if kind is None:
            tail = re.split(r"[_\-. ]", word)[-1]
            kind = _KIND_OF.get(tail) or next(
                (_KIND_OF[end] for end in _SUFFIXES if word.endswith(end)), "reason"
            )
        if kind in ("user_open", "character"):
            return self._line(kind == "user_open")
        return kind

    def _line(self, by_user: bool) -> str:
        if not by_user:
            return "character_close" if self._ends else "character"
        if self._ends:
            return "user_close"
        return "user_open" if self._opens else "user_more"

    def _length(self, kind: str) -> tuple[int, int]:
        if kind in _SHORT_KINDS:
            return 1, 40
        if self._wishes.length is not None and kind != "reason":
            return self._wishes.length
        return self._prose.length(kind)

    def _role(self, options: Sequence[Json]) -> Json:
        wanted = USER_ROLES if self._speaker == "user" else OTHER_ROLES
        for option in options:
            if isinstance(option, str) and option.lower() in wanted:
                return option
        plain = [one for one in options if one != "system"] or list(options)
        return plain[self._place % len(plain)]
