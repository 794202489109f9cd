"""Records as chats, pairs and rated answers, by an exporter's options.

Owns: the options that every trainer's format shares, and the one way from a record to what a row
is written of. Does not own: rows (the exporters), which keys make a shape (`shapes.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar, Literal, NamedTuple

import orjson

from corpusmith.contracts import Answered
from corpusmith.errors import UsageError
from corpusmith.exports import shapes
from corpusmith.exports.options import checked
from corpusmith.exports.shapes import Chat, Pair, Refinement, Rounds, Shape, Ways
from corpusmith.exports.tools import refuse_functions
from corpusmith.exports.turns import Rules, Turn, Turns, legal, with_thought
from corpusmith.values import Json, Record

LEFT_OUT = frozenset({"export_rating_between", "export_unwanted"})
"""Codes of records that are in order and that the format has no row for: not counted as broken."""


class Rated(NamedTuple):
    """An answer, and whether it is wanted."""

    context: Turns
    answer: Turn
    label: bool


@dataclass(kw_only=True)
class ChatOptions:
    """`system`: `character` puts the character's prompt first, if it is known, `own` puts
    `system_text`; a record's own system message gives way to them. `reasoning`: it stands before
    the answer. `greeting`: what becomes of a chat that the assistant opens. `rounds`: a
    conversation is one chat, or one for each round. `mend`: see `turns.mended`."""

    name: ClassVar[str] = ""
    keeps_tools: ClassVar[bool] = False
    """Whether a row has a place for the functions that may be called."""

    system: Literal["none", "character", "own"] = "none"
    system_text: str = ""
    reasoning: bool = False
    greeting: Literal["refuse", "opener", "system"] = "refuse"
    opener: str = ""
    rounds: Rounds = "history"
    mend: bool = False
    prompt_field: str = ""
    answer_field: str = ""

    def __post_init__(self) -> None:
        for one in fields(self):
            if one.name != "nested":
                setattr(self, one.name, checked(one.name, getattr(self, one.name)))
        if (self.system == "own") != bool(self.system_text.strip()):
            raise UsageError("export_system_text")
        if bool(self.prompt_field) != bool(self.answer_field):
            raise UsageError("export_field_names")

    def chats(self, record: Record) -> list[Chat]:
        """The chats of a record, at least one. Raises UsageError."""
        refuse_unwanted(record)
        return self._chats(record)

    def _chats(self, record: Record) -> list[Chat]:
        found = self._shape(record).chats(record, record.content, self._ways)
        return [self._finished(record, chat) for chat in found]

    def _finished(self, record: Record, chat: Chat) -> Chat:
        turns = legal(record, chat.turns, self._system(record), self._rules)
        refuse_functions(record, chat.tools)
        return Chat(turns, chat.parts, chat.tools)

    def _shape(self, record: Record) -> Shape:
        content = record.content
        if isinstance(content, dict) and content.get("tools") and not self.keeps_tools:
            raise UsageError("export_tools", record=record.id, exporter=self.name)
        if self._named is not None and isinstance(content, dict):
            return self._named
        shape = shapes.shape_of(content)
        if shape is None:
            raise UsageError("export_no_chat", record=record.id, exporter=self.name)
        return shape

    def _system(self, record: Record) -> str:
        if self.system == "own":
            return self.system_text
        found = record.provenance.get("system") if self.system == "character" else None
        return found if isinstance(found, str) else ""

    @cached_property
    def _named(self) -> Shape | None:
        if not self.prompt_field:
            return None
        chats = shapes.fields(self.prompt_field, self.answer_field)
        return Shape(marks=frozenset((self.prompt_field, self.answer_field)), chats=chats)

    @cached_property
    def _rules(self) -> Rules:
        return Rules(
            reasoning=self.reasoning,
            greeting=self.greeting,
            opener=self.opener,
            mend=self.mend,
        )

    @cached_property
    def _ways(self) -> Ways:
        return Ways(rounds=self.rounds)


@dataclass(kw_only=True)
class PairOptions(ChatOptions):
    """`refinement`: of self-play the final answer over the first, or each over the one before."""

    refinement: Refinement = "final"

    def pairs(self, record: Record) -> list[Pair]:
        """The pairs of a record, at least one. Raises UsageError.

        A pair of equal answers teaches nothing: refused, or with `mend` left out if there are
        others.
        """
        found = self._shape(record).pairs
        if found is None:
            raise UsageError("export_no_pair", record=record.id)
        told = [self._paired(record, one) for one in found(record, record.content, self._pair_ways)]
        if not told:
            raise UsageError("export_no_pair", record=record.id)
        kept = [pair for pair in told if pair.chosen.text != pair.rejected.text]
        if not kept or (len(kept) < len(told) and not self.mend):
            raise UsageError("export_pair_same", record=record.id)
        return kept

    def _paired(self, record: Record, pair: Pair) -> Pair:
        context = legal(record, pair.context, self._system(record), self._rules, context=True)
        chosen, rejected = (
            self._reply(record, turn, len(pair.context) + 1)
            for turn in (pair.chosen, pair.rejected)
        )
        return Pair(context, chosen, rejected, pair.parts)

    def _reply(self, record: Record, turn: Turn, at: int) -> Turn:
        if turn.role != "assistant":
            raise UsageError("export_turn_order", record=record.id, at=at, role=turn.role)
        if not turn.text.strip():
            raise UsageError("export_turn_empty", record=record.id, at=at)
        return with_thought(turn) if self.reasoning and turn.thought else turn

    @cached_property
    def _pair_ways(self) -> Ways:
        return Ways(rounds=self.rounds, refinement=self.refinement)


@dataclass(kw_only=True)
class PairRows(PairOptions):
    """Of a record its own pairs; of two records that answer the same, one."""

    def row(self, record: Record, pair: Pair) -> Json:
        """The row of a pair. Raises UsageError for what it has no place for."""
        raise NotImplementedError

    def rows(self, record: Record) -> Sequence[Json]:
        """Its pairs. Raises UsageError."""
        return [self.row(record, pair) for pair in self.pairs(record)]

    def answered(self, record: Record) -> Answered:
        """Its last answer, and what that answers. Raises UsageError, for what a row refuses too."""
        chat = self._last(record)
        self.row(record, _over(chat, chat))
        asked = orjson.dumps([turn[:2] for turn in chat.turns[:-1]]).decode()
        return Answered(prompt=asked, answer=chat.turns[-1].text)

    def compared(self, better: Record, worse: Record) -> Sequence[Json]:
        """The row of two records with the same prompt. Raises UsageError."""
        return [self.row(better, _over(self._last(better), self._last(worse)))]

    def _last(self, record: Record) -> Chat:
        chat = self._chats(record)[-1]
        reply = self._reply(record, chat.turns[-1], len(chat.turns))
        return Chat([*chat.turns[:-1], reply], chat.parts)


def _over(better: Chat, worse: Chat) -> Pair:
    return Pair(better.turns[:-1], better.turns[-1], worse.turns[-1], better.parts)


@dataclass(kw_only=True)
class RatedOptions(PairOptions):
    """A rating of `good` or more is wanted, one of `bad` or less is not."""

    good: float = 4
    bad: float = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bad >= self.good:
            raise UsageError("export_thresholds", good=f"{self.good:g}", bad=f"{self.bad:g}")

    def rated(self, record: Record) -> list[Rated]:
        """The answers of a record with their labels, at least one. Raises UsageError.

        By the record's own label, else by people's rating, else both answers of its pairs.
        """
        label = label_of(record)
        if label is None:
            label = self._by_rating(record)
        if label is not None:
            chats = self._chats(record)
            return [Rated(chat.turns[:-1], chat.turns[-1], label) for chat in chats]
        if self._shape(record).pairs is None:
            raise UsageError("export_no_label", record=record.id)
        return [
            Rated(pair.context, turn, label)
            for pair in self.pairs(record)
            for turn, label in ((pair.chosen, True), (pair.rejected, False))
        ]

    def _by_rating(self, record: Record) -> bool | None:
        rating = rating_of(record)
        if rating is None:
            return None
        if self.bad < rating < self.good:
            limits: dict[str, Any] = {"good": f"{self.good:g}", "bad": f"{self.bad:g}"}
            raise UsageError(
                "export_rating_between", record=record.id, rating=f"{rating:g}", **limits
            )
        return rating >= self.good


def label_of(record: Record) -> bool | None:
    """Whether a record says itself that its answer is wanted; None: it does not say."""
    content = record.content
    label = content.get("label") if isinstance(content, dict) else None
    return label if isinstance(label, bool) else None


def rating_of(record: Record) -> float | None:
    """People's rating: of the review, else the one it came with; None: nobody rated it."""
    if record.rating is not None:
        return record.rating
    content = record.content
    rating: Json = content.get("rating") if isinstance(content, dict) else None
    if isinstance(rating, bool) or not isinstance(rating, int | float):
        return None
    return float(rating)


def refuse_unwanted(record: Record) -> None:
    """Raises UsageError for an answer that is marked as one not to learn."""
    if label_of(record) is False:
        raise UsageError("export_unwanted", record=record.id)
