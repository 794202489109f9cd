"""A character before it is used: the prompts that a task would send, and a short talk with it.

Owns: both. Does not own: prompts (recipes), storing characters (`library.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from corpusmith.contracts import Recipe
from corpusmith.errors import UsageError
from corpusmith.nouns import Character, Scenario
from corpusmith.service import loop
from corpusmith.service.connection_trial import provider_of
from corpusmith.service.connections import only_model
from corpusmith.service.estimate import item_of, known_price
from corpusmith.service.forms.dialogue import part_of
from corpusmith.service.keys import key_of
from corpusmith.service.recipes import context, recipe
from corpusmith.values import ChatRequest, Message, Sampling, Usage

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

SEED = 0
MOST_TOKENS = 1024
"""Of a reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one role would be told."""

    role: str
    messages: Sequence[Message]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A character's reply in a talk to try it out."""

    text: str
    model: str
    simulated: bool
    usage: Usage | None
    """None: the endpoint counted nothing."""
    cost_usd: float | None
    """None: the price is not known."""


def prompts_of(
    character: Character,
    scenario: Scenario,
    *,
    mode: Literal["single", "turns"] = "single",
    turns: int = 3,
) -> Sequence[Asked]:
    """What a dialogue task of this character in this scenario sends first. Nothing is sent.

    Variation is drawn as a task of seed 0 draws it. Raises UsageError.
    """
    if not character.name.strip():
        raise UsageError("bad_name", kind="character", name="")
    made: Recipe = recipe(
        "dialogue",
        {
            "characters": [part_of(character)],
            "scenarios": [
                {"name": scenario.name, "description": scenario.description, "weight": 1.0}
            ],
            "mode": mode,
            "turns": turns,
            "language": character.language,
        },
        context(SEED, character.language),
    )
    item = item_of(made.plan(1)[0], 0, 1, SEED)
    return [Asked(role=role, messages=messages) for role, messages in made.preview(item)]


def talk(
    studio: Studio,
    character: Character | None,
    messages: Sequence[Message],
    *,
    connection: str,
    model: str | None = None,
    temperature: float | None = None,
) -> Said:
    """The character's reply to `messages`, of which the last is the user's; None: the model's own.
    One call, no retry.

    It is a try: nothing is stored, no record comes of it, and no task's or week's spend holds it;
    what it cost is in the result. Raises NotFound, KeyMissing, UsageError, ProviderError.
    """
    if not messages or messages[-1].role != "user":
        raise UsageError("talk_turn")
    return loop.run(_talk(studio, character, messages, connection, model, temperature))


def _told(text: str) -> tuple[Message, ...]:
    return (Message("system", text),)


async def _talk(
    studio: Studio,
    character: Character | None,
    messages: Sequence[Message],
    name: str,
    model: str | None,
    temperature: float | None,
) -> Said:
    from corpusmith.recipes.dialogue_prompts import system_prompt

    connection = studio.connections.get(name)
    key = key_of(connection, studio.store)
    chosen = model or connection.model or await only_model(connection, key)
    told = () if character is None else _told(system_prompt(character, character.language))
    request = ChatRequest(
        model=chosen,
        messages=(*told, *messages),
        sampling=Sampling(temperature=temperature, max_tokens=MOST_TOKENS),
    )
    provider = provider_of(connection, key)
    try:
        reply = await provider.chat(request)
    finally:
        await provider.close()
    price = known_price(replace(connection, model=chosen))
    return Said(
        text=reply.text,
        model=reply.model or chosen,
        simulated=reply.simulated,
        usage=reply.usage,
        cost_usd=price.cost_usd(reply.usage) if price and reply.usage else None,
    )
