"""What a model said: as it stands in a record, and as its whole reply has it.

Owns: for each way of asking, where its records keep a model's words. Does not own: runs
(`fault_runs.py`), what must hold (the tests).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import orjson

from corpusmith.simulator.prose import pack
from corpusmith.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Where to find them. A part is whatever one reply brings to a record."""

    in_record: Callable[[Json], list[Json]]
    """The parts of a record that a model wrote."""
    in_reply: Callable[[str], list[Json]]
    """The parts that a whole reply holds."""
    to_be_corrected: Callable[[Json], list[Json]] = lambda record: []
    """Parts that may be poor on purpose, even a refusal: what stands beside them is better."""


STOCK = {text for language in ("zh", "en") for text, _ in pack(language).frames["refusal"][0]}
"""The simulator's refusals."""


def _text(reply: str) -> list[Json]:
    return [reply.strip()]


def _single(record: Json) -> list[Json]:
    """The dialogue as its single reply had it."""
    lines = [line["content"] for line in record["dialogues"]]
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return [[{"user": user, "assistant": assistant} for user, assistant in pairs]]


def _new_rounds(*fields: str) -> Callable[[Json], list[Json]]:
    """Of the rounds after the first, which is given."""
    return lambda record: [one[field] for one in record["rounds"][1:] for field in fields]


def _refinement(record: Json) -> list[Json]:
    """The last step has no critique, but a mark."""
    steps = record["refinement_process"]
    answers = [record["initial_answer"], record["final_answer"], *(one["answer"] for one in steps)]
    return [record["question"], *answers, *(one["critique"] for one in steps[:-1])]


def _scores(record: Json) -> list[Json]:
    """A verdict may lack its words: a judge that forgot them is heard all the same."""
    verdicts = record["judges"]
    return [one["scores"] for one in verdicts] + [v["comment"] for v in verdicts if v["comment"]]


def _verdict(reply: str) -> list[Json]:
    verdict = orjson.loads(reply)
    return [verdict.pop("comment").strip(), verdict]


WORDS: dict[str, Words] = {
    "single": Words(
        in_record=_single,
        in_reply=lambda reply: [one["turns"] for one in orjson.loads(reply)["dialogues"]],
    ),
    "turns": Words(
        in_record=lambda record: [line["content"] for line in record["dialogues"]], in_reply=_text
    ),
    "template": Words(
        in_record=lambda record: [record], in_reply=lambda reply: orjson.loads(reply)["samples"]
    ),
    "rounds": Words(
        in_record=_new_rounds("question", "correction"),
        in_reply=_text,
        to_be_corrected=_new_rounds("answer"),
    ),
    "selfplay": Words(in_record=_refinement, in_reply=_text),
    "evaluate": Words(in_record=_scores, in_reply=_verdict),
}
"""By way: those that are run with faults."""
