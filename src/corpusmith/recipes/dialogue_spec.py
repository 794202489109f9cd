"""What a dialogue task is made of, as it is kept with the task.

Owns: the recipe's own parameters, checked. Does not own: count, seed, endpoints, sampling (every
task has those). Characters and scenarios are copies: editing a card later changes no task.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from corpusmith.values import Language


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CharacterPart(_Part):
    """A character as the task keeps it: only what goes into prompts."""

    name: str = Field(min_length=1)
    description: str = ""
    personality: str = ""
    background: str = ""
    speaking_style: str = ""
    example_dialogues: str = ""
    greeting: str = ""
    system_prompt: str = ""


class ScenarioPart(_Part):
    """A scenario with the weight that it has in this task."""

    name: str = Field(min_length=1)
    description: str = ""
    weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)


class DialogueSpec(_Part):
    """Parameters of the dialogue recipe. A turn is one user message and one reply."""

    characters: tuple[CharacterPart, ...] = Field(min_length=1)
    scenarios: tuple[ScenarioPart, ...] = Field(min_length=1)
    mode: Literal["single", "turns"] = "single"
    turns: int = Field(default=3, ge=1, le=20)
    dialogues_per_request: int = Field(default=1, ge=1, le=20)
    share: Literal["weight", "even"] = "weight"
    language: Language = "zh"
    variation: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Own lists by field; they replace the shipped list of that field."""
