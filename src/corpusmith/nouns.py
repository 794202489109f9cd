"""The frozen values that people manage: characters, scenarios, templates, datasets.

Owns: what they *are*.
Does not own: cards (`cards/`), rows (`store/`), the values of a run (`values.py`).
A name is unique within its kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from corpusmith.values import Json, Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Character:
    """A persona that a model plays. Every text may be empty."""

    name: str
    description: str = ""
    personality: str = ""
    background: str = ""
    speaking_style: str = ""
    example_dialogues: str = ""
    greeting: str = ""
    """The character's first message."""
    system_prompt: str = ""
    tags: tuple[str, ...] = ()
    creator: str = ""
    language: Language = "zh"
    card: Mapping[str, Json] | None = None
    """The community card as it came, for fields that we do not know; None: not from a card."""
    image: bytes | None = field(default=None, repr=False)
    """The card's picture, a PNG."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A labelled situation. `weight` is its share next to the others of a dataset or task."""

    name: str
    description: str = ""
    weight: float = 1.0
    language: Language = "zh"


TemplateType = Literal["qa", "dialogue", "summary", "classification", "custom"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A prompt with `{variables}`, the shape of a sample, and model parameters.

    The notation of the prompt is `template_text.py`'s. None for a parameter: the task's own.
    """

    name: str
    prompt: str
    system: str = ""
    """A system message, with the same notation; empty: none is sent."""
    description: str = ""
    type: TemplateType = "custom"
    language: Language = "zh"
    schema: Mapping[str, Json] | None = None
    """JSON Schema of one sample; None: inferred from the JSON example in the prompt, else the
    type's own shape, else free text."""
    vars: Mapping[str, Json] = field(default_factory=dict)
    """Values of variables that a task need not give, in the notation of a task's own."""
    keep: tuple[str, ...] = ()
    """Variables whose values stand in the record beside the sample's own fields."""
    preset: Literal["", "high_quality", "fast", "creative"] = ""
    model: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    version: int = 0
    """1, 2, …; 0: not stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A named collection of records, which may bind characters and scenarios."""

    name: str
    description: str = ""
    language: Language = "zh"
