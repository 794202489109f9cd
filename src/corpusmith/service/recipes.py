"""A task's recipe, made from what is stored of it.

Owns: the context that a recipe is given: its seed, language and the task's own time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from corpusmith import registry
from corpusmith.contracts import Recipe, TaskContext
from corpusmith.store.store import SqlStore
from corpusmith.store.values import Task
from corpusmith.values import Json

DATE_FORMAT = "%Y-%m-%dT%H:%M:%S"


def context(
    seed: int, language: Any, started: datetime | None = None, inputs: Sequence[Json] = ()
) -> TaskContext:
    """What a recipe may know; `started` None: now, the task is just being made."""
    moment = started or datetime.now().astimezone()
    return TaskContext(
        seed=seed,
        language=language,
        batch_id=f"batch_{moment:%Y%m%d_%H%M%S}",
        started_at=moment.strftime(DATE_FORMAT),
        inputs=inputs,
    )


def recipe(name: str, spec: Mapping[str, Json], given: TaskContext) -> Recipe:
    """The recipe `name` with its own parameters. Raises NotFound."""
    return cast(Recipe, registry.load("recipe", name)(spec, given))


def recipe_of(task: Task, store: SqlStore) -> Recipe:
    """The recipe of a stored task, with the task's own time and rows."""
    started = datetime.fromisoformat(task.created_at).astimezone()
    made = context(task.seed, task.spec["language"], started, store.tasks.rows(task.id))
    return recipe(task.recipe, task.spec["recipe_spec"], made)
