"""A task before it is one: its prompts, what it will use, and all that is still missing.

Owns: going on after something is missing, and beside which field each problem stands. Does not own:
what is checked (`task_file.py`, `new_task.py`), the estimate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corpusmith.errors import CorpusmithError, UsageError
from corpusmith.messages import for_pages, say_page
from corpusmith.service import loop
from corpusmith.service.endpoints import named_endpoints
from corpusmith.service.estimate import Estimate, Preview, refuse_unknown_price
from corpusmith.service.fields import FieldsError
from corpusmith.service.new_task import checked_file, ready_endpoints
from corpusmith.service.task_file import TaskFile
from corpusmith.values import Json, Message

if TYPE_CHECKING:
    from corpusmith.service.studio import Studio


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewProblem:
    """Something that keeps the task from being made. `place`: a field's name, or empty."""

    place: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptView:
    """A call as it will be sent."""

    item: str
    role: str
    messages: Sequence[Message]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewView:
    """What a task would be."""

    ready: bool
    """Nothing is missing: the same fields make a task."""
    problems: Sequence[PreviewProblem]
    prompts: Sequence[PromptView]
    shares: Mapping[str, int]
    """Records wanted by category."""
    estimate: Estimate | None
    remarks: Sequence[str]
    """What was guessed, for a person to agree to."""


PLACES: dict[str, str] = {
    "no_connection": "connection",
    "unknown_connection": "connection",
    "connections_several": "connection",
    "key_missing": "connection",
    "key_missing_stored": "connection",
    "key_missing_role": "connection",
    "secret_key_missing": "connection",
    "secret_key_wrong": "connection",
    "no_model": "model",
    "no_model_none": "model",
    "no_model_list": "model",
    "role_unknown": "roles",
    "embedder_missing": "roles",
    "embedder_protocol": "roles",
    "price_unknown": "max_cost",
    "no_character": "characters",
    "character_twice": "characters",
    "unknown_character": "characters",
    "dataset_no_character": "dataset",
    "dataset_no_scenario": "dataset",
    "unknown_dataset": "dataset",
    "scenario_twice": "scenarios",
    "scenario_weights_zero": "scenarios",
    "unknown_scenario": "scenarios",
    "template_none": "template",
    "unknown_template": "template",
    "template_no_total": "count",
    "template_no_count": "count",
    "template_share_bad": "categories",
    "template_share_mixed": "categories",
    "template_share_sum": "categories",
    "template_category_twice": "categories",
    "template_input_empty": "input",
    "template_input_unused": "input",
    "rounds_count": "rounds",
    "rounds_input_and_history": "history",
    "rounds_input_or_history": "input",
    "unknown_recipe": "recipe",
    "recipe_word": "recipe",
    "unknown_format": "format",
    "unknown_domain": "domain",
    "unknown_rubric": "rubric",
    "output_not_here": "output",
    "checks_shape": "checks",
    "unknown_check": "checks",
}
"""Beside which field an error stands that is not of one field's form alone."""

_BY_START = {"template_var": "variables", "template_column": "variables", "judge_": "judges"}


class TaskPreviews:
    """`studio.task_previews`"""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def of(self, fields: Mapping[str, Json], *, items: int = 1) -> PreviewView:
        """What a task of these fields would be, as far as they go. Nothing is sent, but that an
        endpoint is asked for its list where no model is named."""
        try:
            file = checked_file(fields, {})
        except FieldsError as error:
            return self._shown(None, self._of_fields(error))
        except UsageError as error:
            return self._shown(None, [self._problem(error)])
        preview, missing = self._preview(file, items)
        problems = [*missing, *self._of_endpoints(file)]
        return self._shown(preview, list({(p.place, p.code): p for p in problems}.values()))

    def _preview(
        self, file: TaskFile, items: int
    ) -> tuple[Preview | None, Sequence[PreviewProblem]]:
        try:
            return self._studio.tasks.preview(file, items=items), ()
        except FieldsError as error:
            return None, self._of_fields(error)
        except CorpusmithError as error:
            return None, [self._problem(error)]

    def _of_endpoints(self, file: TaskFile) -> Sequence[PreviewProblem]:
        """What is wrong with where it would ask, whatever else is missing."""
        try:
            found = named_endpoints(file, self._studio.store)
            refuse_unknown_price(file.max_cost, found)
            loop.run(ready_endpoints(found, self._studio.store))
        except CorpusmithError as error:
            return [self._problem(error)]
        return ()

    def _of_fields(self, error: FieldsError) -> list[PreviewProblem]:
        return [
            PreviewProblem(place=one.place, code=one.type, message=one.text(self._studio.language))
            for one in error.data["problems"]
        ]

    def _problem(self, error: CorpusmithError) -> PreviewProblem:
        by_start = (place for start, place in _BY_START.items() if error.reason.startswith(start))
        place = PLACES.get(error.reason) or next(by_start, "")
        with for_pages():
            text = error.message(self._studio.language)
        return PreviewProblem(place=place, code=error.reason, message=text)

    def _shown(self, preview: Preview | None, problems: Sequence[PreviewProblem]) -> PreviewView:
        language = self._studio.language
        return PreviewView(
            ready=not problems,
            problems=problems,
            prompts=[
                PromptView(item=item, role=role, messages=messages)
                for item, role, messages in (preview.calls if preview else ())
            ],
            shares=preview.quotas if preview else {},
            estimate=preview.estimate if preview else None,
            remarks=[
                say_page(one.key, language, **one.data)
                for one in (preview.remarks if preview else ())
            ],
        )
