"""What a form is: the fields of a recipe's task, and what becomes of them.

Owns: the Protocol, and what most forms have in common. Does not own: any recipe's fields.
A new recipe is one file here, one in `recipes/`, and one line each in `registry.py`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from corpusmith.places import from_folder
from corpusmith.service.task_file import TaskFile
from corpusmith.store.store import SqlStore
from corpusmith.store.values import Task
from corpusmith.values import Connection, Json, Language

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something that was guessed. `key`: its text in the catalog, filled from `data`."""

    key: str
    data: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A task that needs nothing but keys to run."""

    language: Language
    recipe_spec: dict[str, Json]
    """What the recipe is made from: copies, so that a later edit changes no task."""
    endpoints: dict[str, Connection]
    """By role; `model` may still be None: the endpoint is asked for its only one."""
    count: int
    inputs: Sequence[Json] = ()
    """The rows that the task is given; they are copied when it is made."""
    checks: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    """Check → its options; what stood in files is copied here. No form's own business."""
    remarks: Sequence[Remark] = ()
    """What a person should see and agree to before anything is sent."""


class Form(Protocol):
    """How a recipe is asked for. Constructed without arguments."""

    file_model: ClassVar[type[TaskFile]]

    def resolve(self, file: TaskFile, store: SqlStore, language: Language) -> Resolved:
        """What the names in `file` stand for; `language`: the session's, where nothing says more.

        Raises UsageError and its kinds: whatever is missing, before any money is spent.
        """

    def from_folder(self, fields: dict[str, Json], folder: Path) -> dict[str, Json]:
        """`fields` of a YAML file with the recipe's own paths made to start from its folder."""

    def deliver(self, studio: Studio, task: Task) -> Path | None:
        """Write what the task was asked to write, also again; None: nothing was asked for."""


def deliver_file(studio: Studio, task: Task) -> Path | None:
    """The task's records in `output`, in its `format`. A task without any leaves a file that is
    there as it is."""
    wanted = task.spec.get("output")
    if not wanted or (os.path.isfile(wanted) and not studio.store.records.count(task_id=task.id)):
        return None
    # It was vetted when the task was made; who runs it now says nothing of it.
    studio.exports.write(Path(wanted), task=task.id, form=str(task.spec["format"]))
    return Path(str(wanted))


def endpoint_from_folder(part: Json, folder: Path) -> Json:
    """An endpoint in a file of `folder`, with the path in it made to start from there."""
    if not isinstance(part, dict) or not isinstance(part.get("ca_file"), str):
        return part
    return {**part, "ca_file": from_folder(part["ca_file"], folder)}
