"""The form of question–answer–correction rounds.

Owns: its fields, the endpoints that it has when nobody names one, and where it goes on from. Does
not own: reading triples and histories, and the files (`service/rounds.py`), prompts (recipes).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from pydantic import Field, field_validator

from corpusmith.errors import UsageError
from corpusmith.exports.rounds import Conversation
from corpusmith.places import from_folder, gated, given_output
from corpusmith.recipes.rounds_spec import CONTEXT_MESSAGES, CONTEXT_TOKENS, ROUNDS
from corpusmith.service import rounds
from corpusmith.service.endpoints import endpoints_of
from corpusmith.service.forms.form import Resolved, deliver_file
from corpusmith.service.input_part import InputPart, input_from_folder
from corpusmith.service.task_file import EndpointPart, TaskFile
from corpusmith.store.store import SqlStore
from corpusmith.store.values import Task
from corpusmith.values import Json, Language

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio

OUTPUT_DIR = "data"
ROLES = ("ask", "answer", "correct")
GEMINI = ("gemini", "gemini-2.5-flash-lite")
TOGETHER = ("together", "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo")
DEFAULTS = {"ask": GEMINI, "answer": TOGETHER, "correct": GEMINI}
"""Provider and model of each role: the answer is left to a weaker one, so that there is something
to correct."""


class RoundsFile(TaskFile):
    """One rounds task. Every field is also a flag of `corpusmith rounds run` or `build`."""

    recipe: Literal["rounds"] = "rounds"
    input: str | None = None
    """Single triples: a file, `hub:NAME`, `dataset:NAME`, `task:3`. None: go on from a history."""
    map: dict[str, str] = Field(default_factory=dict)
    """Field of a triple → its name in the input."""
    sample: int | None = Field(default=None, ge=1)
    """So many triples, drawn with `seed` (0 without one); None: all."""
    history: InputPart | None = None
    """The history to go on from: a file or `dataset:NAME`; None: the newest in `output_dir`."""
    rounds: int = Field(default=ROUNDS, ge=1, le=1000)
    output_dir: str = Field(default=OUTPUT_DIR, min_length=1)
    context_messages: int = Field(default=CONTEXT_MESSAGES, ge=1)
    context_tokens: int = Field(default=CONTEXT_TOKENS, ge=1)

    @field_validator("input", "history", "output_dir", mode="before")
    @classmethod
    def _path(cls, value: Any) -> Any:
        return str(value) if isinstance(value, Path) else value


class RoundsForm:
    """Fits forms.form.Form."""

    file_model: ClassVar[type[TaskFile]] = RoundsFile

    def resolve(self, file: TaskFile, store: SqlStore, language: Language) -> Resolved:
        """See Form. The language is that of the questions, unless the file says another."""
        given = cast(RoundsFile, file)
        _refuse_what_does_not_fit(given)
        folder = _folder(given)
        if given.input is None:
            found, skipped = _history(given, folder, store), {}
            first = 1 + min(len(one["rounds"]) for one in found)
        else:
            part = rounds.input_of(given.input, given.map)
            triples = rounds.triples_of(part, given.sample, given.seed or 0, store)
            found, skipped, first = triples.conversations, dict(triples.skipped), 1
        last = max(len(one["rounds"]) for one in found) + given.rounds
        if folder is not None:
            rounds.refuse_later_rounds(folder, last)
        spoken = given.language or rounds.language_of(found)
        return Resolved(
            language=spoken,
            recipe_spec={
                "rounds": given.rounds,
                "context_messages": given.context_messages,
                "context_tokens": given.context_tokens,
                "language": spoken,
                "output_dir": "" if folder is None else str(folder),
                "first_round": first,
                "skipped": skipped,
            },
            endpoints=endpoints_of(
                given, store, ROLES, {role: _default(*DEFAULTS[role]) for role in ROLES}
            ),
            count=len(found),
            inputs=found,
        )

    def from_folder(self, fields: dict[str, Json], folder: Path) -> dict[str, Json]:
        """See Form."""
        changed = {"output_dir": OUTPUT_DIR, **fields}
        if isinstance(changed["output_dir"], str):
            changed["output_dir"] = from_folder(changed["output_dir"], folder)
        for name in ("input", "history"):
            if name in fields:
                changed[name] = input_from_folder(fields[name], folder)
        return changed

    def deliver(self, studio: Studio, task: Task) -> Path | None:
        """See Form. The folder with the files of each round."""
        deliver_file(studio, task)
        return rounds.write_all(studio, task)


def _refuse_what_does_not_fit(file: RoundsFile) -> None:
    if file.count is not None:
        raise UsageError("rounds_count")
    if file.input is not None and file.history is not None:
        raise UsageError("rounds_input_and_history")
    if file.input is None and (file.sample is not None or file.map):
        raise UsageError("rounds_only_with_input", field="sample" if file.sample else "map")


def _folder(file: RoundsFile) -> Path | None:
    """Where the rounds' files go; None: nowhere, the task comes from a request. UsageError."""
    if gated() and "output_dir" not in file.model_fields_set:
        return None
    folder = given_output(file.output_dir).expanduser().absolute()
    rounds.refuse_no_folder(folder)
    return folder


def _history(file: RoundsFile, folder: Path | None, store: SqlStore) -> Sequence[Conversation]:
    if folder is None and file.history is None:
        raise UsageError("rounds_input_or_history")
    part = file.history or InputPart(path=str(rounds.newest_history(cast(Path, folder))))
    return rounds.histories_in(part, store)


def _default(provider: str, model: str) -> EndpointPart:
    """The provider's own endpoint, or the one that the environment has in its place."""
    name = provider.upper()
    return EndpointPart(
        provider=provider,
        base_url=os.environ.get(f"{name}_BASE_URL") or None,
        model=model,
        api_key_env=f"{name}_API_KEY",
    )
