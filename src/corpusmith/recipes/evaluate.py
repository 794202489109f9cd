"""The evaluate recipe: one or several judges score given rows by a rubric.

Owns: which calls an item makes, and what the judges' scores come to. Does not own: the words
(`judging/prompts.py`), the rows (the task's inputs), statistics (`quality/agreement.py`).

A result holds the row's id and scores, and nothing of the row: an evaluation cannot change data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from corpusmith.contracts import Answer, Ask, TaskContext
from corpusmith.judging import prompts
from corpusmith.judging.rows import cut, shown
from corpusmith.judging.rubric import COMMENT
from corpusmith.recipes.evaluate_spec import EvaluateSpec, JudgePart
from corpusmith.tokens import tokens_of
from corpusmith.values import Category, Draft, Item, Json, Message

TOKENS_A_COMMENT = 80
TOKENS_A_SCORE = 8
ROWS_TO_GUESS_BY = 16
"""Rows are of very different lengths: the estimate looks at so many, from the first on."""


class Evaluate:
    """Fits contracts.Recipe. An input is `{"id": …, "content": row}`."""

    name = "evaluate"
    closed = True
    spec_model = EvaluateSpec
    per_item = 1

    def __init__(self, spec: Mapping[str, Json], context: TaskContext) -> None:
        self.spec = EvaluateSpec.model_validate(spec)
        self._rows = context.inputs
        self._task = prompts.task_of(self.spec.rubric, self.spec.language)
        # One object: endpoints' formats of a schema are kept by identity.
        self._schema = prompts.verdict_schema(self.spec.rubric)

    @property
    def roles(self) -> tuple[str, ...]:
        """One for each judge."""
        return tuple(judge.role for judge in self.spec.judges)

    def plan(self, count: int) -> Sequence[Category]:
        """One category: all the rows, each once."""
        return [Category(name=self.spec.of, count=count)]

    def preview(self, item: Item) -> Sequence[tuple[str, Sequence[Message]]]:
        """Each judge's only call; nothing of it depends on a reply."""
        messages = self._messages(item.ordinal)
        return [(role, messages) for role in self.roles]

    def estimate(self, item: Item) -> tuple[int, int, int]:
        judges = len(self.spec.judges)
        said = TOKENS_A_COMMENT + TOKENS_A_SCORE * len(self.spec.rubric.dimensions)
        return judges, judges * self._tokens_a_call, judges * said

    def shares(self, item: Item) -> Mapping[str, float]:
        return {judge.role: 1 / len(self.spec.judges) for judge in self.spec.judges}

    @cached_property
    def _tokens_a_call(self) -> int:
        """The mean of the first rows."""
        places = range(min(ROWS_TO_GUESS_BY, len(self._rows)))
        tokens = [tokens_of(self._messages(place)[1].content) for place in places]
        return tokens_of(self._task.content) + sum(tokens) // max(1, len(tokens))

    async def produce(self, item: Item, ask: Ask) -> Sequence[Draft]:
        messages = self._messages(item.ordinal)
        shared = not self.spec.fresh
        verdicts = [
            await ask(judge.role, messages, schema=self._schema, temperature=0.0, shared=shared)
            for judge in self.spec.judges
        ]
        return [self._draft(item, verdicts)]

    def _messages(self, place: int) -> list[Message]:
        language = self.spec.language
        row = shown(self._rows[place]["content"], language)
        row = cut(row, self.spec.max_row_tokens, language)
        return [self._task, prompts.question_of(row, language)]

    def _draft(self, item: Item, verdicts: Sequence[Answer]) -> Draft:
        opinions = [
            self._opinion(judge, verdict)
            for judge, verdict in zip(self.spec.judges, verdicts, strict=True)
        ]
        scores = self._means(opinions)
        weights = {one.name: one.weight for one in self.spec.rubric.dimensions}
        return Draft(
            content={
                "id": self._rows[item.ordinal]["id"],
                "scores": scores,
                "overall": prompts.weighted(scores, weights),
                "judges": opinions,
            },
            raw="\n\n".join(verdict.raw for verdict in verdicts),
            labels={
                "rubric": self.spec.rubric.name,
                "judge": ", ".join(judge.name for judge in self.spec.judges),
            },
            provenance=self._provenance(item, verdicts),
        )

    def _opinion(self, judge: JudgePart, verdict: Answer) -> dict[str, Json]:
        return {
            "judge": judge.name,
            "model": verdict.model,
            "scores": prompts.scores_of(self.spec.rubric, verdict.data),
            "comment": verdict.data.get(COMMENT, "").strip(),
        }

    def _means(self, opinions: Sequence[Mapping[str, Any]]) -> dict[str, float]:
        """Each dimension's mean over the judges, by their weights."""
        weights = {judge.role: judge.weight for judge in self.spec.judges}
        return {
            one.name: prompts.weighted(
                {
                    role: opinion["scores"][one.name]
                    for role, opinion in zip(weights, opinions, strict=True)
                },
                weights,
            )
            for one in self.spec.rubric.dimensions
        }

    def _provenance(self, item: Item, verdicts: Sequence[Answer]) -> dict[str, Any]:
        return {
            "recipe": self.name,
            "of": self.spec.of,
            "rubric": self.spec.rubric.name,
            "rubric_digest": self.spec.rubric.digest,
            "models": sorted({verdict.model for verdict in verdicts}),
            "simulated": any(verdict.simulated for verdict in verdicts),
            "calls": [verdict.call_key for verdict in verdicts],
            "seed": item.task_seed,
            "item": item.key,
        }
