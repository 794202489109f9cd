"""The self-play recipe: a learner asks, an expert answers, a judge criticises, the expert refines.

Owns: the order of an item's calls, and the record that comes of them. Does not own: the words of
the prompts and the lists (a domain), whether a draft is good (checks), durability (the engine).
Result: SPEC.md, job E.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from corpusmith.contracts import Answer, Ask, TaskContext
from corpusmith.recipes import selfplay_prompts as prompts
from corpusmith.recipes.selfplay_spec import SelfPlaySpec
from corpusmith.recipes.selfplay_variety import Variety
from corpusmith.tokens import tokens_of
from corpusmith.values import Category, Draft, Item, Json, Message

QUESTION_TOKENS, ANSWER_TOKENS, CRITIQUE_TOKENS = 120, 1_100, 260
"""What they come to, roughly; only for the estimate before any reply."""
UNKNOWN = "…"
"""Stands in the preview for what will be said."""


@dataclass(slots=True, kw_only=True)
class _Play:
    """What was said of one item so far."""

    question: str
    answers: list[str]
    critiques: list[str] = field(default_factory=list)
    verdicts: list[dict[str, Json]] = field(default_factory=list)
    """What the judge said of its satisfaction, step by step."""
    replies: list[tuple[str, Answer]]
    """(role, reply), in the order of the calls."""


class SelfPlay:
    """Fits contracts.Recipe."""

    name = "selfplay"
    closed = False
    spec_model = SelfPlaySpec
    roles = ("learner", "expert", "judge")
    per_item = 1

    def __init__(self, spec: Mapping[str, Json], context: TaskContext) -> None:
        self.spec = SelfPlaySpec.model_validate(spec)
        self._domain = self.spec.domain
        self._variety = Variety(self._domain)

    def plan(self, count: int) -> Sequence[Category]:
        """One category: a replacement may be of any topic, so that one hard topic misses nothing.

        The topics come out even all the same: `selfplay_variety.py` deals them in turn.
        """
        shown = self._domain.shown
        return [Category(name=shown, count=count, labels={"domain": self._domain.name})]

    def preview(self, item: Item) -> Sequence[tuple[str, Sequence[Message]]]:
        """One call of each prompt; what is not said yet is an ellipsis."""
        pick, domain = self._pick(item), self._domain
        calls: list[tuple[str, Sequence[Message]]] = [
            ("learner", prompts.learner(domain, pick)),
            ("expert", prompts.expert(domain, pick, UNKNOWN)),
        ]
        if self.spec.refinement_iterations:
            judge = prompts.judge(domain, pick, UNKNOWN, UNKNOWN, verdict=self._may_end)
            calls.append(("judge", judge))
            calls.append(("expert", prompts.refine(domain, pick, UNKNOWN, UNKNOWN, UNKNOWN)))
        return calls

    def estimate(self, item: Item) -> tuple[int, int, int]:
        times = self.spec.refinement_iterations
        learner, expert, judge, refine = [
            *(_tokens(messages) for _, messages in self.preview(item)),
            *([] if times else [0, 0]),
        ]
        question, answer, critique = QUESTION_TOKENS, ANSWER_TOKENS, CRITIQUE_TOKENS
        criticised = judge + question + answer
        refined = refine + question + answer + critique
        sent = learner + expert + question + times * (criticised + refined)
        return self.spec.calls, sent, question + answer + times * (critique + answer)

    def shares(self, item: Item) -> Mapping[str, float]:
        times = self.spec.refinement_iterations
        question, answer, critique = QUESTION_TOKENS, ANSWER_TOKENS, CRITIQUE_TOKENS
        used = {
            "learner": question,
            "expert": question + answer + times * (question + 2 * answer + critique),
            "judge": times * (question + answer + critique),
        }
        return {role: tokens / sum(used.values()) for role, tokens in used.items()}

    async def produce(self, item: Item, ask: Ask) -> Sequence[Draft]:
        """One draft. What is refused, empty or cut is raised: nothing is filled in."""
        pick = self._pick(item)
        play = await self._opened(pick, ask)
        for _ in range(self.spec.refinement_iterations):
            if await self._criticised(play, pick, ask):
                break
            await self._refined(play, pick, ask)
        return [self._draft(item, pick, play)]

    # ------------------------------------------------------------ the calls

    async def _opened(self, pick: Mapping[str, str], ask: Ask) -> _Play:
        """The question and the first answer."""
        asked = await ask(
            "learner",
            prompts.learner(self._domain, pick),
            max_tokens=self.spec.max_tokens_other,
        )
        answered = await ask(
            "expert",
            prompts.expert(self._domain, pick, asked.text),
            max_tokens=self.spec.max_tokens_answer,
        )
        return _Play(
            question=asked.text,
            answers=[answered.text],
            replies=[("learner", asked), ("expert", answered)],
        )

    async def _criticised(self, play: _Play, pick: Mapping[str, str], ask: Ask) -> bool:
        """Has the latest answer criticised. True: the judge is satisfied, it stays as it is."""
        said = await ask(
            "judge",
            prompts.judge(
                self._domain, pick, play.question, play.answers[-1], verdict=self._may_end
            ),
            schema=prompts.verdict_schema() if self._may_end else None,
            max_tokens=self.spec.max_tokens_other,
        )
        play.replies.append(("judge", said))
        if not self._may_end:
            play.critiques.append(said.text)
            return False
        verdict, critique = said.data, said.data["critique"].strip()
        enough = verdict["satisfied"] and verdict["score"] >= (self.spec.satisfied_score or 0)
        seen = {"score": verdict["score"], "satisfied": verdict["satisfied"]}
        # A critique that changes nothing stands in no step of the record: it is kept here.
        play.verdicts.append({**seen, "critique": critique} if enough else seen)
        if not enough:
            play.critiques.append(critique)
        return bool(enough)

    async def _refined(self, play: _Play, pick: Mapping[str, str], ask: Ask) -> None:
        better = await ask(
            "expert",
            prompts.refine(self._domain, pick, play.question, play.answers[-1], play.critiques[-1]),
            max_tokens=self.spec.max_tokens_answer,
        )
        play.replies.append(("expert", better))
        play.answers.append(better.text)

    # ------------------------------------------------------------ the record

    def _draft(self, item: Item, pick: Mapping[str, str], play: _Play) -> Draft:
        marks = self._domain.marks
        # The last answer has no critique: nobody was asked, or the judge had none left.
        last = marks.final if self.spec.refinement_iterations else marks.initial
        steps = zip(play.answers, [*play.critiques, last], strict=True)
        return Draft(
            content={
                "question": play.question,
                "initial_answer": play.answers[0],
                "final_answer": play.answers[-1],
                "refinement_process": [
                    {"answer": answer, "critique": critique} for answer, critique in steps
                ],
            },
            raw=next(reply.raw for role, reply in reversed(play.replies) if role == "expert"),
            labels={"domain": self._domain.name, self._variety.spread: pick[self._variety.spread]},
            provenance=self._provenance(item, pick, play),
        )

    def _provenance(self, item: Item, pick: Mapping[str, str], play: _Play) -> dict[str, Json]:
        replies = [reply for _, reply in play.replies]
        return {
            "recipe": self.name,
            "domain": self._domain.name,
            "models": sorted({reply.model for reply in replies}),
            "roles": {role: reply.model for role, reply in play.replies},
            "simulated": any(reply.simulated for reply in replies),
            "calls": [reply.call_key for reply in replies],
            "seed": item.task_seed,
            "item": item.key,
            "variation": dict(pick),
            **({"verdicts": play.verdicts} if play.verdicts else {}),
        }

    @property
    def _may_end(self) -> bool:
        return self.spec.satisfied_score is not None

    def _pick(self, item: Item) -> dict[str, str]:
        # A new generation goes far away, so that its draw is not its neighbours' either.
        return self._variety.pick(item.task_seed, item.ordinal + item.generation * 1_000_003)


def _tokens(messages: Sequence[Message]) -> int:
    return sum(tokens_of(message.content) for message in messages)
