"""Which known shape rows have, and rows in the shape that records are stored in.

Owns: the table of shapes: the keys that tell one, and how its row becomes a record's content.
Does not own: reading files (`rows.py`), the parts of a row (`parts.py`), what becomes of a row that
does not fit.

The jobs' own shapes come out with exactly their keys. The open ones (alpaca, chats, pairs, kto)
keep whatever else a row holds: an exporter takes what it knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from corpusmith.readers.parts import (
    Misfit,
    Row,
    answer_of,
    chat_of,
    list_of,
    prompt_keys,
    prompt_of,
    rest_of,
    text_of,
    unpacked,
    with_system,
)
from corpusmith.values import Json

ENOUGH = 0.5
"""The share of rows that must fit a shape for it to be taken by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One shape. `marks`: alternatives of keys that tell it, each of them all together."""

    marks: tuple[tuple[str, ...], ...]
    convert: Callable[[Row], dict[str, Json]]
    exact: bool = False
    """True: the content has the shape's keys only, and the rest of the row is told apart."""

    def mark(self, row: Row) -> tuple[str, ...] | None:
        """The keys by which `row` looks like this shape; None: it does not."""
        return next((keys for keys in self.marks if all(key in row for key in keys)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """What the first rows look like."""

    shape: str
    keys: tuple[str, ...] = ()
    """The keys that told it; empty for `rows`, or when the shape was asked for."""
    looked: int = 0
    fitting: int = 0
    near: str = ""
    """For `rows`: a shape that most rows have the keys of, but do not fit; else empty."""
    reason: str = ""
    """Why the first of them does not fit `near`."""
    detail: Mapping[str, Json] = field(default_factory=dict)


def detect(rows: Sequence[Row]) -> Detected:
    """The shape that most of `rows` fit, the more special one first; `rows` when none does."""
    tries = [_Try.of(name, shape, rows) for name, shape in SHAPES.items() if shape.marks]
    best = max(tries, key=lambda one: one.fitting)
    if rows and best.fitting >= ENOUGH * len(rows):
        return Detected(shape=best.name, keys=best.keys, looked=len(rows), fitting=best.fitting)
    near = max(tries, key=lambda one: one.marked)
    if near.misfit is None or near.marked < ENOUGH * len(rows):
        return Detected(shape="rows", looked=len(rows), fitting=len(rows))
    return Detected(
        shape="rows",
        looked=len(rows),
        fitting=len(rows),
        near=near.name,
        reason=near.misfit.reason,
        detail=near.misfit.detail,
    )


def convert(shape: str, row: Row) -> tuple[dict[str, Json], dict[str, Json]]:
    """(the record's content, what of the row is not in it). Raises Misfit.

    The second part is empty but for the jobs' own shapes.
    """
    known = SHAPES[shape]
    content = known.convert(row)
    if not known.exact:
        return content, {}
    return content, {key: value for key, value in row.items() if key not in content}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    """How well rows fit one shape."""

    name: str
    keys: tuple[str, ...]
    marked: int
    fitting: int
    misfit: Misfit | None

    @classmethod
    def of(cls, name: str, shape: Shape, rows: Sequence[Row]) -> _Try:
        keys: tuple[str, ...] = ()
        marked = fitting = 0
        misfit: Misfit | None = None
        for row in rows:
            found = shape.mark(row)
            if found is None:
                continue
            marked += 1
            keys = keys or found
            try:
                shape.convert(row)
                fitting += 1
            except Misfit as error:
                misfit = misfit or error
        return cls(name=name, keys=keys, marked=marked, fitting=fitting, misfit=misfit)


def _dialogue(row: Row) -> dict[str, Json]:
    turns = chat_of(list_of(row, "dialogues"), "dialogues")
    labels = unpacked(row.get("scenario_labels")) or []
    if not isinstance(labels, str | list):
        raise Misfit("row_list", key="scenario_labels")
    count = str(row.get("turn_count", ""))
    content: dict[str, Json] = {
        "scenario_labels": [labels] if isinstance(labels, str) else labels,
        "dialogues": [{"role": one["role"], "content": one["content"]} for one in turns],
        "turn_count": int(count) if count.isdecimal() else len(turns) // 2,
    }
    return content | {key: row[key] for key in ("batch_id", "generation_time") if key in row}


def _refinement(row: Row) -> dict[str, Json]:
    steps = list_of(row, "refinement_process")
    return {
        **{key: text_of(row, key) for key in ("question", "initial_answer", "final_answer")},
        "refinement_process": [
            _parts(step, ("answer", "critique"), at) for at, step in enumerate(steps)
        ],
    }


TRIPLE = ("question", "answer", "correction")


def _rounds(row: Row) -> dict[str, Json]:
    head = {"id": row["id"]} if "id" in row else {}
    if "rounds" not in row:
        return {**head, **{key: text_of(row, key) for key in TRIPLE}}
    rounds = list_of(row, "rounds")
    return {**head, "rounds": [_parts(one, TRIPLE, at) for at, one in enumerate(rounds)]}


def _parts(value: Json, keys: Sequence[str], at: int) -> dict[str, Json]:
    if not isinstance(value, Mapping):
        raise Misfit("row_missing", key=f"{at}.{keys[0]}")
    return {key: text_of(value, key) for key in keys}


def _pairs(row: Row) -> dict[str, Json]:
    """`messages` up to the user's last word, and two assistant messages."""
    chosen, rejected = answer_of(row, "chosen"), answer_of(row, "rejected")
    keys = prompt_keys(row)
    chat = prompt_of(row) if keys else []
    if chat == chosen or not chat:
        # Some files have the whole chats, and `messages` is the chosen one once more.
        chat, chosen, rejected = _parted(chosen, rejected)
    elif chosen[: len(chat)] == chat and rejected[: len(chat)] == chat:
        # Some files repeat the prompt in both answers.
        chosen, rejected = chosen[len(chat) :], rejected[len(chat) :]
    if len(chosen) != 1 or len(rejected) != 1:
        raise Misfit("row_pair")
    if chat[-1]["role"] not in ("user", "tool"):
        raise Misfit("row_order", role=chat[-1]["role"])
    return {
        "messages": chat,
        "chosen": _assistant(chosen[0]),
        "rejected": _assistant(rejected[0]),
        **rest_of(row, "messages", *keys, "system", "chosen", "rejected"),
    }


def _parted(
    chosen: list[dict[str, Json]], rejected: list[dict[str, Json]]
) -> tuple[list[dict[str, Json]], list[dict[str, Json]], list[dict[str, Json]]]:
    """The beginning that both chats share is the prompt. Raises Misfit when there is none."""
    shared = 0
    while shared < min(len(chosen), len(rejected)) and chosen[shared] == rejected[shared]:
        shared += 1
    if not shared:
        raise Misfit("row_missing", key="prompt")
    return chosen[:shared], chosen[shared:], rejected[shared:]


def _assistant(message: dict[str, Json]) -> dict[str, Json]:
    if not str(message["content"]).strip():
        raise Misfit("row_pair")
    return {"role": "assistant", "content": message["content"]}


LABELS = {"true": True, "1": True, "false": False, "0": False}


def _kto(row: Row) -> dict[str, Json]:
    """A whole chat and whether its last answer is wanted, as a real boolean: trainers read an
    integer as no label at all."""
    key = "label" if "label" in row else "kto_tag"
    given = str(row.get(key, "")).strip()
    label = LABELS.get(given.lower())
    if label is None:
        raise Misfit("row_label", key=key, value=given[:60])
    chat = prompt_of(row)
    if "completion" in row:
        chat = [*chat, *answer_of(row, "completion")]
    if chat[-1]["role"] != "assistant":
        raise Misfit("row_order", role=chat[-1]["role"])
    taken = ("messages", *prompt_keys(row), "completion", "system", key)
    return {"messages": chat, "label": label, **rest_of(row, *taken)}


def _sharegpt(row: Row) -> dict[str, Json]:
    key = "conversation" if "conversation" in row else "conversations"
    chat = with_system(row, chat_of(list_of(row, key), key))
    return {"messages": chat, **rest_of(row, key, "system")}


def _openai(row: Row) -> dict[str, Json]:
    return {"messages": chat_of(list_of(row, "messages"), "messages"), **rest_of(row, "messages")}


def _alpaca(row: Row) -> dict[str, Json]:
    history = unpacked(row.get("history"))
    content: dict[str, Json] = {
        "instruction": text_of(row, "instruction"),
        "input": text_of(row, "input", empty=True),
        "output": text_of(row, "output"),
    }
    if row.get("system"):
        content["system"] = text_of(row, "system")
    if history:
        content["history"] = history
    return content | rest_of(row, "instruction", "input", "output", "system", "history")


SHAPES: dict[str, Shape] = {
    "dialogue": Shape(marks=(("dialogues",),), convert=_dialogue, exact=True),
    "refinement": Shape(marks=(("refinement_process",),), convert=_refinement, exact=True),
    "rounds": Shape(marks=(("rounds",), TRIPLE), convert=_rounds, exact=True),
    "pairs": Shape(marks=(("chosen", "rejected"),), convert=_pairs),
    "kto": Shape(
        marks=(
            ("prompt", "completion", "label"),
            ("messages", "label"),
            ("messages", "kto_tag"),
            ("conversations", "label"),
            ("conversations", "kto_tag"),
        ),
        convert=_kto,
    ),
    "sharegpt": Shape(marks=(("conversations",), ("conversation",)), convert=_sharegpt),
    "messages": Shape(marks=(("messages",),), convert=_openai),
    "alpaca": Shape(marks=(("instruction", "output"),), convert=_alpaca),
    "rows": Shape(marks=(), convert=dict),
}
"""By name, the more special ones first."""
