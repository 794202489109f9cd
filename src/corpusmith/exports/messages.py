"""SFT chats, as TRL, axolotl and LLaMA-Factory read them: `{"messages": [{role, content}, …]}`.

Owns: which records make a chat that a trainer keeps. A record that one of them would drop in
silence is refused with its reason: LLaMA-Factory wants a user first, strict alternation and a
reply at the end, and a system message only at the start.
Does not own: the bytes (`native.py`), files (`files.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, BinaryIO, ClassVar, Literal, get_args

import orjson

from corpusmith.errors import UsageError
from corpusmith.exports import rounds
from corpusmith.exports.native import dump
from corpusmith.values import Json, Record

System = Literal["none", "character"]
Turns = list[dict[str, str]]


class Messages:
    """JSONL of chats. `system`: `character` puts the character's system prompt first, if known."""

    name: ClassVar[str] = "messages"
    suffix: ClassVar[str] = ".jsonl"

    def __init__(self, *, system: System = "none") -> None:
        if system not in get_args(System):
            raise UsageError("export_system", value=system, known=", ".join(get_args(System)))
        self._with_system = system == "character"

    def write(self, records: Iterable[Record], out: BinaryIO) -> int:
        """Writes all; returns how many. Raises UsageError for a record that is no such chat."""
        count = 0
        for record in records:
            chat = {"messages": self._messages(record)}
            out.write(dump(record, chat, orjson.OPT_APPEND_NEWLINE))
            count += 1
        return count

    def _messages(self, record: Record) -> Turns:
        turns = _turns(record)
        system = record.provenance.get("system") if self._with_system else None
        if not system:
            return turns
        return [{"role": "system", "content": str(system)}, *turns]


def _turns(record: Record) -> Turns:
    content = record.content
    if isinstance(content, dict):
        for key, turns_of in SHAPES.items():
            if key in content:
                return turns_of(record, content[key])
    raise UsageError("export_no_chat", record=record.id, exporter=Messages.name)


def _dialogue(record: Record, turns: Json) -> Turns:
    problem = _problem(turns)
    if problem is not None:
        raise UsageError(f"export_{problem}", record=record.id)
    return [{"role": turn["role"], "content": turn["content"]} for turn in turns]


def _chat(record: Record, turns: Json) -> Turns:
    """A chat already (a template's, an imported one); a system message may stand first."""
    if record.content.keys() & {"label", "chosen"}:  # of a preference: its answer may be a bad one
        raise UsageError("export_no_chat", record=record.id, exporter=Messages.name)
    listed = turns if isinstance(turns, list) else []
    system = [one for one in listed[:1] if _is_turn(one) and one["role"] == "system"]
    first = [{"role": "system", "content": one["content"]} for one in system]
    return [*first, *_dialogue(record, listed[len(system) :])]


def _problem(turns: Json) -> Literal["turn_shape", "turn_order", "turn_empty"] | None:
    """Why a trainer would drop these turns; None when it would not."""
    if not isinstance(turns, list) or not all(map(_is_turn, turns)):
        return "turn_shape"
    roles = [turn["role"] for turn in turns]
    if not roles or roles != ["user", "assistant"] * (len(roles) // 2):
        return "turn_order"
    if not all(turn["content"].strip() for turn in turns):
        return "turn_empty"
    return None


def _is_turn(turn: Json) -> bool:
    return (
        isinstance(turn, dict)
        and isinstance(turn.get("role"), str)
        and isinstance(turn.get("content"), str)
    )


def _refined(record: Record, answer: Json) -> Turns:
    """The question of self-play and the answer that it ended with. Raises UsageError."""
    texts = {"user": record.content.get("question"), "assistant": answer}
    if not all(isinstance(text, str) and text.strip() for text in texts.values()):
        raise UsageError("export_turn_empty", record=record.id)
    return [{"role": role, "content": text} for role, text in texts.items()]


# The key that tells a shape -> how its value becomes turns. A new job's record is one line here.
SHAPES: dict[str, Callable[[Record, Any], Turns]] = {
    "dialogues": _dialogue,
    "messages": _chat,
    "rounds": rounds.turns,
    "final_answer": _refined,
}
