"""Drafts of every shape, and what a check says of them, for the tests of the single checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from corpusmith.contracts import CheckContext
from corpusmith.values import Draft, Json, Verdict

ZH = CheckContext(language="zh")
EN = CheckContext(language="en")


def dialogue(*texts: str) -> Draft:
    """A dialogue whose speakers say `texts` in turn."""
    turns = [
        {"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(texts)
    ]
    content = {
        "scenario_labels": ["日常对话"],
        "dialogues": turns,
        "turn_count": len(turns) // 2,
        "batch_id": "batch_20241201_143022",
        "generation_time": "2024-12-01T14:30:22",
    }
    return Draft(content=content, provenance={"recipe": "dialogue"})


def rounds(*triples: Sequence[str], given: int = 0) -> Draft:
    """A conversation of (question, answer, correction); the first `given` are somebody else's."""
    names = ("question", "answer", "correction")
    content = {"id": "r1", "rounds": [dict(zip(names, one, strict=True)) for one in triples]}
    return Draft(content=content, provenance={"recipe": "rounds", "given_rounds": given})


def row(given: Sequence[str] = (), **fields: Json) -> Draft:
    """A template's row; `given`: the fields that it only keeps."""
    return Draft(content=fields, provenance={"recipe": "template", "given_fields": list(given)})


def chat(*messages: tuple[str, str], **fields: Json) -> Draft:
    """An imported chat of (role, content)."""
    listed = [{"role": role, "content": content} for role, content in messages]
    return Draft(content={"messages": listed, **fields}, provenance={"recipe": "import"})


def refined(question: str, *answers: str) -> Draft:
    """Self-play: an answer that was refined step by step."""
    steps = [{"answer": one, "critique": "可以更具体。"} for one in answers]
    steps[-1]["critique"] = "最终优化版本"
    content = {
        "question": question,
        "initial_answer": answers[0],
        "final_answer": answers[-1],
        "refinement_process": steps,
    }
    return Draft(content=content, provenance={"recipe": "selfplay"})


def failed(reason: str, **detail: Any) -> Verdict:
    return Verdict(passed=False, reason=reason, detail=detail)


async def nobody(role: str, messages: Any, **options: Any) -> Any:
    """For checks that compare and ask no model."""
    raise AssertionError(role)
