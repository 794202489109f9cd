"""Which texts a draft holds, and which of them are a model's answers.

Owns: the table of known shapes, one line each; of an unknown shape every text counts.
Does not own: whether a shape is kept exactly (`format.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from corpusmith.values import Draft, Json


def written(draft: Draft) -> Json:
    """The content without what the draft was given, which is not its to answer for: rounds of
    somebody's own that a conversation goes on from, fields that a template's row only keeps."""
    fields = draft.provenance.get("given_fields", ())
    given = draft.provenance.get("given_rounds", 0)
    if not given and not fields:
        return draft.content
    content = {name: one for name, one in draft.content.items() if name not in fields}
    return {**content, "rounds": content["rounds"][given:]} if given else content


class Passage(NamedTuple):
    """One text of a record, and where it stands."""

    path: str
    """Such as `$.dialogues[1].content`."""
    text: str
    speaker: str = ""
    """Of a conversation: who says it (`user`, `assistant`), or which part of a round it is
    (`question`, `answer`, `correction`); else empty."""


def passages(draft: Draft) -> list[Passage]:
    """The texts that the draft answers for and people read, in order, as they stand in its whole
    content. Empty ones too."""
    picked = _pick(TEXTS, written(draft))
    given = draft.provenance.get("given_rounds", 0)
    return [_moved(one, given) for one in picked] if given else picked


def texts(content: Json) -> list[str]:
    """The texts that people wrote to be read, in order."""
    return [one.text for one in _pick(TEXTS, content)]


def answers(content: Json) -> list[str]:
    """The texts that a model answered, in order."""
    return [one.text for one in _pick(ANSWERS, content)]


def strings(content: Json) -> Iterator[tuple[str, str]]:
    """(path, text) of every string value, such as `$.a[0]`; keys are not values."""
    stack: list[tuple[str, Json]] = [("$", content)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict):
            stack += reversed([(f"{path}.{key}", inner) for key, inner in value.items()])
        elif isinstance(value, list):
            stack += reversed([(f"{path}[{at}]", inner) for at, inner in enumerate(value)])


Pick = Callable[[Any], list[Passage]]

_ROUND = re.compile(r"\$\.rounds\[(\d+)\](.*)", re.DOTALL)
_ENDS = ("chosen", "rejected")


def _pick(table: dict[str, Pick], content: Json) -> list[Passage]:
    if isinstance(content, dict):
        for key, pick in table.items():
            if key in content:
                try:
                    return [one for one in pick(content) if isinstance(one.text, str)]
                except (TypeError, KeyError):  # a broken shape, which is the format check's to name
                    break
    return [Passage(path, text) for path, text in strings(content)]


def _moved(one: Passage, given: int) -> Passage:
    """As it stands behind `given` rounds of somebody else's."""
    found = _ROUND.match(one.path)
    if found is None:
        return one
    return one._replace(path=f"$.rounds[{given + int(found[1])}]{found[2]}")


def _turns(key: str) -> Pick:
    return lambda record: [
        Passage(f"$.{key}[{at}].content", turn["content"], str(turn["role"]))
        for at, turn in enumerate(record[key])
    ]


def _rounds(*fields: str) -> Pick:
    return lambda record: [
        Passage(f"$.rounds[{at}].{field}", one[field], field)
        for at, one in enumerate(record["rounds"])
        for field in fields
    ]


def _step(record: Any, at: int, name: str) -> Passage:
    at %= len(record["refinement_process"])
    return Passage(f"$.refinement_process[{at}].{name}", record["refinement_process"][at][name])


def _refinement(record: Any) -> list[Passage]:
    steps = range(len(record["refinement_process"]))
    said = [_step(record, at, name) for at in steps for name in ("answer", "critique")]
    return [Passage("$.question", record["question"]), *said]


def _refined(record: Any) -> list[Passage]:
    last = [_step(record, -1, "answer")] if record["refinement_process"] else []
    return [Passage("$.question", record["question"]), *last]


def _chat(record: Any) -> list[Passage]:
    """A chat, of a preference its two answers, and whatever else the row holds."""
    ends = [
        Passage(f"$.{key}.content", record[key]["content"], key)
        for key in _ENDS
        if isinstance(record.get(key), dict)
    ]
    rest = {name: one for name, one in record.items() if name not in ("messages", *_ENDS)}
    others = [Passage(path, text) for path, text in strings(rest)] if rest else []
    return [*_turns("messages")(record), *ends, *others]


def _wanted(record: Any) -> list[Passage]:
    """What a preference rejects may well be a refusal; a system message is no answer."""
    return [one for one in _chat(record) if one.speaker not in ("system", "rejected")]


def _verdicts(record: Any) -> list[Passage]:
    return [
        Passage(f"$.judges[{at}].comment", one["comment"])
        for at, one in enumerate(record["judges"])
    ]


# The key that tells a shape -> how to take the texts from a record of that shape. Both sides of a
# dialogue are a model's: the user's lines too are answers to a prompt, and may be a refusal.
# An answer that is going to be corrected is on purpose a weak one: it may be a refusal.
TEXTS: dict[str, Pick] = {
    "dialogues": _turns("dialogues"),
    "rounds": _rounds("question", "answer", "correction"),
    # Of a refinement the last answer counts: a critique may quote the gap that it complains of.
    "refinement_process": _refined,
    "judges": _verdicts,
    "messages": _chat,
}
ANSWERS: dict[str, Pick] = {
    "dialogues": _turns("dialogues"),
    "rounds": _rounds("question", "correction"),
    "refinement_process": _refinement,
    "judges": _verdicts,
    "messages": _wanted,
}
