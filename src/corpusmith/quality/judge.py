"""The `judge` check: a model scores the draft by a rubric; below a threshold it is turned down.

Owns: the threshold, and what the verdict says. Does not own: the words (`judging/`), rubrics
(`presets/rubrics/`), which endpoint judges (the task's role `scorer`). Reasons: score_low.

A judge is asked at temperature 0, and its replies are shared: the same text, judged before by the
same model and rubric, in this task or in another, costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import ValidationError

from corpusmith.contracts import Ask, CheckContext
from corpusmith.errors import SpecError
from corpusmith.judging import prompts
from corpusmith.judging.rows import cut, shown
from corpusmith.judging.rubric import COMMENT, RubricPart
from corpusmith.presets.load import rubrics
from corpusmith.tokens import tokens_of
from corpusmith.values import Draft, Json, Message, Verdict

SCORER = "scorer"
LEAST, MOST = 1.0, 5.0
TOKENS_A_COMMENT = 80
TOKENS_A_SCORE = 8
_COMMENT_CHARS = 500


class Judge:
    """Fits contracts.AskingCheck.

    `rubric`: a shipped one's name, or its fields; `min_score`: of the weighted mean, 1 to 5;
    `min_scores`: dimension → its own threshold; `action`: what becomes of a draft below it;
    `max_row_tokens`: a longer draft is shown to the judge without its middle.
    """

    name: ClassVar[str] = "judge"
    roles: ClassVar[tuple[str, ...]] = (SCORER,)

    def __init__(
        self,
        *,
        context: CheckContext,
        rubric: str | Mapping[str, Json] = "general",
        min_score: float = 3.0,
        min_scores: Mapping[str, float] | None = None,
        action: Literal["reject", "flag"] = "reject",
        max_row_tokens: int = 8000,
    ) -> None:
        """Raises SpecError."""
        self._rubric = _rubric(rubric, context)
        self._least = {"": min_score, **(min_scores or {})}
        self._refuse_unknown()
        if action not in ("reject", "flag"):
            raise SpecError("check_choice", name=self.name, option="action", known="reject, flag")
        if type(max_row_tokens) is not int or max_row_tokens < 100:
            raise SpecError("check_at_least", name=self.name, option="max_row_tokens", least=100)
        self._rejects = action == "reject"
        self._most_tokens = max_row_tokens
        self._language = context.language
        self._task = prompts.task_of(self._rubric, context.language)
        # One object: endpoints' formats of a schema are kept by identity.
        self._schema = prompts.verdict_schema(self._rubric)

    def calls(self, record_tokens: int) -> Sequence[tuple[str, int, int]]:
        """See contracts.AskingCheck."""
        asked = tokens_of(self._task.content) + min(record_tokens, self._most_tokens)
        said = TOKENS_A_COMMENT + TOKENS_A_SCORE * len(self._rubric.dimensions)
        return [(SCORER, asked, said)]

    async def ask_about(self, draft: Draft, ask: Ask) -> Verdict:
        """See contracts.AskingCheck."""
        row = cut(shown(draft.content, self._language), self._most_tokens, self._language)
        messages: list[Message] = [self._task, prompts.question_of(row, self._language)]
        answer = await ask(SCORER, messages, schema=self._schema, temperature=0.0, shared=True)
        scores = prompts.scores_of(self._rubric, answer.data)
        weights = {one.name: one.weight for one in self._rubric.dimensions}
        overall = prompts.weighted(scores, weights)
        low = [name for name, least in self._least.items() if {"": overall, **scores}[name] < least]
        return Verdict(
            passed=not (low and self._rejects),
            reason="score_low" if low else "",
            detail={
                "score": overall,
                "scores": scores,
                "comment": str(answer.data.get(COMMENT, "")).strip()[:_COMMENT_CHARS],
                "model": answer.model,
                "call": answer.call_key,
                **({"simulated": True} if answer.simulated else {}),
            },
            score=overall,
        )

    def _refuse_unknown(self) -> None:
        known = {one.name for one in self._rubric.dimensions}
        for name, least in self._least.items():
            if name and name not in known:
                dimensions = ", ".join(sorted(known))
                raise SpecError("judge_dimension", dimension=name[:60], known=dimensions)
            if not _is_score(least):
                option = f"min_scores.{name}" if name else "min_score"
                raise SpecError("judge_threshold", option=option, least=LEAST, most=MOST)


def _is_score(value: Any) -> bool:
    return type(value) in (int, float) and LEAST <= value <= MOST


def _rubric(wish: str | Mapping[str, Json], context: CheckContext) -> RubricPart:
    """The rubric of a name or of its fields. Raises SpecError."""
    shipped = rubrics(context.language)
    if isinstance(wish, str):
        if wish not in shipped:
            raise SpecError("unknown_rubric", kind="rubric", name=wish, known=", ".join(shipped))
        wish = {**shipped[wish], "name": wish}
    try:
        return RubricPart.model_validate(wish)
    except ValidationError as error:
        problem = "; ".join(str(one["loc"]) for one in error.errors()[:3])
        raise SpecError("judge_rubric", problem=problem) from None
