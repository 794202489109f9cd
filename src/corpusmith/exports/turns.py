"""What is said in a chat, made legal for trainers, or refused with the reason.

Owns: roles, the order that trainers keep, reasoning, greetings, mending. LLaMA-Factory drops a chat
in silence unless user and assistant alternate strictly, the user first and a reply last; a system
message may stand only at the start. A tool's result stands where a user speaks, a call of a
function where the assistant does.
Does not own: which records hold a chat (`shapes.py`), rows (the exporters).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal, NamedTuple

from corpusmith.errors import UsageError
from corpusmith.exports.tools import refuse_call
from corpusmith.values import Json, Record

ASKING = ("user", "tool")
ANSWERING = ("assistant", "function_call")
ROLES = {
    **{role: role for role in (*ASKING, *ANSWERING, "system")},
    **{"human": "user", "gpt": "assistant", "observation": "tool", "developer": "system"},
}
"""A speaker's name in records → the role here."""
OPENERS = {"zh": "你好。", "en": "Hello."}
"""What a user says before a greeting, in the greeting's own language."""
GREETINGS = {"zh": "你的开场白：", "en": "Your opening words:"}
"""What stands before a greeting that is moved into the system message."""

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_TAG = "think|thinking|reasoning"
_OPEN = re.compile(rf"\s*<({_TAG})>", re.I)
_CLOSE = re.compile(rf"(?<!`)</(?:{_TAG})>(?!`)", re.I)


class Turn(NamedTuple):
    """One message. `thought`: the reasoning before it."""

    role: str
    text: str
    thought: str = ""


Turns = list[Turn]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How turns become legal."""

    reasoning: bool = False
    """Whether an answer's reasoning stands before it, as `<think>…</think>`."""
    greeting: Literal["refuse", "opener", "system"] = "refuse"
    opener: str = ""
    """What a user says before a greeting; empty: a hello in its language."""
    mend: bool = False


def turns_of(record: Record, said: Json) -> Turns:
    """Messages of a record. Raises UsageError for what is none."""
    if not isinstance(said, list):
        raise UsageError("export_turn_shape", record=record.id)
    return [turn_of(record, one) for one in said]


def turn_of(record: Record, one: Json) -> Turn:
    """One message, its reasoning apart. Raises UsageError."""
    if not isinstance(one, dict):
        raise UsageError("export_turn_shape", record=record.id)
    if one.get("tool_calls"):
        raise UsageError("export_tool_calls", record=record.id)
    role, text = one.get("role", one.get("from")), one.get("content", one.get("value"))
    if not isinstance(role, str) or not isinstance(text, str):
        raise UsageError("export_turn_shape", record=record.id)
    known = ROLES.get(role)
    if known is None:
        raise UsageError("export_turn_role", record=record.id, role=role[:60])
    if known != "assistant":
        return Turn(known, text)
    return answer(text, one.get("reasoning_content") or one.get("reasoning"))


def answer(text: str, told: Json = None) -> Turn:
    """What the assistant says, its reasoning apart: a field of its own, or `<think>` in the text.

    As the engine has it: an unclosed tag at the start hides all that follows, and before a lone
    closing tag, which some servers send, everything is reasoning.
    """
    if not told and "<" not in text:
        return Turn("assistant", text)
    thoughts = [told.strip()] if isinstance(told, str) else []
    if "<" in text:
        opened = _OPEN.match(text)
        closed = _CLOSE.search(text, opened.end() if opened else 0)
        if opened or (closed and not re.search(rf"<({_TAG})>", text[: closed.start()], re.I)):
            end = closed.start() if closed else len(text)
            thoughts.append(text[opened.end() if opened else 0 : end].strip())
            text = text[closed.end() :].lstrip() if closed else ""
    return Turn("assistant", text, "\n\n".join(dict.fromkeys(filter(None, thoughts))))


# ---------------------------------------------------------------- making legal


def legal(
    record: Record, said: Turns, system: str, rules: Rules, *, context: bool = False
) -> Turns:
    """The turns as a trainer keeps them, a system message first if there is one.

    `system`, unless empty, takes the place of the record's own. `context`: what stands before an
    answer, so the last one to speak is the user. Raises UsageError.
    """
    own, turns = _parted(said, merged=rules.mend)
    if rules.mend:
        turns = mended(turns, context=context)
    system = system or own
    if turns and turns[0].role == "assistant":
        system, turns = _greeted(record, system, turns, rules)
    refuse_illegal(record, turns, context=context)
    if rules.reasoning:
        turns = [with_thought(turn) if turn.thought else turn for turn in turns]
    return [Turn("system", system), *turns] if system.strip() else turns


def with_thought(turn: Turn) -> Turn:
    """Its reasoning put before its text."""
    return Turn(turn.role, f"<think>{turn.thought}</think>\n{turn.text}")


def _parted(said: Turns, *, merged: bool) -> tuple[str, Turns]:
    """(system message, the rest). `merged`: of several at the start, one is made."""
    count = 0
    while count < len(said) and said[count].role == "system" and (merged or not count):
        count += 1
    return "\n".join(turn.text for turn in said[:count]), said[count:]


def mended(turns: Turns, *, context: bool = False) -> Turns:
    """Turns without text gone, neighbours of one role made one (a line feed between them), and
    what the user says after the last answer gone."""
    made: Turns = []
    for turn in turns:
        if not turn.text.strip():
            continue
        if made and made[-1].role == turn.role:
            turn = _joined(made.pop(), turn)
        made.append(turn)
    while made and not context and made[-1].role in ASKING:
        made.pop()
    return made


def _joined(first: Turn, second: Turn) -> Turn:
    thought = "\n\n".join(filter(None, (first.thought, second.thought)))
    return Turn(first.role, f"{first.text}\n{second.text}", thought)


def _greeted(record: Record, system: str, turns: Turns, rules: Rules) -> tuple[str, Turns]:
    """A chat that the assistant opens, so that the user does."""
    greeting = turns[0].text
    language = "zh" if _CHINESE.search(greeting) else "en"
    if rules.greeting == "opener":
        return system, [Turn("user", rules.opener or OPENERS[language]), *turns]
    if rules.greeting == "system":
        moved = f"{GREETINGS[language]}\n{greeting}"
        return f"{system}\n\n{moved}" if system.strip() else moved, turns[1:]
    raise UsageError("export_greeting", record=record.id)


def refuse_illegal(record: Record, turns: Turns, *, context: bool = False) -> None:
    """Raises UsageError, saying where and why a trainer would drop these turns."""
    more = sum(1 for _ in takewhile(lambda turn: turn.role == "system", turns))
    if more:  # the first one has been parted from them
        raise UsageError("export_system_several", record=record.id, count=more + 1)
    for at, turn in enumerate(turns):
        if turn.role not in (ANSWERING if at % 2 else ASKING):
            code = "export_system_place" if turn.role == "system" else "export_turn_order"
            raise UsageError(code, record=record.id, at=at + 1, role=turn.role)
        if not turn.text.strip():
            raise UsageError("export_turn_empty", record=record.id, at=at + 1)
        if turn.role == "function_call":
            refuse_call(record, at + 1, turn.text)
    if not turns or len(turns) % 2 != context:
        raise UsageError("export_last_turn", record=record.id)


def split_system(turns: Turns) -> tuple[str, Turns]:
    """(text of the system message or empty, the rest)"""
    if turns and turns[0].role == "system":
        return turns[0].text, turns[1:]
    return "", turns


def as_messages(turns: Iterable[Turn]) -> list[dict[str, str]]:
    """As OpenAI's interface has them."""
    return [{"role": turn.role, "content": turn.text} for turn in turns]
