"""The dialogue recipe: a character and a user talk, in a scenario, for exactly so many turns.

Owns: which character meets which scenario, and the calls of one item. Does not own: the words of
the prompts (`dialogue_prompts.py`), whether a draft is good (checks), durability (the engine).
Result: SPEC.md, job A.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from corpusmith.contracts import Answer, Ask, TaskContext
from corpusmith.nouns import Character, Scenario
from corpusmith.presets import load as presets
from corpusmith.recipes import dialogue_prompts as prompts
from corpusmith.recipes.dialogue_spec import DialogueSpec
from corpusmith.recipes.variation import Variation
from corpusmith.shares import largest_remainder
from corpusmith.tokens import tokens_of
from corpusmith.values import Category, Draft, Item, Json, Message

TOKENS_A_MESSAGE = 45
"""What a message of a dialogue comes to, roughly; only for the estimate before any reply."""


class Dialogue:
    """Fits contracts.Recipe."""

    name = "dialogue"
    closed = False
    spec_model = DialogueSpec

    def __init__(self, spec: Mapping[str, Json], context: TaskContext) -> None:
        self.spec = DialogueSpec.model_validate(spec)
        self._context = context
        self._variation = Variation({**presets.variation(self.spec.language), **self._own_lists})
        self._characters = {
            part.name: _character(part.model_dump()) for part in self.spec.characters
        }
        self._scenarios = {
            part.name: Scenario(name=part.name, description=part.description)
            for part in self.spec.scenarios
        }

    @property
    def _own_lists(self) -> dict[str, tuple[str, ...]]:
        return dict(self.spec.variation)

    @property
    def roles(self) -> tuple[str, ...]:
        """`writer` writes whole dialogues; `user` and `character` alternate."""
        return ("writer",) if self.spec.mode == "single" else ("user", "character")

    @property
    def per_item(self) -> int:
        return self.spec.dialogues_per_request if self.spec.mode == "single" else 1

    def plan(self, count: int) -> Sequence[Category]:
        """One category for each scenario with each character; scenarios' shares are exact.

        Within a scenario the characters share evenly; who gets the odd one goes round, so that
        the characters are even over the whole task too.
        """
        names = list(self._characters)
        place = 0
        plan: list[Category] = []
        for scenario, share in self._scenario_shares(count).items():
            each, odd = divmod(share, len(names))
            lucky = {(place + step) % len(names) for step in range(odd)}
            place += odd
            for number, name in enumerate(names):
                plan.append(
                    Category(
                        name=_cell(scenario, name),
                        count=each + (number in lucky),
                        labels={"scenario": scenario, "character": name},
                    )
                )
        return plan

    def _scenario_shares(self, count: int) -> dict[str, int]:
        even = self.spec.share == "even"
        weights = {part.name: 1.0 if even else part.weight for part in self.spec.scenarios}
        return largest_remainder(weights, count)

    def preview(self, item: Item) -> Sequence[tuple[str, Sequence[Message]]]:
        """Single: the one call. Turns: the user's opening call, and the character's persona."""
        if self.spec.mode == "single":
            return [("writer", self._single(item))]
        character, scenario = self._who(item)
        pick = self._pick(item, 0)
        turns, language = self.spec.turns, self.spec.language
        opening = Message("user", "…")
        return [
            ("user", prompts.user_turn(character, scenario, pick, turns, language, [])),
            (
                "character",
                prompts.character_turn(character, scenario, pick, turns, language, [opening]),
            ),
        ]

    def estimate(self, item: Item) -> tuple[int, int, int]:
        parts = [
            sum(tokens_of(message.content) for message in messages)
            for _, messages in self.preview(item)
        ]
        said = TOKENS_A_MESSAGE * self.spec.turns
        if self.spec.mode == "single":
            return 1, parts[0], item.want * (2 * said + 12 * self.spec.turns)
        # Each of the 2n calls sends all that was said before it: 0 + 1 + … + (2n - 1) messages.
        calls = 2 * self.spec.turns
        history = TOKENS_A_MESSAGE * calls * (calls - 1) // 2
        return calls, self.spec.turns * sum(parts) + history, 2 * said

    def shares(self, item: Item) -> Mapping[str, float]:
        return {role: 1 / len(self.roles) for role in self.roles}

    async def produce(self, item: Item, ask: Ask) -> Sequence[Draft]:
        if self.spec.mode == "single":
            return await self._produce_single(item, ask)
        return [await self._produce_turns(item, ask)]

    # ------------------------------------------------------------ single

    async def _produce_single(self, item: Item, ask: Ask) -> Sequence[Draft]:
        schema = prompts.dialogue_schema(self.spec.turns, item.want)
        answer = await ask("writer", self._single(item), schema=schema)
        return [
            self._draft(item, sample, _messages(dialogue["turns"]), [answer])
            for sample, dialogue in enumerate(answer.data["dialogues"])
        ]

    def _single(self, item: Item) -> list[Message]:
        character, scenario = self._who(item)
        picks = [self._pick(item, sample) for sample in range(item.want)]
        return prompts.single(character, scenario, picks, self.spec.turns, self.spec.language)

    # ------------------------------------------------------------ turns

    async def _produce_turns(self, item: Item, ask: Ask) -> Draft:
        character, scenario = self._who(item)
        pick = self._pick(item, 0)
        turns, language = self.spec.turns, self.spec.language
        history: list[Message] = []
        answers: list[Answer] = []
        for _ in range(turns):
            said = await ask(
                "user", prompts.user_turn(character, scenario, pick, turns, language, history)
            )
            history.append(Message("user", said.text))
            reply = await ask(
                "character",
                prompts.character_turn(character, scenario, pick, turns, language, history),
            )
            history.append(Message("assistant", reply.text))
            answers += [said, reply]
        return self._draft(item, 0, history, answers)

    # ------------------------------------------------------------ both

    def _who(self, item: Item) -> tuple[Character, Scenario]:
        scenario, character = self._cells[item.category]
        return self._characters[character], self._scenarios[scenario]

    @cached_property
    def _cells(self) -> dict[str, tuple[str, str]]:
        return {
            _cell(scenario, character): (scenario, character)
            for scenario in self._scenarios
            for character in self._characters
        }

    def _pick(self, item: Item, sample: int) -> dict[str, str]:
        index = item.ordinal * self.per_item + sample
        # A new generation goes far away, so that its picks are not its neighbours' either.
        return self._variation.pick(
            item.task_seed, item.category, index + item.generation * 1_000_003
        )

    def _draft(
        self, item: Item, sample: int, history: Sequence[Message], answers: Sequence[Answer]
    ) -> Draft:
        scenario, character = self._cells[item.category]
        return Draft(
            content={
                "scenario_labels": [scenario],
                "dialogues": [{"role": m.role, "content": m.content} for m in history],
                "turn_count": self.spec.turns,
                "batch_id": self._context.batch_id,
                "generation_time": self._context.started_at,
            },
            raw=answers[-1].raw,
            labels={"scenario": scenario, "character": character},
            provenance=self._provenance(item, sample, answers),
        )

    def _provenance(self, item: Item, sample: int, answers: Sequence[Answer]) -> dict[str, Any]:
        return {
            "recipe": self.name,
            "mode": self.spec.mode,
            "models": sorted({answer.model for answer in answers}),
            "simulated": any(answer.simulated for answer in answers),
            "calls": [answer.call_key for answer in answers],
            "seed": item.task_seed,
            "item": item.key,
            "variation": self._pick(item, sample),
        }


def _cell(scenario: str, character: str) -> str:
    """A category's name; a slash inside a name must not make two cells one.

    It is a key in the database: Postgres takes no NUL in a text.
    """
    return "/".join(name.replace("/", "／").replace("\0", "") for name in (scenario, character))


def _messages(turns: Sequence[Mapping[str, str]]) -> list[Message]:
    said: list[Message] = []
    for turn in turns:
        said.append(Message("user", turn["user"].strip()))
        said.append(Message("assistant", turn["assistant"].strip()))
    return said


def _character(part: Mapping[str, Any]) -> Character:
    return Character(**part)
