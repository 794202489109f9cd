"""What a judge is given to judge by: a rubric.

Owns: a rubric, checked. Does not own: the shipped ones (`presets/rubrics/`), what a judge is told
(`prompts.py`), who judges.
"""

from __future__ import annotations

import re
from collections import Counter
from hashlib import blake2b
from typing import Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from corpusmith.values import Language

COMMENT = "comment"
"""The field of a verdict that holds its words; no dimension may be called so."""
MOST_DIMENSIONS = 20

# Anthropic takes no other names of properties in a schema.
_KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class DimensionPart(_Part):
    """One thing that is scored from 1 to 5."""

    name: str = Field(min_length=1, max_length=64)
    """What the score is called in results."""
    label: str = Field(default="", max_length=200)
    """What people and judges read; empty: the name."""
    description: str = Field(min_length=1)
    score_1: str = Field(min_length=1)
    """What deserves a 1."""
    score_5: str = Field(min_length=1)
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """Its share in the overall score, next to the others."""

    @field_validator("name")
    @classmethod
    def _not_reserved(cls, value: str) -> str:
        if value.lower() == COMMENT:
            raise PydanticCustomError("dimension_reserved", "reserved", {"name": value})
        return value

    @property
    def title(self) -> str:
        """What people read."""
        return self.label or self.name


class RubricPart(_Part):
    """What makes a record good, in a few dimensions."""

    name: str = Field(default="", max_length=100)
    language: Language | None = None
    """The language it is written in; None: it does not say."""
    description: str = ""
    """One line for people."""
    judged: str = Field(min_length=1)
    """Which part of a record is scored: the judge reads it."""
    dimensions: tuple[DimensionPart, ...] = Field(min_length=1, max_length=MOST_DIMENSIONS)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        most = Counter(one.name for one in self.dimensions).most_common(1)[0]
        if most[1] > 1:
            raise PydanticCustomError("dimension_twice", "twice", {"name": most[0]})
        return self

    @property
    def digest(self) -> str:
        """32 hex digits of all that a judge is told of it: other words, another digest."""
        body = self.model_dump(mode="json", exclude={"name", "language", "description"})
        text = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
        return blake2b(text, digest_size=16).hexdigest()

    def verdict_fields(self) -> dict[str, str]:
        """What a dimension's score is called in a verdict → the dimension's name.

        A name that not every endpoint takes, such as a Chinese one, is numbered instead.
        """
        taken = {one.name for one in self.dimensions}
        keys: dict[str, str] = {}
        for number, one in enumerate(self.dimensions, 1):
            key = one.name if _KEY.fullmatch(one.name) else f"dimension_{number}"
            keys[key if key == one.name or key not in taken else f"{key}_"] = one.name
        return keys
