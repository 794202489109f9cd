"""Preferences: pairs (DPO) and labelled answers (KTO), as each trainer reads them.

Owns: rows of these formats. Does not own: which records hold a pair or a label (`reading.py`);
which two records are a pair, such as rated answers to one prompt (`feedback/ranking.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from corpusmith.contracts import Kind
from corpusmith.errors import UsageError
from corpusmith.exports.chats import MESSAGES, spoken_only
from corpusmith.exports.llama_factory import MESSAGE_TAGS, entry
from corpusmith.exports.reading import PairRows, Rated, RatedOptions
from corpusmith.exports.shapes import Pair
from corpusmith.exports.turns import as_messages
from corpusmith.values import Json, Record

MESSAGE: Kind = {"role": str, "content": str}


@dataclass(kw_only=True)
class Dpo(PairRows):
    """`{"messages": [… user], "chosen": message, "rejected": message}`: LLaMA-Factory, axolotl.

    An answer such as `a` or `user` is no case to refuse: LLaMA-Factory learns it as it is. axolotl
    looks for an answer in a made-up chat and finds such a one in the words before it; which words
    these are depends on the model's chat template.
    """

    name: ClassVar[str] = "dpo"
    container: ClassVar[str] = "jsonl"
    columns: ClassVar[Mapping[str, Kind]] = {
        "messages": MESSAGES,
        "chosen": MESSAGE,
        "rejected": MESSAGE,
    }

    nested: bool = True

    def row(self, record: Record, pair: Pair) -> Json:
        """The answers are objects."""
        chosen, rejected = as_messages((pair.chosen, pair.rejected))
        return {"messages": as_messages(pair.context), "chosen": chosen, "rejected": rejected}

    def dataset_info(self, file_name: str) -> Mapping[str, Json] | None:
        """None for CSV: there the messages are a text."""
        if not self.nested:
            return None
        columns = {name: name for name in self.columns}
        return entry(file_name, columns, tags=MESSAGE_TAGS, ranking=True)


@dataclass(kw_only=True)
class DpoTrl(PairRows):
    """`{"prompt": [messages], "chosen": [message], "rejected": [message]}`."""

    name: ClassVar[str] = "dpo_trl"
    container: ClassVar[str] = "jsonl"
    columns: ClassVar[Mapping[str, Kind]] = {
        "prompt": MESSAGES,
        "chosen": MESSAGES,
        "rejected": MESSAGES,
    }

    def row(self, record: Record, pair: Pair) -> Json:
        """The answers are lists."""
        return {
            "prompt": as_messages(pair.context),
            "chosen": as_messages((pair.chosen,)),
            "rejected": as_messages((pair.rejected,)),
        }

    def dataset_info(self, file_name: str) -> None:
        """None: of these lists LLaMA-Factory makes no pair, silently."""


@dataclass(kw_only=True)
class Kto(RatedOptions):
    """`{"messages": […], "label": true}`. The label is a boolean: of 0 and 1 LLaMA-Factory makes
    plain SFT, silently."""

    name: ClassVar[str] = "kto"
    container: ClassVar[str] = "jsonl"
    columns: ClassVar[Mapping[str, Kind]] = {"messages": MESSAGES, "label": bool}

    nested: bool = True

    def rows(self, record: Record) -> Sequence[Json]:
        """Its answers with their labels. Raises UsageError."""
        return [
            {"messages": as_messages([*one.context, one.answer]), "label": one.label}
            for one in self.rated(record)
        ]

    def dataset_info(self, file_name: str) -> Mapping[str, Json] | None:
        """None for CSV: there the messages are a text."""
        if not self.nested:
            return None
        columns = {"messages": "messages", "kto_tag": "label"}
        return entry(file_name, columns, tags=MESSAGE_TAGS)


@dataclass(kw_only=True)
class KtoTrl(RatedOptions):
    """`{"prompt": [messages], "completion": [message], "label": true}`."""

    name: ClassVar[str] = "kto_trl"
    container: ClassVar[str] = "jsonl"
    columns: ClassVar[Mapping[str, Kind]] = {
        "prompt": MESSAGES,
        "completion": MESSAGES,
        "label": bool,
    }

    def rows(self, record: Record) -> Sequence[Json]:
        """Its answers with their labels. Raises UsageError."""
        return [
            {
                "prompt": as_messages(one.context),
                "completion": as_messages((one.answer,)),
                "label": one.label,
            }
            for one in self.rated(record)
        ]

    def dataset_info(self, file_name: str) -> None:
        """None: LLaMA-Factory has no such format."""


@dataclass(kw_only=True)
class KtoAxolotl(RatedOptions):
    """`{"prompt": "…", "completion": "…", "label": true}` for `user_defined.default`."""

    name: ClassVar[str] = "kto_axolotl"
    container: ClassVar[str] = "jsonl"
    columns: ClassVar[Mapping[str, Kind]] = {"prompt": str, "completion": str, "label": bool}

    def rows(self, record: Record) -> Sequence[Json]:
        """Its answers with their labels. Raises UsageError, also for more than one question."""
        return [self._row(record, one) for one in self.rated(record)]

    def _row(self, record: Record, one: Rated) -> dict[str, Json]:
        if len(spoken_only(record, one.context, self.name)) != 1:
            raise UsageError("export_history", record=record.id, exporter=self.name)
        question = one.context[0].text
        return {"prompt": question, "completion": one.answer.text, "label": one.label}

    def dataset_info(self, file_name: str) -> None:
        """None: LLaMA-Factory has no such format."""
