"""Which known shape rows have, and rows in the shape that records are stored in.

Owns: the table of shapes: the keys that tell one, and how its row becomes a record's content.
Does not own: reading files (`rows.py`), what becomes of a row that does not fit.

The jobs' own shapes come out with exactly their keys. The open ones (alpaca, chats, pairs, kto)
keep whatever else a row holds: an exporter takes what it knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from corpusmith.values import Json

Row = Mapping[str, Json]

ENOUGH = 0.5
"""The share of rows that must fit a shape for it to be taken by itself."""

ROLES = {
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bing", "bard", "model", "bot"), "assistant"),
    **dict.fromkeys(("tool", "observation", "function"), "tool"),
    **dict.fromkeys(("system", "developer", "function_call"), ""),
}
"""A speaker's name in files -> the role here; empty: the same."""


class Misfit(Exception):
    """A row that does not fit a shape. `reason` is a stable code: `row_missing`, `row_empty`,
    `row_text`, `row_list`, `row_role`, `row_order`, `row_label`, `row_pair`."""

    def __init__(self, reason: str, **detail: Json) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail: dict[str, Json] = detail


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


# ---------------------------------------------------------------- parts of a row


def _text(row: Row, key: str, *, empty: bool = False) -> str:
    """The text under `key`; `empty`: it may be blank or lacking. Raises Misfit."""
    value = row.get(key)
    if value is None and not empty:
        raise Misfit("row_missing", key=key)
    text = "" if value is None else value
    if not isinstance(text, str):
        raise Misfit("row_text", key=key)
    if not empty and not text.strip():
        raise Misfit("row_empty", key=key)
    return text


def _list(row: Row, key: str) -> list[Json]:
    """The list under `key`, also as JSON text (a cell of a CSV). Raises Misfit."""
    value = _unpacked(row.get(key))
    if not isinstance(value, list):
        raise Misfit("row_missing" if value is None else "row_list", key=key)
    if not value:
        raise Misfit("row_empty", key=key)
    return value


def _unpacked(value: Json) -> Json:
    """JSON text of a list or object as its value; all else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _rest(row: Row, *taken: str) -> dict[str, Json]:
    return {key: value for key, value in row.items() if key not in taken}


def _chat(turns: Iterable[Json], key: str) -> list[dict[str, Json]]:
    """Messages as `{role, content}`, whatever names they had. Raises Misfit."""
    return [message for at, one in enumerate(turns) for message in _messages(one, key, at)]


def _messages(one: Json, key: str, at: int) -> list[dict[str, Json]]:
    """One entry of a chat; `{"human": …, "assistant": …}` holds two."""
    if not isinstance(one, Mapping):
        raise Misfit("row_text", key=f"{key}.{at}")
    if "human" in one and "assistant" in one:
        return [
            {"role": role, "content": _text(one, name)}
            for name, role in (("human", "user"), ("assistant", "assistant"))
        ]
    role = one.get("role", one.get("from"))
    if not isinstance(role, str) or role.lower() not in ROLES:
        raise Misfit("row_role", role=str(role)[:60], at=at + 1)
    content = one.get("content", one.get("value"))
    others = _rest(one, "role", "from", "content", "value")
    return [
        {
            "role": ROLES[role.lower()] or role.lower(),
            "content": _content(content, f"{key}.{at}", may_lack=bool(others.get("tool_calls"))),
            **others,
        }
    ]


def _content(value: Json, key: str, *, may_lack: bool = False) -> str:
    """A message's text; parts of text are joined. Raises Misfit for a picture or a sound."""
    if value is None and may_lack:
        return ""
    if isinstance(value, list) and all(
        isinstance(part, Mapping) and isinstance(part.get("text"), str) for part in value
    ):
        return "".join(part["text"] for part in value)
    if not isinstance(value, str):
        raise Misfit("row_text", key=key)
    return value


_PROMPTS = (("messages",), ("conversations",), ("instruction", "input"), ("prompt",))


def _prompt_keys(row: Row) -> tuple[str, ...]:
    """The fields that `_prompt` reads; empty: there is none."""
    return next((keys for keys in _PROMPTS if keys[0] in row), ())


def _prompt(row: Row) -> list[dict[str, Json]]:
    """The messages before the answer: `messages`, `conversations`, `prompt` or `instruction`."""
    for key in ("messages", "conversations"):
        if key in row:
            return _with_system(row, _chat(_list(row, key), key))
    if "instruction" in row:
        parts = (_text(row, "instruction"), _text(row, "input", empty=True))
        asked = {"role": "user", "content": "\n".join(part for part in parts if part)}
        return _with_system(row, [asked])
    prompt = _unpacked(row.get("prompt"))
    if isinstance(prompt, list):
        return _with_system(row, _chat(_list(row, "prompt"), "prompt"))
    return _with_system(row, [{"role": "user", "content": _text(row, "prompt")}])


def _with_system(row: Row, chat: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """`chat` with the row's `system` text in front, unless it starts with one."""
    system = row.get("system")
    if not isinstance(system, str) or not system.strip() or chat[0]["role"] == "system":
        return chat
    return [{"role": "system", "content": system}, *chat]


def _answer(row: Row, key: str) -> list[dict[str, Json]]:
    """The answer under `key`, as messages: a text, one message, or several."""
    value = _unpacked(row.get(key))
    if isinstance(value, Mapping):
        return _chat([value], key)
    if isinstance(value, list):
        return _chat(_list(row, key), key)
    return [{"role": "assistant", "content": _text(row, key)}]


# ---------------------------------------------------------------- shapes


def _dialogue(row: Row) -> dict[str, Json]:
    turns = _chat(_list(row, "dialogues"), "dialogues")
    labels = _unpacked(row.get("scenario_labels")) or []
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
    steps = _list(row, "refinement_process")
    return {
        **{key: _text(row, key) for key in ("question", "initial_answer", "final_answer")},
        "refinement_process": [
            _parts(step, ("answer", "critique"), at) for at, step in enumerate(steps)
        ],
    }


TRIPLE = ("question", "answer", "correction")


def _rounds(row: Row) -> dict[str, Json]:
    head = {"id": row["id"]} if "id" in row else {}
    if "rounds" not in row:
        return {**head, **{key: _text(row, key) for key in TRIPLE}}
    rounds = _list(row, "rounds")
    return {**head, "rounds": [_parts(one, TRIPLE, at) for at, one in enumerate(rounds)]}


def _parts(value: Json, keys: Sequence[str], at: int) -> dict[str, Json]:
    if not isinstance(value, Mapping):
        raise Misfit("row_missing", key=f"{at}.{keys[0]}")
    return {key: _text(value, key) for key in keys}


def _pairs(row: Row) -> dict[str, Json]:
    """`messages` up to the user's last word, and two assistant messages."""
    chosen, rejected = _answer(row, "chosen"), _answer(row, "rejected")
    keys = _prompt_keys(row)
    chat = _prompt(row) if keys else []
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
        **_rest(row, "messages", *keys, "system", "chosen", "rejected"),
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
    chat = _prompt(row)
    if "completion" in row:
        chat = [*chat, *_answer(row, "completion")]
    if chat[-1]["role"] != "assistant":
        raise Misfit("row_order", role=chat[-1]["role"])
    taken = ("messages", *_prompt_keys(row), "completion", "system", key)
    return {"messages": chat, "label": label, **_rest(row, *taken)}


def _sharegpt(row: Row) -> dict[str, Json]:
    key = "conversation" if "conversation" in row else "conversations"
    chat = _with_system(row, _chat(_list(row, key), key))
    return {"messages": chat, **_rest(row, key, "system")}


def _openai(row: Row) -> dict[str, Json]:
    return {"messages": _chat(_list(row, "messages"), "messages"), **_rest(row, "messages")}


def _alpaca(row: Row) -> dict[str, Json]:
    history = _unpacked(row.get("history"))
    content: dict[str, Json] = {
        "instruction": _text(row, "instruction"),
        "input": _text(row, "input", empty=True),
        "output": _text(row, "output"),
    }
    if row.get("system"):
        content["system"] = _text(row, "system")
    if history:
        content["history"] = history
    return content | _rest(row, "instruction", "input", "output", "system", "history")


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
