"""What a rounds task is made of, as it is kept with the task.

Owns: the recipe's own parameters, checked. Does not own: the conversations (the task's inputs),
count, seed, endpoints, sampling.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from corpusmith.values import Language

ROUNDS = 2
CONTEXT_MESSAGES = 16
CONTEXT_TOKENS = 8_000


class RoundsSpec(BaseModel):
    """Parameters of the rounds recipe. A round is a question, an answer and its correction."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rounds: int = Field(default=ROUNDS, ge=1, le=1000)
    """Rounds added to each conversation."""
    context_messages: int = Field(default=CONTEXT_MESSAGES, ge=1)
    context_tokens: int = Field(default=CONTEXT_TOKENS, ge=1)
    """The most that a model is shown of the conversation; our own instructions are not counted."""
    language: Language = "zh"
    output_dir: str = ""
    """Where the files of the rounds go; empty: there are none."""
    first_round: int = Field(default=2, ge=1)
    """The first round whose files are written."""
    skipped: dict[str, int] = Field(default_factory=dict)
    """Rows of the input that were no complete triples, by why; only told, never used."""
