"""What the tests of self-play have in common: a small domain, and models that say what is told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from corpusmith.contracts import Answer, TaskContext
from corpusmith.recipes.selfplay import SelfPlay
from corpusmith.values import Draft, Item, Json, Message, Schema

SMALL: dict[str, Json] = {
    "version": 1,
    "name": "tea",
    "title": "Tea",
    "language": "en",
    "axes": {"who": ["a novice", "a host"], "what": ["water", "leaves", "cups"]},
    "prompts": {
        "learner": {"system": "You ask.", "user": "{who} asks about {what}."},
        "expert": {"system": "You know tea.", "user": "{question}"},
        "judge": {"system": "You judge.", "user": "{question}\n{answer}"},
        "refine": {"system": "You mend.", "user": "{question}\n{answer}\n{critique}"},
    },
}


def domain(**changes: Json) -> dict[str, Json]:
    """The small domain with other fields in the place of its own."""
    return {**deepcopy(SMALL), **changes}


def recipe(fields: dict[str, Json] | None = None, **spec: Json) -> SelfPlay:
    """The recipe, on the small domain unless another is given."""
    given = TaskContext(seed=1, language="en", batch_id="batch_1", started_at="2026-01-02T03:04:05")
    return SelfPlay({"domain": fields or domain(), **spec}, given)


def item(ordinal: int = 0, category: str = "Tea") -> Item:
    return Item(task_seed=1, category=category, ordinal=ordinal)


class Said:
    """An Ask that answers from a list (an error is raised) and keeps what it was asked."""

    def __init__(self, *replies: Json) -> None:
        self._replies = iter(replies)
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        """(role, the whole prompt, how it was asked)"""

    async def __call__(
        self,
        role: str,
        messages: Sequence[Message],
        *,
        schema: Schema | None = None,
        **how: Any,
    ) -> Answer:
        prompt = "\n".join(message.content for message in messages)
        number = len(self.asked)
        self.asked.append((role, prompt, {**how, "schema": schema and schema.name}))
        reply = next(self._replies)
        if isinstance(reply, Exception):
            raise reply
        return Answer(
            text="" if schema else reply,
            data=reply if schema else None,
            raw=str(reply),
            call_key=f"key{number}",
            model=f"model-of-{role}",
        )


def played(said: Said, fields: dict[str, Json] | None = None, **spec: Json) -> Draft:
    """The one draft that comes of the first item."""
    (draft,) = asyncio.run(recipe(fields, **spec).produce(item(), said))
    return draft
