"""What each shape of record holds: chats, pairs of a better and a worse answer, a label.

Owns: the table of shapes, and the names of fields that are known to be a prompt or an answer.
Does not own: what a trainer keeps of it (`turns.py`), options (`reading.py`), rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import orjson

from corpusmith.errors import UsageError
from corpusmith.exports.turns import Turn, Turns, answer, turn_of, turns_of
from corpusmith.values import Json, Record

Row = Mapping[str, Any]
Rounds = Literal["history", "single"]
Refinement = Literal["final", "steps"]


class Chat(NamedTuple):
    """A conversation that ends with the answer to learn."""

    turns: Turns
    parts: tuple[str, str] | None = None
    """The last question as Alpaca has it: instruction and input."""
    tools: str = ""
    """JSON text of the functions that may be called."""


class Pair(NamedTuple):
    """A better and a worse answer to the same."""

    context: Turns
    chosen: Turn
    rejected: Turn
    parts: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """What to take of a record that holds several chats or pairs."""

    rounds: Rounds = "history"
    refinement: Refinement = "final"


Chats = Callable[[Record, Row, Ways], Iterator[Chat]]
Pairs = Callable[[Record, Row, Ways], Iterator[Pair]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One shape: the keys that tell it, and what a record of it gives."""

    marks: frozenset[str]
    chats: Chats
    pairs: Pairs | None = None


def shape_of(content: Json) -> Shape | None:
    """The shape of a record's content; None: it holds no chat that is known."""
    if not isinstance(content, dict):
        return None
    return next((shape for shape in SHAPES if shape.marks <= content.keys()), None)


# ---------------------------------------------------------------- parts


def text_of(record: Record, row: Row, name: str) -> str:
    """The text of a field. Raises UsageError for what is none, or blank."""
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise UsageError("export_field", record=record.id, name=name)
    return value


def _system(row: Row) -> Turns:
    system = row.get("system")
    return [Turn("system", system)] if isinstance(system, str) and system.strip() else []


def asked(record: Record, row: Row, name: str, more: str = "") -> tuple[Turns, tuple[str, str]]:
    """(the turns up to the question, its two parts): a text, or a list of messages.

    `more`: the field of what the question is about, which may lack.
    """
    value = row.get(name)
    if isinstance(value, list):
        turns = [*_system(row), *turns_of(record, value)]
        return turns, (turns[-1].text if turns else "", "")
    first, rest = text_of(record, row, name), row.get(more) if more else None
    second = rest if isinstance(rest, str) else ""
    question = f"{first}\n{second}" if second.strip() else first
    history = _history(record, row) if more else []
    return [*_system(row), *history, Turn("user", question)], (first, second)


def _history(record: Record, row: Row) -> Turns:
    """Alpaca's earlier questions and answers."""
    pairs = row.get("history") or []
    told = isinstance(pairs, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair)
        for pair in pairs
    )
    if not told:
        raise UsageError("export_turn_shape", record=record.id)
    return [turn for ask, reply in pairs for turn in (Turn("user", ask), answer(reply))]


def _given(record: Record, row: Row, name: str) -> Turn:
    """An answer: a text, a message, or a list of one message. Raises UsageError."""
    value = row.get(name)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, Mapping):
        return turn_of(record, {"role": "assistant", **value})
    return answer(text_of(record, row, name), row.get("reasoning_content") or row.get("reasoning"))


# ---------------------------------------------------------------- chats


def _messages(key: str) -> Chats:
    def chats(record: Record, row: Row, ways: Ways) -> Iterator[Chat]:
        tools = row.get("tools") or ""
        if not isinstance(tools, str):
            tools = orjson.dumps(tools).decode()
        turns = turns_of(record, row[key])
        own = [] if turns and turns[0].role == "system" else _system(row)
        yield Chat([*own, *turns], tools=tools)

    return chats


def fields(prompt: str, reply: str, more: str = "") -> Chats:
    """Chats of records whose field `prompt` is answered by `reply`."""

    def chats(record: Record, row: Row, ways: Ways) -> Iterator[Chat]:
        turns, parts = asked(record, row, prompt, more)
        yield Chat([*turns, _given(record, row, reply)], parts)

    return chats


def _rounds(record: Record, row: Row, ways: Ways) -> Iterator[Chat]:
    """Questions and their corrections."""
    turns: Turns = []
    for context, chosen, _ in _told(record, row):
        if ways.rounds == "single":
            yield Chat([context, chosen])
        turns += (context, chosen)
    if ways.rounds == "history":
        yield Chat(turns)


def _chosen(record: Record, row: Row, ways: Ways) -> Iterator[Chat]:
    """Of two answers the better one."""
    for context, chosen, _, parts in _preferred(record, row, ways):
        yield Chat([*context, chosen], parts)


# ---------------------------------------------------------------- pairs


def _told(record: Record, row: Row) -> Iterator[tuple[Turn, Turn, Turn]]:
    """(question, correction, answer) of each round."""
    rounds = row.get("rounds", [row])
    if (
        not isinstance(rounds, list)
        or not rounds
        or not all(isinstance(one, Mapping) for one in rounds)
    ):
        raise UsageError("export_turn_shape", record=record.id)
    for one in rounds:
        question, reply, correction = (text_of(record, one, name) for name in TRIPLE)
        yield Turn("user", question), answer(correction), answer(reply)


def _corrected(record: Record, row: Row, ways: Ways) -> Iterator[Pair]:
    """The correction over the answer of each round, after the rounds before it."""
    history: Turns = []
    for question, chosen, rejected in _told(record, row):
        yield Pair([*history, question], chosen, rejected)
        if ways.rounds == "history":
            history += (question, chosen)


def _refined(record: Record, row: Row, ways: Ways) -> Iterator[Pair]:
    """The final answer over the first, or each over the one before."""
    context = [Turn("user", text_of(record, row, "question"))]
    if ways.refinement == "final":
        final, first = (text_of(record, row, name) for name in ("final_answer", "initial_answer"))
        yield Pair(context, answer(final), answer(first))
        return
    steps = row.get("refinement_process")
    if not isinstance(steps, list) or not all(isinstance(step, Mapping) for step in steps):
        raise UsageError("export_field", record=record.id, name="refinement_process")
    answers = [answer(text_of(record, step, "answer")) for step in steps]
    for before, after in pairwise(answers):
        yield Pair(context, after, before)


def _preferred(record: Record, row: Row, ways: Ways) -> Iterator[Pair]:
    """A pair already, such as an imported one."""
    key = next((name for name in ("messages", "conversations", "prompt") if name in row), "")
    prompt, more = (key, "") if key else ("instruction", "input")
    context, parts = asked(record, row, prompt, more)
    chosen, rejected = (_given(record, row, name) for name in ("chosen", "rejected"))
    yield Pair(context, chosen, rejected, parts if not key else None)


# ---------------------------------------------------------------- the table

TRIPLE = ("question", "answer", "correction")

FIELDS: tuple[tuple[str, str, str], ...] = (
    ("instruction", "input", "output"),
    ("instruction", "input", "response"),
    ("instruction", "input", "answer"),
    ("question", "", "answer"),
    ("prompt", "", "response"),
    ("prompt", "", "completion"),
    ("prompt", "", "answer"),
    ("query", "", "response"),
    ("query", "", "answer"),
    ("user_input", "", "model_response"),
    ("input", "", "output"),
    ("text", "", "summary"),
    ("text", "", "label"),
    ("指令", "输入", "输出"),
    ("问题", "", "答案"),
    ("问题", "", "回答"),
)
"""(prompt, what it is about, answer): names that templates, imports and feedback have."""

SHAPES: tuple[Shape, ...] = (
    Shape(marks=frozenset({"dialogues"}), chats=_messages("dialogues")),
    Shape(marks=frozenset({"rounds"}), chats=_rounds, pairs=_corrected),
    Shape(marks=frozenset(TRIPLE), chats=_rounds, pairs=_corrected),
    Shape(
        marks=frozenset({"question", "final_answer"}),
        chats=fields("question", "final_answer"),
        pairs=_refined,
    ),
    Shape(marks=frozenset({"chosen", "rejected"}), chats=_chosen, pairs=_preferred),
    Shape(marks=frozenset({"messages"}), chats=_messages("messages")),
    Shape(marks=frozenset({"conversations"}), chats=_messages("conversations")),
    *(
        Shape(marks=frozenset((prompt, reply)), chats=fields(prompt, reply, more))
        for prompt, more, reply in FIELDS
    ),
)
"""The more special ones first. A new job's record is one line here."""
