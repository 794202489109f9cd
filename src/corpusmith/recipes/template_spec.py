"""What a template task is made of, as it is kept with the task.

Owns: the recipe's own parameters, checked. Does not own: how people give them
(`service/forms/template.py`), count, seed, endpoints. Templates are copies: a task keeps the
version that it was made with.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from corpusmith.values import Language

MOST_CELLS = 2000
"""Combinations of values, each with a quota of its own."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TemplatePart(_Part):
    """A template as the task keeps it: only what goes into requests and records."""

    name: str
    version: int = 0
    """0: it came from a file, or with Corpusmith."""
    prompt: str = Field(min_length=1)
    system: str = ""
    sample: dict[str, Any] | None = None
    """JSON Schema of one sample, an object or a text; None: free text."""
    many: bool = False
    """The reply is asked for as a list of samples."""


class ChoicePart(_Part):
    """A variable that takes each of several values, by weight."""

    name: str
    values: tuple[Any, ...] = Field(min_length=1)
    weights: tuple[float, ...] = Field(min_length=1)


class WriterPart(_Part):
    """A role that writes, and its share of the items."""

    role: str
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)


class CategoryPart(_Part):
    """One category: a template, the values of its variables, its writers and their defaults."""

    name: str = Field(min_length=1)
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    template: TemplatePart
    values: dict[str, Any] = Field(default_factory=dict)
    choices: tuple[ChoicePart, ...] = ()
    """The task's own: each combination has a quota."""
    variety: tuple[ChoicePart, ...] = ()
    """The template's own: items go through them in turn."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Variable → column of the category's rows."""
    keep: tuple[str, ...] = ()
    """Variables, or columns, whose values stand in the record."""
    first_row: int = Field(default=0, ge=0)
    rows: int = Field(default=0, ge=0)
    """The category's rows are so many of the task's from `first_row` on; 0: it has none."""
    writers: tuple[WriterPart, ...] = Field(min_length=1)
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    sample_tokens: int | None = None
    """Most tokens of one sample, where a call's own limit is not given."""


class TemplateSpec(_Part):
    """Parameters of the template recipe."""

    categories: tuple[CategoryPart, ...] = Field(min_length=1)
    ratio: bool = False
    """Rows carry the name of their category."""
    per_request: int = Field(default=1, ge=1)
    each_row: bool = False
    """Every row is to have its records: a missed one is tried again itself, never replaced."""
    language: Language = "zh"
