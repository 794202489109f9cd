"""Which texts a draft holds, and which of them are a model's answers.

Owns: the table of known shapes, one line each; of an unknown shape every text counts.
Does not own: whether a shape is kept exactly (`format.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

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


def texts(content: Json) -> list[str]:
    """The texts that people wrote to be read, in order."""
    return _pick(TEXTS, content)


def answers(content: Json) -> list[str]:
    """The texts that a model answered, in order."""
    return _pick(ANSWERS, content)


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


def _pick(table: dict[str, Callable[[Any], list[Any]]], content: Json) -> list[str]:
    if isinstance(content, dict):
        for key, pick in table.items():
            if key in content:
                try:
                    return [text for text in pick(content) if isinstance(text, str)]
                except (TypeError, KeyError):  # a broken shape, which is the format check's to name
                    break
    return [text for _, text in strings(content)]


def _dialogue(record: Any) -> list[Any]:
    return [turn["content"] for turn in record["dialogues"]]


def _rounds(*fields: str) -> Callable[[Any], list[Any]]:
    return lambda record: [one[field] for one in record["rounds"] for field in fields]


def _refinement(record: Any) -> list[Any]:
    steps = record["refinement_process"]
    return [record["question"], *(step[name] for step in steps for name in ("answer", "critique"))]


def _refined(record: Any) -> list[Any]:
    steps = record["refinement_process"]
    return [record["question"], *(step["answer"] for step in steps[-1:])]


def _verdicts(record: Any) -> list[Any]:
    return [one["comment"] for one in record["judges"]]


# The key that tells a shape -> how to take the texts from a record of that shape. Both sides of a
# dialogue are a model's: the user's lines too are answers to a prompt, and may be a refusal.
# An answer that is going to be corrected is on purpose a weak one: it may be a refusal.
TEXTS: dict[str, Callable[[Any], list[Any]]] = {
    "dialogues": _dialogue,
    "rounds": _rounds("question", "answer", "correction"),
    # Of a refinement the last answer counts: a critique may quote the gap that it complains of.
    "refinement_process": _refined,
    "judges": _verdicts,
}
ANSWERS: dict[str, Callable[[Any], list[Any]]] = {
    "dialogues": _dialogue,
    "rounds": _rounds("question", "correction"),
    "refinement_process": _refinement,
    "judges": _verdicts,
}
