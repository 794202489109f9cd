"""One sample of a template, made now: what was asked, what came back, what became of it.

Owns: the try. Does not own: how a sample is made (the recipe and the engine).
It is a task like any other, so that a trial goes the very way that the real one will; it is
deleted as soon as it has ended, and its paid call stays in the journal.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from corpusmith.messages import catalog, say
from corpusmith.nouns import Template
from corpusmith.service.recipes import recipe_of
from corpusmith.service.template_file import template_fields
from corpusmith.store.values import Task
from corpusmith.values import Item, Json, Language, Message, Record, Spend

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

SEEDS = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one sample showed. Either `sample` or `reason` says something."""

    template: str
    version: int
    """0: not stored."""
    messages: Sequence[Message]
    """What was asked, filled."""
    raw: str
    """The reply as it came; empty: none did."""
    sample: Json | None
    """The row that a task would have brought; None: see `reason`."""
    reason: str | None
    """A stable code of why there is no sample."""
    detail: Mapping[str, Json]
    stopped: bool
    """The task came to a stop without a reply, such as for a wrong key: `reason` says why."""
    model: str
    simulated: bool
    spend: Spend


async def try_one(studio: Studio, template: Template, fields: Mapping[str, Any]) -> Trial:
    """One attempt at one sample, with `fields` of a template task.

    Raises UsageError and its kinds before any call; ProviderError's kinds are in the result,
    except those that stop a task, which are its cause.
    """
    seed = fields.get("seed")
    task = await studio.tasks.create_async(
        {
            "max_attempts_multiplier": 1,
            **fields,
            "recipe": "template",
            "template": template_fields(template),
            "name": f"test {template.name}"[:200],
            "count": 1,
            "per_request": 1,
            "seed": secrets.randbelow(SEEDS) if seed is None else seed,
            "dataset": None,
            "output": None,
        }
    )
    try:
        result = await studio.tasks.run_async(task)
        cause = dict(result.cause or {})
        return _seen(studio, task, template, cause, result.spend)
    finally:
        studio.tasks.delete(task)


def _seen(
    studio: Studio, task: Task, template: Template, cause: dict[str, Json], spend: Spend
) -> Trial:
    record = next(iter(studio.tasks.first(task, 1)), None)
    miss = next(iter(studio.tasks.misses(task, limit=1)), None)
    provenance = record.provenance if record else {}
    return Trial(
        template=template.name,
        version=template.version,
        messages=_asked(studio, task),
        raw=_reply(studio, record) if record else miss.raw if miss else "",
        sample=record.content if record else None,
        reason=None if record else miss.reason if miss else str(cause.get("code", "failed")),
        detail={} if record else miss.detail if miss else _rest(cause),
        stopped=record is None and miss is None,
        model=", ".join(str(one["model"]) for one in task.connections.values()),
        simulated=bool(provenance.get("simulated")),
        spend=spend,
    )


def why_of(made: Trial, language: Language) -> list[str]:
    """Why there is no sample, in sentences, and what helps; empty: there is one."""
    if made.reason is None:
        return []
    known = catalog(language)
    keys = [key for key in (f"reason.{made.reason}", f"error.{made.reason}") if key in known][:1]
    keys += [key for key in (f"hint.{made.reason}",) if key in known]
    return [say(key, language, **made.detail) for key in keys or [made.reason]]


def _rest(cause: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in cause.items() if name != "code"}


def _asked(studio: Studio, task: Task) -> Sequence[Message]:
    """The messages as the task's own recipe fills them, with the task's own time."""
    made = recipe_of(task, studio.store)
    category = next(one for one in studio.tasks.quotas(task) if one.count)
    item = Item(task_seed=task.seed, category=category.name, ordinal=0)
    return [message for _, messages in made.preview(item) for message in messages]


def _reply(studio: Studio, record: Record) -> str:
    """The journalled reply that the sample was read from."""
    keys = [bytes.fromhex(key) for key in record.provenance.get("calls", ())]
    found = studio.store.journal.find(keys)
    return found[keys[-1]].text if keys and keys[-1] in found else ""
