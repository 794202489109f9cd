"""What of a record a report looks at: its texts by part, its first words, its turns.

Owns: the table of known shapes, one line each. Does not own: adding up (`reports/tally.py`), which
texts count as such (`quality/shapes.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from corpusmith.quality.languages import language_of
from corpusmith.quality.shapes import texts
from corpusmith.reports.tally import Facts
from corpusmith.values import Json, Record

Parts = dict[str, list[str]]
Read = Callable[[Any], tuple[Parts, int | None]]

_OPENINGS = ("user", "question", "instruction", "prompt", "query", "text", "title")
"""Parts whose first text the conversation begins with, the likeliest first."""


def facts_of(record: Record, worth: float | None, *, language: bool) -> Facts:
    """`worth`: what best and worst records go by; `language`: find out which it is in."""
    parts, turns = parts_of(record)
    text = "\n".join(texts(record.content))
    return Facts(
        id=record.id,
        task_id=record.task_id,
        text=text,
        language=(language_of(text) or "none") if language else None,
        opening=opening_of(parts),
        parts=parts,
        turns=turns,
        labels={name: str(value) for name, value in record.labels.items()},
        state=record.state,
        score=record.score,
        rating=record.rating,
        worth=worth,
        edited=record.version > 1,
        flagged=bool(record.flags),
        tags=record.tags,
        actions={name: _action(one) for name, one in record.verdicts.items()},
        models=[str(one) for one in record.provenance.get("models", ())],
        simulated=bool(record.provenance.get("simulated")),
        judged_by_simulator=_judged_by_simulator(record.verdicts.get("judge")),
    )


def parts_of(record: Record) -> tuple[Parts, int | None]:
    """Texts by role or field, and the number of turns; None where there are none."""
    content = record.content
    if isinstance(content, dict):
        for key, read in SHAPES.items():
            if key in content:
                try:
                    return read(content)
                except (TypeError, KeyError, AttributeError):  # broken: the format check's to name
                    break
        given = record.provenance.get("given_fields", ())
        own = {name: one for name, one in content.items() if name not in given}
        found = {name: [one] for name, one in own.items() if isinstance(one, str)}
        if found:
            return found, None
    return {"text": texts(content)}, None


def lines_of(record: Record) -> Sequence[tuple[str, str]]:
    """The texts to be read, each with who says it or which field it is."""
    content: Any = record.content
    if isinstance(content, dict) and isinstance(content.get("dialogues"), list):
        turns = [one for one in content["dialogues"] if isinstance(one, dict)]
        return [(str(one.get("role", "")), str(one.get("content", ""))) for one in turns]
    if isinstance(content, dict) and isinstance(content.get("rounds"), list):
        rounds = [one for one in content["rounds"] if isinstance(one, dict)]
        return [(str(name), str(text)) for one in rounds for name, text in one.items()]
    parts, _ = parts_of(record)
    return [(name, text) for name, some in parts.items() for text in some]


def opening_of(parts: Mapping[str, Sequence[str]]) -> str:
    """The user's first words; of an unknown shape the first text's."""
    names = [name for name in _OPENINGS if parts.get(name)] or [name for name in parts]
    return next((text for name in names for text in parts[name]), "")


def _action(verdict: Json) -> str:
    return str(verdict.get("action", "pass")) if isinstance(verdict, dict) else "pass"


def _judged_by_simulator(verdict: Json) -> bool:
    detail = verdict.get("detail") if isinstance(verdict, dict) else None
    return isinstance(detail, dict) and bool(detail.get("simulated"))


# ---------------------------------------------------------------- shapes


def _dialogue(content: Any) -> tuple[Parts, int | None]:
    parts: Parts = {}
    for one in content["dialogues"]:
        parts.setdefault(one["role"], []).append(one["content"])
    return parts, len(parts.get("user", ()))


def _rounds(content: Any) -> tuple[Parts, int | None]:
    rounds = content["rounds"]
    names = ("question", "answer", "correction")
    return {name: [one[name] for one in rounds] for name in names}, len(rounds)


def _refinement(content: Any) -> tuple[Parts, int | None]:
    names = ("question", "initial_answer", "final_answer")
    return {name: [content[name]] for name in names}, len(content["refinement_process"])


# The key that tells a shape → its texts by part, and its turns.
SHAPES: dict[str, Read] = {
    "dialogues": _dialogue,
    "rounds": _rounds,
    "refinement_process": _refinement,
}
