"""The rounds recipe: a conversation goes on by question, answer and correction.

Owns: the calls of one conversation. Does not own: the words of the prompts and what is cut from
replies (`rounds_prompts.py`), files (`exports/rounds.py`), durability (the engine).
Result: SPEC.md, job C.

One item is one conversation of the task's inputs, `{"id", "rounds"}`; its record is the whole
conversation with the new rounds. Conversations never wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from corpusmith.contracts import Answer, Ask, TaskContext
from corpusmith.recipes import rounds_prompts as prompts
from corpusmith.recipes.rounds_spec import RoundsSpec
from corpusmith.tokens import tokens_of
from corpusmith.values import Category, Draft, Item, Json, Message

MAX_TOKENS = {"ask": 256, "answer": 1024, "correct": 1024}
"""Of a reply, where the task says nothing. The prompts ask for less: a reply that reaches its
limit is cut, and a cut answer is a failed one."""
USUAL_TOKENS = {"ask": 40, "answer": 250, "correct": 400}
"""What a reply comes to, roughly; only for the estimate."""
ROWS_TO_GUESS_BY = 50
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
        return self._first_calls(self._given(item))

    def _first_calls(self, given: Sequence[prompts.Round]) -> list[tuple[str, Sequence[Message]]]:
        language = self.spec.language
        return [
            ("ask", prompts.ask(given, self._window, language)),
            ("answer", prompts.answer(given, "…", self._window, language)),
            ("correct", prompts.correct(given, "…", "…", self._window, language)),
        ]

    def estimate(self, item: Item) -> tuple[int, int, int]:
        rounds, usual = self.spec.rounds, USUAL_TOKENS
        # Each round is sent again with the three calls of every later one, as far as the window.
        added = 3 * (usual["ask"] + usual["correct"])
        draft = 2 * usual["ask"] + usual["answer"]
        growth = min(added * (rounds - 1) // 2, 3 * self.spec.context_tokens)
        return (
            3 * rounds,
            rounds * (self._first_tokens + draft + growth),
            rounds * sum(usual.values()),
        )

    @cached_property
    def _first_tokens(self) -> int:
        """What is sent in a first new round: the mean of the first conversations, for they differ
        a hundredfold."""
        some = self._inputs[:ROWS_TO_GUESS_BY]
        return sum(
            tokens_of(message.content)
            for one in some
            for _, said in self._first_calls(one["rounds"])
            for message in said
        ) // max(1, len(some))

    def shares(self, item: Item) -> Mapping[str, float]:
        return {role: 1 / len(self.roles) for role in self.roles}

    async def produce(self, item: Item, ask: Ask) -> Sequence[Draft]:
        given = self._given(item)
        rounds: list[prompts.Round] = list(given)
        said: list[tuple[str, Answer]] = []
        for _ in range(self.spec.rounds):
            rounds.append(await self._round(rounds, ask, said))
        return [
            Draft(
                content={"id": self._inputs[item.ordinal]["id"], "rounds": rounds},
                raw=said[-1][1].raw,
                provenance=self._provenance(item, len(given), said),
            )
        ]

    async def _round(
        self, rounds: Sequence[prompts.Round], ask: Ask, said: list[tuple[str, Answer]]
    ) -> prompts.Round:
        """The next round. A reply that cannot be used is asked for again alone: a conversation
        made anew would pay for all its earlier rounds once more."""
        window, language = self._window, self.spec.language

        async def say(
            role: str, messages: Sequence[Message], fault: Callable[[str], str] | None = None
        ) -> Answer:
            reply = await ask(role, messages, max_tokens=MAX_TOKENS[role], fault=fault)
            said.append((role, reply))
            return reply

        asked = await say(
            "ask",
            prompts.ask(rounds, window, language),
            partial(prompts.question_fault, rounds=rounds),
        )
        question = prompts.question_in(asked.text)
        draft = await say("answer", prompts.answer(rounds, question, window, language))
        answer = prompts.answer_in(draft.text)
        checked = await say(
            "correct",
            prompts.correct(rounds, question, answer, window, language),
            prompts.correction_fault,
        )
        correction = prompts.correction_in(checked.text)
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
