"""The files of question–answer–correction rounds, named as SPEC.md (job C) names them.

Owns: names, and the two shapes of a conversation: its history up to a round, and that round alone.
Does not own: which conversations there are; writing a file whole or not at all (`files.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

import orjson

from corpusmith.exports.files import write_file
from corpusmith.exports.lines import JsonLines, dump
from corpusmith.values import Json

Conversation = Mapping[str, Json]
"""`{"id", "rounds": [{"question", "answer", "correction"}, …]}`"""

FIELDS = ("question", "answer", "correction")
FAILED = "failed.jsonl"
_FOLDER = re.compile(r"round([1-9]\d{0,5})")


def history_file(folder: Path, number: int) -> Path:
    """Where the histories of a round stand; those of round 1 are what all later ones grow from."""
    name = "round1_history_seed" if number == 1 else f"round{number}_history"
    return folder / f"round{number}" / f"{name}.jsonl"


def single_turn_file(folder: Path, number: int) -> Path:
    """Where a round's own questions, answers and corrections stand."""
    return folder / f"round{number}" / f"round{number}_single_turn.jsonl"


def newest_round(folder: Path) -> int | None:
    """The highest round with a history in `folder`; None when there is none."""
    if not folder.is_dir():
        return None
    found = (_FOLDER.fullmatch(one.name) for one in folder.iterdir())
    numbers = [int(match[1]) for match in found if match]
    return max((one for one in numbers if history_file(folder, one).is_file()), default=None)


def history(conversations: Iterable[Conversation], number: int) -> Iterator[Conversation]:
    """Each conversation that has round `number`, up to that round."""
    for one in conversations:
        if len(one["rounds"]) >= number:
            yield {"id": one["id"], "rounds": one["rounds"][:number]}


def single_turn(conversations: Iterable[Conversation], number: int) -> Iterator[Conversation]:
    """Round `number` of each conversation that has it, with the conversation's id."""
    for one in conversations:
        if len(one["rounds"]) >= number:
            found = one["rounds"][number - 1]
            yield {"id": one["id"], **{field: found[field] for field in FIELDS}}


def write_rows(path: Path, rows: Iterable[Json]) -> int:
    """Write JSON lines, complete or not at all; returns how many. No rows: no file stays.

    Raises UsageError, DiskFull.
    """
    waiting = iter(rows)
    first = next(waiting, None)
    if first is None:
        path.unlink(missing_ok=True)
        return 0
    return write_file(path, JsonLines(), chain((first,), waiting)).rows


def lines(rows: Iterable[Json]) -> Iterator[bytes]:
    """Each row as a line. Raises UsageError for one that JSON cannot hold."""
    for number, row in enumerate(rows, 1):
        yield dump(row, number, orjson.OPT_APPEND_NEWLINE)
