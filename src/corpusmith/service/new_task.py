"""What a new task is made of, before it is one: its plan, its endpoints, what is stored of it.

Owns: from a checked file and what its names stand for to the rows of a task. Does not own: the
fields (`task_file.py`), names (`forms/`), rows (store).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from corpusmith.contracts import Quota, Recipe
from corpusmith.errors import KeyMissing
from corpusmith.service.checks import chain_of, context_for, copied, refuse_endpoints, roles_of
from corpusmith.service.connection_trial import provider_of
from corpusmith.service.connections import only_model
from corpusmith.service.endpoints import endpoints_of
from corpusmith.service.estimate import Preview, estimate, item_of
from corpusmith.service.forms.form import Resolved
from corpusmith.service.keys import key_of
from corpusmith.service.recipes import context, recipe
from corpusmith.service.sealing import sealed_extra
from corpusmith.service.task_file import TaskFile, form_of, task_file
from corpusmith.store.store import SqlStore
from corpusmith.values import Category, Connection, Json, Language


def checked_file(file: TaskFile | Mapping[str, Json] | None, fields: Mapping[str, Any]) -> TaskFile:
    """`file` with `fields` in place of its own. Raises SpecError."""
    if isinstance(file, TaskFile) and not fields:
        return file
    given = file.model_dump(exclude_unset=True) if isinstance(file, TaskFile) else dict(file or {})
    return task_file({**given, **fields}, source="the task")


def resolve(file: TaskFile, store: SqlStore, language: Language) -> Resolved:
    """What the names in `file` stand for, those of its checks too.

    Raises UsageError and its kinds: whatever is missing or makes no sense, before any money is
    spent.
    """
    asked = roles_of(file.checks)
    own = {role: wish for role, wish in file.roles.items() if role not in asked}
    found = form_of(file.recipe).resolve(
        file.model_copy(update={"roles": own}), store, file.language or language
    )
    theirs = file.model_copy(update={"roles": {r: file.roles[r] for r in file.roles if r in asked}})
    checks = copied(file.checks, found.language)
    chain_of(checks, context_for(found.language, found.recipe_spec))
    endpoints = found.endpoints | endpoints_of(theirs, store, asked)
    refuse_endpoints(asked, endpoints, theirs.roles)
    return replace(found, checks=checks, endpoints=endpoints)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A recipe with its seed, and the categories that it will fill."""

    made: Recipe
    seed: int
    categories: Sequence[Category]

    def quotas(self) -> list[Quota]:
        """The categories as the task begins with them."""
        return [
            Quota(name=one.name, count=one.count, labels=one.labels, waves=((0, one.count),))
            for one in self.categories
        ]

    def preview(self, items: int, resolved: Resolved) -> Preview:
        """The prompts of the first `items` items, the shares, and the estimate."""
        wanted = [one for one in self.categories if one.count]
        per_item = self.made.per_item
        first = [item_of(one, 0, min(per_item, one.count), self.seed) for one in wanted[:items]]
        return Preview(
            calls=[
                (item.key, role, messages)
                for item in first
                for role, messages in self.made.preview(item)
            ],
            quotas={one.name: one.count for one in wanted},
            estimate=estimate(
                self.made,
                wanted,
                resolved.endpoints,
                self.seed,
                chain_of(
                    resolved.checks, context_for(resolved.language, resolved.recipe_spec)
                ).askers,
            ),
            remarks=resolved.remarks,
        )


def plan_of(file: TaskFile, resolved: Resolved, seed: int) -> Planned:
    """What a task of this file will do."""
    given = context(seed, resolved.language, inputs=resolved.inputs)
    made = recipe(file.recipe, resolved.recipe_spec, given)
    return Planned(made=made, seed=seed, categories=made.plan(resolved.count))


async def ready_endpoints(
    endpoints: Mapping[str, Connection], store: SqlStore
) -> dict[str, Connection]:
    """The endpoints, each with its model and a key that can be had.

    Raises KeyMissing, UsageError: before there is a task, not when it runs.
    """
    found = {role: await _with_model(one, store) for role, one in endpoints.items()}
    for role, connection in found.items():
        try:
            key = key_of(connection, store)
        except KeyMissing as error:
            if len(found) == 1 or error.reason != "key_missing":
                raise
            raise KeyMissing("key_missing_role", role=role, **error.data) from None
        await provider_of(connection, key).close()
    return found


async def _with_model(connection: Connection, store: SqlStore) -> Connection:
    if connection.model:
        return connection
    return replace(connection, model=await only_model(connection, key_of(connection, store)))


def stored_spec(file: TaskFile, resolved: Resolved) -> dict[str, Json]:
    """What every task has, and the form's own fields as the recipe knows them."""
    left_out = {"connection", "roles", "count", "seed"}
    common = set(TaskFile.model_fields) - left_out
    return {
        **file.model_dump(mode="json", include=common),
        "extra": sealed_extra(file.extra),
        "checks": {name: dict(own) for name, own in resolved.checks.items()},
        "seed_sent": file.seed,
        "language": resolved.language,
        "recipe_spec": dict(resolved.recipe_spec),
    }


def usual_name(file: TaskFile) -> str:
    """A name for a task that was given none."""
    return f"{file.recipe}-{datetime.now().astimezone():%Y%m%d-%H%M%S}"
