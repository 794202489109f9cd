"""Every option of every recipe is sent, or decides what is asked, or is about something else.

What is sent is tried on the wire: `test_wire_parameters.py`, `test_wire_recipes.py`.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from pydantic import BaseModel

from corpusmith import registry
from corpusmith.judging.rubric import DimensionPart, RubricPart
from corpusmith.service.forms.dialogue import DialogueFile
from corpusmith.service.forms.evaluate import EvaluateFile, JudgePart
from corpusmith.service.forms.rounds import RoundsFile
from corpusmith.service.forms.selfplay import SelfPlayFile
from corpusmith.service.forms.template import CategoryFile, TemplateFile
from corpusmith.service.forms.template_writers import ModelPart
from corpusmith.service.input_part import InputPart
from corpusmith.service.task_file import TaskFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where each option of a form goes."""

    sent: Set[str] = frozenset()
    """A field of the request."""
    asked: Set[str] = frozenset()
    """It decides which calls are made, and what is said in them."""
    kept: Set[str] = frozenset()
    """Not sent: it is about the records, or about the run."""

    @property
    def all(self) -> set[str]:
        return {*self.sent, *self.asked, *self.kept}


PLACES: dict[type[BaseModel], Places] = {
    TaskFile: Places(
        sent={
            *("temperature", "top_p", "max_tokens", "seed", "stop", "extra"),
            *("model", "connection", "roles"),
        },
        asked={"recipe", "language"},
        kept={
            *("name", "description", "count", "dataset", "output", "format", "commit", "checks"),
            *("concurrency", "rpm", "tpm", "max_cost", "max_total_tokens", "max_calls"),
            "max_attempts_multiplier",
        },
    ),
    DialogueFile: Places(
        asked={
            *("characters", "scenarios", "mode", "turns", "dialogues_per_request", "share"),
            "variation",
        }
    ),
    TemplateFile: Places(
        sent={"preset", "models", "categories"},
        asked={"template", "vars", "input", "per_request", "system"},
        kept={"keep", "total"},
    ),
    RoundsFile: Places(
        asked={
            *("input", "map", "sample", "history", "rounds", "context_messages"),
            "context_tokens",
        },
        kept={"output_dir"},
    ),
    SelfPlayFile: Places(
        sent={"max_tokens_answer", "max_tokens_other", "models", "stop_when_satisfied"},
        asked={"domain", "refinement_iterations", "satisfied_score"},
    ),
    EvaluateFile: Places(sent={"judges"}, asked={"of", "rubric", "max_row_tokens"}, kept={"fresh"}),
    CategoryFile: Places(
        sent={"connection", "model", "models", "preset", "temperature", "top_p", "max_tokens"},
        asked={"template", "vars", "input", "share"},
        kept={"name", "keep"},
    ),
    ModelPart: Places(sent={"name", "connection", "model"}, asked={"weight"}),
    JudgePart: Places(sent={"connection"}, kept={"name", "weight"}),
    RubricPart: Places(asked={"judged", "dimensions", "language"}, kept={"name", "description"}),
    DimensionPart: Places(
        asked={"name", "label", "description", "score_1", "score_5"}, kept={"weight"}
    ),
    InputPart: Places(
        asked={
            *("path", "dataset", "task", "hub", "split", "name", "where", "map", "sample", "limit"),
            *("split_by", "chunk_size", "chunk_overlap", "chunk_unit", "heading_level"),
            "encoding",
        }
    ),
}


PARTS = (CategoryFile, ModelPart, JudgePart, RubricPart, DimensionPart, InputPart)
"""What stands inside an option."""


def test_every_option_of_every_recipe_has_its_place() -> None:
    """A new one must be put into one of the three, and tried on the wire if it is sent."""
    forms = {registry.load("form", name).file_model for name in registry.names("form")}
    assert forms == {form for form in PLACES if form not in (TaskFile, *PARTS)}
    common = set(TaskFile.model_fields)
    found = {form: set(form.model_fields) - common for form in forms}
    found |= {part: set(part.model_fields) for part in (TaskFile, *PARTS)}
    assert found == {form: places.all for form, places in PLACES.items()}
