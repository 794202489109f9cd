"""What an evaluation is made of, as it is kept with the task.

Owns: the judges, checked. Does not own: the rows that are judged (the task's inputs), the rubric
(`judging/rubric.py`; here it is a copy: editing its file changes no task).
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from corpusmith.judging.rubric import RubricPart
from corpusmith.values import Language

MOST_JUDGES = 9


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class JudgePart(_Part):
    """One judge. Which endpoint it is, the task's connections say."""

    role: str
    name: str = Field(min_length=1)
    """What it is called in results: its connection's name."""
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)


class EvaluateSpec(_Part):
    """Parameters of the evaluate recipe."""

    of: str
    """What is judged, for people: `dataset:NAME`, `task:3` or `file:NAME`."""
    rubric: RubricPart
    judges: tuple[JudgePart, ...] = Field(min_length=1, max_length=MOST_JUDGES)
    language: Language = "zh"
    max_row_tokens: int = Field(default=8000, ge=100)
    fresh: bool = False
    """Draw every verdict anew instead of sharing what was paid for the same question before."""
