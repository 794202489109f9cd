"""Use-cases of exports: whose records, in which format, into which file.

Owns: the selection, and what a record needs besides its row (the character's system prompt).
Does not own: formats and files (exports).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpusmith import registry
from corpusmith.errors import NotFound, UsageError
from corpusmith.values import Record

if TYPE_CHECKING:
    from corpusmith.exports.files import ExportResult
    from corpusmith.service.studio import Studio


class Exports:
    """`studio.exports`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def write(
        self,
        path: str | Path,
        *,
        task: int | None = None,
        dataset: str | None = None,
        form: str = "json",
        scenario: str | None = None,
        character: str | None = None,
        **options: Any,
    ) -> ExportResult:
        """Write the records of a task or a dataset; `-` is standard output.

        Options go to the exporter, such as `system="character"` for `messages`.
        Raises NotFound, UsageError.
        """
        from corpusmith.exports.files import write_file

        if (task is None) == (dataset is None):
            raise UsageError("task_or_dataset")
        exporter = registry.load("exporter", form)(**options)
        records = self._records(task, dataset, scenario, character)
        return write_file(path, exporter, records)

    def _records(
        self, task: int | None, dataset: str | None, scenario: str | None, character: str | None
    ) -> Iterator[Record]:
        store = self._studio.store
        if task is not None:
            store.tasks.get(task)
        else:
            store.datasets.get(dataset or "")
        personas = _Personas(self._studio)
        for record in store.records.iterate(
            task_id=task, dataset=dataset, scenario=scenario, character=character
        ):
            system = personas.of(record)
            yield replace(record, provenance={**record.provenance, "system": system})


class _Personas:
    """The system prompt of a record's character, as its task knew it."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._known: dict[int, dict[str, str]] = {}

    def of(self, record: Record) -> str:
        # A sample's record is a copy: the task that made it is the one it was drawn from.
        task_id = record.provenance.get("from", {}).get("task", record.task_id)
        if task_id not in self._known:
            self._known[task_id] = self._load(task_id)
        return self._known[task_id].get(record.labels.get("character", ""), "")

    def _load(self, task_id: int) -> dict[str, str]:
        from corpusmith.nouns import Character
        from corpusmith.recipes.dialogue_prompts import system_prompt

        try:
            task = self._studio.store.tasks.get(task_id)
        except NotFound:
            return {}  # its records outlive a deleted task
        spec = task.spec.get("recipe_spec", {})
        return {
            part["name"]: system_prompt(Character(**part), task.spec["language"])
            for part in spec.get("characters", [])
        }
