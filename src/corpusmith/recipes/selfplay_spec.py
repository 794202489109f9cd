"""What a self-play task is made of, as it is kept with the task.

Owns: the recipe's own parameters, checked. Does not own: count, seed, endpoints, sampling (every
task has those). The domain is a copy: editing its file later changes no task.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from corpusmith.recipes.selfplay_domain import Domain


class SelfPlaySpec(BaseModel):
    """Parameters of the self-play recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    domain: Domain
    refinement_iterations: int = Field(default=3, ge=0, le=100)
    """How often the judge criticises and the expert refines; 0: the first answer only."""
    max_tokens_answer: int = Field(default=16_000, ge=1)
    max_tokens_other: int = Field(default=512, ge=1)
    """Of the question and the critiques."""
    satisfied_score: int | None = Field(default=None, ge=1, le=10)
    """From this score on, a satisfied judge ends the refinement; None: it never does."""

    @property
    def calls(self) -> int:
        """Calls of one item, unless it ends early."""
        return 2 + 2 * self.refinement_iterations
