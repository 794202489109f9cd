"""What an item of a task asks first, made again from the task's own copy of everything.

Owns: from an item's name to its prompts. Does not own: prompts (recipes), calls that were answered
(`calls.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from corpusmith.service.estimate import item_of
from corpusmith.service.recipes import recipe_of
from corpusmith.values import Message

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio


def prompts_of(studio: Studio, task_id: int, item: str) -> Sequence[tuple[str, Sequence[Message]]]:
    """(role, messages) of the item's first calls; empty for a name that is none of the task's.

    Raises NotFound.
    """
    task = studio.tasks.get(task_id)
    name, _, ordinal = item.rpartition("#")
    made = recipe_of(task, studio.store)
    category = next((one for one in made.plan(task.requested) if one.name == name), None)
    if category is None or not ordinal.isdecimal() or len(ordinal) > 9:
        return ()
    return made.preview(item_of(category, int(ordinal), made.per_item, task.seed))
