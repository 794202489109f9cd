"""The rows of training files, and the bytes of a batch of them.

Owns: fields and layout of samples, pairs and KTO rows. Does not own: which ones, files
(`files.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import BinaryIO, Literal

import orjson

from corpusmith.feedback.fields import Feedback
from corpusmith.values import Json

Row = dict[str, Json]
Format = Literal["json", "jsonl", "alpaca"]
PairFormat = Literal["llamafactory", "trl", "alpaca"]
KtoFormat = Literal["llamafactory", "trl"]

ALPACA_MORE = ("system", "history")
_LINE = orjson.OPT_APPEND_NEWLINE


def sample(one: Feedback) -> Row:
    """With everything that is known of it."""
    return {
        "instruction": one.user_input,
        "input": "",
        "output": one.model_response,
        "rating": one.rating,
        "model_name": one.model_name,
        "feedback_id": one.id,
        "timestamp": one.timestamp,
    }


def alpaca(row: Row) -> Row:
    """What trainers of the Alpaca format read of a sample."""
    kept = {
        "instruction": row["instruction"],
        "input": row.get("input", ""),
        "output": row["output"],
    }
    for key in ALPACA_MORE:
        if key in row:
            kept[key] = row[key]
    return kept


# ---------------------------------------------------------------- preferences


def _user(text: str) -> Row:
    return {"role": "user", "content": text}


def _assistant(text: str) -> Row:
    return {"role": "assistant", "content": text}


def _pair_llamafactory(prompt: str, chosen: str, rejected: str) -> Row:
    return {
        "messages": [_user(prompt)],
        "chosen": _assistant(chosen),
        "rejected": _assistant(rejected),
    }


def _pair_trl(prompt: str, chosen: str, rejected: str) -> Row:
    return {
        "prompt": [_user(prompt)],
        "chosen": [_assistant(chosen)],
        "rejected": [_assistant(rejected)],
    }


def _pair_alpaca(prompt: str, chosen: str, rejected: str) -> Row:
    return {"instruction": prompt, "input": "", "chosen": chosen, "rejected": rejected}


PAIRS: dict[PairFormat, Callable[[str, str, str], Row]] = {
    "llamafactory": _pair_llamafactory,
    "trl": _pair_trl,
    "alpaca": _pair_alpaca,
}
"""(prompt, chosen, rejected) → the row. In LLaMA-Factory TRL's lists give no pair, silently."""


def _kto_llamafactory(prompt: str, answer: str, label: bool) -> Row:
    return {"messages": [_user(prompt), _assistant(answer)], "label": label}


def _kto_trl(prompt: str, answer: str, label: bool) -> Row:
    return {"prompt": [_user(prompt)], "completion": [_assistant(answer)], "label": label}


KTO: dict[KtoFormat, Callable[[str, str, bool], Row]] = {
    "llamafactory": _kto_llamafactory,
    "trl": _kto_trl,
}
"""(prompt, answer, label) → the row. The label is a boolean: of 0 and 1 LLaMA-Factory makes
plain SFT, silently."""


# ---------------------------------------------------------------- bytes


class JsonArray:
    """An array for people and programs, two spaces of indent. `going_on`: rows stand there."""

    def __init__(self, out: BinaryIO, *, going_on: bool = False) -> None:
        self._out = out
        self._between = b",\n" if going_on else b"[\n"

    def write(self, rows: Sequence[Row]) -> None:
        """Adds rows: many at once are quicker."""
        if rows:
            self._out.write(self._between)
            # Inside its array orjson indents as the whole file is to be: only the ends go.
            self._out.write(orjson.dumps(rows, option=orjson.OPT_INDENT_2)[2:-2])
            self._between = b",\n"

    def end(self) -> None:
        """Closes the array."""
        self._out.write(b"[]\n" if self._between == b"[\n" else b"\n]\n")


class JsonLines:
    """One object a line."""

    def __init__(self, out: BinaryIO, *, going_on: bool = False) -> None:
        self._out = out

    def write(self, rows: Iterable[Row]) -> None:
        """Adds rows."""
        self._out.write(b"".join([orjson.dumps(row, option=_LINE) for row in rows]))

    def end(self) -> None:
        """Nothing: every line is whole."""


class AlpacaArray(JsonArray):
    """An array of Alpaca rows."""

    def write(self, rows: Sequence[Row]) -> None:
        """Adds rows, each without what is no part of the format."""
        super().write([alpaca(row) for row in rows])


Writer = JsonArray | JsonLines
WRITERS: dict[Format, type[Writer]] = {
    "json": JsonArray,
    "jsonl": JsonLines,
    "alpaca": AlpacaArray,
}
