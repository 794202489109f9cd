"""Alpaca's rows: an instruction with its input, the answer, earlier questions as history.

Owns: these rows, also of preferences. Does not own: which records hold a chat (`reading.py`).
A CSV has no history: LLaMA-Factory would pass over it in silence, so such a chat is refused there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from corpusmith.contracts import Kind
from corpusmith.errors import UsageError
from corpusmith.exports.chats import spoken_only
from corpusmith.exports.llama_factory import entry
from corpusmith.exports.reading import ChatOptions, PairRows
from corpusmith.exports.shapes import Pair
from corpusmith.exports.turns import Turns, split_system
from corpusmith.values import Json, Record

HISTORY: Kind = [[str]]
NAMES = {"prompt": "instruction", "query": "input", "system": "system", "history": "history"}
"""LLaMA-Factory's name of a column → ours."""


@dataclass(kw_only=True)
class Alpaca(ChatOptions):
    """`{"instruction", "input", "output", "system", "history"}`."""

    name: ClassVar[str] = "alpaca"
    container: ClassVar[str] = "jsonl"

    nested: bool = True

    @property
    def columns(self) -> Mapping[str, Kind]:
        """No history where there are no lists."""
        more = {"history": HISTORY} if self.nested else {}
        return {"instruction": str, "input": str, "output": str, "system": str, **more}

    def rows(self, record: Record) -> Sequence[Json]:
        """Its chats. Raises UsageError."""
        made = []
        for chat in self.chats(record):
            turns = spoken_only(record, chat.turns, self.name)
            head, tail = asked(record, turns[:-1], chat.parts, self.name, nested=self.nested)
            made.append({**head, "output": turns[-1].text, **tail})
        return made

    def dataset_info(self, file_name: str) -> Mapping[str, Json] | None:
        """Columns only: Alpaca is what LLaMA-Factory reads by default."""
        return entry(file_name, _columns(self.nested) | {"response": "output"})


@dataclass(kw_only=True)
class DpoAlpaca(PairRows):
    """`{"instruction", "input", "chosen", "rejected", "system", "history"}`."""

    name: ClassVar[str] = "dpo_alpaca"
    container: ClassVar[str] = "jsonl"

    nested: bool = True

    @property
    def columns(self) -> Mapping[str, Kind]:
        """No history where there are no lists."""
        more = {"history": HISTORY} if self.nested else {}
        names = ("instruction", "input", "chosen", "rejected", "system")
        return {**dict.fromkeys(names, str), **more}

    def row(self, record: Record, pair: Pair) -> Json:
        """The answers are texts. Raises UsageError for a history in a CSV, and for tools."""
        answers = {"chosen": pair.chosen.text, "rejected": pair.rejected.text}
        head, tail = asked(record, pair.context, pair.parts, self.name, nested=self.nested)
        return {**head, **answers, **tail}

    def dataset_info(self, file_name: str) -> Mapping[str, Json] | None:
        """Columns, and that they are ranked."""
        columns = _columns(self.nested) | {"chosen": "chosen", "rejected": "rejected"}
        return entry(file_name, columns, ranking=True)


def _columns(nested: bool) -> dict[str, str]:
    return {name: ours for name, ours in NAMES.items() if nested or ours != "history"}


def asked(
    record: Record,
    context: Turns,
    parts: tuple[str, str] | None,
    form: str,
    *,
    nested: bool,
) -> tuple[dict[str, Json], dict[str, Json]]:
    """(instruction and input, system and history) of what stands before an answer."""
    system, turns = split_system(spoken_only(record, context, form))
    earlier, question = turns[:-1], turns[-1].text
    instruction, given = parts or (question, "")
    if question != (f"{instruction}\n{given}" if given.strip() else instruction):
        instruction, given = question, ""
    history = [
        [ask.text, reply.text] for ask, reply in zip(earlier[::2], earlier[1::2], strict=True)
    ]
    if history and not nested:
        raise UsageError("export_history", record=record.id, exporter=form)
    head: dict[str, Json] = {"instruction": instruction, "input": given}
    return head, {"system": system, **({"history": history} if nested else {})}
