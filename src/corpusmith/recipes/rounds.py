"""The rounds recipe: a conversation goes on by question, answer and correction.

Owns: the calls of one conversation. Does not own: the words of the prompts and what is cut from
replies (`rounds_prompts.py`), files (`exports/rounds.py`), durability (the engine).
Result: SPEC.md, job C.

One item is one conversation of the task's inputs, `{"id", "rounds"}`; its record is the whole
conversation with the new rounds. Conversations never wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from corpusmith.contracts import Answer, Ask, TaskContext
from corpusmith.recipes import rounds_prompts as prompts
from corpusmith.recipes.rounds_spec import RoundsSpec
from corpusmith.tokens import tokens_of
from corpusmith.values import Category, Draft, Item, Json, Message, Miss

MAX_TOKENS = {"ask": 256, "answer": 1024, "correct": 1024}
"""Of a reply, where the task says nothing. The prompts ask for less: a reply that reaches its
limit is cut, and a cut answer is a failed one."""
USUAL_TOKENS = {"ask": 40, "answer": 250, "correct": 400}
"""What a reply comes to, roughly; only for the estimate."""
CATEGORY = "rounds"


class Rounds:
    """Fits contracts.Recipe."""

    name = "rounds"
    closed = True
    spec_model = RoundsSpec

    def __init__(self, spec: Mapping[str, Json], context: TaskContext) -> None:
        self.spec = RoundsSpec.model_validate(spec)
        self._inputs = context.inputs
        self._window = prompts.Window(
            messages=self.spec.context_messages, tokens=self.spec.context_tokens
        )

    @property
    def roles(self) -> tuple[str, ...]:
        """`answer` is on purpose the weaker model."""
        return ("ask", "answer", "correct")

    @property
    def per_item(self) -> int:
        return 1

    def plan(self, count: int) -> Sequence[Category]:
        return [Category(name=CATEGORY, count=count)]

    def preview(self, item: Item) -> Sequence[tuple[str, Sequence[Message]]]:
        """The calls of the first new round, with … for what is not known yet."""
        given, language = self._given(item), self.spec.language
        return [
            ("ask", prompts.ask(given, self._window, language)),
            ("answer", prompts.answer(given, "…", self._window, language)),
            ("correct", prompts.correct(given, "…", "…", self._window, language)),
        ]

    def estimate(self, item: Item) -> tuple[int, int, int]:
        first = sum(
            tokens_of(message.content) for _, said in self.preview(item) for message in said
        )
        rounds, usual = self.spec.rounds, USUAL_TOKENS
        # Each round is sent again with the three calls of every later one, as far as the window.
        added = 3 * (usual["ask"] + usual["correct"])
        draft = 2 * usual["ask"] + usual["answer"]
        growth = min(added * (rounds - 1) // 2, 3 * self.spec.context_tokens)
        return 3 * rounds, rounds * (first + draft + growth), rounds * sum(usual.values())

    def shares(self, item: Item) -> Mapping[str, float]:
        return {role: 1 / len(self.roles) for role in self.roles}

    async def produce(self, item: Item, ask: Ask) -> Sequence[Draft | Miss]:
        given = self._given(item)
        rounds: list[prompts.Round] = list(given)
        said: list[tuple[str, Answer]] = []
        for _ in range(self.spec.rounds):
            made = await self._round(rounds, ask, said)
            if isinstance(made, Miss):
                return [made]
            rounds.append(made)
        return [
            Draft(
                content={"id": self._inputs[item.ordinal]["id"], "rounds": rounds},
                raw=said[-1][1].raw,
                provenance=self._provenance(item, len(given), said),
            )
        ]

    async def _round(
        self, rounds: Sequence[prompts.Round], ask: Ask, said: list[tuple[str, Answer]]
    ) -> prompts.Round | Miss:
        """The next round, or what was wrong with a reply."""
        window, language = self._window, self.spec.language

        async def say(role: str, messages: Sequence[Message]) -> Answer:
            reply = await ask(role, messages, max_tokens=MAX_TOKENS[role])
            said.append((role, reply))
            return reply

        asked = await say("ask", prompts.ask(rounds, window, language))
        question = prompts.question_in(asked.text)
        if not question:
            return _miss("ask", "empty_reply_text", asked)
        if any(prompts.same(question, one["question"]) for one in rounds):
            return _miss("ask", "repeated_question", asked)
        draft = await say("answer", prompts.answer(rounds, question, window, language))
        answer = prompts.answer_in(draft.text)
        checked = await say("correct", prompts.correct(rounds, question, answer, window, language))
        correction = prompts.correction_in(checked.text)
        if not correction:
            return _miss("correct", "empty_reply_text", checked)
        return {"question": question, "answer": answer, "correction": correction}

    def _given(self, item: Item) -> Sequence[prompts.Round]:
        rounds: Sequence[prompts.Round] = self._inputs[item.ordinal]["rounds"]
        return rounds

    def _provenance(
        self, item: Item, given: int, said: Sequence[tuple[str, Answer]]
    ) -> dict[str, Any]:
        by_role = {role: answer.model for role, answer in said}
        return {
            "recipe": self.name,
            "models": sorted(set(by_role.values())),
            "model_of_role": by_role,
            "simulated": any(answer.simulated for _, answer in said),
            "calls": [answer.call_key for _, answer in said],
            "seed": item.task_seed,
            "item": item.key,
            "given_rounds": given,
        }


def _miss(role: str, reason: str, answer: Answer) -> Miss:
    """A reply that was paid and cannot be used: another try needs fresh ones."""
    return Miss(kind="rejected", reason=reason, detail={"role": role}, raw=answer.raw, fresh=True)
