"""Chats to learn (SFT): messages, ShareGPT, prompt and completion.

Owns: rows of these formats. Does not own: which records hold a chat (`reading.py`), Alpaca
(`alpaca.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from corpusmith.contracts import Kind
from corpusmith.errors import UsageError
from corpusmith.exports.llama_factory import MESSAGE_TAGS, SHAREGPT_TAGS, entry
from corpusmith.exports.reading import ChatOptions
from corpusmith.exports.shapes import Chat
from corpusmith.exports.turns import Turns, as_messages
from corpusmith.values import Json, Record

MESSAGES: Kind = [{"role": str, "content": str}]

SPEAKERS = {
    "system": "system",
    "user": "human",
    "assistant": "gpt",
    "tool": "observation",
    "function_call": "function_call",
}


@dataclass(kw_only=True)
class Messages(ChatOptions):
    """`{"messages": [{role, content}, …]}`: one file for TRL, axolotl and LLaMA-Factory."""

    name: ClassVar[str] = "messages"
    container: ClassVar[str] = "jsonl"
    columns: ClassVar[Mapping[str, Kind]] = {"messages": MESSAGES}

    nested: bool = True

    def rows(self, record: Record) -> Sequence[Json]:
        """Its chats. Raises UsageError."""
        return [{"messages": as_messages(chat.turns)} for chat in self.chats(record)]

    def dataset_info(self, file_name: str) -> Mapping[str, Json] | None:
        """None for CSV: there the messages are a text."""
        if not self.nested:
            return None
        return entry(file_name, {"messages": "messages"}, tags=MESSAGE_TAGS)


@dataclass(kw_only=True)
class ShareGpt(ChatOptions):
    """`{"conversations": [{from, value}, …], "system", "tools"}`."""

    name: ClassVar[str] = "sharegpt"
    container: ClassVar[str] = "jsonl"
    keeps_tools: ClassVar[bool] = True
    columns: ClassVar[Mapping[str, Kind]] = {
        "conversations": [{"from": str, "value": str}],
        "tools": str,
    }

    nested: bool = True

    def rows(self, record: Record) -> Sequence[Json]:
        """Its chats. Raises UsageError."""
        return [_sharegpt(chat) for chat in self.chats(record)]

    def dataset_info(self, file_name: str) -> Mapping[str, Json] | None:
        """None for CSV: there the conversations are a text."""
        if not self.nested:
            return None
        columns = {"messages": "conversations", "tools": "tools"}
        return entry(file_name, columns, tags=SHAREGPT_TAGS)


def _sharegpt(chat: Chat) -> dict[str, Json]:
    said = [{"from": SPEAKERS[turn.role], "value": turn.text} for turn in chat.turns]
    return {"conversations": said, "tools": chat.tools or None}


@dataclass(kw_only=True)
class PromptCompletion(ChatOptions):
    """`{"prompt": [messages], "completion": [message]}`: TRL learns the completion only."""

    name: ClassVar[str] = "prompt_completion"
    container: ClassVar[str] = "jsonl"
    columns: ClassVar[Mapping[str, Kind]] = {"prompt": MESSAGES, "completion": MESSAGES}

    def rows(self, record: Record) -> Sequence[Json]:
        """Its chats, each parted before the last answer. Raises UsageError."""
        return [
            {"prompt": as_messages(chat.turns[:-1]), "completion": as_messages(chat.turns[-1:])}
            for chat in self.chats(record)
        ]

    def dataset_info(self, file_name: str) -> None:
        """None: LLaMA-Factory has no such format."""


def spoken_only(record: Record, turns: Turns, form: str) -> Turns:
    """`turns`. Raises UsageError for a tool's call or result: the format has no role for it."""
    if any(turn.role in ("tool", "function_call") for turn in turns):
        raise UsageError("export_tools", record=record.id, exporter=form)
    return turns
