"""What a judge is told and asked.

Owns: which text stands where, the mark around a row, the shape of a verdict. Does not own: the
texts (`presets/prompts/evaluate.<language>.md`), how a row is laid out (`judging/rows.py`). Pure:
the same arguments give the same messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from corpusmith.judging.rubric import COMMENT, RubricPart
from corpusmith.placeholders import fill
from corpusmith.presets.load import prompts
from corpusmith.values import Json, Language, Message, Schema


def task_of(rubric: RubricPart, language: Language) -> Message:
    """The rubric and the rules: the same for every row, so that endpoints can cache it."""
    texts = prompts("evaluate", language)
    lines = [
        fill(
            texts["dimension"],
            number=number,
            key=key,
            label=one.title,
            description=one.description,
            score_1=one.score_1,
            score_5=one.score_5,
        )
        for number, (key, one) in enumerate(
            zip(rubric.verdict_fields(), rubric.dimensions, strict=True), 1
        )
    ]
    told = fill(texts["system"], judged=rubric.judged, dimensions="\n".join(lines))
    return Message("system", told)


def question_of(row: str, language: Language) -> Message:
    """One row, as data, between marks."""
    return Message("user", fill(prompts("evaluate", language)["user"], row=row, mark=mark_of(row)))


def mark_of(row: str) -> str:
    """A name that `row` cannot hold, and always the same for the same row.

    It is a digest of the row itself: whoever writes the row cannot write the digest of all of it
    into it. A random name would keep equal questions from sharing one paid reply.
    """
    digest = blake2b(row.encode("utf-8", "replace"), digest_size=8).hexdigest()
    return f"record-{digest}"


def verdict_schema(rubric: RubricPart) -> Schema:
    """A comment, then a whole number from 1 to 5 for each dimension.

    The comment comes first: a judge that writes its reason before its score thinks before it.
    """
    score = {"type": "integer", "enum": [1, 2, 3, 4, 5]}
    properties: dict[str, Json] = {COMMENT: {"type": "string"}}
    properties |= dict.fromkeys(rubric.verdict_fields(), score)
    body = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    # A field more, or one that is missing its words, costs nothing that matters.
    accept = {"type": "object", "properties": properties, "required": list(rubric.verdict_fields())}
    return Schema(name="verdict", body=body, accept=accept)


def scores_of(rubric: RubricPart, verdict: Mapping[str, Json]) -> dict[str, int]:
    """The scores of a verdict by their dimensions' names."""
    return {name: int(verdict[key]) for key, name in rubric.verdict_fields().items()}


def weighted(scores: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """The weighted mean, to four digits: what is written must not show how floats add up."""
    whole = sum(weights[name] for name in scores)
    return round(sum(score * weights[name] for name, score in scores.items()) / whole, 4)
