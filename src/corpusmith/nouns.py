"""The frozen values that people manage: characters, scenarios, datasets.

Owns: what they *are*.
Does not own: cards (`cards/`), rows (`store/`), the values of a run (`values.py`).
A name is unique within its kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A named collection of records, which may bind characters and scenarios."""

    name: str
    description: str = ""
    language: Language = "zh"
